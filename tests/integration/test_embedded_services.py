"""Kafka and S3 of the stack that tests run on, as our clients use them; and who else can reach the embedded ones."""

import asyncio
import io
import subprocess
import sys
import urllib.error
import urllib.request
import uuid
from collections.abc import AsyncIterator, Iterator
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import psutil
import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.errors import KafkaError, MessageSizeTooLargeError
from minio import Minio
from minio.error import S3Error

from deploy.embedded.ports import free_port
from deploy.embedded.stack import Addresses
from schemas.topics import INFERENCES, MAX_RAW_RECORD_BYTES
from tests.conftest import Embedded, Services


def s3(at: Addresses, access_key: str | None = None, secret_key: str | None = None) -> Minio:
    return Minio(
        urlsplit(at.s3_endpoint).netloc,
        access_key=access_key,
        secret_key=secret_key,
        secure=False,
        region=at.s3_region,
    )


@pytest.fixture
def bucket(stack: Services) -> Iterator[tuple[Minio, str]]:
    at, name = stack.addresses, f"b-{uuid.uuid4()}"
    client = s3(at, at.s3_access_key, at.s3_secret_key)
    client.make_bucket(bucket_name=name)
    yield client, name
    for found in client.list_objects(bucket_name=name, recursive=True):
        client.remove_object(bucket_name=name, object_name=str(found.object_name))
    client.remove_bucket(bucket_name=name)


def test_objects_are_put_described_read_in_part_and_removed(bucket: tuple[Minio, str]) -> None:
    client, name = bucket
    content = bytes(range(256)) * 1024
    place = {"bucket_name": name, "object_name": "w/ab/image"}
    client.put_object(
        **place, data=io.BytesIO(content), length=len(content), content_type="image/png", metadata={"width": "640"}
    )
    found = client.stat_object(**place)
    assert (found.size, found.content_type) == (len(content), "image/png")
    assert {key.lower(): value for key, value in (found.metadata or {}).items()}["x-amz-meta-width"] == "640"
    part = client.get_object(**place, offset=300, length=1000)
    assert part.read() == content[300:1300]
    part.close()
    client.remove_object(**place)
    with pytest.raises(S3Error, match="NoSuchKey"):
        client.stat_object(**place)


def test_signed_links_work_without_credentials_and_only_as_signed(bucket: tuple[Minio, str]) -> None:
    client, name = bucket
    put = client.presigned_put_object(bucket_name=name, object_name="signed", expires=timedelta(minutes=5))
    urllib.request.urlopen(urllib.request.Request(put, data=b"content", method="PUT"), timeout=10).close()
    get = client.presigned_get_object(bucket_name=name, object_name="signed", expires=timedelta(minutes=5))
    assert urllib.request.urlopen(get, timeout=10).read() == b"content"
    with pytest.raises(urllib.error.HTTPError, match="403"):
        urllib.request.urlopen(get.replace("/signed?", "/other?"), timeout=10)


def test_s3_lets_in_nobody_without_the_key(stack: Services, bucket: tuple[Minio, str]) -> None:
    client, name = bucket
    client.put_object(bucket_name=name, object_name="kept", data=io.BytesIO(b"x"), length=1)
    strangers = (
        s3(stack.addresses),
        s3(stack.addresses, stack.addresses.s3_access_key, "wrong"),
        s3(stack.addresses, "nobody", "nothing"),
    )
    for stranger in strangers:
        for attempt in (
            lambda who=stranger: who.get_object(bucket_name=name, object_name="kept"),
            lambda who=stranger: who.put_object(bucket_name=name, object_name="new", data=io.BytesIO(b"x"), length=1),
            lambda who=stranger: list(who.list_objects(bucket_name=name)),
            lambda who=stranger: who.remove_object(bucket_name=name, object_name="kept"),
        ):
            with pytest.raises(S3Error) as refused:
                attempt()
            assert refused.value.code in ("AccessDenied", "SignatureDoesNotMatch", "InvalidAccessKeyId")


@pytest.fixture
async def topic(kafka: dict[str, Any]) -> AsyncIterator[str]:
    name = f"t-{uuid.uuid4()}"
    admin = AIOKafkaAdminClient(**kafka)
    await admin.start()
    try:
        made = await admin.create_topics([NewTopic(name, 2, 1, topic_configs=INFERENCES.config())])
        assert [error[1] for error in made.topic_errors] == [0]
        yield name
    finally:
        await admin.delete_topics([name])
        await admin.close()


async def test_the_largest_record_passes_and_a_larger_one_is_refused(kafka: dict[str, Any], topic: str) -> None:
    largest = bytes(MAX_RAW_RECORD_BYTES)
    async with AIOKafkaProducer(**kafka, acks="all", max_request_size=2 * MAX_RAW_RECORD_BYTES) as producer:
        await producer.send_and_wait(topic, largest, partition=0)
        with pytest.raises(MessageSizeTooLargeError):
            await producer.send_and_wait(topic, largest + bytes(128 * 1024), partition=0)
    consumer = AIOKafkaConsumer(topic, **kafka, group_id=topic, auto_offset_reset="earliest")
    async with consumer:
        assert (await consumer.getone()).value == largest


async def test_a_topic_that_nobody_made_does_not_come_into_being(stack: Services, kafka: dict[str, Any]) -> None:
    if not isinstance(stack, Embedded):
        pytest.skip("a setting of the embedded broker")
    producer = AIOKafkaProducer(**kafka, request_timeout_ms=1_000)
    async with producer:
        with pytest.raises(KafkaError):
            await producer.send_and_wait("mistyped", b"x")


async def test_kafka_alone_keeps_its_identity_and_ends_when_told(tmp_path: Path) -> None:
    port, identities = free_port(), []
    command = [sys.executable, "-m", "deploy.embedded.kafka", "--data-dir", str(tmp_path), "--port", str(port)]
    command += ["--heap-mb", "128"]
    for _ in range(2):
        broker = subprocess.Popen(command, cwd=Path(__file__).parents[2], stderr=subprocess.DEVNULL)
        admin = AIOKafkaAdminClient(bootstrap_servers=f"127.0.0.1:{port}", request_timeout_ms=2_000)
        try:
            async with asyncio.timeout(60):
                while broker.poll() is None:
                    with suppress(KafkaError):
                        await admin.start()
                        break
                    await asyncio.sleep(0.1)
            identities.append((await admin.describe_cluster())["cluster_id"])
        finally:
            await admin.close()
            broker.terminate()
            assert broker.wait(20) == 143  # what Java answers to SIGTERM after its shutdown hooks
    assert identities[0] == identities[1]


def test_embedded_servers_listen_on_the_loopback_address_only(stack: Services) -> None:
    if not isinstance(stack, Embedded):
        pytest.skip("containers have their own network")
    for part in stack.stack.supervisor.status():
        listening = {
            found.laddr.ip
            for found in psutil.Process(part.pid).net_connections(kind="tcp")
            if found.status == psutil.CONN_LISTEN
        }
        assert listening <= {"127.0.0.1", "::ffff:127.0.0.1", "::1"}, part.name
        assert listening
