"""Retention on real services: rows by their time, images only when no event refers to them, holds beyond both."""

import io
import subprocess
import sys
import uuid
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import orjson
import pytest
from clickhouse_connect.driver import Client
from PIL import Image

from pipeline.core.images import inspect_image
from pipeline.core.views import ImageReference, Upload
from pipeline.edges import holds
from pipeline.edges.clickhouse import connect
from pipeline.edges.deletion import delete_events
from pipeline.edges.migrations import migrate
from pipeline.edges.retention import refresh_holds, sweep_images
from pipeline.edges.s3 import ImageStore
from pipeline.edges.stored_images import list_images, remove_if_older
from pipeline.errors import ConfigurationError
from pipeline.settings import Settings
from schemas.use_case import ImagePolicy
from tests.support.clickhouse_server import eventually

NOW = datetime.now(UTC)
NO_GRACE, DAY = timedelta(seconds=-60), timedelta(days=1)
"""With no grace at all, and the clocks of the stores may differ."""


@pytest.fixture(scope="module")
def settings(environment: dict[str, str]) -> Settings:
    """A database and a bucket of this test's own; the grace is long, so that nothing is renewed by itself."""
    names = {name.removeprefix("VISION_EVENTS_").lower(): value for name, value in environment.items()}
    own = names | {"clickhouse_database": "retention", "s3_bucket": "retention", "image_grace_hours": "48"}
    settings = Settings(**own)  # type: ignore[arg-type]
    migrate(settings)
    return settings


@pytest.fixture(scope="module")
def client(settings: Settings) -> Client:
    return connect(settings)


@pytest.fixture
def store(settings: Settings, client: Client) -> ImageStore:
    """An empty bucket, and no events."""
    store = ImageStore(settings)
    store.ensure_bucket()
    for found in store.client.list_objects(bucket_name="retention", recursive=True):
        store.client.remove_object(bucket_name="retention", object_name=found.object_name or "")
    client.command("TRUNCATE TABLE stored_events")
    return store


def put(store: ImageStore, shade: int) -> str:
    """A new image; its id."""
    content = io.BytesIO()
    Image.new("RGB", (16, 16), (shade, 0, 0)).save(content, "PNG")
    info = inspect_image(content.getvalue(), "data", ImagePolicy())
    store.put("default", Upload(info, content.getvalue()), name=f"{shade}.png", metadata={"camera": "c1"})
    return info.image_id


def insert(client: Client, *images: str, stored: datetime = NOW, days: int = 14, **changes: Any) -> str:
    """An event with images that was stored at some moment; its id."""
    event = {
        "workspace_id": "default",
        "use_case_id": "u",
        "timestamp": stored.isoformat(),
        "event_id": uuid.uuid4().hex,
        "images": [{"source_id": image} for image in images],
        "custom_metadata": {"line": "L3"},
        "retention_days": days,
        "version": 1,
        "inserted_at": stored.isoformat(timespec="milliseconds"),
    } | changes
    at = {"date_time_input_format": "best_effort"}
    client.raw_insert("stored_events", insert_block=orjson.dumps(event), fmt="JSONEachRow", settings=at)
    return str(event["event_id"])


def left(client: Client) -> set[str]:
    client.command("OPTIMIZE TABLE stored_events FINAL")
    return {row[0] for row in client.query("SELECT event_id FROM vision_events").result_rows}


def stored(store: ImageStore) -> set[str]:
    return {image.image_id for image in list_images(store.client, "retention") if image is not None}


def test_rows_go_after_the_days_of_their_use_case(client: Client, store: ImageStore) -> None:
    old, kept = NOW - timedelta(days=15), NOW - timedelta(days=13)
    insert(client, stored=old)
    insert(client, stored=NOW - 2 * DAY, days=1)
    remaining = {insert(client, stored=kept), insert(client, stored=old, days=30)}
    assert left(client) == remaining


def test_an_image_goes_with_the_last_event_that_refers_to_it(client: Client, store: ImageStore) -> None:
    shared, single, fresh = put(store, 1), put(store, 2), put(store, 3)
    old = NOW - timedelta(days=15)
    insert(client, shared, single, stored=old)  # expired, whether merged away or not
    insert(client, shared, fresh, stored=NOW - DAY)
    swept = sweep_images(client, store, NO_GRACE, dry_run=True)
    assert (swept.kept, swept.removed) == (2, 1)
    assert stored(store) == {shared, single, fresh}
    swept = sweep_images(client, store, NO_GRACE)
    assert (swept.kept, swept.removed) == (2, 1)
    assert stored(store) == {shared, fresh}
    assert sweep_images(client, store, NO_GRACE).removed == 0


def test_an_upload_that_no_event_refers_to_goes_after_the_grace(client: Client, store: ImageStore) -> None:
    orphan = put(store, 4)
    assert sweep_images(client, store, DAY).removed == 0
    assert stored(store) == {orphan}
    assert sweep_images(client, store, NO_GRACE).removed == 1
    assert stored(store) == set()


def test_other_objects_of_the_bucket_are_left_alone(client: Client, store: ImageStore) -> None:
    store.client.put_object(bucket_name="retention", object_name="models/yolo.onnx", data=io.BytesIO(b"x"), length=1)
    swept = sweep_images(client, store, NO_GRACE)
    assert (swept.objects, swept.foreign) == (0, 1)
    assert store.client.stat_object(bucket_name="retention", object_name="models/yolo.onnx").size == 1


def test_an_image_that_is_referred_to_again_is_young_again(settings: Settings, store: ImageStore) -> None:
    image = put(store, 5)
    before = next(found for found in list_images(store.client, "retention") if found)
    eager = ImageStore(settings.model_copy(update={"image_grace_hours": 0.0}))  # everything counts as old
    info = eager.resolve("default", ImageReference(0, "original", "images.0", image, None), ImagePolicy())
    assert info is not None
    assert (info.width, info.height, info.metadata) == (16, 16, {"camera": "c1"})

    def renewed() -> bool:
        """Stores tell whole seconds."""
        assert eager.resolve("default", ImageReference(0, "original", "images.0", image, None), ImagePolicy()) == info
        return next(found.modified for found in list_images(store.client, "retention") if found) > before.modified

    eventually(renewed)
    assert not remove_if_older(store.client, "retention", before, before.modified)


def test_a_hold_outlives_expiry_replacement_and_deletion(client: Client, store: ImageStore) -> None:
    image = put(store, 6)
    moment = NOW - timedelta(days=13, hours=23)
    expiring = insert(client, image, stored=moment, timestamp=moment.isoformat())
    replaced = insert(client, stored=moment, timestamp=moment.isoformat())
    deleted = insert(client, stored=moment, timestamp=moment.isoformat())
    insert(client, stored=moment, timestamp=(NOW - timedelta(days=20)).isoformat())  # outside of the span
    hold = holds.place(client, "default", "u", moment - DAY, moment + DAY, "case 4711", "somebody")
    assert holds.count(client, hold.id) == 3
    insert(client, event_id=replaced, version=2, timestamp=moment.isoformat())
    assert delete_events(client, "default", "u", [deleted], 10) == [deleted]
    client.command("ALTER TABLE stored_events DELETE WHERE event_id = {id:String}", parameters={"id": expiring})
    late = insert(client, timestamp=moment.isoformat())
    assert refresh_holds(client) == {hold.id: 5}  # the late one, and the new version of the replaced one
    sweep_images(client, store, NO_GRACE)
    assert stored(store) == {image}
    rows = client.query("SELECT event_id, version, event FROM held_events FINAL").result_rows
    assert {(row[0], row[1]) for row in rows} == {
        *((expiring, 1), (replaced, 1), (replaced, 2), (deleted, 1), (late, 1)),
    }
    # What is held is whole: it can be put back.
    lines = [row[2].encode() for row in rows if row[0] == expiring]
    client.raw_insert("stored_events", insert_block=lines[0], fmt="JSONEachRow")
    back = client.query(
        "SELECT custom_metadata.line, images.source_id FROM vision_events WHERE event_id = {id:String}",
        parameters={"id": expiring},
    ).result_rows
    assert back == [("L3", [image])]
    client.command("ALTER TABLE stored_events DELETE WHERE event_id = {id:String}", parameters={"id": expiring})
    holds.release(client, hold.id, "somebody")
    assert holds.active(client) == []
    assert holds.count(client, hold.id) == 0
    sweep_images(client, store, NO_GRACE)
    assert stored(store) == set()
    with pytest.raises(ConfigurationError, match="no active hold"):
        holds.release(client, hold.id, "somebody")


def test_the_commands(environment: dict[str, str], settings: Settings, store: ImageStore, tmp_path: Path) -> None:
    put(store, 7)
    own = {"CLICKHOUSE_DATABASE": "retention", "S3_BUCKET": "retention", "DATA_DIR": str(tmp_path)}
    variables = environment | {f"VISION_EVENTS_{name}": value for name, value in own.items()}

    def command(*arguments: str) -> str:
        done = subprocess.run(
            [sys.executable, "-m", "pipeline", *arguments],
            env=variables,
            cwd=Path(__file__).parents[2],
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    assert "images: 1 kept, 0 removed" in command("retention")
    span = ("--since", "2026-11-01", "--until", "2026-11-08")
    hold = command("holds", "place", *span, "--reason", "case 1").split(":")[0]
    assert hold in command("holds", "list")
    assert f"released {hold}" in command("holds", "release", hold)
    assert "no holds" in command("holds", "list")
