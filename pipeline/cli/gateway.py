"""`vision-events gateway`: the HTTP side in the foreground."""

from typing import Annotated

import typer
import uvicorn

from pipeline.cli.common import DataDir, SetOption, set_up_logging, settings_from
from pipeline.gateway.app import make_app


def gateway(
    http_host: Annotated[str | None, typer.Option(help="Address to listen on.")] = None,
    http_port: Annotated[int | None, typer.Option(help="Port to listen on.")] = None,
    data_dir: DataDir = None,
    assignments: SetOption = None,
) -> None:
    """Run the gateway until it is told to stop: /livez, /readyz, /docs."""
    settings = settings_from(data_dir, assignments, http_host=http_host, http_port=http_port)
    set_up_logging(settings)
    uvicorn.run(make_app(settings), host=settings.http_host, port=settings.http_port, log_config=None, access_log=False)
