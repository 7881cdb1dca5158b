"""Images: the bare MinIO SDK in a pool of threads, against the worker with images inline and by claim check."""

import base64
import hashlib
import io
import random
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import Any

import orjson
from minio import Minio
from PIL import Image

from pipeline.core.images import ImageInfo
from pipeline.core.views import Upload
from pipeline.edges.clickhouse import connect, translated
from pipeline.edges.s3 import ImageStore
from pipeline.settings import Settings
from schemas.topics import EVENTS, INFERENCES
from tests.benchmarks import store
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


def images(settings: Settings, count: int) -> list[dict[str, Any]]:
    """Images per second of each way, with as many requests under way at once in all of them."""
    ImageStore(settings).ensure_bucket()
    found = [_bare(settings, count)]
    for name, prepare in (("inline", _inline), ("by image id", _by_id), ("by s3 uri", _by_uri)):
        found.append(_through_worker(settings, name, count, prepare))
    return found


def _client(settings: Settings) -> Minio:
    """The SDK as it comes."""
    endpoint = settings.s3_endpoint.split("//")[1]
    secret = settings.s3_secret_key.get_secret_value()
    return Minio(endpoint, settings.s3_access_key, secret, secure=settings.s3_endpoint.startswith("https"))


def _put_all(settings: Settings, pictures: Pictures, count: int, name_of: Callable[[bytes], str]) -> float:
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
        began = time.monotonic()
        list(pool.map(put, range(count)))
        return time.monotonic() - began


def _bare(settings: Settings, count: int) -> dict[str, Any]:
    # The name is the hash of the content here too: whoever addresses by content has to compute it.
    pictures = Pictures(random.getrandbits(60))
    seconds = _put_all(settings, pictures, count, lambda content: f"bench/{hashlib.sha256(content).hexdigest()}")
    return {"way": "bare MinIO SDK", "rate": count / seconds, "image_bytes": pictures.size}


def _through_worker(
    settings: Settings, name: str, count: int, prepare: Callable[[Settings, Pictures, int], Callable[[int], Any]]
) -> dict[str, Any]:
    """Images per second from the assignment of partitions until all events can be queried, their images checked."""
    pictures = Pictures(random.getrandbits(60))
    reference = prepare(settings, pictures, count)
    run(prepare_topics(settings))
    run(fill(settings, range(count), lambda number: _record(number, reference(number))))
    with store.fresh_database(settings) as own, running(OWN_COMMAND, own, f"images-{name.replace(' ', '-')}") as worker:
        client = connect(own)
        began = run(wait_for_members(own, own.ingest_group, 1, worker.alive))
        wait_for_rows(client, count, [worker])
        seconds = time.monotonic() - began
        with translated():
            query = "SELECT uniqExact(images[1].source_id), sum(images[1].size) FROM stored_events"
            distinct, size = client.query(query).result_rows[0]
        if (distinct, size) != (count, count * pictures.size):
            raise BenchmarkError(f"{name}: {distinct} images of {size} bytes instead of {count} of {pictures.size}")
    run(clear(settings, INFERENCES.name, EVENTS.name))
    return {"way": f"worker, {name}", "rate": count / seconds, "image_bytes": pictures.size}


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
