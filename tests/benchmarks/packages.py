"""Libraries of competitors whose requirements contradict each other's: a folder for each, seen by its process only."""

import subprocess
import sys
from pathlib import Path

from tests.benchmarks.processes import WORK

_REQUIREMENTS = Path(__file__).with_name("requirements")


def folder(name: str) -> Path:
    """Where the libraries of a competitor are."""
    return WORK / "packages" / name


def installed(name: str) -> bool:
    """Whether they are there, in the versions that the requirements name."""
    stamp = folder(name) / "requirements.txt"
    return stamp.exists() and stamp.read_text() == _wanted(name)


def install(name: str) -> None:
    """Install them with pip. Raises subprocess.CalledProcessError after pip has said why."""
    arguments = ["--quiet", "--disable-pip-version-check", "--no-deps", "--upgrade", "--target", str(folder(name))]
    requirements = ["--requirement", str(_REQUIREMENTS / f"{name}.txt")]
    subprocess.run([sys.executable, "-m", "pip", "install", *arguments, *requirements], check=True)
    (folder(name) / "requirements.txt").write_text(_wanted(name))


def _wanted(name: str) -> str:
    return (_REQUIREMENTS / f"{name}.txt").read_text()
