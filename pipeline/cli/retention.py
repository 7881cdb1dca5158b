"""`vision-events retention` and `vision-events holds`: what goes, and what stays whatever its retention says."""

import logging
import signal
import threading
from datetime import UTC, datetime, timedelta
from typing import Annotated

import typer
from rich.table import Table
from rich.text import Text

from pipeline.cli.common import DataDir, SetOption, out, settings_from, who
from pipeline.edges import holds
from pipeline.edges.clickhouse import connect
from pipeline.edges.retention import refresh_holds, sweep_images
from pipeline.edges.s3 import ImageStore
from pipeline.errors import DependencyError
from pipeline.logs import set_up_logging
from pipeline.settings import Settings
from schemas.common import DEFAULT_WORKSPACE

log = logging.getLogger(__name__)

app = typer.Typer(help="Legal holds: events that stay whatever their retention says.", no_args_is_help=True)

Day = Annotated[datetime, typer.Option(formats=["%Y-%m-%d", "%Y-%m-%dT%H:%M:%S"], help="UTC.")]


def retention(
    every: Annotated[float | None, typer.Option(min=0.01, help="Run again every so many hours.")] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would be removed.")] = False,
    data_dir: DataDir = None,
    assignments: SetOption = None,
) -> None:
    """Refresh legal holds, then remove images that no event refers to any more. Rows go by themselves."""
    settings = settings_from(data_dir, assignments)
    if every is None:
        _run(settings, dry_run)
        return
    set_up_logging(settings)
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    while not stop.is_set():
        try:
            _run(settings, dry_run)
        except DependencyError as error:
            log.warning("trying again in five minutes: %s", error)
            stop.wait(300)
            continue
        stop.wait(every * 3600)


def _run(settings: Settings, dry_run: bool) -> None:
    client = connect(settings)
    for hold_id, events in refresh_holds(client).items():
        out.print(f"{hold_id}: {events:,} events are held")
    swept = sweep_images(client, ImageStore(settings), timedelta(hours=settings.image_grace_hours), dry_run=dry_run)
    said = "would be removed" if dry_run else "removed"
    out.print(f"images: {swept.kept:,} kept, {swept.removed:,} {said} ({swept.removed_bytes:,} bytes)")
    if swept.foreign:
        out.print(f"{swept.foreign:,} other objects of the bucket are left alone")


@app.command("place")
def place(
    since: Day,
    until: Day,
    reason: Annotated[str, typer.Option(help="Why; kept with the hold.")],
    use_case: Annotated[str, typer.Option(help="Use case; absent: all of the workspace.")] = "",
    workspace: Annotated[str, typer.Option(help="Workspace.")] = DEFAULT_WORKSPACE,
    data_dir: DataDir = None,
    assignments: SetOption = None,
) -> None:
    """Hold the events whose time lies between two moments: copies stay until the hold is released."""
    client = connect(settings_from(data_dir, assignments))
    span = since.replace(tzinfo=UTC), until.replace(tzinfo=UTC)
    hold = holds.place(client, workspace, use_case, *span, reason, who())
    out.print(f"{hold.id}: {holds.count(client, hold.id):,} events are held")


@app.command("list")
def list_(data_dir: DataDir = None, assignments: SetOption = None) -> None:
    """List the holds that are not released."""
    client = connect(settings_from(data_dir, assignments))
    table = Table("id", "workspace", "use case", "since (UTC)", "until (UTC)", "events", "placed by", "reason")
    table.columns[0].no_wrap = True
    for hold in holds.active(client):
        span = (f"{hold.since:%Y-%m-%d %H:%M}", f"{hold.until:%Y-%m-%d %H:%M}")
        size = f"{holds.count(client, hold.id):,}"
        words = (Text(hold.placed_by), Text(hold.reason))
        table.add_row(hold.id, Text(hold.workspace_id), Text(hold.use_case_id or "all"), *span, size, *words)
    out.print(table if table.row_count else "no holds")


@app.command("release")
def release(
    hold_id: Annotated[str, typer.Argument(metavar="ID")], data_dir: DataDir = None, assignments: SetOption = None
) -> None:
    """Release a hold: its copies go, the events themselves follow their retention."""
    holds.release(connect(settings_from(data_dir, assignments)), hold_id, who())
    out.print(f"released {hold_id}")
