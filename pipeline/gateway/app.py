"""The gateway's web application: routers, errors and what lives as long as the process.

To add a router: write `pipeline/gateway/routes/<resource>.py` with `router = APIRouter(prefix="/vision-events", ...)`
and name it in `ROUTERS` below. A route

- takes `who: Reader` or `who: Writer` (`access.py`) and touches only what belongs to `who.workspace_id`;
- gets Kafka, ClickHouse, S3 and the registry from `services_of(request)` (`services.py`);
- reads a body with `read_body` and `parse` (`bodies.py`), or declares a pydantic model for small ones;
- raises for every error (`errors.py`) and declares them: `responses=answers(404)`;
- publishes events with `services.events` (`writing.py`): `check` each, then `publish` all.
"""

from contextlib import AbstractAsyncContextManager
from importlib.metadata import version

from fastapi import FastAPI

from pipeline.gateway.bodies import BodyLimit
from pipeline.gateway.errors import add_error_handlers
from pipeline.gateway.monitoring import CallTimes
from pipeline.gateway.openapi import complete
from pipeline.gateway.routes import (
    alerts,
    bundles,
    dashboard,
    edge,
    events,
    health,
    images,
    metadata_schemas,
    query,
    reference,
    use_cases,
    workspaces,
)
from pipeline.gateway.services import running
from pipeline.settings import Settings

ROUTERS = (
    alerts.router,
    events.router,
    query.router,
    metadata_schemas.router,
    images.router,
    use_cases.router,
    bundles.router,
    edge.router,
    health.router,
    reference.router,
    dashboard.router,
    workspaces.router,  # last: it answers GET of any single word
)


def make_app(settings: Settings) -> FastAPI:
    """The application for these settings."""

    def lifespan(app: FastAPI) -> AbstractAsyncContextManager[None]:
        return running(app, settings)

    app = FastAPI(
        title="Vision Events",
        version=version("vision-events"),
        docs_url=None,  # routes/reference.py
        redoc_url=None,
        redirect_slashes=False,
        lifespan=lifespan,
        telemetry={"tracing": False, "metrics": False, "logs": False},  # asked for at each call otherwise
    )
    app.state.settings = settings
    app.state.services = None
    app.state.closing = False
    add_error_handlers(app)
    for router in ROUTERS:
        app.include_router(router)
    app.add_middleware(BodyLimit)
    app.add_middleware(CallTimes)
    complete(app)
    return app
