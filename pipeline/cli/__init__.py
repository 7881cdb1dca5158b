"""The command `vision-events`: one module a command."""

import logging
import sys
from collections.abc import Iterable
from importlib import import_module
from typing import Any, Final

import typer
from rich.console import Console
from rich.markup import escape

from pipeline.errors import ConfigurationError, DependencyError, TooManyRejectsError, VisionEventsError

_COMMANDS: Final = {
    "up": "up.up",
    "status": "status.status",
    "sql": "sql.sql",
    "publish": "publish.publish",
    "dashboard": "dashboard.dashboard",
    "use-cases": "use_cases.app",
    "devices": "devices.app",
    "rejects": "rejects.app",
    "alerts": "alerts.app",
    "rules": "rules.app",
    "replay": "replay.replay",
    "retention": "retention.retention",
    "holds": "retention.app",
    "images": "images.app",
    "keys": "keys.app",
    "gateway": "gateway.gateway",
    "edge": "edge.app",
    "worker": "worker.worker",
    "alert-worker": "alert_worker.alert_worker",
    "migrate": "migrate.migrate_command",
    "demo": "demo.demo",
    "bench": "bench.bench",
}
"""Where each command is: a function, or an app with commands of its own."""


def make_app(names: Iterable[str] = _COMMANDS) -> typer.Typer:
    """The command line with these commands. Only what they need is imported: all of it takes more than a second."""
    app = typer.Typer(
        name="vision-events",
        help="An open, self-hosted vision-event store: Kafka in, images in S3, records in ClickHouse.",
        epilog="Exit codes: 0 done, 1 failed, 2 wrong usage or configuration, 3 a service does not answer, "
        "4 too many rejects.",
        no_args_is_help=True,
        pretty_exceptions_enable=False,
        rich_markup_mode="rich",
    )
    app.callback()(lambda: None)  # a single command, too, is called by its name
    for name in names:
        module_name, attribute = _COMMANDS[name].split(".")
        module = import_module(f"pipeline.cli.{module_name}")
        command: Any = getattr(module, attribute)
        if isinstance(command, typer.Typer):
            app.add_typer(command, name=name)
        else:
            app.command(name, context_settings=getattr(module, "CONTEXT_SETTINGS", None))(command)
    return app


def main() -> None:
    """Run the command line. A mistake of the user ends in one line and an exit code, never in a stack trace."""
    # Libraries log each refused connection in their own way; commands say it once. `worker` sets up logging itself.
    logging.getLogger().addHandler(logging.NullHandler())
    called = [name for name in sys.argv[1:2] if name in _COMMANDS]
    try:
        make_app(called or _COMMANDS)()
    except VisionEventsError as error:
        Console(stderr=True).print(f"[red]error:[/] {escape(str(error))}", highlight=False, soft_wrap=True)
        sys.exit(exit_code(error))


def exit_code(error: VisionEventsError) -> int:
    """The exit code of an error, for scripts."""
    if isinstance(error, ConfigurationError):
        return 2
    if isinstance(error, TooManyRejectsError):
        return 4
    return 3 if isinstance(error, DependencyError) else 1
