"""All settings, in one frozen object that is built once and passed down.

Precedence: command line flags, then `VISION_EVENTS_*` environment variables, then the files of the folder named by
`VISION_EVENTS_SECRETS_DIR` (one a setting, named `vision_events_*`), then the file named by `VISION_EVENTS_CONFIG`
(TOML), then what a running `vision-events up` left in its data folder, then the defaults here.

`python -m pipeline.settings` writes all settings as comments into deploy/compose/settings.env, for containers.
"""

import os
import re
import tomllib
from pathlib import Path
from typing import Any, Literal
from urllib.parse import urlsplit

from pydantic import Field, SecretStr, ValidationError, field_validator
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SecretsSettingsSource,
    SettingsConfigDict,
    SettingsError,
    TomlConfigSettingsSource,
)

from pipeline.errors import ConfigurationError
from schemas.reject import RejectReason

PREFIX = "VISION_EVENTS_"
STACK_FILE = "stack.toml"
"""Addresses and credentials of the embedded stack, written into the data folder while it runs (mode 0600)."""


ENV_PAGE = Path(__file__).parents[1] / "deploy" / "compose" / "settings.env"

_BROKER = re.compile(r"([^\s,:/]+|\[[0-9A-Fa-f:.]+\])(:\d{1,5})?")


class Settings(BaseSettings):
    """Settings of every process. Names are those of flags and, with the prefix, of environment variables."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, frozen=True, extra="forbid", env_ignore_empty=True)

    data_dir: Path = Field(Path(".vision-events"), description="Folder of the embedded stack's data.")

    kafka_bootstrap: str = Field("127.0.0.1:9092", description="Kafka brokers, host:port, comma separated.")
    kafka_security: Literal["PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"] = Field(
        "PLAINTEXT", description="How brokers are spoken to: SASL asks for a name and a password, SSL encrypts."
    )
    kafka_sasl_mechanism: Literal["SCRAM-SHA-512", "SCRAM-SHA-256", "PLAIN"] = Field(
        "SCRAM-SHA-512", description="How the password is shown to brokers."
    )
    kafka_user: str = Field("", description="Name to show to brokers, with SASL.")
    kafka_password: SecretStr = Field(SecretStr(""), description="Password of that name.")
    tls_ca_file: str = Field(
        "",
        description="PEM file of the authorities that certificates of Kafka, S3, ClickHouse and the gateway are "
        "checked against. Empty: those of the system.",
    )
    tls_cert_file: str = Field(
        "", description="PEM certificate, with its chain, that the gateway and the edge show. Empty: HTTP without TLS."
    )
    tls_key_file: str = Field("", description="PEM key of that certificate.")
    topic_partitions: int = Field(4, ge=1, le=1000, description="Partitions of topics that are created.")
    topic_replication: int = Field(1, ge=1, le=10, description="Replication factor of topics that are created.")

    s3_endpoint: str = Field("http://127.0.0.1:8333", description="URL of the S3 server.")
    s3_region: str = Field("us-east-1", description="Region that requests are signed for.")
    s3_access_key: str = Field("", description="S3 access key.")
    s3_secret_key: SecretStr = Field(SecretStr(""), description="S3 secret key.")
    s3_bucket: str = Field("vision-images", description="Bucket of the images.")
    s3_readable_buckets: tuple[str, ...] = Field(
        (),
        description="Buckets that s3:// references of producers may name, beside the bucket of the images.",
    )

    clickhouse_url: str = Field("http://127.0.0.1:8123", description="URL of ClickHouse's HTTP interface.")
    clickhouse_database: str = Field("vision", description="Database of all tables and views.")
    clickhouse_cluster: str = Field(
        "",
        pattern="^([A-Za-z_][A-Za-z0-9_]*)?$",
        description="Name of the cluster in ClickHouse's configuration: `migrate` then makes replicated and sharded "
        "tables. Empty: one server.",
    )
    clickhouse_insert_quorum: int = Field(
        0, ge=0, le=16, description="Replicas that must have rows before they count as stored. 0: one, as they come."
    )
    clickhouse_user: str = Field("default", description="User that writes.")
    clickhouse_password: SecretStr = Field(SecretStr(""), description="Password of the user that writes.")
    analyst_user: str = Field("analyst", description="Read-only user, for `sql` and for people.")
    analyst_password: SecretStr = Field(SecretStr(""), description="Password of the read-only user.")
    insert_timeout_s: float = Field(
        60, gt=0, le=240, description="Longest wait for one insert; below Kafka's max.poll.interval (300 s)."
    )

    ingest_group: str = Field("vision-ingest", description="Consumer group of the ingest workers.")
    worker_id: str = Field(
        "",
        max_length=200,
        description="Name of this worker in its group, unique and kept over restarts: it then takes up its partitions "
        "again at once, without a rebalance. Empty: a new member at each start.",
    )
    session_timeout_s: float = Field(10, ge=6, le=300, description="Silence after which a worker is taken for dead.")
    batch_max_rows: int = Field(30_000, ge=1, le=1_000_000, description="Most rows of one insert.")
    batch_linger_ms: int = Field(100, ge=0, le=10_000, description="Longest wait of a record for company.")
    image_concurrency: int = Field(16, ge=1, le=256, description="Image requests under way at once, per worker.")
    registry_poll_s: float = Field(2, gt=0, le=60, description="How often workers look for changed use cases.")
    publish_events: bool = Field(True, description="Publish accepted events to the topic vision.events.")
    reject_stop_share: float = Field(
        0.5,
        ge=0,
        le=1,
        description="A worker stops, exit code 4, when this share of the last 1,000 records is rejected for one reason "
        "that is not usual. 0: it never does.",
    )
    expected_rejects: tuple[RejectReason, ...] = Field(
        (), description='Reasons that may have any share of the records, a JSON list such as `["unknown_use_case"]`.'
    )
    reject_retention_days: int = Field(
        30, ge=1, le=3650, description="How long rejects are kept, in the table and on their topic; set by `migrate`."
    )
    health_host: str = Field("127.0.0.1", description="Address that the health endpoint of a process listens on.")
    health_port: int = Field(
        0,
        ge=0,
        le=65535,
        description="Port of the health endpoint, with `/metrics` and, of workers, `/livez`; 0: any free one.",
    )
    stuck_after_s: float = Field(
        30, ge=1, le=3600, description="Time without progress after which a worker or a partition counts as stuck."
    )
    http_host: str = Field("127.0.0.1", description="Address that the gateway listens on.")
    http_port: int = Field(8080, ge=0, le=65535, description="Port of the gateway.")
    api_key: SecretStr = Field(
        SecretStr(""),
        description="Key of the HTTP API that `up` and `migrate` store for the workspace `default`, 20 characters or "
        "more. Empty: `up` makes one at its first start and prints it once.",
    )
    write_timeout_s: float = Field(
        10, gt=0, le=60, description="Longest wait for Kafka to acknowledge a write; then the answer is 503."
    )
    gateway_url: str = Field(
        "", description="URL of the central gateway, for clients and the edge. Empty: they send to Kafka."
    )
    gateway_api_key: SecretStr = Field(SecretStr(""), description="Key that clients and the edge show to that gateway.")
    edge_host: str = Field("127.0.0.1", description="Address that the edge listens on.")
    edge_port: int = Field(8001, ge=0, le=65535, description="Port of the edge.")
    edge_api_key: SecretStr = Field(
        SecretStr(""),
        description="Key that senders show to the edge as X-API-Key; required where it listens beyond this machine.",
    )
    edge_device_id: str = Field("", max_length=256, description="Device of events that name none. Empty: host name.")
    edge_use_case: str = Field("", max_length=256, description="Use case of events that name none.")
    edge_max_bytes: int = Field(4 * 1024**3, ge=1024**2, description="Most bytes of events that the edge keeps.")
    edge_max_events: int = Field(1_000_000, ge=1, description="Most events that the edge keeps.")
    edge_images: Literal["inline", "store"] = Field(
        "inline", description="Images on the way from the edge to Kafka: in the record, or put into S3 first."
    )
    link_secret: SecretStr = Field(
        SecretStr(""),
        description="Signs cursors of queries, links to images and sessions of the dashboard; the same for all "
        "gateways, 32 characters or more from a random source. Empty: each gateway makes one at its start.",
    )
    session_hours: float = Field(12, ge=0.1, le=720, description="How long one stays logged in to the dashboard.")
    lookback_days: int = Field(
        14, ge=1, le=3650, description="Queries search so many days back, or as many as their use case keeps events."
    )
    upload_max_bytes: int = Field(
        8 * 2**20, ge=1024, le=64 * 2**20, description="Largest image that the upload call takes, in bytes."
    )
    image_link_hours: float = Field(24, ge=0.01, le=168, description="How long links to images work.")
    image_grace_hours: float = Field(
        24,
        ge=0,
        le=24 * 365,
        description="Age from which an image that no event refers to may be removed by `retention`: uploads wait so "
        "long for their event.",
    )
    public_url: str = Field(
        "",
        pattern="^(https?://.+)?$",
        description="URL by which clients reach the gateway, for links to images. Empty: as the client called it.",
    )
    rate_limit: int = Field(
        1000, ge=0, le=1_000_000, description="Calls a second that one key may make of a gateway; 0: no limit."
    )
    query_timeout_s: float = Field(10, gt=0, le=50, description="Longest time that a query may take; then 408.")
    alert_group: str = Field("vision-alerts", description="Consumer group of the alert workers; names their tables.")
    alert_receivers: str = Field("", description="YAML file of those who are told of alerts.")
    alert_retry_s: float = Field(
        900,
        gt=0,
        le=86400,
        description="How long a receiver that fails is tried before the alert is put aside as dead.",
    )
    alert_tick_ms: int = Field(250, ge=50, le=10_000, description="How often alert workers look how far time has come.")
    alert_slack_ms: int = Field(
        1_000, ge=0, le=60_000, description="How far the clocks of the brokers and of an alert worker may differ."
    )
    alert_resend_s: float = Field(60, ge=5, le=3600, description="How often an Alertmanager is told of open alerts.")
    log_level: str = Field("INFO", pattern="^(DEBUG|INFO|WARNING|ERROR)$", description="Least level that is logged.")
    log_format: Literal["text", "json"] = Field(
        "text", description="Form of log lines: text for people, or JSON objects for collectors."
    )
    otlp_endpoint: str = Field(
        "",
        pattern="^(https?://.+)?$",
        description="URL of an OpenTelemetry collector (OTLP over HTTP, such as http://collector:4318): workers send "
        "it traces of records that carry a `traceparent`. Needs the extra `tracing`. Empty: none.",
    )

    @field_validator("kafka_bootstrap")
    @classmethod
    def _brokers(cls, value: str) -> str:
        if not all(_BROKER.fullmatch(broker.strip()) for broker in value.split(",")):
            raise ValueError("expected host:port, comma separated")
        return value

    @field_validator("clickhouse_url", "s3_endpoint")
    @classmethod
    def _address(cls, value: str) -> str:
        try:
            urlsplit(value).port  # noqa: B018 - it is looked at when it is asked for
        except ValueError as error:
            raise ValueError(f"not a URL: {error}") from None
        return value

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Flags, environment, secrets, named file, running stack: in this order."""
        sources: list[PydanticBaseSettingsSource] = [init_settings, env_settings]
        if folder := os.environ.get(PREFIX + "SECRETS_DIR"):
            if not Path(folder).is_dir():
                raise ConfigurationError(f"{PREFIX}SECRETS_DIR names {folder}, and there is no such folder")
            sources.append(SecretsSettingsSource(settings_cls, secrets_dir=folder))
        if named := os.environ.get(PREFIX + "CONFIG"):
            if not Path(named).is_file():
                raise ConfigurationError(f"{PREFIX}CONFIG names {named}, and there is no such file")
            sources.append(TomlConfigSettingsSource(settings_cls, Path(named)))
        data_dir = init_settings().get("data_dir") or os.environ.get(PREFIX + "DATA_DIR") or ".vision-events"
        sources.append(TomlConfigSettingsSource(settings_cls, Path(data_dir) / STACK_FILE))
        return tuple(sources)


def load_settings(**flags: Any) -> Settings:
    """The settings in force. Flags that are None were not given. Raises ConfigurationError naming the setting."""
    given = {name: value for name, value in flags.items() if value is not None}
    try:
        return Settings(**given)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        name = ".".join(map(str, first["loc"]))
        value = "" if any(word in name for word in ("key", "password", "secret")) else f" (got {first['input']!r})"
        raise ConfigurationError(f"setting {name} ({PREFIX}{name.upper()}): {first['msg']}{value}") from None
    except SettingsError as error:
        # pydantic-settings names the field between quotes; it is one of those that hold lists.
        name = next((name for name in Settings.model_fields if f'"{name}"' in str(error)), "of a list")
        raise ConfigurationError(
            f'setting {name} ({PREFIX}{name.upper()}): expected a JSON list, such as \'["one", "two"]\''
        ) from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigurationError(f"the settings file is not valid TOML: {error}") from None


def env_page() -> str:
    """The text of deploy/compose/settings.env: every setting, commented out."""
    lines = [
        "# Settings of the containers: take away the # of those to change. docker-compose.yml sets some by itself."
    ]
    for name, field in Settings.model_fields.items():
        if not isinstance(field.default, SecretStr):  # those belong into files
            default = "" if field.default == () else field.default
            lines += [f"# {field.description}", f"#{PREFIX}{name.upper()}={default}"]
    return "\n".join([*lines, ""])


if __name__ == "__main__":
    ENV_PAGE.write_text(env_page(), encoding="utf-8")
