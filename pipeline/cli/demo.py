"""`vision-events demo`: the simulated factories, against any running system."""

import asyncio
import signal
from typing import Annotated

import typer
from rich.live import Live
from rich.text import Text

from pipeline.cli.common import DataDir, SetOption, err, out, settings_from
from pipeline.edges.clickhouse import connect
from pipeline.edges.kafka import connection
from pipeline.edges.registry import apply_entries
from pipeline.errors import ConfigurationError


def demo(
    rate: Annotated[float, typer.Option(min=0.01, max=100, help="Frames a second, over all cameras.")] = 2,
    count: Annotated[int | None, typer.Option(min=1, help="Stop after so many frames.")] = None,
    history: Annotated[int, typer.Option(min=0, help="So many first frames get times of the past 24 hours.")] = 0,
    seed: Annotated[int | None, typer.Option(help="Same frames and event ids at every run.")] = None,
    data_dir: DataDir = None,
    assignments: SetOption = None,
) -> None:
    """Run simulated factories whose cameras run real vision on photographs, until Ctrl-C."""
    # Here, since it needs scikit-image (extra `embedded`), which no other command does.
    try:
        from pipeline.demo.documents import devices, use_cases
        from pipeline.demo.producer import Plan, Summary, run
    except ImportError as error:
        raise ConfigurationError(
            f"the demo is not installed ({error}): pip install 'vision-events[embedded]'"
        ) from None

    settings = settings_from(data_dir, assignments)
    registry = devices()
    apply_entries(connect(settings), [*use_cases(), *registry.factories, *registry.devices])

    async def produce(live: Live) -> Summary:
        def show(so_far: Summary) -> None:
            live.update(Text(_line(so_far.records, so_far.bytes), style="green"))

        stop = asyncio.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(number, stop.set)
        plan = Plan(rate, count, history, seed)
        return await run(connection(settings), plan=plan, on_progress=show, stop=stop)

    with Live(console=err, transient=True, refresh_per_second=4) as live:
        summary = asyncio.run(produce(live))
    out.print(f"{_line(summary.records, summary.bytes)}, of {len(summary.by_factory)} factories")


def _line(records: int, size: int) -> str:
    return f"published {records:,} frames, {size / 1e6:.1f} MB"
