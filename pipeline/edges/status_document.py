"""The state of the system as one JSON document: what `vision-events status --json` prints and the dashboard shows."""

from dataclasses import asdict
from typing import Any, Final

import orjson

from pipeline.edges.counts import Status
from pipeline.settings import Settings

PARTS_FILE: Final = "parts.json"
"""What the parts of a running `up` do, in its data folder."""


def as_document(state: Status, settings: Settings) -> dict[str, Any]:
    """The state of the whole, with the addresses of the services and the parts of a running `up`."""
    return {
        "addresses": addresses(settings),
        "state": state.verdict.level.value,
        "words": list(state.verdict.words),
        "health": state.health,
        "workers": state.workers,
        "parts": read_parts(settings),
        "events": state.events,
        "topics": {counts.topic: asdict(counts) | {"unaccounted": counts.unaccounted} for counts in state.topics},
    }


def read_parts(settings: Settings) -> dict[str, Any]:
    """What the parts of a running `up` do; empty where the system runs otherwise."""
    try:
        parts: dict[str, Any] = orjson.loads((settings.data_dir / PARTS_FILE).read_bytes())
    except (OSError, orjson.JSONDecodeError):
        return {}
    return parts


def addresses(settings: Settings) -> dict[str, str]:
    """Where the services are."""
    return {
        "kafka": settings.kafka_bootstrap,
        "s3": settings.s3_endpoint,
        "clickhouse": settings.clickhouse_url,
        "http": f"http://{settings.http_host}:{settings.http_port}",
    }
