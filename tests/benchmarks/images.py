"""Images: the bare MinIO SDK in a pool of threads, against the worker with images inline and by claim check."""

import base64
import hashlib
import io
import random
import statistics
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from typing import Any
from urllib.parse import urlsplit

import orjson
import urllib3
from minio import Minio
from PIL import Image

from pipeline.core.images import ImageInfo
from pipeline.core.views import Upload
from pipeline.edges.clickhouse import connect, translated
from pipeline.edges.s3 import ImageStore
from pipeline.settings import Settings
from schemas.topics import EVENTS, INFERENCES
from tests.benchmarks import store, usage
from tests.benchmarks.contest import wait_for_rows
from tests.benchmarks.processes import OWN_COMMAND, BenchmarkError, running
from tests.benchmarks.records import raw_record
from tests.benchmarks.topic import clear, fill, prepare_topics, run, wait_for_members

_WIDTH, _HEIGHT = 640, 480


class Pictures:
    """Images of about 100 kB that all differ: one JPEG, and a number behind its end marker."""

    def __init__(self, seed: int) -> None:
        noise = Image.effect_noise((_WIDTH, _HEIGHT), 60)
        buffer = io.BytesIO()
        noise.convert("RGB").save(buffer, "JPEG", quality=38)
        self._base = buffer.getvalue()
        self._seed = seed.to_bytes(8, "big")

    def __getitem__(self, number: int) -> bytes:
        return self._base + self._seed + number.to_bytes(8, "big")

    @property
    def size(self) -> int:
        return len(self._base) + 16


Way = Callable[[Settings, Pictures, int], Callable[[int], Any]]


def images(settings: Settings, count: int, runs: int, note: Callable[[str], None]) -> list[dict[str, Any]]:
    """Median images per second of each way over alternating runs, with as many requests under way in all of them."""
    ImageStore(settings).ensure_bucket()
    ways: dict[str, Callable[[], Measured]] = {"bare MinIO SDK": lambda: _bare(settings, count)}
    for name, way in (("inline", _inline), ("by image id", _by_id), ("by s3 uri", _by_uri)):
        ways[f"worker, {name}"] = partial(_through_worker, settings, name, count, way)
    found: dict[str, list[Measured]] = {name: [] for name in ways}
    for number in range(runs):
        for name, measure in ways.items():
            found[name].append(measure())
            note(f"run {number + 1} of {runs}: {name}: {found[name][-1].rate:,.0f} images/s")
    size = Pictures(0).size
    return [{"way": name, "image_bytes": size, **_medians(measured)} for name, measured in found.items()]


@dataclass(frozen=True)
class Measured:
    """One run: images per second, and milliseconds of CPU that each image cost client or worker, and S3."""

    rate: float
    own_ms: float
    s3_ms: float


def _medians(measured: Sequence[Measured]) -> dict[str, Any]:
    medians = {
        name: statistics.median(getattr(each, name) for each in measured) for name in ("rate", "own_ms", "s3_ms")
    }
    return medians | {"rates": [each.rate for each in measured]}


def _client(settings: Settings) -> Minio:
    """The SDK with a pool that fits the number of threads; its own would open connections all the time."""
    return Minio(
        urlsplit(settings.s3_endpoint).netloc,
        access_key=settings.s3_access_key,
        secret_key=settings.s3_secret_key.get_secret_value(),
        secure=settings.s3_endpoint.startswith("https"),
        region=settings.s3_region,
        http_client=urllib3.PoolManager(maxsize=settings.image_concurrency),
    )


def _put_all(settings: Settings, pictures: Pictures, count: int, name_of: Callable[[bytes], str]) -> None:
    bare = _client(settings)

    def put(number: int) -> None:
        content = pictures[number]
        bare.put_object(
            bucket_name=settings.s3_bucket,
            object_name=name_of(content),
            data=io.BytesIO(content),
            length=len(content),
            content_type="image/jpeg",
        )

    with ThreadPoolExecutor(settings.image_concurrency) as pool:
        list(pool.map(put, range(count)))


def _bare(settings: Settings, count: int) -> Measured:
    # The name is the hash of the content here too: whoever addresses by content has to compute it.
    pictures = Pictures(random.getrandbits(60))
    meter = Meter(settings, time.process_time)  # of this process alone: the services are its children
    _put_all(settings, pictures, count, lambda content: f"bench/{hashlib.sha256(content).hexdigest()}")
    return meter.read(count)


def _through_worker(settings: Settings, name: str, count: int, way: Way) -> Measured:
    """From the assignment of partitions until all events can be queried; the images of all are checked."""
    pictures = Pictures(random.getrandbits(60))
    reference = way(settings, pictures, count)
    run(prepare_topics(settings))
    run(fill(settings, range(count), lambda number: _record(number, reference(number))))
    with store.fresh_database(settings) as own, running(OWN_COMMAND, own, f"images-{name.replace(' ', '-')}") as worker:
        client = connect(own)
        run(wait_for_members(own, own.ingest_group, 1, worker.alive))
        meter = Meter(own, lambda: usage.cpu_seconds([worker.process]))
        wait_for_rows(client, count, [worker])
        measured = meter.read(count)
        with translated():
            query = "SELECT uniqExact(images[1].source_id), sum(images[1].size) FROM stored_events"
            distinct, size = client.query(query).result_rows[0]
        if (distinct, size) != (count, count * pictures.size):
            raise BenchmarkError(f"{name}: {distinct} images of {size} bytes instead of {count} of {pictures.size}")
    run(clear(settings, INFERENCES.name, EVENTS.name))
    return measured


class Meter:
    """Time and CPU from now on."""

    def __init__(self, settings: Settings, own: Callable[[], float]) -> None:
        s3 = usage.listener(settings.s3_endpoint)
        self._own, self._s3 = own, [s3] if s3 else []
        self._began = time.monotonic()
        self._before = own(), usage.cpu_seconds(self._s3)

    def read(self, count: int) -> Measured:
        seconds = time.monotonic() - self._began
        own, s3 = self._own() - self._before[0], usage.cpu_seconds(self._s3) - self._before[1]
        return Measured(count / seconds, own / count * 1000, s3 / count * 1000)


def _record(number: int, image: dict[str, str]) -> bytes:
    record = orjson.loads(raw_record(number, datetime.now(UTC)))
    return orjson.dumps(record | {"images": [image]})


def _inline(_: Settings, pictures: Pictures, __: int) -> Callable[[int], Any]:
    return lambda number: {"data": base64.b64encode(pictures[number]).decode()}


def _by_id(settings: Settings, pictures: Pictures, count: int) -> Callable[[int], Any]:
    """As the gateway's upload call stores them."""
    images = ImageStore(settings)

    def put(number: int) -> str:
        content = pictures[number]
        digest = hashlib.sha256(content).hexdigest()
        images.put("default", Upload(ImageInfo(digest, "image/jpeg", len(content), _WIDTH, _HEIGHT), content))
        return digest

    with ThreadPoolExecutor(settings.image_concurrency) as pool:
        ids = list(pool.map(put, range(count)))
    return lambda number: {"image_id": ids[number]}


def _by_uri(settings: Settings, pictures: Pictures, count: int) -> Callable[[int], Any]:
    """As a producer with its own S3 credentials puts them."""
    _put_all(settings, pictures, count, lambda content: f"incoming/{int.from_bytes(content[-8:], 'big')}")
    return lambda number: {"uri": f"s3://{settings.s3_bucket}/incoming/{number}"}
