"""`vision-events keys`: keys of the HTTP API."""

from datetime import datetime
from typing import Annotated

import typer
from rich.markup import escape
from rich.table import Table

from pipeline.cli.common import DataDir, SetOption, err, out, settings_from
from pipeline.edges.clickhouse import connect
from pipeline.edges.keys import SCOPES, create_key, digest_of, list_keys, revoke_key
from pipeline.settings import Settings
from schemas.common import DEFAULT_WORKSPACE

app = typer.Typer(help="Keys of the HTTP API: each belongs to a workspace.", no_args_is_help=True)


@app.command("create")
def create(
    name: Annotated[str, typer.Argument(help="What the key is for, such as the client's name.")],
    workspace: Annotated[
        str, typer.Option(help="Workspace whose events, images and use cases it reaches.")
    ] = DEFAULT_WORKSPACE,
    scopes: Annotated[
        list[str] | None, typer.Option("--scope", help=f"What it allows, repeated: {', '.join(SCOPES)}. Absent: all.")
    ] = None,
    data_dir: DataDir = None,
    assignments: SetOption = None,
) -> None:
    """Make a key and print it. It is printed this once: only its hash is kept."""
    client = connect(settings_from(data_dir, assignments))
    entry, key = create_key(client, workspace, name, scopes or SCOPES)
    err.print(f"key {entry.id} of workspace {escape(workspace)}; keep it, it is not shown again:")
    typer.echo(key)


@app.command("list")
def list_(data_dir: DataDir = None, assignments: SetOption = None) -> None:
    """List keys with their scopes and when they were last used."""
    table = Table("id", "name", "workspace", "scopes", "created", "last used", "revoked")
    for column in table.columns[:2]:
        column.no_wrap = True  # narrow terminals fold the rest
    for entry in list_keys(connect(settings_from(data_dir, assignments))):
        times = (_text(entry.created_at), _text(entry.used_at), _text(entry.revoked_at))
        table.add_row(entry.id, escape(entry.name), entry.workspace_id, "\n".join(sorted(entry.scopes)), *times)
    out.print(table)


@app.command("revoke")
def revoke(
    key_id: Annotated[str, typer.Argument(help="Id of the key, as listed.")],
    data_dir: DataDir = None,
    assignments: SetOption = None,
) -> None:
    """Make a key useless; running gateways follow within seconds."""
    entry = revoke_key(connect(settings_from(data_dir, assignments)), key_id)
    out.print(f"revoked {entry.id} ({escape(entry.name)})")


def ensure_key(settings: Settings, *, make: bool) -> str | None:
    """Store the key of the settings where it is not stored yet; with `make` and without any key, make and return one.

    A key that was revoked stays revoked.
    """
    client = connect(settings)
    known, given = list_keys(client), settings.api_key.get_secret_value()
    if given:
        if digest_of(given) not in {entry.digest for entry in known}:
            create_key(client, DEFAULT_WORKSPACE, "VISION_EVENTS_API_KEY", key=given)
        return None
    return create_key(client, DEFAULT_WORKSPACE, "first key")[1] if make and not known else None


def _text(moment: datetime | None) -> str:
    return f"{moment:%Y-%m-%d %H:%M:%S} UTC" if moment else ""
