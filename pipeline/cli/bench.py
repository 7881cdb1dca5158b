"""`vision-events bench`: the benchmarks of a source checkout, run with this installation."""

import subprocess
import sys
from pathlib import Path
from typing import Final

import typer

import pipeline
from pipeline.errors import ConfigurationError

CONTEXT_SETTINGS: Final = {"allow_extra_args": True, "ignore_unknown_options": True, "help_option_names": []}
"""Settings of the command: its arguments are those of `python -m tests.benchmarks`, `--help` included."""


def bench(context: typer.Context) -> None:
    """Measure this machine; `bench --help` lists what. Needs the source checkout."""
    root = Path(pipeline.__file__).parents[1]
    if not (root / "tests" / "benchmarks" / "__main__.py").is_file():
        raise ConfigurationError(
            "the benchmarks are not part of the installed package: run `vision-events bench` from a source checkout "
            "that is installed with `pip install -e '.[embedded,bench]'`"
        )
    done = subprocess.run([sys.executable, "-m", "tests.benchmarks", *context.args], cwd=root, check=False)
    raise typer.Exit(done.returncode)
