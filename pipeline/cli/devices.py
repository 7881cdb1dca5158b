"""`vision-events devices`: the registry of factories and devices."""

from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from pipeline.cli.common import DataDir, SetOption, out, settings_from
from pipeline.cli.use_cases import read_text
from pipeline.core.documents import parse_document
from pipeline.edges.clickhouse import connect, translated
from pipeline.edges.registry import apply_entries
from schemas.device import DeviceFile

app = typer.Typer(help="Factories and devices: what is known of a source beforehand.", no_args_is_help=True)


@app.command("apply")
def apply(
    documents: Annotated[
        list[Path], typer.Argument(help="YAML or JSON files with the lists `factories` and `devices`.")
    ],
    data_dir: DataDir = None,
    assignments: SetOption = None,
) -> None:
    """Store factories and devices; running workers follow within seconds."""
    entries = [parse_document(read_text(path), DeviceFile, str(path)) for path in documents]
    client = connect(settings_from(data_dir, assignments))
    for content in entries:
        apply_entries(client, [*content.factories, *content.devices])
        out.print(f"applied {len(content.factories)} factories and {len(content.devices)} devices")


@app.command("list")
def list_(data_dir: DataDir = None, assignments: SetOption = None) -> None:
    """List devices with their events of the last day and when they were last heard of."""
    client = connect(settings_from(data_dir, assignments), analyst=True)
    with translated():
        rows = client.query(
            "SELECT d.id, d.name, d.factory_id, d.use_case_id, e.events, if(e.events = 0, NULL, e.newest) AS newest "
            "FROM devices AS d LEFT JOIN (SELECT workspace_id, device_id, count() AS events, "
            "max(timestamp) AS newest FROM vision_events WHERE timestamp > now() - INTERVAL 1 DAY "
            "GROUP BY workspace_id, device_id) AS e ON e.workspace_id = d.workspace_id AND e.device_id = d.id "
            "ORDER BY d.factory_id, d.id"
        ).result_rows
    table = Table("id", "name", "factory", "use case", "events (24 h)", "newest event")
    for *texts, events, newest in rows:
        table.add_row(*map(str, texts), f"{events:,}", f"{newest:%Y-%m-%d %H:%M:%S} UTC" if newest else "")
    out.print(table)
