"""Options that commands share, and how settings are made of them."""

import getpass
import json
import os
import socket
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Column, Table

from pipeline.errors import ConfigurationError
from pipeline.settings import Settings, load_settings

out = Console(highlight=False)
err = Console(stderr=True, highlight=False)

DataDir = Annotated[
    Path | None,
    typer.Option("--data-dir", help="Folder of the embedded stack: where `up` keeps its data and its addresses."),
]
SetOption = Annotated[
    list[str] | None,
    typer.Option("--set", "-s", metavar="NAME=VALUE", help="Any setting, for instance -s kafka_bootstrap=host:9092."),
]


def wrapped_table(*headings: str) -> Table:
    """A table that wraps what is too wide: in a pipe it is 80 wide, and nothing may be cut off there."""
    return Table(*(Column(heading, overflow="fold") for heading in headings))


def who() -> str:
    """The name of the person at this terminal, as it is recorded beside decisions."""
    try:
        user = getpass.getuser()
    except (OSError, KeyError):  # a container's user may have no name
        user = str(os.getuid())
    return f"{user}@{socket.gethostname()}"


def settings_from(data_dir: Path | None, assignments: list[str] | None, **flags: Any) -> Settings:
    """The settings of a command: its flags, `--set`, then environment and files. Raises ConfigurationError."""
    given: dict[str, Any] = {"data_dir": data_dir, **flags}
    for assignment in assignments or ():
        name, separator, value = assignment.partition("=")
        if not separator or name not in Settings.model_fields:
            known = ", ".join(Settings.model_fields)
            raise ConfigurationError(f"--set {assignment}: expected NAME=VALUE with a name among {known}")
        given[name] = _list(name, value) if isinstance(Settings.model_fields[name].default, tuple) else value
    return load_settings(**given)


def _list(name: str, value: str) -> Any:
    try:
        return tuple(json.loads(value))
    except (ValueError, TypeError):
        raise ConfigurationError(f'--set {name}={value}: expected a JSON list, such as \'["one", "two"]\'') from None
