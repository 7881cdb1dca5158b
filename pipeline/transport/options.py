"""Options of the transport, carried in the query of the broker URL."""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields

from faust.exceptions import ImproperlyConfigured
from yarl import URL

SCHEME = "batch+kafka"
MIB = 1024 * 1024


@dataclass(frozen=True, slots=True)
class BatchOptions:
    """Bounds are on what is read and not yet done; a batch that reaches one is still delivered whole.

    The largest number of records in a batch is Faust's `broker_max_poll_records`, 2,000 when it is not set.
    """

    max_batch_bytes: int = 16 * MIB
    """Keys and values of one batch; a single larger record makes a batch of its own."""
    partition_records: int = 8_000
    """Reading of a partition stops while this many records are not done."""
    partition_bytes: int = 32 * MIB
    total_bytes: int = 128 * MIB
    """Over all partitions of the worker."""
    drain_timeout: float = 10.0
    """Seconds to wait for batches in hand when partitions are revoked or the worker stops. Keep it below
    Faust's `broker_rebalance_timeout`."""
    fetch_max_wait: float = 0.5
    """Seconds a broker may hold a fetch that finds nothing; it delays partitions that become readable."""
    read_committed: bool = True
    """Leave out records of open and aborted transactions."""


def broker_url(servers: str, options: BatchOptions | None = None) -> list[URL]:
    """Return the value for `faust.App(broker=...)`.

    Args:
        servers: host:port of one or more brokers, separated by commas.
        options: what differs from the defaults.
    """
    default = asdict(BatchOptions())
    query = {k: str(v) for k, v in asdict(options or BatchOptions()).items() if v != default[k]}
    return [URL(f"{SCHEME}://{server.strip()}").with_query(query) for server in servers.split(",")]


def options_of(url: URL) -> BatchOptions:
    """Read the options of a broker URL.

    Raises:
        ImproperlyConfigured: an unknown option, or a value that is not of its type.
    """
    kinds = {field.name: type(field.default) for field in fields(BatchOptions)}
    values: dict[str, object] = {}
    for name, text in url.query.items():
        if name not in kinds:
            raise ImproperlyConfigured(f"broker URL: unknown option {name!r}, known are {', '.join(kinds)}")
        try:
            values[name] = _parse(kinds[name], text)
        except ValueError:
            kind = kinds[name].__name__
            raise ImproperlyConfigured(f"broker URL: option {name}={text!r} is not of type {kind}") from None
    return BatchOptions(**values)  # type: ignore[arg-type]  # each value was made by its field's type


def _parse(kind: type, text: str) -> object:
    if kind is bool:
        return {"true": True, "false": False}[text.lower()] if text.lower() in ("true", "false") else int("x")
    return kind(text)
