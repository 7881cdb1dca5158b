"""Images that no event refers to any more: found, looked at once more, and removed.

Rows go by their own TTL. An image may be shared by events that are kept for different times, so no lifecycle of the
bucket can tell when it may go; the events can. Whoever puts or refers to an image makes its object young again
(`ImageStore.put`, `ImageStore.resolve`), and a young object is never removed: an event that is on its way is safe.
"""

import logging
import uuid
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from clickhouse_connect.driver import Client

from pipeline.edges import holds
from pipeline.edges.clickhouse import translated
from pipeline.edges.s3 import ImageStore
from pipeline.edges.stored_images import StoredImage, list_images, remove_if_older

log = logging.getLogger(__name__)

_BATCH: Final = 1_000
_OVERLAP: Final = timedelta(minutes=10)
"""A row is stamped before its insert is done."""

_NOTE: Final = """
INSERT INTO image_references (run, workspace_id, image_id)
SELECT
    {run:String}, workspace_id,
    arrayJoin(arrayFilter(x -> x != '', arrayConcat(images.source_id, images.input_source_id)))
FROM stored_events
WHERE notEmpty(images) AND NOT is_deleted AND toDateTime(inserted_at) + toIntervalDay(retention_days) > now()
"""
_NOTE_HELD: Final = """
INSERT INTO image_references (run, workspace_id, image_id)
SELECT {run:String}, workspace_id, arrayJoin(image_ids) FROM held_events
"""
_NOTED: Final = """
SELECT image_id FROM image_references
WHERE run = {run:String} AND workspace_id = {workspace:String} AND image_id IN {ids:Array(String)}
UNION DISTINCT
SELECT arrayJoin(arrayIntersect(arrayConcat(images.source_id, images.input_source_id), {ids:Array(String)}))
FROM stored_events
WHERE inserted_at >= {since:DateTime64(3, 'UTC')} AND workspace_id = {workspace:String} AND notEmpty(images)
"""


@dataclass(slots=True)
class Swept:
    """What a run found: objects of images, those that stay, those removed (or that would be), and their bytes."""

    objects: int = 0
    removed: int = 0
    removed_bytes: int = 0
    foreign: int = 0
    """Objects that are no images of ours: never touched."""

    @property
    def kept(self) -> int:
        """Images that stay."""
        return self.objects - self.removed


def refresh_holds(client: Client) -> dict[str, int]:
    """Copy what came under the active holds since the last time; their sizes by id."""
    return {hold.id: holds.copy(client, hold) for hold in holds.active(client)}


def sweep_images(client: Client, store: ImageStore, grace: timedelta, *, dry_run: bool = False) -> Swept:
    """Remove images older than `grace` that no event refers to. Raises DependencyError or ConfigurationError."""
    run, begun = uuid.uuid4().hex, datetime.now(UTC)
    with translated():
        for statement in (_NOTE, _NOTE_HELD):
            client.command(statement, parameters={"run": run})
    swept = Swept()
    for workspace_id, images in _batches(store, swept):
        old = [image for image in images if image.modified < begun - grace]
        noted = _noted(client, run, workspace_id, [image.image_id for image in old], begun - _OVERLAP) if old else set()
        for image in old:
            if image.image_id in noted:
                continue
            # Once more, at the last moment: somebody may have put it again or referred to it meanwhile.
            if not dry_run and not remove_if_older(store.client, store.bucket, image, begun - grace):
                continue
            swept.removed += 1
            swept.removed_bytes += image.size
    log.info("%d images, %d removed (%d bytes)", swept.objects, swept.removed, swept.removed_bytes)
    return swept


def _batches(store: ImageStore, swept: Swept) -> Iterator[tuple[str, Sequence[StoredImage]]]:
    batch: list[StoredImage] = []
    for image in list_images(store.client, store.bucket):
        if image is None:
            swept.foreign += 1
            continue
        swept.objects += 1
        if batch and (batch[-1].workspace_id != image.workspace_id or len(batch) >= _BATCH):
            yield batch[-1].workspace_id, batch
            batch = []
        batch.append(image)
    if batch:
        yield batch[-1].workspace_id, batch


def _noted(client: Client, run: str, workspace_id: str, ids: Sequence[str], since: datetime) -> set[str]:
    values = {"run": run, "workspace": workspace_id, "ids": list(ids), "since": since}
    with translated():
        return {row[0] for row in client.query(_NOTED, parameters=values).result_rows}
