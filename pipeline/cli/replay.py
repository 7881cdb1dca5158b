"""`vision-events replay`: the raw topic once more, with today's rules."""

import asyncio
import time
from datetime import UTC, datetime
from typing import Annotated

import typer
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeRemainingColumn

from pipeline.cli.common import DataDir, SetOption, err, out, settings_from
from pipeline.edges.spans import Span, TopicSpan
from pipeline.errors import ConfigurationError
from pipeline.ingest.backfill import Progress as Figures
from pipeline.ingest.backfill import backfill
from pipeline.logs import set_up_logging
from schemas.topics import INFERENCES


def replay(
    begin: Annotated[datetime, typer.Option("--from", help="Records that arrived since this time (UTC).")],
    end: Annotated[datetime | None, typer.Option("--to", help="Up to this time (UTC); by default up to now.")] = None,
    use_case: Annotated[str | None, typer.Option(help="Only records that belong to this use case.")] = None,
    rate: Annotated[float, typer.Option(min=1, max=1_000_000, help="Most records a second.")] = 2_000,
    publish_events: Annotated[
        bool, typer.Option("--publish-events", help="Publish the events to vision.events again, too.")
    ] = False,
    data_dir: DataDir = None,
    assignments: SetOption = None,
) -> None:
    """Read the raw topic again from a time, with today's use cases and code, beside the live workers.

    Their offsets are not touched. After a stop or a crash the same command goes on where it was.
    """
    settings = settings_from(data_dir, assignments)
    set_up_logging(settings.model_copy(update={"log_level": "WARNING"}))
    span = Span(_utc(begin), _utc(end) if end else None, use_case)
    if span.end and span.end <= span.begin:
        raise ConfigurationError("--to must be later than --from")
    began = time.monotonic()
    columns = (TextColumn("replaying"), BarColumn(), TextColumn("{task.fields[figures]}"), TimeRemainingColumn())
    with Progress(*columns, console=err, transient=True, disable=not err.is_terminal) as bar:
        figures = asyncio.run(backfill(settings, span, rate, publish_events, _Reporter(bar).report))
    seconds = time.monotonic() - began
    rejected = figures.rejected.total()
    out.print(
        f"replayed {figures.stored + rejected:,} records in {seconds:.1f} s: "
        f"stored {figures.stored:,}, rejected {rejected:,}"
    )
    for reason, number in figures.rejected.most_common():
        out.print(f"  {reason:<20} {number:>8,}")
    if figures.kept:
        out.print(f"{figures.kept:,} of the rejected were stored by earlier rules: their events stay as they are")
    if figures.skipped:
        out.print(f"{figures.skipped:,} records of other use cases were left alone")


class _Reporter:
    """Says what is going to be read, then how far it has come."""

    def __init__(self, bar: Progress) -> None:
        self._bar = bar
        self._task: TaskID | None = None
        self._said = 0.0

    def report(self, topic: TopicSpan, figures: Figures) -> None:
        rejected = figures.rejected.total()
        text = f"{figures.offsets:,} of {figures.total:,}, stored {figures.stored:,}, rejected {rejected:,}"
        if self._task is None:
            again = "going on with" if topic.resumed else "reading"
            err.print(f"{again} {figures.total:,} offsets of {INFERENCES.name}; the same command goes on after a stop")
            self._task = self._bar.add_task("", total=figures.total, figures="")
        self._bar.update(self._task, completed=figures.offsets, figures=text)
        if not err.is_terminal and time.monotonic() - self._said > 10:
            err.print(text)
            self._said = time.monotonic()


def _utc(moment: datetime) -> datetime:
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment
