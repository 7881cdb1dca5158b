"""`vision-events alerts`: what fires, silences, and alerts that a receiver was not told of."""

import asyncio
import re
import uuid
from datetime import UTC, datetime, timedelta
from typing import Annotated

import typer
from pydantic import ValidationError
from rich.text import Text

from pipeline.alerts.receivers import Sender, read_receivers
from pipeline.cli.common import DataDir, SetOption, out, settings_from, who, wrapped_table
from pipeline.edges.alerts import Delivery, find_alerts, find_dead, insert_deliveries
from pipeline.edges.clickhouse import connect
from pipeline.edges.registry import RegistryReader, apply_entries
from pipeline.errors import ConfigurationError
from schemas.alert import AlertEvent, Matcher, Silence
from schemas.common import DEFAULT_WORKSPACE
from schemas.receiver import Receiver

app = typer.Typer(help="Alerts: what fires, silences, dead letters.", no_args_is_help=True)

Workspace = Annotated[str, typer.Option(help="Workspace.")]

_UNITS = {"m": "minutes", "h": "hours", "d": "days"}


@app.command("list")
def list_(
    firing: Annotated[bool, typer.Option("--firing", help="Only those that are open.")] = False,
    use_case: Annotated[str | None, typer.Option(help="Only of this use case.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=10_000, help="Most alerts to list.")] = 20,
    workspace: Workspace = DEFAULT_WORKSPACE,
    data_dir: DataDir = None,
    assignments: SetOption = None,
) -> None:
    """List the newest alerts."""
    client = connect(settings_from(data_dir, assignments), analyst=True)
    rows = find_alerts(client, workspace, "firing" if firing else None, use_case, limit)
    table = wrapped_table("fired (UTC)", "for", "use case, rule", "group", "status", "value, summary")
    for row in rows:
        group = [f"{label}={value}" for label, value in row["group_labels"].items()]
        kept = f" ({row['suppressed_by']})" if row["suppressed_by"] else ""
        cells = (
            f"{row['fired_at']:%m-%d %H:%M:%S}",
            str(timedelta(seconds=round(row["seconds"]))),
            f"{row['use_case_id']}\n{row['rule']}",
            "\n".join(group),
            row["status"] + kept,
            f"{row['value']:g}\n{row['annotations'].get('summary', '')}",
        )
        table.add_row(*map(Text, cells))
    out.print(table if rows else "no alerts")


@app.command("silence")
def silence(
    labels: Annotated[list[str], typer.Argument(metavar="LABEL=VALUE...", help="All of these the alert must have.")],
    duration: Annotated[str, typer.Option("--for", help="How long: 30m, 2h, 1d.")],
    comment: Annotated[str, typer.Option(help="Why.")] = "",
    workspace: Workspace = DEFAULT_WORKSPACE,
    data_dir: DataDir = None,
    assignments: SetOption = None,
) -> None:
    """Keep alerts that begin from now on from the receivers. They are recorded all the same."""
    matched = re.fullmatch(r"(\d{1,6})([mhd])", duration)
    if matched is None:
        raise ConfigurationError(f"--for {duration}: expected a number with m, h or d, such as 2h")
    now = datetime.now(UTC)
    try:
        entry = Silence(
            id=uuid.uuid4().hex[:12],
            workspace_id=workspace,
            matchers=tuple(_matcher(text) for text in labels),
            starts_at=now,
            ends_at=now + timedelta(**{_UNITS[matched[2]]: int(matched[1])}),
            created_by=who(),
            comment=comment,
        )
    except ValidationError as error:
        raise ConfigurationError(f"silence: {error.errors()[0]['msg']}") from None
    apply_entries(connect(settings_from(data_dir, assignments)), [entry])
    out.print(f"silence [bold]{entry.id}[/] until {entry.ends_at:%Y-%m-%d %H:%M:%S} UTC")


@app.command("silences")
def silences(workspace: Workspace = DEFAULT_WORKSPACE, data_dir: DataDir = None, assignments: SetOption = None) -> None:
    """List the silences that last."""
    found = [item for item in _silences(data_dir, assignments, workspace) if item.ends_at > datetime.now(UTC)]
    table = wrapped_table("id", "labels", "until (UTC)", "by", "comment")
    for item in found:
        matchers = ", ".join(f"{matcher.label}={matcher.value}" for matcher in item.matchers)
        table.add_row(*map(Text, (item.id, matchers, f"{item.ends_at:%m-%d %H:%M}", item.created_by, item.comment)))
    out.print(table if found else "no silences")


@app.command("unsilence")
def unsilence(
    silence_id: Annotated[str, typer.Argument(help="Id of a silence.")],
    workspace: Workspace = DEFAULT_WORKSPACE,
    data_dir: DataDir = None,
    assignments: SetOption = None,
) -> None:
    """End a silence. What began while it lasted is not told afterwards."""
    found = [item for item in _silences(data_dir, assignments, workspace) if item.id == silence_id]
    if not found:
        raise ConfigurationError(f"no silence {silence_id!r}; `vision-events alerts silences` lists them")
    ended = found[0].model_copy(update={"ends_at": datetime.now(UTC)})
    apply_entries(connect(settings_from(data_dir, assignments)), [ended])
    out.print(f"silence {silence_id} ended")


@app.command("dead")
def dead(data_dir: DataDir = None, assignments: SetOption = None) -> None:
    """List alerts that a receiver was not told of, although it was tried."""
    found = find_dead(connect(settings_from(data_dir, assignments)), 1_000)
    table = wrapped_table("given up (UTC)", "receiver", "alert", "attempts", "error")
    for event, receiver, attempts, error, at in found:
        table.add_row(*map(Text, (f"{at:%m-%d %H:%M:%S}", receiver, event.id, str(attempts), error)))
    out.print(table if found else "no dead letters")


@app.command("redeliver")
def redeliver(
    receiver: Annotated[str | None, typer.Option(help="Only to this receiver.")] = None,
    data_dir: DataDir = None,
    assignments: SetOption = None,
) -> None:
    """Tell receivers of the dead letters now, oldest first. Those that fail again stay."""
    settings = settings_from(data_dir, assignments)
    client = connect(settings)
    known = {item.name: item for item in read_receivers(settings.alert_receivers)}
    if not known:
        raise ConfigurationError("alert_receivers names no receivers: give the file that the alert worker has")
    if receiver is not None and receiver not in known:
        raise ConfigurationError(f"--receiver {receiver}: {settings.alert_receivers} has {', '.join(known)}")
    letters = [(name, event) for event, name, *_ in find_dead(client, 10_000) if receiver in (None, name)]
    work = [(known[name], event) for name, event in letters if name in known]
    deliveries = asyncio.run(_redeliver(work))
    if deliveries:
        insert_deliveries(client, deliveries)
    told = sum(item.state == "delivered" for item in deliveries)
    out.print(f"delivered [bold]{told}[/] of {len(deliveries)} dead letters")
    if others := len(letters) - len(work):
        out.print(f"{others} dead letters are of receivers that {settings.alert_receivers} does not name any more")


async def _redeliver(work: list[tuple[Receiver, AlertEvent]]) -> list[Delivery]:
    async with Sender(retry_s=1) as sender:
        return [await sender.deliver(receiver, event) for receiver, event in work]


def _silences(data_dir: DataDir, assignments: SetOption, workspace: str) -> list[Silence]:
    reader = RegistryReader(connect(settings_from(data_dir, assignments)))
    reader.refresh()
    return [item for item in reader.current.silences if item.workspace_id == workspace]


def _matcher(text: str) -> Matcher:
    label, separator, value = text.partition("=")
    if not separator or not label:
        raise ConfigurationError(f"{text}: expected LABEL=VALUE, such as line_id=L3")
    return Matcher(label=label, value=value)
