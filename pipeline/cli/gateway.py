"""`vision-events gateway`: the HTTP side in the foreground."""

import logging
import signal
from types import FrameType
from typing import Annotated

import typer
import uvicorn
from fastapi import FastAPI

from pipeline.cli.common import DataDir, SetOption, settings_from
from pipeline.edges.heartbeat import metrics_route
from pipeline.edges.http_server import HttpServer, require_listening
from pipeline.edges.tls import server_files
from pipeline.gateway.app import make_app
from pipeline.logs import set_up_logging

log = logging.getLogger(__name__)


def gateway(
    http_host: Annotated[str | None, typer.Option(help="Address to listen on.")] = None,
    http_port: Annotated[int | None, typer.Option(help="Port to listen on.")] = None,
    data_dir: DataDir = None,
    assignments: SetOption = None,
) -> None:
    """Run the HTTP API until it is told to stop; /docs describes it."""
    settings = settings_from(data_dir, assignments, http_host=http_host, http_port=http_port)
    set_up_logging(settings)
    require_listening(settings.http_host, settings.http_port, "http_port")
    for number in (signal.SIGTERM, signal.SIGINT):
        # uvicorn ends in order and raises the signal once more: being told to stop is no failure.
        signal.signal(number, lambda *_: None)
    routes = {"/metrics": metrics_route("gateway")}
    with HttpServer(settings.health_host, settings.health_port, routes) as health:
        log.info("metrics: %s/metrics", health.url)
        app = make_app(settings)
        config = uvicorn.Config(
            app,
            host=settings.http_host,
            port=settings.http_port,
            loop="uvloop",
            http="httptools",
            log_config=None,
            access_log=False,
            server_header=False,
            **server_files(settings),
        )
        _Server(config, app).run()


class _Server(uvicorn.Server):
    """Ends live views when it is told to stop: uvicorn waits for answers under way, and these have no end."""

    def __init__(self, config: uvicorn.Config, app: FastAPI) -> None:
        super().__init__(config)
        self._app = app

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Told to stop."""
        self._app.state.closing = True
        super().handle_exit(sig, frame)
