"""Turns records into a batch: the pure processing, and the look-ups that some records need before they are whole."""

import asyncio
import time
from collections.abc import Sequence
from functools import partial
from typing import Final

from pipeline.core.process import Processed
from pipeline.core.record import RawRecord
from pipeline.core.views import fill_reference
from pipeline.edges.registry import RegistryReader
from pipeline.edges.retry import until_done
from pipeline.edges.s3 import ImageStore
from pipeline.errors import InvalidRecordError
from pipeline.ingest.batch import Batch, add_processed, merge, process_records, reject

_SLICE: Final = 500
"""Records processed before other tasks get their turn: a few milliseconds without images."""

_REFRESH_AT_MOST_EVERY_S: Final = 0.5


class Preparer:
    """Prepares batches with the registry as it stands."""

    def __init__(self, registry: RegistryReader, images: ImageStore, image_concurrency: int) -> None:
        self._registry = registry
        self._images = images
        self._image_slots = asyncio.Semaphore(image_concurrency)

    async def prepare(self, records: Sequence[RawRecord]) -> Batch:
        """What the records lead to. A dependency that is away is waited for; no record is left out."""
        batch = await self._process(records, last_try=False)
        if batch.unknown:
            # A use case may have been applied a moment ago: look before rejecting for it.
            unknown, batch.unknown = batch.unknown, []
            if time.monotonic() - self._registry.read_at > _REFRESH_AT_MOST_EVERY_S:
                await until_done(lambda: asyncio.to_thread(self._registry.refresh))
            merge(batch, await self._process(unknown, last_try=True))
        if batch.unresolved:
            unresolved, batch.unresolved = batch.unresolved, []
            await asyncio.gather(*(self._resolve(batch, record, processed) for record, processed in unresolved))
        return batch

    async def _process(self, records: Sequence[RawRecord], *, last_try: bool) -> Batch:
        batch = Batch()
        for start in range(0, len(records), _SLICE):
            part = records[start : start + _SLICE]
            merge(batch, process_records(part, self._registry.current, last_try=last_try))
            await asyncio.sleep(0)
        return batch

    async def _resolve(self, batch: Batch, record: RawRecord, processed: Processed) -> None:
        """Fill in what is known of the images that an event refers to, then add it to the batch."""
        event = processed.event
        references, processed.references = processed.references, []
        for reference in references:
            try:
                async with self._image_slots:
                    look_up = partial(self._images.resolve, event["workspace_id"], reference, processed.image_policy)
                    info = await until_done(partial(asyncio.to_thread, look_up))
            except InvalidRecordError as error:
                batch.rejects.append(reject(record, error))
                return
            fill_reference(event, reference, info)
        add_processed(batch, record, processed)
