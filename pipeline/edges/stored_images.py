"""The images of a bucket as objects that grow old: listed, renewed and removed. Blocking: call it from threads."""

import time
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import NamedTuple

from minio import Minio
from minio.commonconfig import REPLACE, CopySource
from minio.datatypes import Object
from minio.error import S3Error

from pipeline.edges.objects import ABSENT, is_image_id, object_name, translated


class StoredImage(NamedTuple):
    """An object of an image, as the bucket lists it."""

    workspace_id: str
    image_id: str
    modified: datetime
    size: int


def list_images(client: Minio, bucket: str) -> Iterator[StoredImage | None]:
    """Every image of a bucket, in the order of names; None for an object that is no image of ours."""
    with translated():
        for found in client.list_objects(bucket_name=bucket, recursive=True):
            folder, _, image_id = (found.object_name or "").rpartition("/")
            workspace_id = folder.rpartition("/")[0]
            if not is_image_id(image_id) or found.object_name != object_name(workspace_id, image_id):
                yield None
            else:
                modified = found.last_modified or datetime.now(UTC)
                yield StoredImage(workspace_id, image_id, modified, found.size or 0)


def remove_if_older(client: Minio, bucket: str, image: StoredImage, moment: datetime) -> bool:
    """Remove an image unless it was put or renewed since a moment; true when it is gone."""
    name = object_name(image.workspace_id, image.image_id)
    with translated():
        try:
            found = client.stat_object(bucket_name=bucket, object_name=name)
        except S3Error as error:
            if error.code in ABSENT:
                return False
            raise
        # A header tells whole seconds, where a listing may tell more: within the second an object counts as young.
        if found.last_modified is None or found.last_modified >= moment.replace(microsecond=0):
            return False
        client.remove_object(bucket_name=bucket, object_name=name)
    return True


def renew(client: Minio, bucket: str, found: Object) -> None:
    """Make an old object young by copying it onto itself: an event is about to refer to it (see `retention`)."""
    name = found.object_name or ""
    metadata = {key.lower(): value for key, value in (found.metadata or {}).items()}
    prefix = "x-amz-meta-"
    kept: dict[str, str | list[str] | tuple[str]] = {
        key.removeprefix(prefix): value for key, value in metadata.items() if key.startswith(prefix)
    }
    with translated():
        client.copy_object(
            bucket_name=bucket,
            object_name=name,
            source=CopySource(bucket_name=bucket, object_name=name),
            # Only a copy that changes something may go onto itself.
            metadata=kept | {"Content-Type": found.content_type or "", "renewed": str(int(time.time()))},
            metadata_directive=REPLACE,
        )
