"""Images as bytes: what they are, told from their content, and the id that their content gives them."""

import binascii
import hashlib
import io
from collections.abc import Mapping
from dataclasses import dataclass, field

from PIL import Image
from pybase64 import b64decode

from pipeline.errors import InvalidRecordError
from schemas.common import MetadataValue
from schemas.reject import RejectReason
from schemas.use_case import ImagePolicy

_CONTENT_TYPES = {"JPEG": "image/jpeg", "PNG": "image/png", "WEBP": "image/webp"}


@dataclass(frozen=True, slots=True)
class ImageInfo:
    """A recognised image. `image_id` is the SHA-256 of the content in hex, `size` bytes, width and height pixels.

    `metadata` is what was said of it at its upload.
    """

    image_id: str
    content_type: str
    size: int
    width: int
    height: int
    metadata: Mapping[str, MetadataValue] = field(default_factory=dict, hash=False)


def decode_base64(data: str, field: str, policy: ImagePolicy) -> bytes:
    """The bytes of an inline image, with or without a `data:` URL prefix.

    Raises InvalidRecordError when it is not base64 or larger than the policy allows.
    """
    if data.startswith("data:"):
        data = data.partition(",")[2]
    if len(data) // 4 * 3 - 2 > policy.max_bytes:
        raise _too_large(len(data) // 4 * 3, field, policy)
    try:
        return b64decode(data, validate=True)
    except (binascii.Error, ValueError) as error:
        raise InvalidRecordError(RejectReason.INVALID_IMAGE, f"not base64: {error}", field) from None


def inspect_image(content: bytes, field: str, policy: ImagePolicy) -> ImageInfo:
    """Recognise an image by its content and check it against the policy. Only its header is parsed.

    Raises InvalidRecordError (`field` names the image in the record).
    """
    if len(content) > policy.max_bytes:
        raise _too_large(len(content), field, policy)
    content_type, width, height = _header(content, field)
    if content_type not in policy.types:
        raise InvalidRecordError(
            RejectReason.INVALID_IMAGE, f"{content_type} is not among {', '.join(policy.types)}", field
        )
    if width * height > policy.max_pixels:
        raise InvalidRecordError(
            RejectReason.IMAGE_TOO_LARGE,
            f"{width} x {height} pixels; the use case allows {policy.max_pixels}",
            field,
        )
    return ImageInfo(hashlib.sha256(content).hexdigest(), content_type, len(content), width, height)


def _header(content: bytes, field: str) -> tuple[str, int, int]:
    try:
        # Only these three parsers are tried: the others of the library are attack surface and nothing else here.
        with Image.open(io.BytesIO(content), formats=tuple(_CONTENT_TYPES)) as image:
            return _CONTENT_TYPES[str(image.format)], image.width, image.height
    except Image.DecompressionBombError as error:
        raise InvalidRecordError(RejectReason.IMAGE_TOO_LARGE, str(error), field) from None
    except Exception as error:  # hostile bytes raise whatever the parser happens to trip over
        raise InvalidRecordError(
            RejectReason.INVALID_IMAGE, "the content is not a JPEG, PNG or WebP image", field
        ) from error


def _too_large(size: int, field: str, policy: ImagePolicy) -> InvalidRecordError:
    message = f"{size} bytes; the use case allows {policy.max_bytes}"
    return InvalidRecordError(RejectReason.IMAGE_TOO_LARGE, message, field)
