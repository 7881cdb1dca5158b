"""`vision-events up`: everything on this machine, in the foreground."""

import os
import signal
import sys
import threading
import time
import urllib.request
from contextlib import suppress
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Annotated, Final

import orjson
import typer
from pydantic import SecretStr
from rich.live import Live
from rich.text import Text

from deploy.embedded.errors import EmbeddedError
from deploy.embedded.ports import HOST, free_port
from deploy.embedded.stack import EmbeddedStack, Ports
from deploy.embedded.supervisor import Part
from pipeline.cli.announce import Announcer
from pipeline.cli.common import DataDir, SetOption, err, out, settings_from
from pipeline.cli.dashboard import login_link
from pipeline.cli.keys import ensure_key
from pipeline.cli.migrate import prepare_services
from pipeline.core.verdict import Level, Verdict
from pipeline.edges.clickhouse import connect
from pipeline.edges.counts import Status, StatusReader, TopicCounts, read_status
from pipeline.edges.status_document import PARTS_FILE
from pipeline.errors import ConfigurationError, DependencyError
from pipeline.settings import PREFIX, Settings, load_settings
from schemas.topics import INFERENCES

_DRAIN_S: Final = 15

NEXT_STEPS: Final = (
    "vision-events status",
    'vision-events sql "SELECT use_case_id, count() FROM vision_events GROUP BY use_case_id"',
    "vision-events rejects list",
    "vision-events alerts list",
)


def up(
    demo: Annotated[bool, typer.Option(help="Run simulated factories whose cameras run real vision.")] = False,
    workers: Annotated[int, typer.Option(min=1, max=32, help="Ingest workers.")] = 1,
    http_port: Annotated[int | None, typer.Option(help="Port of the gateway.")] = None,
    kafka_port: Annotated[int, typer.Option(help="Port of Kafka.")] = Ports.kafka,
    s3_port: Annotated[int, typer.Option(help="Port of S3.")] = Ports.s3,
    clickhouse_port: Annotated[int, typer.Option(help="Port of ClickHouse.")] = Ports.clickhouse,
    free_ports: Annotated[bool, typer.Option("--free-ports", help="Take any free ports; `status` tells them.")] = False,
    demo_rate: Annotated[float, typer.Option(min=0.1, max=100, help="Frames a second of the demo.")] = 3,
    stop_after: Annotated[float | None, typer.Option(min=1, help="Stop by itself after so many seconds.")] = None,
    data_dir: DataDir = None,
    assignments: SetOption = None,
) -> None:
    """Start Kafka, S3, ClickHouse, workers and the gateway, and run until Ctrl-C. Data stays in the data folder."""
    begun = time.monotonic()
    settings = settings_from(data_dir, assignments, http_port=http_port)
    ports = Ports(0, 0, 0) if free_ports else Ports(kafka_port, s3_port, clickhouse_port)
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    stack = EmbeddedStack(settings.data_dir, ports)
    try:
        err.print("starting Kafka, S3 and ClickHouse ...")
        with stack:
            port = free_port() if free_ports and http_port is None else settings.http_port
            settings = _settings_of(stack, settings, port)
            prepare_services(settings)
            key = ensure_key(settings, make=True)
            stack.supervisor.start(*_parts(settings, workers), *([_demo_part(settings, demo_rate)] if demo else []))
            out.print(f"ready after {time.monotonic() - begun:.1f} s: {_addresses(settings)}", soft_wrap=True)
            until = time.monotonic() + stop_after if stop_after else None
            if key is not None:
                out.print(f"API key, shown this once (`vision-events keys create` makes more): {key}", soft_wrap=True)
            _print_dashboard(settings)
            announcer = Announcer(connect(settings, analyst=True))
            _follow(stack, settings, announcer, stop, begun, until)
            if demo:
                stack.supervisor.stop_part("demo")
            out.print(announcer.summary())
            _close(settings)
            err.print("stopping ...")
    except EmbeddedError as error:
        raise ConfigurationError(str(error)) from None


def _print_dashboard(settings: Settings) -> None:
    """Last, so that it is what one sees: the address to open."""
    link = login_link(settings) or f"http://{settings.http_host}:{settings.http_port}/dashboard/"
    out.print(
        f"open the dashboard (logs in once, within an hour; `vision-events dashboard` prints another): {link}",
        soft_wrap=True,
    )


def _settings_of(stack: EmbeddedStack, settings: Settings, http_port: int) -> Settings:
    """The settings that lead to this stack, whatever the environment says; commands find them in the data folder."""
    stack.publish(http_port=http_port)
    return load_settings(
        **(settings.model_dump() | asdict(stack.addresses) | {"http_port": http_port}),
    )


def _parts(settings: Settings, workers: int) -> list[Part]:
    environment = _environment(settings)
    base = [sys.executable, "-m", "pipeline"]
    url = f"http://{settings.http_host}:{settings.http_port}"
    return [
        _worker_part("alerts", [*base, "alert-worker"], environment),
        Part(
            "gateway",
            [*base, "gateway"],
            environment,
            ready=partial(_ask, f"{url}/readyz"),
            alive=partial(_ask, f"{url}/livez"),
        ),
        *(_worker_part(f"worker-{number}", [*base, "worker"], environment) for number in range(1, workers + 1)),
    ]


def _worker_part(name: str, command: list[str], environment: dict[str, str]) -> Part:
    port = free_port()
    own = {f"{PREFIX}WORKER_ID": name, f"{PREFIX}HEALTH_HOST": HOST, f"{PREFIX}HEALTH_PORT": str(port)}
    return Part(name, command, environment | own, alive=partial(_ask, f"http://{HOST}:{port}/livez"))


def _ask(url: str) -> None:
    """Raises OSError unless the answer is a good one."""
    urllib.request.urlopen(url, timeout=5).close()


def _demo_part(settings: Settings, rate: float) -> Part:
    command = [sys.executable, "-m", "pipeline", "demo", "--rate", str(rate), "--history", "200"]
    return Part("demo", command, _environment(settings))


def _environment(settings: Settings) -> dict[str, str]:
    """Where the services are, for processes of ours: their own environment must not lead them elsewhere."""
    given: dict[str, str] = {}
    for name, value in settings:
        if value != Settings.model_fields[name].default:
            plain = value.get_secret_value() if isinstance(value, SecretStr) else value
            given[PREFIX + name.upper()] = orjson.dumps(plain).decode() if isinstance(plain, tuple) else str(plain)
    return given | {PREFIX + "DATA_DIR": str(settings.data_dir.resolve())}


def _addresses(settings: Settings) -> str:
    return (
        f"gateway http://{settings.http_host}:{settings.http_port}, Kafka {settings.kafka_bootstrap}, "
        f"S3 {settings.s3_endpoint}, ClickHouse {settings.clickhouse_url}"
    )


def _follow(
    stack: EmbeddedStack,
    settings: Settings,
    announcer: Announcer,
    stop: threading.Event,
    begun: float,
    until: float | None,
) -> None:
    """Show the counts until told to stop; say when the first event can be queried, and what alerts begin and end."""
    first_seen, last_plain = False, 0.0
    previous: TopicCounts | None = None
    with StatusReader(settings) as reader, Live(console=err, transient=True, refresh_per_second=4) as live:
        while not stop.wait(1.0) and (until is None or time.monotonic() < until):
            _write_parts(stack, settings.data_dir)
            state = reader.read()
            counts = _raw(state)
            if state.events and not first_seen:
                first_seen = True
                live.console.print(f"first event queryable after {time.monotonic() - begun:.1f} s; try, elsewhere:")
                for command in NEXT_STEPS:
                    live.console.print(f"  {command}{_data_dir_flag(settings)}", style="bold", soft_wrap=True)
            with suppress(DependencyError):  # the line below says what is away
                for news in announcer.news():
                    live.console.print(news, soft_wrap=True)
            if counts is not None:
                line = _line(counts, previous, [*_faults(state.verdict), *_restarts(stack, settings)])
                if err.is_terminal:
                    live.update(line)
                elif time.monotonic() - last_plain > 10:
                    err.print(line)
                    last_plain = time.monotonic()
                previous = counts


def _raw(state: Status) -> TopicCounts | None:
    return next((counts for counts in state.topics if counts.topic == INFERENCES.name), None)


def _faults(verdict: Verdict) -> list[str]:
    return list(verdict.words) if verdict.level in (Level.WRONG, Level.AWAY) else []


def _restarts(stack: EmbeddedStack, settings: Settings) -> list[str]:
    logs = settings.data_dir / "logs"
    return [
        f"{part.name} was restarted {part.restarts} times ({part.problem}), see {logs / part.name}.log"
        for part in stack.supervisor.status()
        if part.restarts
    ]


def _line(counts: TopicCounts, previous: TopicCounts | None, faults: list[str]) -> Text:
    rate = counts.produced - previous.produced if previous else 0
    text = (
        f"produced {counts.produced:,} ({rate}/s)  stored {counts.stored or 0:,}  rejected {counts.rejected or 0:,}  "
        f"waiting {counts.unaccounted or 0:,}"
    )
    return Text("; ".join([text, *faults]), style="red" if faults else "green")


def _write_parts(stack: EmbeddedStack, data_dir: Path) -> None:
    """What each part does, for `status`."""
    scratch = data_dir / (PARTS_FILE + ".new")
    scratch.write_bytes(orjson.dumps({part.name: asdict(part) for part in stack.supervisor.status()}))
    os.replace(scratch, data_dir / PARTS_FILE)


def _close(settings: Settings) -> None:
    """Let the workers finish, then sum up."""
    deadline = time.monotonic() + _DRAIN_S
    state = read_status(settings)
    while (counts := _raw(state)) and counts.unaccounted and time.monotonic() < deadline:
        time.sleep(0.2)
        state = read_status(settings)
    (settings.data_dir / PARTS_FILE).unlink(missing_ok=True)
    if counts is None:
        return
    try:
        by_type = connect(settings).query(
            "SELECT event_type, count(), sum(length(object_detections)) + sum(length(instance_segmentations)) "
            "+ sum(length(keypoints)) + sum(length(classifications)) FROM vision_events GROUP BY event_type ORDER BY 1"
        )
    except DependencyError as error:
        err.print(f"no summary: {error}", markup=False)
        return
    out.print(
        f"produced {counts.produced:,} = stored {counts.stored:,} + rejected {counts.rejected:,}"
        + (f" + not yet handled {counts.unaccounted:,}" if counts.unaccounted else "")
    )
    for event_type, events, annotations in by_type.result_rows:
        out.print(f"  {event_type:<18} {events:>8,} events {annotations:>9,} annotations")
    out.print("the data stays; the same command goes on from here, and in another terminal you can then try:")
    for command in NEXT_STEPS:
        out.print(f"  {command}{_data_dir_flag(settings)}", soft_wrap=True)


def _data_dir_flag(settings: Settings) -> str:
    default = Settings.model_fields["data_dir"].default
    return "" if settings.data_dir == default else f" --data-dir {settings.data_dir}"
