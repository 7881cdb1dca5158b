"""Images of a record, brought together into the views of an event."""

from dataclasses import dataclass
from typing import Any

from pipeline.core.enrich import warn
from pipeline.core.images import ImageInfo, decode_base64, inspect_image
from pipeline.errors import InvalidRecordError
from schemas.raw_inference import RawImage, RawInferenceResult
from schemas.reject import RejectReason
from schemas.use_case import ImagePolicy


@dataclass(frozen=True, slots=True)
class Upload:
    """An image that came with the record and has to be put into the object store."""

    info: ImageInfo
    content: bytes


@dataclass(frozen=True, slots=True)
class ImageReference:
    """An image that is already in the object store: what is known of it is filled in from there."""

    position: int
    role: str
    field: str
    image_id: str | None
    uri: str | None


@dataclass(slots=True)
class Views:
    """The images of one event, the bytes to be put, the references to be looked up, and the annotations by view."""

    images: list[dict[str, Any]]
    uploads: list[Upload]
    references: list[ImageReference]
    results: list[tuple[int, Any]]


def collect_views(raw: RawInferenceResult, policy: ImagePolicy) -> Views:
    """Bring the record's images together. Raises InvalidRecordError for an image that cannot be accepted."""
    views = Views([], [], [], [(0, raw.result)] if raw.result else [])
    positions: dict[object, int] = {}
    for index, image in enumerate(raw.images):
        position = _position(image, positions, views.images)
        if image.result:
            views.results.append((position, image.result))
        if image.metadata:
            view = views.images[position]
            view["metadata"] = view.get("metadata", {}) | image.metadata
        if policy.keep in ("all", image.role):
            _add_image(image, position, f"images.{index}", policy, views)
    if policy.required and not views.uploads and not views.references:
        raise InvalidRecordError(RejectReason.IMAGE_MISSING, "the use case requires an image", "images")
    return views


def _position(image: RawImage, positions: dict[object, int], images: list[dict[str, Any]]) -> int:
    """Same view number, else same label: same view."""
    key: object = image.view if image.view is not None else f"label {image.label}"
    if key not in positions:
        positions[key] = len(images)
        images.append({"label": image.label} if image.label else {})
    return positions[key]


def _add_image(image: RawImage, position: int, field: str, policy: ImagePolicy, views: Views) -> None:
    view = views.images[position]
    if f"{prefix_of(image.role)}source_id" in view or any(
        (r.position, r.role) == (position, image.role) for r in views.references
    ):
        message = f"a second {image.role} image of the same view; give each view its own label"
        raise InvalidRecordError(RejectReason.INVALID_IMAGE, message, field)
    if image.data is not None:
        content = decode_base64(image.data, f"{field}.data", policy)
        info = inspect_image(content, f"{field}.data", policy)
        views.uploads.append(Upload(info, content))
        set_image(view, image.role, info)
    elif image.image_id is not None or image.uri is not None:
        kind = "image_id" if image.image_id is not None else "uri"
        views.references.append(ImageReference(position, image.role, f"{field}.{kind}", image.image_id, image.uri))


def prefix_of(role: str) -> str:
    """What the fields of an image of this role begin with."""
    return "" if role == "output" else "input_"


def set_image(view: dict[str, Any], role: str, info: ImageInfo) -> None:
    """Write what is known of an image into its view, under the names of its role."""
    prefix = prefix_of(role)
    view[f"{prefix}source_id"] = info.image_id
    view[f"{prefix}content_type"] = info.content_type
    view[f"{prefix}size"] = info.size
    view[f"{prefix}width"] = info.width
    view[f"{prefix}height"] = info.height


def fill_reference(event: dict[str, Any], reference: ImageReference, info: ImageInfo | None) -> None:
    """Write what the object store knows of a referenced image into its event: a warning where it has none."""
    view = event["images"][reference.position]
    if info is not None:
        set_image(view, reference.role, info)
        if info.metadata:  # the event's own word wins over that of the upload
            view["metadata"] = {**info.metadata, **view.get("metadata", {})}
        return
    view[f"{prefix_of(reference.role)}source_id"] = reference.image_id
    warnings = event.setdefault("warnings", [])
    warn(warnings, "image_missing", reference.field, f"no image {reference.image_id} is stored")
