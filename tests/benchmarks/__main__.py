"""`python -m tests.benchmarks`: run them all or one, and make the tables and the figure of docs/performance.md."""

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.markup import escape

from pipeline.errors import VisionEventsError
from pipeline.settings import Settings
from tests.benchmarks import packages, report
from tests.benchmarks.alerts import alerts as run_alerts
from tests.benchmarks.environment import services
from tests.benchmarks.gateway import gateway as run_gateway
from tests.benchmarks.images import images as run_images
from tests.benchmarks.latency import latency as run_latency
from tests.benchmarks.memory import memory as run_memory
from tests.benchmarks.processes import BenchmarkError
from tests.benchmarks.reads import reads as run_reads
from tests.benchmarks.stages import stages as run_stages
from tests.benchmarks.tables import TABLES
from tests.benchmarks.throughput import available, competitors
from tests.benchmarks.throughput import throughput as run_throughput
from tests.benchmarks.workers import workers as run_workers

app = typer.Typer(
    help="Measure the pipeline on this machine, on an embedded stack of its own (or the one of --running).",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)
out = Console(highlight=False, width=None if sys.stdout.isatty() else 140)

Records = Annotated[int, typer.Option(help="Records on the topic.", min=1000)]
Runs = Annotated[int, typer.Option(help="Alternating runs; the median counts.", min=1)]
Output = Annotated[Path, typer.Option(help="Folder of the JSON results and the figure.")]
RunningStack = Annotated[
    Path | None,
    typer.Option("--running", help="Data folder of a running `vision-events up` to use. Its raw topic is emptied!"),
]


def note(text: str) -> None:
    """Say how far it is."""
    out.print(f"[dim]{text}[/]")


def _measure(
    name: str, output: Path, stack: Path | None, parameters: dict[str, Any], work: Callable[[Settings], Any]
) -> None:
    with services(stack, note) as settings:
        result = work(settings)
    path = report.save(name, result, parameters, output)
    out.print(TABLES[name](result).rich())
    note(f"written to {path}")


@app.command()
def alerts(
    rate: Annotated[int, typer.Option(help="Events a second.", min=100)] = 2_000,
    seconds: Annotated[int, typer.Option(help="How long.", min=10)] = 40,
    rules: Annotated[int, typer.Option(help="Alert rules of the use case.", min=1)] = 200,
    groups: Annotated[int, typer.Option(help="Groups that events belong to.", min=1)] = 1_000,
    output: Output = report.RESULTS,
    running: RunningStack = None,
) -> None:
    """From an event to its alert with many rules and groups, and what rules cost an event."""
    parameters = {"rate": rate, "seconds": seconds, "rules": rules, "groups": groups}
    _measure("alerts", output, running, parameters, lambda s: run_alerts(s, rate, seconds, rules, groups))


@app.command()
def throughput(
    records: Records = 500_000,
    runs: Runs = 3,
    only: Annotated[list[str] | None, typer.Option(help="Competitors to run, by name; may be repeated.")] = None,
    output: Output = report.RESULTS,
    running: RunningStack = None,
) -> None:
    """One worker against hand-written code and other stream processors, from Kafka to queryable."""
    everyone = competitors()
    if unknown := set(only or ()) - {each.name for each in everyone}:
        raise BenchmarkError(f"no competitor is called {', '.join(unknown)}: {', '.join(c.name for c in everyone)}")
    chosen = []
    for competitor in everyone:
        if only and competitor.name not in only:
            continue
        if missing := available(competitor):
            out.print(f"[yellow]left out: {competitor.title}: {missing}[/]")
        else:
            chosen.append(competitor)
    parameters = {"records": records, "runs": runs}
    _measure("throughput", output, running, parameters, lambda s: run_throughput(s, chosen, records, runs, note))


@app.command()
def stages(
    records: Records = 100_000, runs: Runs = 3, output: Output = report.RESULTS, running: RunningStack = None
) -> None:
    """Each stage of the worker alone, on one core."""
    parameters = {"records": records, "runs": runs}
    _measure("stages", output, running, parameters, lambda settings: run_stages(settings, records, runs))


@app.command()
def workers(
    records: Records = 500_000, runs: Runs = 3, output: Output = report.RESULTS, running: RunningStack = None
) -> None:
    """Two workers against one."""
    parameters = {"records": records, "runs": runs}
    _measure("workers", output, running, parameters, lambda settings: run_workers(settings, records, runs, note))


@app.command()
def latency(
    rate: Annotated[int, typer.Option(help="Events per second.", min=1)] = 2_000,
    seconds: Annotated[int, typer.Option(help="Length of the run.", min=5)] = 60,
    output: Output = report.RESULTS,
    running: RunningStack = None,
) -> None:
    """From produce to queryable at a steady rate."""
    parameters = {"rate": rate, "seconds": seconds}
    _measure("latency", output, running, parameters, lambda settings: run_latency(settings, rate, seconds))


@app.command()
def memory(
    records: Records = 5_000_000,
    chunk: Annotated[int, typer.Option(help="Memory is read each so many records.", min=1000)] = 500_000,
    output: Output = report.RESULTS,
    running: RunningStack = None,
) -> None:
    """Resident memory of one worker over millions of events."""
    parameters = {"records": records, "chunk": chunk}
    _measure("memory", output, running, parameters, lambda settings: run_memory(settings, records, chunk))


@app.command()
def reads(
    records: Records = 10_000_000, runs: Runs = 50, output: Output = report.RESULTS, running: RunningStack = None
) -> None:
    """Pages, counts and analysts' queries on millions of events over HTTP; bytes per event on disk."""
    parameters = {"records": records, "runs": runs}
    _measure("reads", output, running, parameters, lambda settings: run_reads(settings, records, runs, note))


@app.command()
def images(
    count: Annotated[int, typer.Option(help="Images of each way.", min=100)] = 5_000,
    runs: Runs = 3,
    output: Output = report.RESULTS,
    running: RunningStack = None,
) -> None:
    """Images of 105 kB: inline and by claim check, against the bare MinIO SDK."""
    parameters = {"count": count, "runs": runs}
    _measure("images", output, running, parameters, lambda settings: run_images(settings, count, runs, note))


@app.command()
def gateway(
    seconds: Annotated[int, typer.Option(help="Length of each run.", min=1)] = 15,
    output: Output = report.RESULTS,
    running: RunningStack = None,
) -> None:
    """Writes over HTTP, single and in batches, against a bare server that only answers 201."""
    _measure("gateway", output, running, {"seconds": seconds}, lambda s: run_gateway(s, seconds, note))


@app.command("all")
def everything(output: Output = report.RESULTS, running: RunningStack = None) -> None:
    """All but `alerts` in their full length, about an hour, then the page and the figure."""
    for name in ("quixstreams", "arroyo"):
        if not packages.installed(name):
            install([name])
    throughput(output=output, running=running)
    stages(output=output, running=running)
    workers(output=output, running=running)
    latency(output=output, running=running)
    images(output=output, running=running)
    gateway(output=output, running=running)
    reads(output=output, running=running)
    memory(output=output, running=running)
    page(output=output)


@app.command()
def page(output: Output = report.RESULTS) -> None:
    """Make the figure, and put the tables of the saved results into docs/performance.md."""
    if figure := report.draw(output):
        note(f"written to {figure}")
    note(f"tables in {report.PAGE}: {', '.join(report.write_page(output, report.PAGE)) or 'none'}")


@app.command()
def install(names: Annotated[list[str], typer.Argument(help="quixstreams, arroyo")]) -> None:
    """Install the libraries of competitors, each into a folder of its own under build/."""
    for name in names:
        note(f"installing {name} into {packages.folder(name)}")
        packages.install(name)


if __name__ == "__main__":
    try:
        app()
    except (BenchmarkError, VisionEventsError) as error:
        Console(stderr=True).print(f"[red]error:[/] {escape(str(error))}", highlight=False, soft_wrap=True)
        sys.exit(1)
