"""The services of integration and end-to-end tests: real ones, started when a test asks for them."""

import os
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any, Protocol

import pytest
import trustme
from hypothesis import settings
from xdist.scheduler import LoadScopeScheduling

from deploy.embedded.stack import Addresses, EmbeddedStack, Ports
from deploy.embedded.supervisor import Part
from pipeline.edges.kafka import connection
from tests.support.containers import containers, docker_answers
from tests.support.minio_server import minio_part
from tests.support.secure_kafka import SecureKafka
from tests.support.settings import settings_of

# A busy machine must not fail a test: speed is measured by the benchmarks.
settings.register_profile("any-speed", deadline=None)
settings.load_profile("any-speed")


class Services(Protocol):
    """Kafka, S3 and ClickHouse, wherever they run."""

    addresses: Addresses
    more: dict[str, str]
    """Further settings that lead to them."""

    def crash(self, name: str) -> None:
        """Kill a service as a power cut would; it comes back by itself or is brought back at once."""

    def away(self, name: str) -> AbstractContextManager[None]:
        """A service is stopped for a while."""


class Embedded:
    """The embedded stack, with the face that tests use; other servers may stand in for some of its parts."""

    def __init__(self, stack: EmbeddedStack, variants: Sequence[str] = ()) -> None:
        self.stack = stack
        self.addresses = stack.addresses
        self.more: dict[str, str] = {}
        if "minio" in variants:
            at = self.addresses
            part, url = minio_part(stack.data_dir / "minio", at.s3_access_key, at.s3_secret_key)
            self._replace(part)
            self.addresses = replace(self.addresses, s3_endpoint=url)
        if "secure" in variants:
            broker = SecureKafka(stack.data_dir / "secure", trustme.CA())
            self._replace(Part("kafka", broker.command, ready=broker.ready))
            self.more = broker.settings("vision-root")
            self.addresses = replace(self.addresses, kafka_bootstrap=self.more.pop("kafka_bootstrap"))

    def _replace(self, part: Part) -> None:
        self.stack.supervisor.stop_part(part.name)
        self.stack.supervisor.start(part)

    def crash(self, name: str) -> None:
        self.stack.supervisor.kill(name)

    @contextmanager
    def away(self, name: str) -> Iterator[None]:
        part = self.stack.supervisor.stop_part(name)
        yield
        self.stack.supervisor.start(part)


class ByFile(LoadScopeScheduling):
    """In several processes, tests that share dear fixtures stay together: those of a file, and all with a browser.

    `--dist loadgroup` would do it, but pytest-xdist 3.8 writes its groups where pytest 9.2 does not look.
    """

    def _split_scope(self, nodeid: str) -> str:
        file = nodeid.partition("::")[0]
        return "browser" if file.startswith("tests/browser/") else file


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> ByFile:
    config.option.loadscopereorder = False  # unit tests last: they are short, and both processes end together
    return ByFile(config, log)


@pytest.fixture(scope="session")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Services]:
    """Official images where Docker answers, else the embedded stack; VISION_EVENTS_TEST_STACK=embedded insists on it.

    `embedded,minio` puts a real MinIO in the place of its S3, `embedded,secure` a Kafka with SASL over TLS in that of
    its broker. With VISION_EVENTS_REQUIRE_DOCKER=1 a Docker engine that does not answer is a failure.
    """
    required = os.environ.get("VISION_EVENTS_REQUIRE_DOCKER") == "1"
    wanted = os.environ.get("VISION_EVENTS_TEST_STACK", "docker").split(",")
    assert set(wanted) <= {"docker", "embedded", "minio", "secure"}, f"VISION_EVENTS_TEST_STACK: {wanted}"
    if required or ("docker" in wanted and docker_answers()):
        assert docker_answers(), "VISION_EVENTS_REQUIRE_DOCKER=1, and no Docker engine answers"
        with containers() as running:
            yield running
    else:
        with EmbeddedStack(tmp_path_factory.mktemp("stack"), Ports(0, 0, 0)) as embedded:
            yield Embedded(embedded, wanted)


@pytest.fixture(scope="session")
def environment(stack: Services) -> dict[str, str]:
    """Environment variables that lead commands to the services."""
    given = asdict(stack.addresses) | stack.more
    return {f"VISION_EVENTS_{name.upper()}": value for name, value in given.items()}


@pytest.fixture(scope="session")
def kafka(environment: dict[str, str]) -> dict[str, Any]:
    """What aiokafka's clients take to reach the broker, as a user with all rights."""
    return connection(settings_of(environment))


@pytest.fixture(autouse=True)
def _away_from_the_checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No test picks up the data folder of a stack that runs in the checkout, nor settings of whoever runs the tests."""
    monkeypatch.chdir(tmp_path)
    for name in [name for name in os.environ if name.startswith("VISION_EVENTS_")]:
        monkeypatch.delenv(name)
