"""What we ask of an S3 server, on each that we run against: the embedded one, and MinIO where it is on PATH."""

import io
import json
import urllib.error
import urllib.request
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from minio import Minio, MinioAdmin
from minio.commonconfig import ENABLED, Filter
from minio.credentials import StaticProvider
from minio.error import S3Error
from minio.lifecycleconfig import Expiration, LifecycleConfig, Rule
from PIL import Image

from deploy.embedded.supervisor import Supervisor
from pipeline.core.images import inspect_image
from pipeline.core.views import ImageReference, Upload
from pipeline.edges.objects import object_name
from pipeline.edges.s3 import ImageStore
from pipeline.edges.stored_images import StoredImage, list_images, remove_if_older
from pipeline.errors import ConfigurationError, InvalidRecordError
from pipeline.settings import Settings
from schemas.use_case import ImagePolicy
from tests.conftest import Services
from tests.support.minio_server import minio_part

BUCKET = "servers"
POLICIES = Path(__file__).parents[2] / "deploy" / "s3"
MIB = 1024 * 1024
LATER = datetime.now(UTC) + timedelta(days=1)


@pytest.fixture(scope="module")
def minio(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Settings]:
    folder = tmp_path_factory.mktemp("minio")
    part, url = minio_part(folder / "data", "root-user", "root-password-4711")
    supervisor = Supervisor(folder / "logs")
    try:
        supervisor.start(part)
        yield _settings(url, "root-user", "root-password-4711")
    finally:
        supervisor.stop()


def _settings(url: str, access: str, secret: str) -> Settings:
    return Settings(s3_endpoint=url, s3_access_key=access, s3_secret_key=secret, s3_bucket=BUCKET)  # type: ignore[call-arg, arg-type]


@pytest.fixture(params=["embedded", "minio"])
def settings(request: pytest.FixtureRequest, stack: Services) -> Settings:
    if request.param == "minio":
        found: Settings = request.getfixturevalue("minio")
        return found
    at = stack.addresses
    return _settings(at.s3_endpoint, at.s3_access_key, at.s3_secret_key)


@pytest.fixture
def store(settings: Settings) -> ImageStore:
    store = ImageStore(settings)
    with pytest.raises(ConfigurationError, match="no bucket"):
        ImageStore(settings.model_copy(update={"s3_bucket": "not-there"})).check_bucket()
    store.ensure_bucket()
    store.check_bucket()
    return store


def listed(store: ImageStore, image_id: str) -> StoredImage:
    return next(image for image in list_images(store.client, BUCKET) if image and image.image_id == image_id)


def picture(shade: int, size: int = 16) -> Upload:
    content = io.BytesIO()
    Image.effect_noise((size, size), shade).save(content, "PNG")
    return Upload(inspect_image(content.getvalue(), "data", ImagePolicy(max_bytes=64 * MIB)), content.getvalue())


def test_an_image_is_put_found_read_in_pieces_and_linked(store: ImageStore) -> None:
    upload = picture(40, 400)
    store.put("default", upload, name="frame.png", metadata={"camera": "ä"})
    store.put("default", upload, name="frame.png", metadata={"camera": "ä"})
    image_id, content = upload.info.image_id, upload.content
    found = store.find("default", image_id)
    assert found == ("image/png", len(content))
    assert store.find("default", "0" * 64) is None
    assert b"".join(store.read("default", image_id, 100, 1000)) == content[100:1100]
    with urllib.request.urlopen(store.link("default", image_id)) as answer:
        assert answer.headers["Content-Type"] == "image/png"
        assert answer.read() == content
    with pytest.raises(urllib.error.HTTPError) as refused:
        urllib.request.urlopen(store.link("default", image_id).replace("X-Amz-Signature=", "X-Amz-Signature=0"))
    assert refused.value.code == 403


def test_a_producer_puts_by_a_link_or_in_parts_and_refers_to_it(store: ImageStore) -> None:
    upload = picture(60)
    link = store.client.presigned_put_object(
        bucket_name=BUCKET, object_name="from-producer/small.png", expires=timedelta(minutes=5)
    )
    request = urllib.request.Request(link, data=upload.content, method="PUT", headers={"Content-Type": "image/png"})
    urllib.request.urlopen(request).close()
    large = picture(80, 2600)
    assert len(large.content) > 5 * MIB
    store.client.put_object(
        bucket_name=BUCKET,
        object_name="from-producer/large.png",
        data=io.BytesIO(large.content),
        length=-1,  # not known: in parts
        part_size=5 * MIB,
    )
    for name, given in (("small", upload), ("large", large)):
        reference = ImageReference(0, "original", "images.0", None, f"s3://{BUCKET}/from-producer/{name}.png")
        info = store.resolve("default", reference, ImagePolicy(max_bytes=64 * MIB))
        assert info is not None
        assert info.image_id == given.info.image_id
        assert store.find("default", info.image_id) == ("image/png", len(given.content))
    absent = ImageReference(0, "original", "images.0", None, f"s3://{BUCKET}/from-producer/none.png")
    with pytest.raises(InvalidRecordError, match="no object"):
        store.resolve("default", absent, ImagePolicy())


def test_an_old_image_is_renewed_and_removed(settings: Settings, store: ImageStore) -> None:
    upload = picture(90)
    store.put("default", upload, metadata={"camera": "c1"})
    image_id = upload.info.image_id
    before = listed(store, image_id)
    eager = ImageStore(settings.model_copy(update={"image_grace_hours": 0.0}))
    info = eager.resolve("default", ImageReference(0, "original", "images.0", image_id, None), ImagePolicy())
    assert info is not None
    assert (info.width, info.metadata, info.content_type) == (16, {"camera": "c1"}, "image/png")
    assert listed(store, image_id).modified >= before.modified
    # Lists may tell parts of a second, single objects do not.
    assert not remove_if_older(store.client, BUCKET, before, before.modified.replace(microsecond=0))
    assert remove_if_older(store.client, BUCKET, before, LATER)
    assert store.find("default", image_id) is None
    assert not remove_if_older(store.client, BUCKET, before, LATER)


def test_a_lifecycle_is_kept(store: ImageStore) -> None:
    rules = [Rule(ENABLED, Filter(prefix="from-producer/"), rule_id="uploads", expiration=Expiration(days=2))]
    store.client.set_bucket_lifecycle(bucket_name=BUCKET, config=LifecycleConfig(rules))
    kept = store.client.get_bucket_lifecycle(bucket_name=BUCKET)
    assert kept is not None
    assert [(rule.rule_id, rule.expiration.days) for rule in kept.rules if rule.expiration] == [("uploads", 2)]
    store.client.delete_bucket_lifecycle(bucket_name=BUCKET)


def test_the_users_of_deploy_may_do_their_part_only(minio: Settings, tmp_path: Path) -> None:
    root = ImageStore(minio)
    root.ensure_bucket()
    host = minio.s3_endpoint.removeprefix("http://")
    credentials = StaticProvider("root-user", "root-password-4711")
    admin = MinioAdmin(endpoint=host, credentials=credentials, secure=False)
    for user in ("writer", "retention"):
        policy = tmp_path / f"{user}.json"
        policy.write_text((POLICIES / f"{user}.json").read_text().replace("BUCKET", BUCKET))
        json.loads(policy.read_text())
        admin.policy_add(f"vision-{user}", str(policy))
        admin.user_add(user, f"{user}-password")
        admin.attach_policy([f"vision-{user}"], user=user)
    writer, retention = (
        ImageStore(_settings(minio.s3_endpoint, user, f"{user}-password")) for user in ("writer", "retention")
    )
    upload = picture(70)
    image_id = upload.info.image_id
    writer.check_bucket()
    writer.put("default", upload)
    assert writer.find("default", image_id) is not None
    assert b"".join(writer.read("default", image_id, 0, 10)) == upload.content[:10]
    with pytest.raises(ConfigurationError, match=r"Access ?Denied"):
        remove_if_older(writer.client, BUCKET, listed(writer, image_id), LATER)
    with pytest.raises(ConfigurationError, match=r"Access ?Denied"):
        retention.put("default", upload)
    assert remove_if_older(retention.client, BUCKET, listed(retention, image_id), LATER)
    assert root.find("default", image_id) is None
    stranger = Minio(host, access_key="writer", secret_key="guessed-it", secure=False)
    with pytest.raises(S3Error, match="ignature"):
        stranger.stat_object(bucket_name=BUCKET, object_name=object_name("default", image_id))
