"""Kafka with SASL and TLS; S3, ClickHouse and the gateway over TLS: each process works, with the least rights."""

import asyncio
import base64
import re
import uuid
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import orjson
import pytest
import trustme
from aiokafka import AIOKafkaConsumer
from aiokafka.errors import GroupAuthorizationFailedError, TopicAuthorizationFailedError

from pipeline.client import Client, Event, Image, kafka
from pipeline.edges.kafka import connection, producer
from pipeline.edges.keys import create_key
from pipeline.settings import Settings
from schemas.topics import EVENTS, INFERENCES
from schemas.use_case import UseCase
from tests.conftest import Services
from tests.end_to_end.alert_support import AlertWorkers
from tests.end_to_end.http import Gateway, event
from tests.end_to_end.system import System, until
from tests.end_to_end.test_edge import EdgeBox
from tests.end_to_end.test_edge import event as edge_event
from tests.end_to_end.test_metrics import RULE, picture
from tests.support.secure_kafka import USERS, SecureKafka, certificate, secure_kafka
from tests.support.tls_proxy import TlsProxy

LOUD = {"log_level": "DEBUG"}


class Secured:
    """A system of its own database and bucket, reached over TLS only."""

    def __init__(self, system: System, broker: SecureKafka, gateway_files: dict[str, str]) -> None:
        self.system = system
        self.broker = broker
        self.gateway_files = gateway_files

    def settings(self, user: str, **more: str) -> Settings:
        given = self.system.settings.model_dump() | self.broker.settings(user) | more
        return Settings(**given)


@pytest.fixture(scope="module")
def secured(
    stack: Services, environment: dict[str, str], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Secured]:
    folder, authority = tmp_path_factory.mktemp("secured"), trustme.CA()
    chain, key = certificate(authority, folder)
    with ExitStack() as running:
        broker = running.enter_context(secure_kafka(folder / "broker", authority))
        s3 = running.enter_context(TlsProxy(stack.addresses.s3_endpoint, chain, key))
        clickhouse = running.enter_context(TlsProxy(stack.addresses.clickhouse_url, chain, key))
        places = {
            "s3_endpoint": s3.url,
            "clickhouse_url": clickhouse.url,
            "clickhouse_database": "secured",
            "s3_bucket": "secured",
        }
        own = {f"VISION_EVENTS_{n.upper()}": v for n, v in (broker.settings("vision-admin") | places).items()}
        files = {"tls_cert_file": str(chain), "tls_key_file": str(key), "tls_ca_file": str(broker.trust)}
        yield Secured(System(environment | own, folder), broker, files)


def test_every_process_works_as_its_own_user_and_prints_no_secret(secured: Secured, tmp_path: Path) -> None:
    system, broker = secured.system, secured.broker
    name = f"secured-{uuid.uuid4().hex[:8]}"
    system.apply(
        UseCase.model_validate(
            {"id": name, "name": name, "event_type": "quality_check", "alerts": [RULE | {"lateness": 60}]}
        )
    )
    with ExitStack() as running:
        alerts = running.enter_context(AlertWorkers(system, "vision-alerts", [], tmp_path))
        more = broker.settings("vision-alerts") | LOUD
        alerts.environment |= {f"VISION_EVENTS_{key.upper()}": value for key, value in more.items()}
        alerts.start("a1")
        running.enter_context(system.worker(**broker.settings("vision-worker"), **LOUD))
        gateway = running.enter_context(
            Gateway(system, broker.settings("vision-gateway") | secured.gateway_files | LOUD)
        )
        _, api_key = create_key(system.sql, "default", "edge")
        to_gateway = {"gateway_url": gateway.url, "gateway_api_key": api_key}
        # The edge knows the gateway and nothing else.
        nothing = {"kafka_bootstrap": "127.0.0.1:1", "kafka_security": "PLAINTEXT", "kafka_password": ""}
        edge = EdgeBox(system, tmp_path, name, **to_gateway, **nothing, **LOUD)
        running.callback(edge.stop)
        content = base64.b64decode(picture())
        with Client(kafka(**broker.settings("vision-producer"))) as client:
            about = {"event_type": "quality_check", "event_data": {"result": "fail"}}
            failed = Event(use_case_id=name, images=[Image(content=content)], **about)
            client.send(failed)
        with gateway.client() as http:
            assert http.post("", json=event(name)).status_code == 201
        assert edge.http.post("/v2/events", json=edge_event(1, 1)).is_success
        count = "SELECT count() FROM vision_events WHERE use_case_id = {u:String}"
        until(lambda: system.value(count, u=name), lambda found: found == 3)
        until(lambda: system.value("SELECT count() FROM alerts WHERE use_case_id = {u:String}", u=name), bool)
        assert system.drained().rejected == 0
        status = orjson.loads(system.run("status", "--json"))
        assert set(status["health"].values()) == {"ok"}
        alerts.stop()
    said = "".join(path.read_text() for folder in (system.folder, tmp_path) for path in folder.glob("*.log"))
    assert "DEBUG" in said
    secrets = {api_key, *USERS.values()}
    secrets |= {
        value for key, value in system.environment.items() if re.search("PASSWORD|SECRET", key) and len(value) > 8
    }
    assert len(secrets) >= len(USERS) + 4
    assert not [secret for secret in secrets if secret in said]


async def _read(settings: Settings, group: str | None) -> None:
    consumer = AIOKafkaConsumer(INFERENCES.name, **connection(settings), group_id=group, auto_offset_reset="earliest")
    await consumer.start()
    try:
        await asyncio.wait_for(consumer.getone(), 30)
    finally:
        await consumer.stop()


async def _write(settings: Settings, topic: str) -> None:
    client = producer(settings)
    await client.start()
    try:
        await client.send_and_wait(topic, b"{}")
    finally:
        await client.stop()


async def test_a_user_can_do_no_more_than_its_part(secured: Secured) -> None:
    with pytest.raises(TopicAuthorizationFailedError):
        await _read(secured.settings("vision-producer"), None)
    with pytest.raises(TopicAuthorizationFailedError):
        await _write(secured.settings("vision-producer"), EVENTS.name)
    with pytest.raises(TopicAuthorizationFailedError):
        await _write(secured.settings("vision-worker"), INFERENCES.name)
    with pytest.raises(GroupAuthorizationFailedError):
        await _read(secured.settings("vision-worker"), "another-group")


def test_wrong_credentials_and_strangers_are_named(secured: Secured, tmp_path: Path) -> None:
    stranger = tmp_path / "stranger.pem"
    trustme.CA().cert_pem.write_to_path(stranger)
    wrong = secured.system.run("worker", "--set", "kafka_password=guessed", status=2)
    assert "SaslAuthenticationFailed" in wrong
    assert "guessed" not in wrong
    said = secured.system.run("status", "--json", "--set", f"tls_ca_file={stranger}", status=3, output=True)
    words = orjson.loads(said)
    assert "certificate" in words["health"]["clickhouse"]
    assert "certificate" in words["health"]["s3"]
    assert "certificate" in words["health"]["kafka"]
    missing = secured.system.run("status", "--set", f"tls_ca_file={tmp_path}/none.pem", status=2)
    assert "tls_ca_file" in missing
    assert "no such file" in missing


def test_the_gateway_shows_no_certificate_that_it_has_not(secured: Secured, tmp_path: Path) -> None:
    said = secured.system.run(
        "gateway", "--set", f"tls_cert_file={tmp_path}/a.pem", "--set", f"tls_key_file={tmp_path}/b.pem", status=2
    )
    assert "tls_cert_file" in said


def test_settings_show_no_secret(secured: Secured) -> None:
    settings = secured.settings("vision-worker")
    shown = repr(settings) + str(settings) + settings.model_dump_json()
    for name, field in Settings.model_fields.items():
        if re.search("password|secret|_key$|^api_key", name) and name != "s3_access_key":
            assert field.annotation.__name__ == "SecretStr", name  # type: ignore[union-attr]
            value = getattr(settings, name).get_secret_value()
            assert not value or value not in shown


def test_an_analyst_reads_no_keys(system: System) -> None:
    for table in ("api_keys", "api_key_uses"):
        assert "Not enough privileges" in system.run("sql", f"SELECT * FROM {table}", status=None)
    system.run("sql", "SELECT count() FROM vision_events")
