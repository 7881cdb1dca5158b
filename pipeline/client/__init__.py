"""The client library for producers: events to Kafka or to the gateway, with one and the same call.

    from pipeline.client import Client, Event, Image, gateway

    with Client(gateway("https://vision.example.com", api_key)) as client:
        client.send(Event(use_case_id="defect-detection", predictions=detections, images=[Image.of_file("frame.jpg")]))

`AsyncClient` has the same calls to await; `kafka(...)` instead of `gateway(...)` sends straight to Kafka.
"""

import ssl
from typing import Any

from pipeline.client.asynchronous import AsyncClient
from pipeline.client.batches import Progress, Sent
from pipeline.client.event import Event, Image
from pipeline.client.http import GatewayTransport
from pipeline.client.kafka import ImageMode, KafkaTransport
from pipeline.client.synchronous import Client
from pipeline.client.transport import Transport
from pipeline.edges.tls import client_context
from pipeline.errors import ConfigurationError, DependencyError, InvalidRecordError, RefusedError
from pipeline.settings import Settings, load_settings
from schemas.common import DEFAULT_WORKSPACE

__all__ = [
    "AsyncClient",
    "Client",
    "ConfigurationError",
    "DependencyError",
    "Event",
    "Image",
    "InvalidRecordError",
    "Progress",
    "RefusedError",
    "Sent",
    "Transport",
    "as_configured",
    "gateway",
    "kafka",
]


def gateway(url: str, api_key: str, timeout_s: float = 30, trust: ssl.SSLContext | None = None) -> Transport:
    """Over HTTP to the server at `url`; one call takes at most `timeout_s`. Raises ConfigurationError.

    `trust` is the context to check the server's certificate by, such as `ssl.create_default_context(cafile=...)`;
    None: the authorities of the system.
    """
    return GatewayTransport(url, api_key, timeout_s, trust)


def kafka(images: ImageMode = "inline", workspace_id: str = DEFAULT_WORKSPACE, **settings: Any) -> Transport:
    """Straight to Kafka. `settings` are those of docs/operation.md, such as `kafka_bootstrap`; others as configured.

    With `images="store"` images are put into S3 first, and the record refers to them; they belong to the workspace
    of the use cases, `workspace_id`. Raises ConfigurationError.
    """
    return KafkaTransport(load_settings(**settings), images, workspace_id)


def as_configured(settings: Settings | None = None) -> Transport:
    """To `gateway_url` where the settings name one, else to Kafka. Raises ConfigurationError."""
    found = settings or load_settings()
    if found.gateway_url:
        trust = client_context(found) if found.tls_ca_file else None
        return gateway(found.gateway_url, found.gateway_api_key.get_secret_value(), trust=trust)
    return KafkaTransport(found, found.edge_images)
