"""From the raw topic to images, tables and topics: what is accepted is stored once, what is not is a reject."""

import base64
import hashlib
import io
import os
import random
import urllib.request
import uuid
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import orjson
import pytest
from PIL import Image

from schemas.use_case import ImagePolicy, UseCase
from tests.conftest import Services
from tests.end_to_end.system import System, until

# Read at import: tests themselves run without settings in their environment.
SIZES = {
    test: int(os.environ[f"TEST_{test}_RECORDS"]) for test in ("KILL", "BROKEN") if f"TEST_{test}_RECORDS" in os.environ
}


@pytest.fixture
def use_case(system: System) -> str:
    """A use case of this test alone."""
    name = f"case-{uuid.uuid4().hex[:8]}"
    system.apply(UseCase(id=name, name=name))
    return name


def record(use_case: str, number: int, **changes: Any) -> dict[str, Any]:
    box = {"class": "scratch", "confidence": 0.5, "x": number, "y": 2, "width": 3, "height": 4}
    return {
        "event_id": str(uuid.uuid5(uuid.NAMESPACE_URL, f"{use_case}/{number}")),
        "use_case_id": use_case,
        "timestamp": datetime.now(UTC).isoformat(),
        "source": {"device_id": f"cam-{number % 7}"},
        "custom_metadata": {"number": number},
        "result": {"object_detections": [box, box | {"class": "dent"}]},
    } | changes


def lines(documents: list[Any]) -> list[bytes]:
    return [item if isinstance(item, bytes) else orjson.dumps(item) for item in documents]


def picture(colour: str | tuple[int, int, int], kind: str) -> bytes:
    buffer = io.BytesIO()
    Image.new("RGB", (32, 24), colour).save(buffer, kind)
    return buffer.getvalue()


def pictured(number: int) -> dict[str, str]:
    """One of 256 images, inline."""
    return {"data": base64.b64encode(picture((number // 500 % 256, 0, 0), "PNG")).decode()}


def size(test: str, default: int) -> int:
    """Records of a test: more of them, for a figure worth quoting, by an environment variable."""
    return SIZES.get(test, default)


# One way each to be broken, and the reason it must be given.
BROKEN: dict[str, Any] = {
    "not_json": lambda good: b'{"use_case_id": ',
    "unknown_format": lambda good: {"hello": "world"},
    "missing_field": lambda good: good | {"result": {"classifications": [{"confidence": 0.5}]}},
    "unknown_field": lambda good: good | {"use_cas": "x"},
    "invalid_value": lambda good: good | {"result": {"classifications": [{"class": "a", "confidence": 91}]}},
    "unknown_use_case": lambda good: good | {"use_case_id": "nobody-applied-this"},
    "invalid_timestamp": lambda good: good | {"timestamp": "2026-11-23T10:00:00"},
    "invalid_metadata": lambda good: good | {"custom_metadata": {"a": {"b": 1}}},
    "invalid_event_data": lambda good: good | {"event_data": {"result": "perhaps"}},
    "invalid_image": lambda good: good | {"images": [{"data": "AAAA"}]},
}


def test_a_tenth_broken_in_ten_ways(system: System, use_case: str) -> None:
    ways = list(BROKEN.values())
    total = size("BROKEN", 2_000)
    good = [record(use_case, number) for number in range(total)]
    documents = [
        ways[number // 10 % 10](document) if number % 10 == 0 else document for number, document in enumerate(good)
    ]
    reasons = "SELECT reason, count() FROM rejects GROUP BY reason"
    with system.worker():
        before = system.drained()  # records that other tests left on the topic
        known = dict(system.sql.query(reasons).result_rows)
        system.publish(lines(documents))
        after = system.drained()
    assert (after.stored - before.stored, after.rejected - before.rejected) == (total * 9 // 10, total // 10)
    found = {name: count - known.get(name, 0) for name, count in system.sql.query(reasons).result_rows}
    assert {name: found[name] for name in BROKEN} == dict.fromkeys(BROKEN, total // 100)
    # Content, not only counts: each good record with its two boxes, where it was drawn.
    assert system.value(
        "SELECT groupArray((n, c)) "
        "= arrayMap(i -> (i, ['scratch', 'dent']), arrayFilter(i -> i % 10 != 0, range({t:UInt32}))) "
        "FROM (SELECT custom_metadata.number.:Int64 AS n, object_detections.class AS c FROM vision_events "
        "WHERE use_case_id = {u:String} AND arrayAll(x -> x = n, object_detections.x) ORDER BY n)",
        u=use_case,
        t=total,
    )


@pytest.mark.timeout(1200)
def test_a_killed_worker_loses_nothing_and_doubles_nothing(system: System, use_case: str) -> None:
    total = size("KILL", 60_000)
    before = system.settled()
    for start in range(0, total, 50_000):
        numbers = range(start, min(start + 50_000, total))
        system.publish(
            lines([record(use_case, n, **({"images": [pictured(n)]} if n % 500 == 0 else {})) for n in numbers])
        )
    count = "SELECT count() FROM stored_events WHERE use_case_id = {u:String}"
    generator = random.Random(7)
    for _ in range(3):
        worker = system.start_worker()
        reached = system.value(count, u=use_case) + generator.randrange(1, total // 4)
        until(lambda: system.value(count, u=use_case), lambda rows, reached=reached: rows >= min(reached, total), 300)
        system.kill(worker)
    with system.worker():
        after = system.drained(600)
    assert (after.stored - before.stored, after.rejected - before.rejected) == (total, 0)
    for view, each in (("vision_events", 1), ("detections", 2)):
        query = f"SELECT (count(), uniqExact(event_id)) FROM {view} WHERE use_case_id = {{u:String}}"
        assert system.value(query, u=use_case) == (each * total, total)
    referred = system.sql.query(
        "SELECT DISTINCT source_id FROM images WHERE use_case_id = {u:String}", parameters={"u": use_case}
    ).result_columns[0]
    assert len(referred) == min(total // 500, 256)
    for image_id in referred:
        with urllib.request.urlopen(system.images.link("default", image_id)) as answer:
            assert hashlib.sha256(answer.read()).hexdigest() == image_id


def test_services_that_crash_are_waited_for(system: System, stack: Services, use_case: str) -> None:
    rounds = ("clickhouse", "kafka", "s3")  # the last is not asked for what is drained
    with system.worker() as worker:
        for turn, name in enumerate(rounds):
            numbers = range(turn * 4_000, (turn + 1) * 4_000)
            documents = [
                record(use_case, number, **({"images": [pictured(number)]} if number % 500 == 0 else {}))
                for number in numbers
            ]
            system.publish(lines(documents))
            stack.crash(name)
        system.drained()
        assert worker.poll() is None
    total = 4_000 * len(rounds)
    query = "SELECT (count(), uniqExact(event_id)) FROM vision_events WHERE use_case_id = {u:String}"
    assert system.value(query, u=use_case) == (total, total)
    ids = system.sql.query(
        "SELECT DISTINCT source_id FROM images WHERE use_case_id = {u:String}", parameters={"u": use_case}
    ).result_columns[0]
    assert len(ids) == total // 500
    for image_id in ids:
        with urllib.request.urlopen(system.images.link("default", image_id)) as answer:
            assert hashlib.sha256(answer.read()).hexdigest() == image_id


def test_the_same_file_twice_is_one_event_an_id(system: System, use_case: str, tmp_path: Path) -> None:
    path = tmp_path / "events.ndjson"
    path.write_bytes(b"\n".join(lines([record(use_case, number) for number in range(50)])))
    for _ in range(2):
        assert "50" in system.run("publish", str(path))
    with system.worker():
        system.drained()
    assert system.value("SELECT count() FROM vision_events WHERE use_case_id = {u:String}", u=use_case) == 50


def test_the_same_id_replaces_whatever_its_time(system: System, use_case: str) -> None:
    first, second = (
        record(
            use_case, 1, timestamp=(datetime.now(UTC) - timedelta(days=day)).isoformat(), custom_metadata={"day": day}
        )
        for day in (2, 1)
    )
    rows = "SELECT groupArray(custom_metadata.day.:Int64) FROM vision_events WHERE use_case_id = {u:String}"
    with system.worker():
        for document in (first, second):
            system.publish(lines([document]))
            system.drained()
        until(lambda: system.value(rows, u=use_case), lambda days: days == [1])


def test_images_inline_uploaded_and_in_a_bucket(system: System, use_case: str) -> None:
    inline, uploaded, foreign = picture("red", "PNG"), picture("green", "JPEG"), picture("blue", "WEBP")
    client, bucket = system.images.client, system.settings.s3_bucket
    uploaded_id = hashlib.sha256(uploaded).hexdigest()
    for name, content in ((f"default/{uploaded_id[:2]}/{uploaded_id}", uploaded), (f"drop/{use_case}.webp", foreign)):
        client.put_object(bucket_name=bucket, object_name=name, data=io.BytesIO(content), length=len(content))
    images = [
        {"label": "inline", "data": base64.b64encode(inline).decode()},
        {"label": "uploaded", "role": "original", "image_id": uploaded_id},
        {"label": "bucket", "uri": f"s3://{bucket}/drop/{use_case}.webp"},
        {"label": "unknown", "image_id": "0" * 64},
    ]
    system.publish(lines([record(use_case, 1, images=images)]))
    with system.worker():
        system.drained()
    rows = system.sql.query(
        "SELECT label, source_id, input_source_id, content_type, width, input_height FROM images "
        "WHERE use_case_id = {u:String} ORDER BY image",
        parameters={"u": use_case},
    ).result_rows
    assert rows == [
        ("inline", hashlib.sha256(inline).hexdigest(), "", "image/png", 32, 0),
        ("uploaded", "", uploaded_id, "", 0, 24),
        ("bucket", hashlib.sha256(foreign).hexdigest(), "", "image/webp", 32, 0),
        ("unknown", "0" * 64, "", "", 0, 0),
    ]
    for image_id, content in ((rows[0][1], inline), (uploaded_id, uploaded), (rows[2][1], foreign)):
        with urllib.request.urlopen(system.run("images", "link", image_id).strip()) as answer:
            assert answer.read() == content
    warnings = system.value("SELECT warnings.code FROM vision_events WHERE use_case_id = {u:String}", u=use_case)
    assert warnings == ["image_missing"]


def test_the_largest_records_there_may_be(system: System, use_case: str) -> None:
    box = {"class": "a", "confidence": 0.5, "x": 1, "y": 2, "width": 3, "height": 4}
    many = record(
        use_case, 1, result={"object_detections": [box] * 1000, "keypoints": [box | {"keypoints": []}] * 1000}
    )
    buffer = io.BytesIO()
    Image.frombytes("RGB", (1420, 1420), random.Random(1).randbytes(1420 * 1420 * 3)).save(buffer, "PNG")
    image = base64.b64encode(buffer.getvalue()).decode()
    values = lines([many, record(use_case, 2, images=[{"data": image}])])
    assert 7.5 < max(map(len, values)) / 1024**2 < 8
    system.publish(values)
    with system.worker():
        system.drained()
    rows = system.sql.query(
        "SELECT length(object_detections), length(keypoints), images[1].size FROM vision_events "
        "WHERE use_case_id = {u:String} ORDER BY custom_metadata.number.:Int64",
        parameters={"u": use_case},
    ).result_rows
    assert rows == [(1000, 1000, 0), (2, 0, len(buffer.getvalue()))]


def test_a_missing_object_and_a_foreign_bucket_are_rejects(system: System, use_case: str) -> None:
    uris = [f"s3://{system.settings.s3_bucket}/nothing.jpg", "s3://elsewhere/a.jpg"]
    system.publish(lines([record(use_case, number, images=[{"uri": uri}]) for number, uri in enumerate(uris)]))
    with system.worker():
        system.drained()
    query = "SELECT reason, field FROM rejects WHERE use_case_id = {u:String}"
    rows = system.sql.query(query, parameters={"u": use_case}).result_rows
    assert rows == [("image_not_found", "images.0.uri")] * 2


def test_a_use_case_applied_while_running_and_replayed_rejects(system: System, tmp_path: Path) -> None:
    name = f"late-{uuid.uuid4().hex[:8]}"
    events = "SELECT count() FROM vision_events WHERE use_case_id = {u:String}"
    with system.worker():
        system.publish(lines([{"use_case_id": name, "custom_metadata": {"n": number}} for number in range(20)]))
        system.drained()
        assert "unknown_use_case" in system.run("rejects", "list", "--use-case", name)
        system.apply(UseCase(id=name, name=name))
        for _ in range(2):
            system.run("rejects", "replay", "--use-case", name)
        # The same rejects from another operator's screen, by id: still one event each.
        system.drained()
        assert system.value(events, u=name) == 20
        system.publish(lines([{"use_case_id": name}]))
        system.drained()
        assert system.value(events, u=name) == 21
    assert "no rejects" in system.run("rejects", "list", "--use-case", name)


def test_published_events_and_rejects_are_what_consumers_read(system: System, use_case: str) -> None:
    broken = orjson.dumps(record(use_case, 2) | {"timestamp": "yesterday"})
    system.publish([orjson.dumps(record(use_case, 1)), broken], key=b"cam-9")
    with system.worker():
        system.drained()
    (event,) = [each for each in system.read("vision.events") if use_case.encode() in each.value]
    (reject,) = [each for each in system.read("vision.rejects") if each.value == broken]
    assert orjson.loads(event.value)["custom_metadata"] == {"number": 1}
    assert (event.key, reject.key, reject.value) == (b"cam-9", b"cam-9", broken)
    headers = dict(reject.headers)
    assert (headers["reject.reason"], headers["reject.field"]) == (b"invalid_timestamp", b"timestamp")


def test_an_image_policy_is_kept(system: System) -> None:
    name = f"strict-{uuid.uuid4().hex[:8]}"
    system.apply(UseCase(id=name, name=name, images=ImagePolicy(required=True, types=("image/png",))))
    data = [base64.b64encode(picture("red", kind)).decode() for kind in ("PNG", "JPEG")]
    system.publish(lines([record(name, number, images=[{"data": item}]) for number, item in enumerate(data)]))
    with system.worker():
        system.drained()
    assert system.value("SELECT count() FROM vision_events WHERE use_case_id = {u:String}", u=name) == 1
    assert system.value("SELECT reason FROM rejects WHERE use_case_id = {u:String}", u=name) == "invalid_image"
