"""`vision-events rules`: alert rules, tried on recorded events before they are applied."""

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Annotated

import orjson
import typer
from rich.text import Text

from pipeline.cli.common import err, out, wrapped_table
from pipeline.cli.publish import read_records
from pipeline.cli.use_cases import read_text
from pipeline.core.alerts.conditions import Event
from pipeline.core.alerts.recorded import read_event
from pipeline.core.alerts.replay import Replay, replay
from pipeline.core.documents import parse_document
from pipeline.core.registry import Registry
from pipeline.errors import ConfigurationError, InvalidRecordError
from schemas.alert import Alert
from schemas.device import DeviceFile
from schemas.use_case import UseCase

app = typer.Typer(help="Alert rules: try them on recorded events.", no_args_is_help=True)


@app.callback()
def rules() -> None:
    """Alert rules: try them on recorded events."""


@app.command("test")
def try_out(
    document: Annotated[Path, typer.Argument(help="Use case document with the rules.")],
    events: Annotated[
        list[str],
        typer.Option("--events", help="NDJSON of raw results, of vision.events or of vision_events; - is stdin."),
    ],
    devices: Annotated[Path | None, typer.Option(help="Device file, where events rely on the registry.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="One alert a line, as on vision.alerts.")] = False,
) -> None:
    """Replay recorded events and print what would have fired, as a timeline. Needs no running system."""
    use_case = parse_document(read_text(document), UseCase, str(document))
    if not use_case.alerts:
        raise ConfigurationError(f"{document}: use case {use_case.id!r} has no alert rules")
    known = parse_document(read_text(devices), DeviceFile, str(devices)) if devices else DeviceFile()
    registry = Registry.of([use_case, *known.devices, *known.factories])
    result = replay(use_case, (item for path in events for item in _read(path, registry, use_case.id)))
    if as_json:
        for alert in result.alerts:
            typer.echo(alert.model_dump_json())
    else:
        _print(use_case, result)


def _read(path: str, registry: Registry, use_case_id: str) -> Iterator[tuple[Event, int]]:
    """The events of the use case in a file; those of other use cases are passed over."""
    for number, value in enumerate(read_records(path), 1):
        try:
            event, arrived = read_event(_in_use_case(value, use_case_id), number, registry)
        except InvalidRecordError as error:
            raise ConfigurationError(f"{path}: record {number}: {error}") from None
        if event["use_case_id"] == use_case_id:
            yield event, arrived


def _in_use_case(value: bytes, use_case_id: str) -> bytes:
    """A record that names no use case is taken to belong to this one."""
    try:
        found = orjson.loads(value)
    except orjson.JSONDecodeError:
        return value
    if isinstance(found, dict) and "result" in found and "use_case_id" not in found:
        return orjson.dumps(found | {"use_case_id": use_case_id})
    return value


def _print(use_case: UseCase, result: Replay) -> None:
    table = wrapped_table("time (UTC)", "rule", "group", "what", "value", "summary")
    for alert in result.alerts:
        group = "\n".join(f"{label}={value}" for label, value in alert.group.items())
        summary = alert.annotations.get("summary", "")
        colour = "red" if alert.status == "firing" else "green"
        suppressed = f" (kept back by {alert.suppressed_by})" if alert.suppressed_by else ""
        cells = (_time(alert), alert.rule, group, alert.status + suppressed, f"{alert.value:g}", summary)
        table.add_row(*(Text(cell, style=colour if position == 3 else "") for position, cell in enumerate(cells)))
    if result.alerts:
        out.print(table)
    fired = sum(alert.status == "firing" for alert in result.alerts)
    still = 2 * fired - len(result.alerts)
    out.print(f"{result.events:,} events, {fired} alerts fired, {still} still firing at the end")
    for rule in use_case.alerts:
        late = result.late.get(rule.name, 0)
        counts = f"{result.candidates.get(rule.name, 0):,} events looked at" if rule.enabled else "not enabled"
        err.print(f"  {rule.name}: {counts}" + (f", {late:,} left out as later than {rule.lateness} s" if late else ""))


def _time(alert: Alert) -> str:
    moment: datetime = alert.ends_at if alert.status == "resolved" and alert.ends_at else alert.fired_at
    return f"{moment:%Y-%m-%d %H:%M:%S}"
