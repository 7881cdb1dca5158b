"""Objects of the store: what they are called, and what its errors mean for whoever called."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

import urllib3
from minio.error import MinioException, S3Error

from pipeline.errors import ConfigurationError, DependencyError

_CONFIGURATION: Final = frozenset(
    {
        "NoSuchBucket",
        "AccessDenied",
        "InvalidAccessKeyId",
        "SignatureDoesNotMatch",
        "AuthorizationHeaderMalformed",
    }
)
ABSENT: Final = frozenset({"NoSuchKey", "NoSuchObject", "ResourceNotFound"})
"""What a store says of an object that is not there."""


def object_name(workspace_id: str, image_id: str) -> str:
    """Where an image lies in the bucket."""
    return f"{workspace_id}/{image_id[:2]}/{image_id}"


def is_image_id(text: str) -> bool:
    """Whether a text has the form of an image id."""
    return len(text) == 64 and all(character in "0123456789abcdef" for character in text)


@contextmanager
def translated() -> Iterator[None]:
    """Turn the client's errors into DependencyError or ConfigurationError."""
    try:
        yield
    except S3Error as error:
        kind = ConfigurationError if error.code in _CONFIGURATION else DependencyError
        raise kind(f"S3: {error.code}: {error.message}") from error
    except (MinioException, urllib3.exceptions.HTTPError, OSError) as error:
        raise DependencyError(f"S3: {error}") from error
