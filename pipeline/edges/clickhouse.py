"""ClickHouse: connections, and what its errors mean for whoever called."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, Final
from urllib.parse import urlsplit

import clickhouse_connect
import urllib3
from clickhouse_connect.driver import Client
from clickhouse_connect.driver.exceptions import ClickHouseError, Error

from pipeline.edges.tls import ca_file
from pipeline.errors import ConfigurationError, DependencyError, RowRefusedError
from pipeline.settings import Settings
from schemas.reject import Reject

# Codes of ErrorCodes.cpp in ClickHouse's source. The retryable ones are those of ClickHouse's own Kafka connector.
_RETRYABLE: Final = frozenset({3, 107, 159, 164, 202, 203, 209, 210, 241, 242, 243, 252, 285, 319, 394, 425, 999})
# Nothing is wrong with the rows either: files that cannot be read or written (a full disk), memory, threads or
# connections that are short, a statement that the server ended, tables that still load.
_RETRYABLE_TOO: Final = frozenset({74, 75, 76, 173, 236, 279, 439, 722, 735})
# Unknown table or database, authentication, missing column, no access: a person has to mend these.
_CONFIGURATION: Final = frozenset({16, 60, 81, 192, 193, 194, 497, 516})

_NOT_MIGRATED: Final = frozenset({16, 60, 81})

# Our own JSON: a name that the table does not know is a defect of ours and must not vanish.
_JSON_SETTINGS: Final[dict[str, Any]] = {
    "date_time_input_format": "best_effort",
    "input_format_skip_unknown_fields": 0,
    "input_format_json_ignore_unknown_keys_in_named_tuple": 0,
    # The JSON columns would turn text that looks like a date into a date: lot numbers came out changed.
    "input_format_try_infer_dates": 0,
    "input_format_try_infer_datetimes": 0,
    "async_insert": 0,
    # Rows of one id within one insert are left to FINAL and to merges: looking for them first costs a fifth more.
    "optimize_on_insert": 0,
}

REJECT_COLUMNS: Final = (
    *("topic", "partition", "offset", "timestamp", "reason", "message", "field", "use_case_id", "device_id"),
    *("key", "value", "headers"),
)


def connect(
    settings: Settings,
    *,
    analyst: bool = False,
    database: str | None = None,
    limits: Mapping[str, Any] | None = None,
) -> Client:
    """A client over HTTP. It may be shared by threads. Raises DependencyError or ConfigurationError.

    `limits` are settings of ClickHouse that hold for each of its queries (`queries.limits`).
    """
    url = urlsplit(settings.clickhouse_url)
    if url.hostname is None:
        raise ConfigurationError(f"setting clickhouse_url: {settings.clickhouse_url!r} is not a URL")
    with translated():
        return clickhouse_connect.get_client(
            host=url.hostname,
            port=url.port or (8443 if url.scheme == "https" else 8123),
            secure=url.scheme == "https",
            ca_cert=ca_file(settings),
            username=settings.analyst_user if analyst else settings.clickhouse_user,
            password=(settings.analyst_password if analyst else settings.clickhouse_password).get_secret_value(),
            database=settings.clickhouse_database if database is None else database,
            autogenerate_session_id=False,
            connect_timeout=5,
            send_receive_timeout=int(settings.insert_timeout_s) or 1,
            query_retries=0,
            compress=url.hostname not in ("127.0.0.1", "localhost"),
            settings=({} if analyst else _cluster_settings(settings)) | dict(limits or {}),
        )


def _cluster_settings(settings: Settings) -> dict[str, Any]:
    """How to read and write on a cluster; nothing on one server."""
    if not settings.clickhouse_cluster:
        return {}
    # An insert returns when its shards have the rows; a table within a condition is asked for once, not by each shard.
    given = {"distributed_foreground_insert": 1, "distributed_product_mode": "global"}
    if settings.clickhouse_insert_quorum:
        given |= {"insert_quorum": settings.clickhouse_insert_quorum, "insert_quorum_parallel": 1}
    return given


@contextmanager
def translated() -> Iterator[None]:
    """Turn the client's errors into DependencyError, ConfigurationError or RowRefusedError."""
    try:
        yield
    except Error as error:
        raise _meaning(error) from error
    except (ClickHouseError, urllib3.exceptions.HTTPError, OSError) as error:
        raise DependencyError(f"ClickHouse: {error}") from error


def _meaning(error: Error) -> Exception:
    code, message = error.code, str(error).strip()
    if code is None or code in _RETRYABLE | _RETRYABLE_TOO:
        return DependencyError(f"ClickHouse: {message}")
    if code in _CONFIGURATION:
        hint = "; run `vision-events migrate`" if code in _NOT_MIGRATED else ""
        return ConfigurationError(f"ClickHouse refuses (code {code}): {message}{hint}")
    return RowRefusedError(code, message)


def insert_events(client: Client, lines: Sequence[bytes]) -> None:
    """Insert events, one JSON object each. Raises as `translated`; DependencyError also on a short count."""
    with translated():
        summary = client.raw_insert(
            "stored_events", insert_block=b"\n".join(lines), fmt="JSONEachRow", settings=_JSON_SETTINGS
        )
    # A server that reports fewer rows than were sent has lost some without an error (seen: compressed frames).
    written = int(summary.summary.get("written_rows", 0))
    if written and written < len(lines):
        raise DependencyError(f"ClickHouse: {written} of {len(lines)} rows were written")


def insert_rejects(client: Client, rejects: Sequence[Reject]) -> None:
    """Insert rejects with their original bytes. Raises as `translated`."""
    rows = [
        (
            *(reject.topic, reject.partition, reject.offset, reject.timestamp, reject.reason.value),
            *(reject.message, reject.field, reject.use_case_id, reject.device_id, reject.key, reject.value),
            [(name, value) for name, value in reject.headers],
        )
        for reject in rejects
    ]
    with translated():
        client.insert("stored_rejects", rows, column_names=REJECT_COLUMNS)
