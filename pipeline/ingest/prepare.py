"""Turns records into a batch: the pure processing, and the look-ups that some records need before they are whole."""

import asyncio
import time
from collections.abc import Iterator, Sequence
from typing import Final

from pipeline.core.process import Processed
from pipeline.core.record import RawRecord
from pipeline.core.views import fill_reference
from pipeline.edges.registry import RegistryReader, read_since
from pipeline.errors import InvalidRecordError
from pipeline.ingest.batch import Batch, add_processed, merge, process_records, reject
from pipeline.ingest.images import ImageRequests

_SLICE_RECORDS: Final = 500
_SLICE_BYTES: Final = 512 * 1024
"""What is processed before other tasks get their turn: a few milliseconds, with images in the records or without."""


class Preparer:
    """Prepares batches with the registry as it stands."""

    def __init__(self, registry: RegistryReader, images: ImageRequests) -> None:
        self._registry = registry
        self._images = images

    async def prepare(self, records: Sequence[RawRecord]) -> Batch:
        """What the records lead to. A dependency that is away is waited for; no record is left out."""
        begun = time.monotonic()
        batch = await self._process(records, last_try=False)
        if batch.unknown:
            unknown, batch.unknown = batch.unknown, []
            await read_since(self._registry, begun)
            merge(batch, await self._process(unknown, last_try=True))
        if batch.unresolved:
            unresolved, batch.unresolved = batch.unresolved, []
            await asyncio.gather(*(self._resolve(batch, record, processed) for record, processed in unresolved))
        return batch

    async def _process(self, records: Sequence[RawRecord], *, last_try: bool) -> Batch:
        batch = Batch()
        for part in slices(records):
            merge(batch, process_records(part, self._registry.current, last_try=last_try))
            await asyncio.sleep(0)
        return batch

    async def _resolve(self, batch: Batch, record: RawRecord, processed: Processed) -> None:
        """Fill in what is known of the images that an event refers to, then add it to the batch."""
        event = processed.event
        references, processed.references = processed.references, []
        for reference in references:
            try:
                info = await self._images.resolve(event["workspace_id"], reference, processed.image_policy)
            except InvalidRecordError as error:
                batch.rejects.append(reject(record, error))
                return
            fill_reference(event, reference, info)
        try:
            add_processed(batch, record, processed)
        except InvalidRecordError as error:
            batch.rejects.append(reject(record, error))


def slices(records: Sequence[RawRecord]) -> Iterator[Sequence[RawRecord]]:
    """The records in runs of bounded number and size, in order; a larger record is a run of its own."""
    start = size = 0
    for position, record in enumerate(records):
        length = len(record.value or b"")
        if position > start and (position - start >= _SLICE_RECORDS or size + length > _SLICE_BYTES):
            yield records[start:position]
            start, size = position, 0
        size += length
    if start < len(records):
        yield records[start:]
