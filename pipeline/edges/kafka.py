"""Kafka: connections, topics, and how far producers and workers have come."""

from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from typing import Any, Final

import faust
from aiokafka import AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
from aiokafka.conn import collect_hosts, create_conn
from aiokafka.errors import (
    AuthenticationFailedError,
    ClusterAuthorizationFailedError,
    GroupAuthorizationFailedError,
    IllegalSaslStateError,
    InvalidTopicError,
    KafkaConnectionError,
    KafkaError,
    SaslAuthenticationFailed,
    TopicAlreadyExistsError,
    TopicAuthorizationFailedError,
    UnknownTopicOrPartitionError,
    UnsupportedSaslMechanismError,
    for_code,
)

from pipeline.edges.tls import client_context
from pipeline.errors import ConfigurationError, DependencyError
from pipeline.settings import Settings
from schemas.topics import DAY_MS, MAX_RAW_RECORD_BYTES, RECORD_OVERHEAD_BYTES, TOPICS, Topic

MAX_REQUEST_BYTES = MAX_RAW_RECORD_BYTES + RECORD_OVERHEAD_BYTES


def connection(settings: Settings) -> dict[str, Any]:
    """Keyword arguments that every aiokafka client of ours takes. Raises ConfigurationError."""
    options: dict[str, Any] = {
        "bootstrap_servers": settings.kafka_bootstrap,
        "security_protocol": settings.kafka_security,
    }
    if settings.kafka_security.endswith("SSL"):
        options["ssl_context"] = client_context(settings)
    if settings.kafka_security.startswith("SASL"):
        options |= {
            "sasl_mechanism": settings.kafka_sasl_mechanism,
            "sasl_plain_username": settings.kafka_user,
            "sasl_plain_password": settings.kafka_password.get_secret_value(),
        }
    return options


def credentials(settings: Settings) -> faust.SASLCredentials | faust.SSLCredentials | None:
    """The same for a Faust app: its `broker_credentials`. Raises ConfigurationError."""
    context = client_context(settings) if settings.kafka_security.endswith("SSL") else None
    if settings.kafka_security.startswith("SASL"):
        return faust.SASLCredentials(
            username=settings.kafka_user,
            password=settings.kafka_password.get_secret_value(),
            ssl_context=context,
            mechanism=settings.kafka_sasl_mechanism,
        )
    return faust.SSLCredentials(context) if context else None


def producer(settings: Settings, **options: Any) -> AIOKafkaProducer:
    """A producer that loses nothing: acks from all replicas, idempotent. Start it within an event loop."""
    defaults: dict[str, Any] = {
        "acks": "all",
        "enable_idempotence": True,
        "max_request_size": MAX_REQUEST_BYTES,
        "max_batch_size": 256 * 1024,
        "linger_ms": 5,
    }
    return AIOKafkaProducer(**connection(settings), **(defaults | options))


_CONFIGURATION: Final = (
    InvalidTopicError,
    TopicAuthorizationFailedError,
    GroupAuthorizationFailedError,
    ClusterAuthorizationFailedError,
    AuthenticationFailedError,
    SaslAuthenticationFailed,
    IllegalSaslStateError,
    UnsupportedSaslMechanismError,
)


@contextmanager
def translated(where: str = "Kafka") -> Iterator[None]:
    """Turn the client's errors into DependencyError or ConfigurationError."""
    try:
        yield
    except UnknownTopicOrPartitionError as error:  # the client has looked for longer than its request timeout
        message = f"{where}: a topic or partition does not exist ({error}); run `vision-events migrate`"
        raise ConfigurationError(message) from error
    except _CONFIGURATION as error:
        raise ConfigurationError(f"{where} refuses: {error!r}") from error
    except KafkaError as error:
        raise DependencyError(f"{where}: {error!r}") from error


async def start_producer(client: AIOKafkaProducer) -> None:
    """Connect a producer. Raises DependencyError when no broker answers, ConfigurationError as `translated`."""
    with translated():
        await client.start()


async def ask_broker(client: AIOKafkaProducer) -> None:
    """Ask a broker for its metadata over a producer's connection. Raises DependencyError."""
    try:
        if not await client.client.force_metadata_update():
            raise DependencyError("Kafka: no broker answers")
    except KafkaError as error:
        raise DependencyError(f"Kafka: {error!r}") from error


@asynccontextmanager
async def admin(settings: Settings) -> AsyncIterator[AIOKafkaAdminClient]:
    """An administration client. Raises DependencyError when no broker answers."""
    client = AIOKafkaAdminClient(**connection(settings))
    try:
        with translated(f"Kafka at {settings.kafka_bootstrap}"):
            try:
                await client.start()
            except KafkaConnectionError as error:
                raise await reason(settings) or error from None
            yield client
    finally:
        await client.close()


async def reason(settings: Settings) -> KafkaError | None:
    """Why no broker can be used: aiokafka logs it and says only that it could not connect."""
    options = connection(settings)
    for host, port, _ in collect_hosts(options.pop("bootstrap_servers")):
        try:
            (await create_conn(host, port, request_timeout_ms=5_000, **options)).close()
        except KafkaError as error:
            return error
        except (OSError, TimeoutError) as error:
            return KafkaConnectionError(f"{host}:{port}: {error or type(error).__name__}")
    return None


async def ensure_topics(settings: Settings) -> list[str]:
    """Create the topics that are missing and return their names. Raises DependencyError or ConfigurationError."""
    wanted = [
        NewTopic(
            topic.name,
            num_partitions=topic.partitions or settings.topic_partitions,
            replication_factor=settings.topic_replication,
            topic_configs=topic.config(),
        )
        for topic in TOPICS
    ]
    async with admin(settings) as client:
        existing = set(await client.list_topics())
        missing = [topic for topic in wanted if topic.name not in existing]
        await _create(client, missing)
    return [topic.name for topic in missing]


async def _create(client: AIOKafkaAdminClient, topics: Sequence[NewTopic]) -> None:
    if not topics:
        return
    response = await client.create_topics(list(topics))
    for name, code, *_ in response.topic_errors:
        if code and for_code(code) is not TopicAlreadyExistsError:
            raise ConfigurationError(f"topic {name} cannot be created: {for_code(code).__name__}")


async def ask_topics(settings: Settings) -> None:
    """Raises DependencyError when no broker answers, ConfigurationError when a topic is missing."""
    async with admin(settings) as client:
        missing = {topic.name for topic in TOPICS} - set(await client.list_topics())
    if missing:
        raise ConfigurationError(f"Kafka: no topic {', '.join(sorted(missing))}; run `vision-events migrate`")


async def ensure_compacted(settings: Settings, names: Sequence[str], partitions: int) -> None:
    """Create compacted topics that are missing. Raises DependencyError or ConfigurationError."""
    config = {"cleanup.policy": "compact", "segment.ms": "600000", "min.cleanable.dirty.ratio": "0.1"}
    async with admin(settings) as client:
        existing = set(await client.list_topics())
        wanted = [
            NewTopic(name, partitions, settings.topic_replication, topic_configs=config)
            for name in names
            if name not in existing
        ]
        await _create(client, wanted)


async def partition_count(settings: Settings, topic: str) -> int:
    """How many partitions a topic has. Raises DependencyError."""
    async with admin(settings) as client:
        described = await client.describe_topics([topic])
    return len(described[0]["partitions"])


async def keep_for(settings: Settings, topic: Topic, days: int) -> None:
    """Set how long a topic keeps its records. Raises DependencyError."""
    config = topic.config() | {"retention.ms": str(days * DAY_MS)}
    async with admin(settings) as client:
        await client.alter_configs([ConfigResource(ConfigResourceType.TOPIC, topic.name, config)])
