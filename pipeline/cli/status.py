"""`vision-events status`: produced, stored and rejected side by side, lag, and health."""

from dataclasses import asdict
from typing import Annotated, Any

import orjson
import typer
from rich.markup import escape
from rich.table import Table

from pipeline.cli.common import PARTS_FILE, DataDir, SetOption, out, settings_from
from pipeline.edges.counts import Status, read_status
from pipeline.settings import Settings


def status(
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object, for scripts.")] = False,
    data_dir: DataDir = None,
    assignments: SetOption = None,
) -> None:
    """Show produced = stored + rejected for every topic, the lag, and whether the services answer.

    Ends with exit code 3 when a service does not answer.
    """
    settings = settings_from(data_dir, assignments)
    state = read_status(settings)
    if as_json:
        typer.echo(orjson.dumps(as_document(state, settings), option=orjson.OPT_INDENT_2).decode())
    else:
        _print(state, settings)
    if any(answer != "ok" for answer in state.health.values()):
        raise typer.Exit(3)


def as_document(state: Status, settings: Settings) -> dict[str, Any]:
    """The state as `status --json` prints it."""
    return {
        "addresses": addresses(settings),
        "health": state.health,
        "parts": read_parts(settings),
        "events": state.events,
        "topics": {counts.topic: asdict(counts) | {"unaccounted": counts.unaccounted} for counts in state.topics},
    }


def read_parts(settings: Settings) -> dict[str, Any]:
    """What the parts of a running `up` do; empty where the system runs otherwise."""
    try:
        parts: dict[str, Any] = orjson.loads((settings.data_dir / PARTS_FILE).read_bytes())
    except (OSError, orjson.JSONDecodeError):
        return {}
    return parts


def addresses(settings: Settings) -> dict[str, str]:
    """Where the services are."""
    return {
        "kafka": settings.kafka_bootstrap,
        "s3": settings.s3_endpoint,
        "clickhouse": settings.clickhouse_url,
        "http": f"http://{settings.http_host}:{settings.http_port}",
    }


def _print(state: Status, settings: Settings) -> None:
    table = Table("topic", "partitions", "produced", "stored", "rejected", "unaccounted", "lag")
    table.columns[0].no_wrap = True
    for column in table.columns[1:]:
        column.justify = "right"
    for counts in state.topics:
        figures = (counts.produced, counts.stored, counts.rejected, counts.unaccounted, counts.lag)
        table.add_row(counts.topic, str(counts.partitions), *("" if n is None else f"{n:,}" for n in figures))
    out.print(table)
    if state.events is not None:
        out.print(f"events in the table: [bold]{state.events:,}[/] (an id that was sent again counts once)")
    places = addresses(settings)
    for name, answer in state.health.items():
        colour = "green" if answer == "ok" else "red"
        out.print(f"{name:<12} {places[name]:<28} [{colour}]{escape(answer)}[/]")
    for name, part in read_parts(settings).items():
        restarts = f", restarted {part['restarts']} times" if part["restarts"] else ""
        out.print(f"{name:<12} process {part['pid']}: {part['state']}{restarts}")
