"""`vision-events use-cases`: apply, list and show use case documents."""

from importlib.resources import files
from pathlib import Path
from typing import Annotated

import typer
import yaml
from rich.markup import escape
from rich.table import Table

from pipeline.cli.common import DataDir, SetOption, out, settings_from
from pipeline.core.documents import parse_document
from pipeline.edges.clickhouse import connect, translated
from pipeline.edges.registry import apply_entries
from pipeline.errors import ConfigurationError
from schemas.use_case import UseCase

app = typer.Typer(help="Use cases: what events of one purpose look like.", no_args_is_help=True)


@app.command("apply")
def apply(
    documents: Annotated[list[Path], typer.Argument(help="YAML or JSON files, one use case each.")],
    data_dir: DataDir = None,
    assignments: SetOption = None,
) -> None:
    """Store use cases; running workers follow within seconds. All files are checked before one is stored."""
    use_cases = [parse_document(read_text(path), UseCase, str(path)) for path in documents]
    apply_entries(connect(settings_from(data_dir, assignments)), use_cases)
    for use_case in use_cases:
        out.print(f"applied use case [bold]{use_case.id}[/] ({escape(use_case.name)})")


@app.command("list")
def list_(data_dir: DataDir = None, assignments: SetOption = None) -> None:
    """List use cases with the number of their events and the time of the last one."""
    client = connect(settings_from(data_dir, assignments), analyst=True)
    with translated():
        rows = client.query(
            "SELECT u.id, u.name, u.event_type, u.status, e.events, if(e.events = 0, NULL, e.newest) AS newest "
            "FROM use_cases AS u LEFT JOIN (SELECT use_case_id, count() AS events, max(timestamp) AS newest "
            "FROM vision_events GROUP BY use_case_id) AS e ON e.use_case_id = u.id ORDER BY u.id"
        ).result_rows
    table = Table("id", "name", "event type", "status", "events", "newest event")
    for *texts, events, newest in rows:
        table.add_row(*map(str, texts), f"{events:,}", f"{newest:%Y-%m-%d %H:%M:%S} UTC" if newest else "")
    out.print(table)


@app.command("show")
def show(
    use_case_id: Annotated[str, typer.Argument(help="Id of a use case.")],
    data_dir: DataDir = None,
    assignments: SetOption = None,
) -> None:
    """Print a use case as the YAML document that `apply` takes."""
    client = connect(settings_from(data_dir, assignments), analyst=True)
    with translated():
        rows = client.query(
            "SELECT document FROM use_cases WHERE id = {id:String}", parameters={"id": use_case_id}
        ).result_rows
    if not rows:
        raise ConfigurationError(f"no use case {use_case_id!r}; `vision-events use-cases list` shows those there are")
    use_case = UseCase.model_validate_json(rows[0][0])
    content = use_case.model_dump(mode="json", by_alias=True, exclude_defaults=True)
    typer.echo(yaml.safe_dump(content, sort_keys=False, allow_unicode=True), nl=False)


def shipped_use_cases() -> list[UseCase]:
    """The use cases that come with the package."""
    folder = files("schemas").joinpath("use_cases")
    entries = sorted(folder.iterdir(), key=lambda entry: entry.name)
    return [parse_document(entry.read_text(encoding="utf-8"), UseCase, entry.name) for entry in entries]


def read_text(path: Path) -> str:
    """The text of a file. Raises ConfigurationError when it cannot be read."""
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigurationError(f"{path}: {error}") from None
