"""`vision-events rejects`: what could not be stored, why, and how to bring it back."""

import asyncio
from datetime import datetime
from typing import Annotated, Any

import orjson
import typer
from rich.progress import track
from rich.table import Table
from rich.text import Text

from pipeline.cli.common import DataDir, SetOption, err, out, settings_from
from pipeline.core.process import ORIGIN_HEADER
from pipeline.edges.clickhouse import connect
from pipeline.edges.kafka import producer, start_producer
from pipeline.edges.rejects import RejectFilter, StoredReject, count_by_reason, find_rejects, mark
from pipeline.errors import ConfigurationError
from pipeline.settings import Settings

app = typer.Typer(help="Rejects: records that could not be stored, kept whole.", no_args_is_help=True)

Ids = Annotated[list[str] | None, typer.Argument(metavar="[ID]...", help="topic/partition/offset, as listed.")]
Reason = Annotated[str | None, typer.Option(help="Only this reason, for instance unknown_use_case.")]
UseCaseOption = Annotated[str | None, typer.Option(help="Only records of this use case.")]
DeviceOption = Annotated[str | None, typer.Option(help="Only records of this device.")]
Since = Annotated[datetime | None, typer.Option(help="Only records since this time (UTC).")]
Until = Annotated[datetime | None, typer.Option(help="Only records before this time (UTC).")]

_PAGE = 1_000


@app.command("list")
def list_(
    reason: Reason = None,
    use_case: UseCaseOption = None,
    device: DeviceOption = None,
    since: Since = None,
    until: Until = None,
    limit: Annotated[int, typer.Option(min=1, max=10_000, help="Most rejects to list.")] = 20,
    data_dir: DataDir = None,
    assignments: SetOption = None,
) -> None:
    """Count rejects by reason, then list the newest."""
    client = connect(settings_from(data_dir, assignments))
    chosen = RejectFilter((), reason, use_case, device, since, until)
    counts = count_by_reason(client, chosen)
    if not counts:
        out.print("no rejects")
        return
    totals = Table("reason", "rejects", "newest")
    for name, number, newest in counts:
        totals.add_row(name, f"{number:,}", f"{newest:%Y-%m-%d %H:%M:%S} UTC")
    out.print(totals)
    table = Table("id, reason", "time (UTC), device", "field: message")
    for column in table.columns[:2]:
        column.no_wrap = True
    for reject in find_rejects(client, chosen, limit):
        where = f"{reject.field}: " if reject.field else ""
        cells = (f"{reject.id}\n{reject.reason}", f"{reject.timestamp:%m-%d %H:%M:%S}\n{reject.device_id}")
        table.add_row(*map(Text, cells), Text(where + reject.message))  # Text: what producers send is never markup
    out.print(table)


@app.command("show")
def show(
    reject_id: Annotated[str, typer.Argument(help="topic/partition/offset, as listed.")],
    data_dir: DataDir = None,
    assignments: SetOption = None,
) -> None:
    """Print the original record with the offending field marked."""
    client = connect(settings_from(data_dir, assignments))
    found = find_rejects(client, RejectFilter((reject_id,), state=None), 1)
    if not found:
        raise ConfigurationError(f"no reject {reject_id}")
    reject = found[0]
    out.print(Text(f"{reject.reason}: {reject.field or 'record'}: {reject.message}", style="red"))
    out.print(Text(f"received {reject.timestamp:%Y-%m-%d %H:%M:%S} UTC, key {reject.key!r}"))
    for line, offending in mark_field(reject.value, reject.field):
        out.print(Text(f"{'>' if offending else ' '} {line}", style="bold red" if offending else ""), soft_wrap=True)


@app.command("replay")
def replay(
    ids: Ids = None,
    reason: Reason = None,
    use_case: UseCaseOption = None,
    device: DeviceOption = None,
    since: Since = None,
    until: Until = None,
    everything: Annotated[bool, typer.Option("--all", help="Replay all open rejects.")] = False,
    data_dir: DataDir = None,
    assignments: SetOption = None,
) -> None:
    """Publish rejects again, after their cause is mended. Replaying one twice makes no second event."""
    if not (ids or reason or use_case or device or since or until or everything):
        raise ConfigurationError("say which rejects: ids, --reason, --use-case, --device, --since, --until or --all")
    settings = settings_from(data_dir, assignments)
    chosen = RejectFilter(tuple(ids or ()), reason, use_case, device, since, until)
    client = connect(settings)
    total = sum(number for _, number, _ in count_by_reason(client, chosen))
    replayed = 0
    for _ in track(range(0, total, _PAGE), "replaying", console=err, transient=True, disable=not err.is_terminal):
        page = find_rejects(client, chosen, _PAGE)
        asyncio.run(_publish(settings, page))
        mark(client, page, "replayed")
        replayed += len(page)
    out.print(f"replayed [bold]{replayed:,}[/] records; `vision-events rejects list` shows those rejected again")


def mark_field(value: bytes, field: str) -> list[tuple[str, bool]]:
    """The record as indented JSON lines, each with whether it is the offending field; raw text if it is no JSON."""
    try:
        document = orjson.loads(value)
    except orjson.JSONDecodeError:
        return [(line, True) for line in value[:4000].decode("utf-8", "backslashreplace").splitlines() or [""]]
    lines: list[tuple[str, bool]] = []
    _render(document, "", 0, field, lines)
    return lines


def _render(node: Any, path: str, depth: int, field: str, lines: list[tuple[str, bool]], label: str = "") -> None:
    indent, offending = "  " * depth, bool(field) and path == field
    if isinstance(node, (dict, list)) and node:
        opening, closing = "{}" if isinstance(node, dict) else "[]"
        lines.append((f"{indent}{label}{opening}", offending))
        for key, child in node.items() if isinstance(node, dict) else enumerate(node):
            name = f"{orjson.dumps(key).decode()}: " if isinstance(node, dict) else ""
            _render(child, f"{path}.{key}" if path else str(key), depth + 1, field, lines, name)
        lines.append((f"{indent}{closing}", False))
        return
    text = orjson.dumps(node).decode()
    lines.append((f"{indent}{label}{text if len(text) <= 200 else text[:200] + ' ...'}", offending))


async def _publish(settings: Settings, page: list[StoredReject]) -> None:
    kafka = producer(settings)
    await start_producer(kafka)
    try:
        pending = []
        for reject in page:
            headers = [(header["name"], header["value"]) for header in reject.headers]
            if all(name != ORIGIN_HEADER for name, _ in headers):
                headers.append((ORIGIN_HEADER, reject.id.encode()))
            pending.append(await kafka.send(reject.topic, key=reject.key or None, value=reject.value, headers=headers))
        await asyncio.gather(*pending)
    finally:
        await kafka.stop()
