"""The gateway's web application: what supervisors and load balancers ask."""

from fastapi import FastAPI, Response
from pydantic import BaseModel

from pipeline.edges.counts import read_status
from pipeline.settings import Settings


class Readiness(BaseModel):
    """Whether the services behind the gateway answer: "ok", or what is wrong with one."""

    ready: bool
    services: dict[str, str]


def make_app(settings: Settings) -> FastAPI:
    """The application for these settings."""
    app = FastAPI(title="Vision Events", redoc_url=None)

    @app.get("/livez", summary="The process runs")
    def livez() -> dict[str, bool]:
        return {"alive": True}

    @app.get(
        "/readyz",
        summary="Kafka, S3 and ClickHouse answer",
        responses={503: {"model": Readiness, "description": "A service does not answer"}},
    )
    def readyz(response: Response) -> Readiness:
        health = read_status(settings).health
        ready = all(answer == "ok" for answer in health.values())
        response.status_code = 200 if ready else 503
        return Readiness(ready=ready, services=health)

    return app
