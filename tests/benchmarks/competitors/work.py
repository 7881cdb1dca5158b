"""What every competitor does alike: the pipeline's own processing of a record and its own insert."""

import asyncio
import gc
import signal
from collections.abc import Callable, Iterable
from typing import Any

import orjson

from pipeline.core.process import process
from pipeline.core.record import RawRecord
from pipeline.core.registry import Registry
from pipeline.edges.clickhouse import connect, insert_events
from pipeline.edges.registry import RegistryReader
from pipeline.ingest.allocator import keep_freed_memory
from pipeline.settings import Settings, load_settings
from schemas.topics import INFERENCES

TOPIC = INFERENCES.name
BATCH = 30_000
"""Records of one insert, the most rows of one insert of the worker, by default."""


class Work:
    """Settings from the environment, the registry as it stands, and a connection."""

    def __init__(self) -> None:
        self.settings: Settings = load_settings()
        self.client = connect(self.settings)
        reader = RegistryReader(self.client)
        reader.refresh()
        self.registry: Registry = reader.current

    def line(self, record: RawRecord) -> bytes:
        """Decode, validate, enrich, serialise. The benchmark has no bad records, so an error may end the run."""
        return orjson.dumps(process(record, self.registry).event, option=orjson.OPT_UTC_Z)

    def lines(self, records: Iterable[RawRecord]) -> list[bytes]:
        return [self.line(record) for record in records]

    def insert(self, lines: list[bytes]) -> None:
        insert_events(self.client, lines)


def settle_memory() -> None:
    """What the worker does once it has started, and the tuned ones too.

    The garbage collector does not look at what lives for ever, and the C library keeps what a batch has freed.
    """
    keep_freed_memory()
    gc.collect()
    gc.freeze()
    gc.set_threshold(100_000, 50, 50)


def on_stop(stop: Callable[[], Any]) -> None:
    """Call `stop` at SIGTERM: in the running event loop, or in the main thread where there is none."""
    try:
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop)
    except RuntimeError:
        signal.signal(signal.SIGTERM, lambda *_: stop())
