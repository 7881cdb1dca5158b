"""`vision-events rejects`: what could not be stored, why, and what to do with it."""

import time
import uuid
from datetime import datetime
from enum import StrEnum
from typing import Annotated, Any, Final, Literal

import orjson
import typer
from clickhouse_connect.driver import Client
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn
from rich.table import Table
from rich.text import Text

from pipeline.cli.common import DataDir, SetOption, err, out, settings_from, who
from pipeline.core.original import holds, marked_lines
from pipeline.edges.clickhouse import connect
from pipeline.edges.reject_replay import Outcome, outcome_of, replay_rejects
from pipeline.edges.rejects import (
    RejectFilter,
    State,
    count_rejects,
    decisions_of,
    discard,
    list_rejects,
    place_named,
    read_rejects,
)
from pipeline.errors import ConfigurationError

app = typer.Typer(help="Rejects: records that could not be stored, kept whole.", no_args_is_help=True)

Ids = Annotated[list[str] | None, typer.Argument(metavar="[ID]...", help="topic/partition/offset, as listed.")]
Reason = Annotated[str | None, typer.Option(help="Only this reason, for instance unknown_use_case.")]
UseCaseOption = Annotated[str | None, typer.Option(help="Only records of this use case.")]
DeviceOption = Annotated[str | None, typer.Option(help="Only records of this device.")]
Since = Annotated[datetime | None, typer.Option(help="Only records since this time (UTC).")]
Until = Annotated[datetime | None, typer.Option(help="Only records before this time (UTC).")]
All = Annotated[bool, typer.Option("--all", help="All open rejects.")]
By = Annotated[str | None, typer.Option(help="Who decides; by default the user and the machine.")]

_POLL_S: Final = 0.3


class Grouping(StrEnum):
    """What rejects can be counted by."""

    REASON = "reason"
    USE_CASE = "use-case"
    DEVICE = "device"
    DAY = "day"


@app.command("list")
def list_(
    group_by: Annotated[
        list[Grouping] | None,
        typer.Option("--group-by", help="Count by this; give it again to count by several. Default: reason."),
    ] = None,
    state: Annotated[
        Literal["open", "replayed", "discarded", "any"], typer.Option(help="Rejects in this state.")
    ] = "open",
    reason: Reason = None,
    use_case: UseCaseOption = None,
    device: DeviceOption = None,
    since: Since = None,
    until: Until = None,
    limit: Annotated[int, typer.Option(min=0, max=10_000, help="Most rejects to list; 0: only counts.")] = 20,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object, for scripts.")] = False,
    data_dir: DataDir = None,
    assignments: SetOption = None,
) -> None:
    """Count rejects, by reason unless told otherwise, then list the newest."""
    client = connect(settings_from(data_dir, assignments))
    states: tuple[State, ...] = () if state == "any" else (state,)
    chosen = RejectFilter((), reason, use_case, device, since, until, states)
    groups = [grouping.value for grouping in group_by or [Grouping.REASON]]
    counts = count_rejects(client, chosen, groups)
    listed = list_rejects(client, chosen, limit) if limit and counts else []
    if as_json:
        document = {"total": sum(group["rejects"] for group in counts), "counts": counts, "rejects": listed}
        typer.echo(orjson.dumps(document, option=orjson.OPT_INDENT_2 | orjson.OPT_UTC_Z).decode())
        return
    if not counts:
        out.print("no rejects")
        return
    totals = Table(*groups, "rejects", "oldest (UTC)", "newest (UTC)")
    for group in counts:
        times = (f"{group[name]:%Y-%m-%d %H:%M:%S}" for name in ("oldest", "newest"))
        # Text: what producers send is never markup
        totals.add_row(*(Text(str(group[name])) for name in groups), f"{group['rejects']:,}", *times)
    out.print(totals)
    if listed:
        _print_list(listed)


def _print_list(listed: list[dict[str, Any]]) -> None:
    table = Table("id, reason", "time (UTC), device", "field: message")
    for column in table.columns[:2]:
        column.no_wrap = True
    for reject in listed:
        where = f"{reject['field']}: " if reject["field"] else ""
        tries = f" (tried {reject['attempts']} times)" if reject["attempts"] > 1 else ""
        decided = "" if reject["state"] == "open" else f"\n{_decided(reject)}"
        cells = (
            f"{reject['id']}\n{reject['reason']}",
            f"{reject['timestamp']:%m-%d %H:%M:%S}\n{reject['device_id']}",
            f"{where}{reject['message']}{tries}{decided}",
        )
        table.add_row(*map(Text, cells))
    out.print(table)


def _decided(decision: dict[str, Any]) -> str:
    note = f": {decision['note']}" if decision["note"] else ""
    return f"{decision['state']} {decision['decided_at']:%Y-%m-%d %H:%M:%S} UTC by {decision['decided_by']}{note}"


@app.command("show")
def show(
    reject_id: Annotated[str, typer.Argument(help="topic/partition/offset, as listed.")],
    data_dir: DataDir = None,
    assignments: SetOption = None,
) -> None:
    """Print the original record with the offending field marked, and what was decided of it."""
    client = connect(settings_from(data_dir, assignments))
    place = place_named(reject_id)
    found = read_rejects(client, [place])
    if not found:
        raise ConfigurationError(f"no reject {reject_id}")
    reject = found[0]
    out.print(Text(f"{reject.reason}: {reject.field or 'record'}: {reject.message}", style="red"))
    out.print(Text(f"received {reject.timestamp:%Y-%m-%d %H:%M:%S} UTC, key {reject.key!r}"))
    for decision in decisions_of(client, place):
        out.print(Text(_decided(decision._asdict())))
    if reject.field and not holds(reject.value, reject.field):
        out.print(Text(f"{reject.field} is not in the record as it was sent; marked is the nearest part that is"))
    for line, offending in marked_lines(reject.value, reject.field):
        out.print(Text(f"{'>' if offending else ' '} {line}", style="bold red" if offending else ""), soft_wrap=True)


@app.command("replay")
def replay(
    ids: Ids = None,
    reason: Reason = None,
    use_case: UseCaseOption = None,
    device: DeviceOption = None,
    since: Since = None,
    until: Until = None,
    everything: All = False,
    discarded: Annotated[bool, typer.Option("--discarded", help="Those that were discarded, too.")] = False,
    wait: Annotated[float, typer.Option(min=0, max=3600, help="Longest wait for the outcome, in seconds.")] = 60,
    by: By = None,
    data_dir: DataDir = None,
    assignments: SetOption = None,
) -> None:
    """Publish rejects again, after their cause is mended, and tell what became of them.

    Replaying one twice makes no second event. Ids that are given are replayed also when they were discarded.
    """
    _require_choice(ids, reason, use_case, device, since, until, everything)
    settings = settings_from(data_dir, assignments)
    states: tuple[State, ...] = ("open", "discarded") if discarded or ids else ("open",)
    chosen = RejectFilter(tuple(ids or ()), reason, use_case, device, since, until, states)
    client = connect(settings)
    run = str(uuid.uuid4())
    columns = (TextColumn("replaying"), BarColumn(), MofNCompleteColumn())
    with Progress(*columns, console=err, transient=True, disable=not err.is_terminal) as bar:
        task = bar.add_task("", total=None)
        replayed = replay_rejects(
            settings,
            client,
            chosen,
            run,
            by or who(),
            lambda done, total: bar.update(task, completed=done, total=total),
        )
    if not replayed:
        out.print("nothing to replay: no open reject matches")
        return
    out.print(f"replayed [bold]{replayed:,}[/] records")
    _tell(_await_outcome(client, run, wait))


def _await_outcome(client: Client, run: str, wait: float) -> Outcome:
    """The outcome once no record waits any more, or what is known when the time is over."""
    deadline = time.monotonic() + wait
    outcome = outcome_of(client, run)
    with err.status("waiting for the workers ..."):
        while outcome.waiting and time.monotonic() < deadline:
            time.sleep(_POLL_S)
            outcome = outcome_of(client, run)
    return outcome


def _tell(outcome: Outcome) -> None:
    out.print(f"stored {outcome.stored:,}, rejected again {sum(outcome.rejected.values()):,}")
    for reason, number in sorted(outcome.rejected.items(), key=lambda item: -item[1]):
        out.print(f"  {reason:<20} {number:>8,}")
    if outcome.waiting:
        out.print(f"not handled yet {outcome.waiting:,}: is a worker running? `vision-events status` tells")


@app.command("discard")
def discard_command(
    because: Annotated[str, typer.Option(help="Why they are not wanted; stays readable with them.")],
    ids: Ids = None,
    reason: Reason = None,
    use_case: UseCaseOption = None,
    device: DeviceOption = None,
    since: Since = None,
    until: Until = None,
    everything: All = False,
    by: By = None,
    data_dir: DataDir = None,
    assignments: SetOption = None,
) -> None:
    """Take rejects off the list of open ones. They stay readable until retention, and `replay` undoes it."""
    _require_choice(ids, reason, use_case, device, since, until, everything)
    if not because.strip():
        raise ConfigurationError("--because must say why")
    client = connect(settings_from(data_dir, assignments))
    chosen = RejectFilter(tuple(ids or ()), reason, use_case, device, since, until)
    out.print(f"discarded [bold]{discard(client, chosen, by or who(), because.strip()):,}[/] rejects")


def _require_choice(*choices: Any) -> None:
    if not any(choices):
        raise ConfigurationError("say which rejects: ids, --reason, --use-case, --device, --since, --until or --all")
