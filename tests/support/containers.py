"""The three services as official images, for machines where Docker answers."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Final

import docker
from docker.errors import DockerException
from testcontainers.core.container import DockerContainer

from deploy.embedded.ports import free_port
from deploy.embedded.stack import Addresses

IMAGES: Final = {
    "kafka": "apache/kafka:4.1.1",
    "s3": "minio/minio:RELEASE.2025-09-07T16-13-09Z",
    "clickhouse": "clickhouse/clickhouse-server:25.8",
}
_SECRET: Final = "for-tests-only"
_USERS: Final = Path(__file__).parents[2] / "deploy" / "clickhouse" / "users.d" / "vision-events.xml"


def docker_answers() -> bool:
    """Whether a Docker engine can be used here."""
    try:
        return bool(docker.from_env(timeout=5).ping())
    except DockerException:
        return False


@contextmanager
def containers() -> Iterator["Containers"]:
    """Run the official images and stop them at the end."""
    port = free_port()
    kafka = DockerContainer(IMAGES["kafka"]).with_bind_ports(9092, port)
    for name, value in _kafka_environment(port).items():
        kafka.with_env(name, value)
    s3 = DockerContainer(IMAGES["s3"]).with_command("server /data").with_exposed_ports(9000)
    s3.with_env("MINIO_ROOT_USER", "vision").with_env("MINIO_ROOT_PASSWORD", _SECRET)
    clickhouse = DockerContainer(IMAGES["clickhouse"]).with_exposed_ports(8123)
    clickhouse.with_env("CLICKHOUSE_SKIP_USER_SETUP", "1")
    for user in ("ADMIN", "WRITER", "READER", "ANALYST"):
        clickhouse.with_env(f"CLICKHOUSE_{user}_PASSWORD", _SECRET)
    clickhouse.with_volume_mapping(str(_USERS), "/etc/clickhouse-server/users.d/vision-events.xml", "ro")
    with ExitStack() as running:
        for container in (kafka, s3, clickhouse):
            running.enter_context(container)
        yield Containers({"kafka": kafka, "s3": s3, "clickhouse": clickhouse}, port)


class Containers:
    """Running containers, with the same face as the embedded stack."""

    def __init__(self, running: dict[str, DockerContainer], kafka_port: int) -> None:
        self._running = running
        self.more: dict[str, str] = {}
        host = running["kafka"].get_container_host_ip()
        self.addresses = Addresses(
            kafka_bootstrap=f"{host}:{kafka_port}",
            s3_endpoint=f"http://{host}:{running['s3'].get_exposed_port(9000)}",
            s3_access_key="vision",
            s3_secret_key=_SECRET,
            s3_region="us-east-1",
            clickhouse_url=f"http://{host}:{running['clickhouse'].get_exposed_port(8123)}",
            clickhouse_user="vision_admin",
            clickhouse_password=_SECRET,
            analyst_user="analyst",
            analyst_password=_SECRET,
            link_secret=_SECRET,
        )

    def crash(self, name: str) -> None:
        """Kill a service as a power cut would, and start it again."""
        container = self._running[name].get_wrapped_container()
        container.kill()
        container.start()

    @contextmanager
    def away(self, name: str) -> Iterator[None]:
        """A service is stopped for a while."""
        container = self._running[name].get_wrapped_container()
        container.stop()
        yield
        container.start()


def _kafka_environment(port: int) -> dict[str, str]:
    return {
        "KAFKA_NODE_ID": "1",
        "KAFKA_PROCESS_ROLES": "broker,controller",
        "KAFKA_CONTROLLER_QUORUM_VOTERS": "1@localhost:9093",
        "KAFKA_CONTROLLER_LISTENER_NAMES": "CONTROLLER",
        "KAFKA_LISTENERS": "PLAINTEXT://:9092,CONTROLLER://:9093",
        "KAFKA_ADVERTISED_LISTENERS": f"PLAINTEXT://localhost:{port}",
        "KAFKA_LISTENER_SECURITY_PROTOCOL_MAP": "CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT",
        "KAFKA_OFFSETS_TOPIC_REPLICATION_FACTOR": "1",
        "KAFKA_TRANSACTION_STATE_LOG_REPLICATION_FACTOR": "1",
        "KAFKA_TRANSACTION_STATE_LOG_MIN_ISR": "1",
        "KAFKA_GROUP_INITIAL_REBALANCE_DELAY_MS": "0",
        "KAFKA_MESSAGE_MAX_BYTES": str(9 * 1024 * 1024),
    }
