"""`vision-events edge`: the spool of a factory device."""

from dataclasses import asdict
from datetime import UTC, datetime
from functools import partial
from typing import Annotated

import orjson
import typer
from rich.table import Table
from rich.text import Text

from pipeline.cli.common import DataDir, SetOption, out, settings_from
from pipeline.errors import ConfigurationError
from pipeline.logs import set_up_logging
from pipeline.settings import Settings
from pipeline.spool.service import serve, spool_folder
from pipeline.spool.state import SpoolState, list_refused, read_state
from pipeline.spool.store import Limits, SpoolStore, translated
from pipeline.spool.writer import now_ms

app = typer.Typer(help="Take events on a factory device, keep them on its disk, forward them when there is a way.")
refused = typer.Typer(help="Events that their receiver refused for good.", no_args_is_help=True)
app.add_typer(refused, name="refused")

AsJson = Annotated[bool, typer.Option("--json", help="JSON, for scripts.")]
Ids = Annotated[list[str] | None, typer.Argument(metavar="[ID]...", help="Event ids, as listed.")]
All = Annotated[bool, typer.Option("--all", help="Every refused event.")]


@app.callback(invoke_without_command=True)
def edge(
    context: typer.Context,
    edge_host: Annotated[str | None, typer.Option(help="Address to listen on.")] = None,
    edge_port: Annotated[int | None, typer.Option(help="Port to listen on.")] = None,
    data_dir: DataDir = None,
    assignments: SetOption = None,
) -> None:
    """Run until told to stop: POST /v2/events, /livez, /readyz."""
    if context.invoked_subcommand is None:
        settings = settings_from(data_dir, assignments, edge_host=edge_host, edge_port=edge_port)
        set_up_logging(settings)
        serve(settings)


@app.command("status")
def status(as_json: AsJson = False, data_dir: DataDir = None, assignments: SetOption = None) -> None:
    """Show what the spool holds and how forwarding fares, whether the edge runs or not."""
    settings = settings_from(data_dir, assignments)
    state = read_state(spool_folder(settings))
    if as_json:
        limits = {"max_bytes": settings.edge_max_bytes, "max_events": settings.edge_max_events}
        typer.echo(orjson.dumps(asdict(state) | limits, option=orjson.OPT_INDENT_2).decode())
    else:
        _print(state, settings)


@refused.command("list")
def list_(
    limit: Annotated[int, typer.Option(min=1, max=100_000, help="Most events to list.")] = 20,
    as_json: AsJson = False,
    data_dir: DataDir = None,
    assignments: SetOption = None,
) -> None:
    """List refused events and why, the latest first."""
    events = list_refused(spool_folder(settings_from(data_dir, assignments)), limit)
    if as_json:
        typer.echo(orjson.dumps([asdict(event) for event in events], option=orjson.OPT_INDENT_2).decode())
        return
    table = Table("id", "device", "refused (UTC)", "bytes", "reason")
    for event in events:
        when = _time(event.refused_ms)
        table.add_row(Text(event.event_id), Text(event.device_id), when, f"{event.size:,}", Text(event.reason))
    out.print(table if events else "no refused events")


@refused.command("retry")
def retry(ids: Ids = None, every: All = False, data_dir: DataDir = None, assignments: SetOption = None) -> None:
    """Put refused events at the end of the queue again, after their cause is mended."""
    with _opened(settings_from(data_dir, assignments)) as store, translated():
        out.print(f"{store.retry(_chosen(ids, every), now_ms()):,} events wait again")


@refused.command("discard")
def discard(ids: Ids = None, every: All = False, data_dir: DataDir = None, assignments: SetOption = None) -> None:
    """Drop refused events for good."""
    with _opened(settings_from(data_dir, assignments)) as store, translated():
        out.print(f"{store.discard(_chosen(ids, every)):,} events discarded")


def _opened(settings: Settings) -> SpoolStore:
    folder = spool_folder(settings)
    read_state(folder)  # says so where there is none, instead of making one
    with translated():
        return SpoolStore.open(folder, Limits(settings.edge_max_bytes, settings.edge_max_events))


def _chosen(ids: list[str] | None, every: bool) -> list[str] | None:
    if bool(ids) == every:
        raise ConfigurationError("name the events, or give --all")
    return ids or None


def _print(state: SpoolState, settings: Settings) -> None:
    say = partial(out.print, soft_wrap=True)
    target = settings.gateway_url or f"Kafka at {settings.kafka_bootstrap}"
    waiting = f"{state.waiting:,} of at most {settings.edge_max_events:,} events"
    room = f"{state.waiting_bytes + state.refused_bytes:,} of at most {settings.edge_max_bytes:,} bytes"
    oldest = f", the oldest accepted {_time(state.oldest_ms)} UTC" if state.oldest_ms else ""
    say(f"waiting    {waiting}{oldest}")
    say(f"refused    {state.refused:,}" + (": vision-events edge refused list" if state.refused else ""))
    say(f"held       {room}; the file has {state.file_bytes:,}")
    say(
        f"accepted   {state.accepted:,} = {state.delivered:,} delivered + {state.replaced:,} replaced"
        f" + {state.discarded:,} discarded + {state.waiting:,} waiting + {state.refused:,} refused"
    )
    delivered = f"last delivery {_time(state.delivered_ms)} UTC" if state.delivered_ms else "nothing delivered yet"
    say(f"to         {target}: {delivered}")
    if state.failure and state.failure_ms:
        say(Text(f"failing    since then, last at {_time(state.failure_ms)} UTC: {state.failure}", "red"))
    if state.salvaged:
        say(Text(f"salvaged   {state.salvaged:,} events were read from damaged files", "yellow"))
    for name in state.damaged_files:
        say(Text(f"damaged    a former spool file is kept as {name}", "yellow"))


def _time(milliseconds: int) -> str:
    return f"{datetime.fromtimestamp(milliseconds / 1000, UTC):%Y-%m-%d %H:%M:%S}"
