"""What a demo camera publishes: one raw inference result, as a Kafka record, for every frame."""

import base64
import io
import uuid
import zlib
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple

import numpy as np
import orjson
from PIL import Image
from scipy import ndimage  # type: ignore[import-untyped]

from pipeline.demo.annotations import Result
from pipeline.demo.drawing import annotate
from pipeline.demo.factories import CAMERAS, Camera, factory_of, trouble
from pipeline.demo.geometry import Pixels
from pipeline.demo.scenes.frame import luminance
from pipeline.demo.stations import Observation, Station, station

Clock = Callable[[], tuple[datetime, timedelta]]
"""The time (zone-aware) at which the next frame is taken, and how long the cameras have been running then."""

_JPEG_QUALITY = 75


class Record(NamedTuple):
    """One record of the topic of raw results; key and value go to Kafka, the rest tells what is in it."""

    key: bytes
    value: bytes
    camera: Camera
    use_case_id: str
    classes: Counter[str]


def frames(camera: Camera, seed: int, clock: Clock) -> Iterator[Record]:
    """The camera's records without end. The same seed and the same times give the same records."""
    # The device id is part of the seed, so that cameras of one kind do not see the same.
    rng = np.random.default_rng([seed, zlib.crc32(camera.device_id.encode())])
    place, number = station(camera.station), 0
    while True:
        moment, running = clock()
        observation = place.observe(rng, moment, trouble(camera, moment, running))
        event_id = str(uuid.UUID(bytes=rng.bytes(16), version=4))
        number += 1
        yield _record(camera, place, observation, event_id, number, moment)


def all_frames(seed: int, clock: Clock, cameras: Sequence[Camera] = CAMERAS) -> Iterator[Record]:
    """Records of several cameras without end, in random order with equal shares."""
    rng = np.random.default_rng(seed)
    streams = [frames(camera, seed, clock) for camera in cameras]
    while True:
        for index in rng.permutation(len(streams)):
            yield next(streams[index])


def _record(camera: Camera, place: Station, seen: Observation, event_id: str, number: int, moment: datetime) -> Record:
    width, height = place.size
    result = _with_class_ids(seen.result, place)
    document = {
        "event_id": event_id,
        "use_case_id": place.use_case_id,
        "timestamp": moment.astimezone(factory_of(camera).zone).isoformat(timespec="milliseconds"),
        "source": {
            "device_id": camera.device_id,
            "stream_id": camera.stream_id,
            "workflow_id": place.workflow_id,
            "factory_id": camera.factory_id,
            "frame_id": f"{camera.device_id}-{number:06d}",
        },
        "image": {"width": width, "height": height},
        "images": _images(seen, place),
        # The shift is left out on purpose: the pipeline knows the factory's calendar.
        "custom_metadata": camera.metadata | seen.metadata,
        "result": result,
    }
    classes = Counter(item["class"] for found in result.values() for item in found)
    return Record(camera.device_id.encode(), orjson.dumps(document), camera, place.use_case_id, classes)


def _with_class_ids(result: Result, place: Station) -> Result:
    return {
        kind: [item | {"class_id": place.class_names.index(item["class"])} for item in found]
        for kind, found in result.items()
    }


def _images(seen: Observation, place: Station) -> list[dict[str, Any]]:
    """The frame as it was taken and with what was found drawn onto it: two pictures of one view."""
    annotated = annotate(seen.frame, seen.result, place.skeleton)
    return [
        {
            "label": "frame",
            "role": "original",
            "data": _jpeg(Image.fromarray(seen.frame)),
            "metadata": _quality(seen.frame),
        },
        {"label": "frame", "role": "output", "data": _jpeg(annotated), "metadata": {"model": place.workflow_id}},
    ]


def _jpeg(picture: Image.Image) -> str:
    buffer = io.BytesIO()
    picture.save(buffer, "JPEG", quality=_JPEG_QUALITY)
    return base64.b64encode(buffer.getvalue()).decode("ascii")


def _quality(frame: Pixels) -> dict[str, float]:
    """Mean luminance (0..255) and sharpness (variance of the Laplacian) of a frame."""
    grey = luminance(frame, 2)
    return {"brightness": round(float(grey.mean()), 1), "sharpness": round(float(ndimage.laplace(grey).var()), 1)}
