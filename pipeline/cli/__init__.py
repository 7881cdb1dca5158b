"""The command `vision-events`: one module a command."""

import logging
import sys

import typer
from rich.console import Console

from pipeline.cli import (
    alert_worker,
    alerts,
    bench,
    dashboard,
    demo,
    devices,
    edge,
    gateway,
    images,
    keys,
    migrate,
    publish,
    rejects,
    replay,
    retention,
    rules,
    sql,
    status,
    up,
    use_cases,
    worker,
)
from pipeline.errors import ConfigurationError, DependencyError, TooManyRejectsError, VisionEventsError

app = typer.Typer(
    name="vision-events",
    help="An open, self-hosted vision-event store: Kafka in, images in S3, records in ClickHouse.",
    epilog="Exit codes: 0 done, 1 failed, 2 wrong usage or configuration, 3 a service does not answer, "
    "4 too many rejects.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
)
app.command("up")(up.up)
app.command("status")(status.status)
app.command("sql")(sql.sql)
app.command("publish")(publish.publish)
app.command("dashboard")(dashboard.dashboard)
app.add_typer(use_cases.app, name="use-cases")
app.add_typer(devices.app, name="devices")
app.add_typer(rejects.app, name="rejects")
app.add_typer(alerts.app, name="alerts")
app.add_typer(rules.app, name="rules")
app.command("replay")(replay.replay)
app.command("retention")(retention.retention)
app.add_typer(retention.app, name="holds")
app.add_typer(images.app, name="images")
app.add_typer(keys.app, name="keys")
app.command("gateway")(gateway.gateway)
app.add_typer(edge.app, name="edge")
app.command("worker")(worker.worker)
app.command("alert-worker")(alert_worker.alert_worker)
app.command("migrate")(migrate.migrate_command)
app.command("demo")(demo.demo)
app.command("bench", context_settings=bench.PASS_ON)(bench.bench)


def main() -> None:
    """Run the command line. A mistake of the user ends in one line and an exit code, never in a stack trace."""
    # Libraries log each refused connection in their own way; commands say it once. `worker` sets up logging itself.
    logging.getLogger().addHandler(logging.NullHandler())
    try:
        app()
    except VisionEventsError as error:
        Console(stderr=True).print(f"[red]error:[/] {error}", markup=True, highlight=False, soft_wrap=True)
        sys.exit(exit_code(error))


def exit_code(error: VisionEventsError) -> int:
    """The exit code of an error, for scripts."""
    if isinstance(error, ConfigurationError):
        return 2
    if isinstance(error, TooManyRejectsError):
        return 4
    return 3 if isinstance(error, DependencyError) else 1
