"""The object store: images under the hash of their content."""

from base64 import b64decode, b64encode
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from io import BytesIO
from typing import Any, Final, NamedTuple
from urllib.parse import urlsplit

import certifi
import orjson
import urllib3
from minio import Minio
from minio.error import S3Error

from pipeline.core.images import ImageInfo, inspect_image
from pipeline.core.views import ImageReference, Upload
from pipeline.edges.objects import ABSENT, is_image_id, object_name, translated
from pipeline.edges.stored_images import renew
from pipeline.edges.tls import ca_file
from pipeline.errors import ConfigurationError, InvalidRecordError
from pipeline.settings import Settings
from schemas.common import MetadataValue
from schemas.reject import RejectReason
from schemas.use_case import ImagePolicy

_MAX_BESIDE: Final = 1_600
"""S3 keeps 2 kB of metadata beside an object, names included."""
_PIECE: Final = 256 * 1024


class StoredObject(NamedTuple):
    """What is stored of an image: its content type and its size in bytes."""

    content_type: str
    size: int


class ImageStore:
    """Puts images, finds referenced ones, signs links. Blocking: call it from threads. Safe to share."""

    def __init__(self, settings: Settings) -> None:
        url = urlsplit(settings.s3_endpoint)
        if not url.netloc:
            raise ConfigurationError(f"setting s3_endpoint: {settings.s3_endpoint!r} is not a URL")
        self.bucket = settings.s3_bucket
        self._grow_old = timedelta(hours=settings.image_grace_hours / 2)
        self._readable = {settings.s3_bucket, *settings.s3_readable_buckets}
        self.client = Minio(
            url.netloc,
            access_key=settings.s3_access_key,
            secret_key=settings.s3_secret_key.get_secret_value(),
            secure=url.scheme == "https",
            region=settings.s3_region,
            # Retries belong to the caller, who also stops fetching meanwhile.
            http_client=urllib3.PoolManager(
                maxsize=settings.image_concurrency,
                timeout=urllib3.Timeout(connect=5, read=30),
                retries=False,
                cert_reqs="CERT_REQUIRED",
                ca_certs=ca_file(settings) or certifi.where(),
            ),
        )

    def ensure_bucket(self) -> None:
        """Create the bucket where it is missing. Raises DependencyError or ConfigurationError."""
        with translated():
            if not self.client.bucket_exists(bucket_name=self.bucket):
                self.client.make_bucket(bucket_name=self.bucket)

    def check_bucket(self) -> None:
        """Ask for the bucket. Raises DependencyError when S3 does not answer, ConfigurationError without the bucket."""
        with translated():
            if not self.client.bucket_exists(bucket_name=self.bucket):
                raise ConfigurationError(f"S3: no bucket {self.bucket!r}; run `vision-events migrate`")

    def put(
        self, workspace_id: str, upload: Upload, *, name: str = "", metadata: Mapping[str, MetadataValue] | None = None
    ) -> None:
        """Make an image durable. The same content again changes nothing but the name and metadata given with it.

        Raises InvalidRecordError for metadata that is more than object stores keep beside an object.
        """
        info = upload.info
        said = {key: value for key, value in (("name", name), ("metadata", metadata)) if value}
        beside = b64encode(orjson.dumps(said)).decode() if said else ""
        if len(beside) > _MAX_BESIDE:
            message = f"name and metadata of an image have at most {_MAX_BESIDE * 3 // 4} bytes as JSON"
            raise InvalidRecordError(RejectReason.INVALID_METADATA, message, "metadata")
        kept: dict[str, str | list[str] | tuple[str]] = {"width": str(info.width), "height": str(info.height)}
        with translated():
            self.client.put_object(
                bucket_name=self.bucket,
                object_name=object_name(workspace_id, info.image_id),
                data=BytesIO(upload.content),
                length=info.size,
                content_type=info.content_type,
                metadata=kept | ({"said": beside} if said else {}),
            )

    def find(self, workspace_id: str, image_id: str) -> StoredObject | None:
        """Type and size of a stored image; None where there is none."""
        found = self._stat(workspace_id, image_id)
        return None if found is None else StoredObject(found.content_type or "", found.size or 0)

    def read(self, workspace_id: str, image_id: str, offset: int, length: int) -> Iterator[bytes]:
        """Bytes of an image, piece by piece: what a client does not take is not read from the store."""
        with translated():
            response = self.client.get_object(
                bucket_name=self.bucket,
                object_name=object_name(workspace_id, image_id),
                offset=offset,
                length=length,
            )

        def pieces() -> Iterator[bytes]:
            try:
                yield from response.stream(_PIECE)
            finally:
                response.close()
                response.release_conn()

        return pieces()

    def resolve(self, workspace_id: str, reference: ImageReference, policy: ImagePolicy) -> ImageInfo | None:
        """What is known of a referenced image; None for an image id that is not stored (a warning, not a reject).

        An object named by an s3 uri is copied under the hash of its content, so that the event keeps its image
        whatever the producer does with the object afterwards. Raises InvalidRecordError when it is absent, in a
        bucket that is not allowed, or not acceptable as an image.
        """
        if reference.uri is None:
            return self._stored(workspace_id, reference, policy)
        bucket, _, name = reference.uri.removeprefix("s3://").partition("/")
        if bucket not in self._readable:
            message = f"bucket {bucket!r} is not among the readable buckets"
            raise InvalidRecordError(RejectReason.IMAGE_NOT_FOUND, message, reference.field)
        content = self._read(bucket, name, policy.max_bytes + 1)
        if content is None:
            message = f"no object {reference.uri}"
            raise InvalidRecordError(RejectReason.IMAGE_NOT_FOUND, message, reference.field)
        info = inspect_image(content, reference.field, policy)
        if bucket != self.bucket or name != object_name(workspace_id, info.image_id):
            self.put(workspace_id, Upload(info, content))
        return info

    def link(self, workspace_id: str, image_id: str, expires: timedelta = timedelta(hours=1)) -> str:
        """A link to an image that works without credentials until it expires."""
        name = object_name(workspace_id, image_id)
        return str(self.client.presigned_get_object(bucket_name=self.bucket, object_name=name, expires=expires))

    def _stored(self, workspace_id: str, reference: ImageReference, policy: ImagePolicy) -> ImageInfo | None:
        image_id = reference.image_id or ""
        if not is_image_id(image_id):
            return None
        found = self._stat(workspace_id, image_id)
        if found is None:
            return None
        metadata = {key.lower(): value for key, value in (found.metadata or {}).items()}
        if datetime.now(UTC) - found.last_modified > self._grow_old:
            renew(self.client, self.bucket, found)
        width, height = metadata.get("x-amz-meta-width"), metadata.get("x-amz-meta-height")
        if width is None or height is None:  # put by a producer itself, not through us
            content = self._read(self.bucket, object_name(workspace_id, image_id), policy.max_bytes + 1)
            return inspect_image(content, reference.field, policy) if content is not None else None
        said = _said(metadata.get("x-amz-meta-said", ""))
        return ImageInfo(image_id, found.content_type or "", found.size or 0, int(width), int(height), said)

    def _stat(self, workspace_id: str, image_id: str) -> Any:
        with translated():
            try:
                return self.client.stat_object(bucket_name=self.bucket, object_name=object_name(workspace_id, image_id))
            except S3Error as error:
                if error.code in ABSENT:
                    return None
                raise

    def _read(self, bucket: str, name: str, limit: int) -> bytes | None:
        """At most `limit` bytes of an object, None where there is no such object."""
        with translated():
            try:
                response = self.client.get_object(bucket_name=bucket, object_name=name)
            except S3Error as error:
                if error.code in ABSENT:
                    return None
                raise
            try:
                return response.read(limit)
            finally:
                response.close()
                response.release_conn()


def _said(beside: str) -> dict[str, MetadataValue]:
    """The metadata that came with an upload; nothing where somebody else wrote the header."""
    try:
        found: dict[str, MetadataValue] = orjson.loads(b64decode(beside, validate=True))["metadata"] if beside else {}
    except (ValueError, KeyError, TypeError):
        return {}
    return found
