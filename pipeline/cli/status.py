"""`vision-events status`: produced, stored and rejected side by side, lag, and health."""

import time
from typing import Annotated, Any, Final

import orjson
import typer
from rich.console import Group, RenderableType
from rich.live import Live
from rich.table import Table
from rich.text import Text

from pipeline.cli.common import DataDir, SetOption, out, settings_from
from pipeline.core.verdict import Level
from pipeline.edges.counts import Status, StatusReader, read_status
from pipeline.edges.status_document import addresses, as_document, read_parts
from pipeline.settings import Settings

_WATCH_S: Final = 2.0
_EXIT_CODES: Final = {Level.WRONG: 1, Level.AWAY: 3}
_STYLES: Final = {Level.WRONG: "bold red", Level.AWAY: "bold red", Level.CATCHING_UP: "bold yellow"}


def status(
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object, for scripts.")] = False,
    watch: Annotated[bool, typer.Option("--watch", help="Show it anew every two seconds, until Ctrl-C.")] = False,
    data_dir: DataDir = None,
    assignments: SetOption = None,
) -> None:
    """Compare what was produced with what was stored and rejected, and say whether all is well.

    Exit codes: 0 well, idle or catching up; 1 something is wrong: records are stuck or lost, or wait for a worker;
    3 a service does not answer.
    """
    settings = settings_from(data_dir, assignments)
    if watch:
        _watch(settings)
        return
    state = read_status(settings)
    if as_json:
        typer.echo(orjson.dumps(as_document(state, settings), option=orjson.OPT_INDENT_2).decode())
    else:
        out.print(_shown(state, settings))
    if code := _EXIT_CODES.get(state.verdict.level):
        raise typer.Exit(code)


def _watch(settings: Settings) -> None:
    with StatusReader(settings) as reader, Live(console=out, auto_refresh=False) as live:
        try:
            while True:
                live.update(_shown(reader.read(), settings), refresh=True)
                time.sleep(_WATCH_S)
        except KeyboardInterrupt:
            return


def _shown(state: Status, settings: Settings) -> Group:
    table = Table("topic", "partitions", "produced", "stored", "rejected", "unaccounted", "lag")
    table.columns[0].no_wrap = True
    for column in table.columns[1:]:
        column.justify = "right"
    for counts in state.topics:
        figures = (counts.produced, counts.stored, counts.rejected, counts.unaccounted, counts.lag)
        table.add_row(counts.topic, str(counts.partitions), *("" if n is None else f"{n:,}" for n in figures))
    lines: list[RenderableType] = [
        Text(words, style=_STYLES.get(state.verdict.level, "bold green")) for words in state.verdict.words
    ]
    lines.append(table)
    if state.events is not None:
        lines.append(Text(f"events in the table: {state.events:,} (an id that was sent again counts once)"))
    places = addresses(settings)
    for name, answer in state.health.items():
        lines.append(Text(f"{name:<12} {places[name]:<28} {answer}", style="green" if answer == "ok" else "red"))
    lines += [_part_line(name, part) for name, part in read_parts(settings).items()]
    return Group(*lines)


def _part_line(name: str, part: dict[str, Any]) -> Text:
    restarts = f", restarted {part['restarts']} times" if part["restarts"] else ""
    problem = f": {part['problem']}" if part.get("problem") else ""
    return Text(f"{name:<12} process {part['pid']}: {part['state']}{restarts}{problem}")
