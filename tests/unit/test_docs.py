"""What docs say of settings and commands is so."""

from pathlib import Path

import click
import typer

from pipeline.cli import make_app
from pipeline.settings import Settings

DOCS = Path(__file__).parents[2] / "docs"


def test_every_setting_is_documented_and_no_other() -> None:
    section = (DOCS / "operation.md").read_text().split("## Settings")[1].split("\n## ")[0]
    listed = {line.split("`")[1] for line in section.splitlines() if line.startswith("| `")}
    assert listed == set(Settings.model_fields)


def test_every_command_is_documented_and_has_help() -> None:
    text = (DOCS / "operation.md").read_text()
    group = typer.main.get_command(make_app())
    assert isinstance(group, click.Group) or hasattr(group, "commands")
    for name, command in group.commands.items():  # type: ignore[attr-defined]
        assert f"`{name}" in text, name
        assert command.help, name
