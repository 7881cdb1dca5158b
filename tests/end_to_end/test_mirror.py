"""A factory with a broker of its own, mirrored to the centre by MirrorMaker 2: cut off, caught up, nothing lost."""

import asyncio
import os
import subprocess
import sys
import time
import uuid
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import orjson
import pytest

from deploy.embedded import kafka
from deploy.embedded.maven import kafka_jars
from deploy.embedded.ports import HOST, free_port
from pipeline.edges.kafka import ensure_topics, producer, start_producer
from pipeline.edges.progress import progress
from pipeline.edges.retry import until_done
from pipeline.settings import Settings
from schemas.topics import INFERENCES
from schemas.use_case import UseCase
from tests.end_to_end.system import System, until
from tests.support.mute_proxy import MuteProxy

# Read at import: tests themselves run without settings in their environment. The long form: TEST_MIRROR_SECONDS=180.
CUT_S = float(os.environ.get("TEST_MIRROR_SECONDS", "1"))
ROUND = 100
PROPERTIES = Path(__file__).parents[2] / "deploy" / "mirrormaker" / "factory.properties"
DEVICES = 20


def quick(command: list[str]) -> list[str]:
    """Java that does not live long enough to be compiled well."""
    return [command[0], "-XX:TieredStopAtLevel=1", *command[1:]]


def to_the_centre(settings: Settings) -> str:
    """What MirrorMaker needs where the centre's broker has users and TLS; docs/topologies.md shows it."""
    if settings.kafka_security == "PLAINTEXT":
        return ""
    login = (
        "org.apache.kafka.common.security.scram.ScramLoginModule required "
        f'username="{settings.kafka_user}" password="{settings.kafka_password.get_secret_value()}";'
    )
    return "\n".join(
        f"centre.{name} = {value}"
        for name, value in {
            "security.protocol": settings.kafka_security,
            "sasl.mechanism": settings.kafka_sasl_mechanism,
            "sasl.jaas.config": login,
            "ssl.truststore.type": "PEM",
            "ssl.truststore.location": settings.tls_ca_file,
        }.items()
    )


class Factory:
    """A broker with two listeners: one of the factory, and one that the centre reaches through `remote`."""

    def __init__(self, folder: Path, remote: MuteProxy, remote_port: int, settings: Settings) -> None:
        port, controller = free_port(), free_port()
        overrides = {
            "listeners": f"LOCAL://{HOST}:{port},REMOTE://{HOST}:{remote_port},CONTROLLER://{HOST}:{controller}",
            "advertised.listeners": f"LOCAL://{HOST}:{port},REMOTE://{HOST}:{remote.port}",
            "listener.security.protocol.map": "LOCAL:PLAINTEXT,REMOTE:PLAINTEXT,CONTROLLER:PLAINTEXT",
            "inter.broker.listener.name": "LOCAL",
        }
        self.command = quick(kafka.prepare(folder, port, controller_port=controller, heap_mb=256, overrides=overrides))
        own = {"kafka_bootstrap": f"{HOST}:{port}", "kafka_security": "PLAINTEXT"}
        self.settings = settings.model_copy(update=own)

    async def publish(self, use_case: str, first: int, count: int) -> None:
        """Events of many devices, as a producer at the factory sends them."""
        client = producer(self.settings, linger_ms=20)
        await until_done(lambda: start_producer(client))
        try:
            for number in range(first, first + count):
                device = f"cam-{number % DEVICES}"
                record = {"use_case_id": use_case, "event_id": f"{use_case}-{number}", "source": {"device_id": device}}
                await client.send(INFERENCES.name, orjson.dumps(record), key=device.encode())
            await client.flush()
        finally:
            await client.stop()

    def produced(self) -> int:
        places = asyncio.run(progress(self.settings, "nobody"))
        return sum(place.end for place in places if place.topic == INFERENCES.name)


@contextmanager
def running(command: list[str], log: Path, **environment: str) -> Iterator[None]:
    with log.open("ab") as output:
        process = subprocess.Popen(command, stdout=output, stderr=output, env=os.environ | environment)
    try:
        yield
        assert process.poll() is None, log.read_text()[-4000:]
    finally:
        process.terminate()
        process.wait(90)


@pytest.mark.timeout(600 + CUT_S * 3)
def test_a_factory_that_was_cut_off_catches_up(system: System, tmp_path: Path) -> None:
    name = f"mirror-{uuid.uuid4().hex[:8]}"
    system.apply(UseCase(id=name, name=name))
    count = "SELECT (count(), uniqExact(event_id)) FROM vision_events WHERE use_case_id = {u:String}"

    def at_the_centre() -> tuple[int, int]:
        found: tuple[int, int] = system.value(count, u=name)
        return found

    with ExitStack() as stack:
        remote_port = free_port()
        wire = stack.enter_context(MuteProxy(HOST, remote_port))
        factory = Factory(tmp_path / "factory", wire, remote_port, system.settings)
        stack.enter_context(running(factory.command, tmp_path / "factory.log"))
        stack.enter_context(system.worker())
        asyncio.run(until_done(lambda: ensure_topics(factory.settings)))
        mirror = quick(kafka.java(tmp_path, 256, kafka_jars("kafka-tools")))
        properties = tmp_path / "factory.properties"
        properties.write_text(PROPERTIES.read_text() + to_the_centre(system.settings))
        stack.enter_context(
            running(
                [*mirror, "org.apache.kafka.connect.mirror.MirrorMaker", str(properties)],
                tmp_path / "mirror.log",
                FACTORY_BOOTSTRAP=f"{HOST}:{wire.port}",
                CENTRE_BOOTSTRAP=system.settings.kafka_bootstrap,
                REPLICATION="1",
            )
        )
        asyncio.run(factory.publish(name, 0, ROUND))
        until(at_the_centre, lambda found: found == (ROUND, ROUND), 200)

        wire.mute(True)
        sent, ends = ROUND, time.monotonic() + CUT_S
        while time.monotonic() < ends:
            asyncio.run(factory.publish(name, sent, ROUND))
            sent += ROUND
            time.sleep(min(1.0, CUT_S / 3))
        assert at_the_centre() == (ROUND, ROUND)
        wire.mute(False)
        begun = time.monotonic()
        until(at_the_centre, lambda found: found == (sent, sent), 120 + CUT_S * 2)
        assert factory.produced() == sent
        assert system.drained().rejected is not None
        sys.stdout.write(f"cut {CUT_S:.0f} s, {sent:,} events, caught up {time.monotonic() - begun:.1f} s after\n")
