"""An embedded Kafka whose only listener is SASL_SSL, with users, and nothing allowed that no rule allows."""

import os
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import trustme
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)

from deploy.embedded import kafka
from deploy.embedded.maven import kafka_jars
from deploy.embedded.ports import HOST, free_port
from deploy.embedded.supervisor import Part, Supervisor

ROOT = Path(__file__).parents[2]
USERS = {
    f"vision-{name}": f"{name}-password-4711" for name in ("root", "admin", "worker", "alerts", "gateway", "producer")
}


def certificate(authority: trustme.CA, folder: Path) -> tuple[Path, Path]:
    """A certificate for this machine and its key, as PEM files."""
    made = authority.issue_cert(HOST, "localhost")
    chain, key = folder / "chain.pem", folder / "key.pem"
    chain.write_bytes(b"".join(blob.bytes() for blob in made.cert_chain_pems))
    # Java reads keys in the form PKCS#8 only.
    private = load_pem_private_key(made.private_key_pem.bytes(), None)
    key.write_bytes(private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    return chain, key


class SecureKafka:
    """The broker's address, its authority, and the tool that sets rules."""

    def __init__(self, folder: Path, authority: trustme.CA) -> None:
        folder.mkdir(parents=True)
        self.folder = folder
        self.port = free_port()
        self.bootstrap = f"{HOST}:{self.port}"
        chain, key = certificate(authority, folder)
        store, self.trust = folder / "keystore.pem", folder / "trust.pem"
        store.write_bytes(key.read_bytes() + chain.read_bytes())
        authority.cert_pem.write_to_path(self.trust)
        root = (
            "org.apache.kafka.common.security.scram.ScramLoginModule required "
            f'username="vision-root" password="{USERS["vision-root"]}";'
        )
        controller = free_port()
        overrides = {
            "listeners": f"SASL_SSL://{self.bootstrap},CONTROLLER://{HOST}:{controller}",
            "advertised.listeners": f"SASL_SSL://{self.bootstrap}",
            "listener.security.protocol.map": "SASL_SSL:SASL_SSL,CONTROLLER:PLAINTEXT",
            "inter.broker.listener.name": "SASL_SSL",
            "sasl.enabled.mechanisms": "SCRAM-SHA-512",
            "sasl.mechanism.inter.broker.protocol": "SCRAM-SHA-512",
            "listener.name.sasl_ssl.scram-sha-512.sasl.jaas.config": root,
            "ssl.keystore.type": "PEM",
            "ssl.keystore.location": str(store),
            "ssl.truststore.type": "PEM",
            "ssl.truststore.location": str(self.trust),
            "authorizer.class.name": "org.apache.kafka.metadata.authorizer.StandardAuthorizer",
            "super.users": "User:vision-root;User:ANONYMOUS",  # the controller's listener has no users
        }
        self.command = kafka.prepare(
            folder / "kafka", self.port, controller_port=controller, overrides=overrides, users=USERS
        )
        self.config = folder / "root.properties"
        self.config.write_text(
            "security.protocol=SASL_SSL\nsasl.mechanism=SCRAM-SHA-512\nssl.truststore.type=PEM\n"
            f"ssl.truststore.location={self.trust}\nsasl.jaas.config={root}\n"
        )

    def settings(self, user: str) -> dict[str, str]:
        """The settings that lead a process of ours here as a user."""
        return {
            "kafka_bootstrap": self.bootstrap,
            "kafka_security": "SASL_SSL",
            "kafka_user": user,
            "kafka_password": USERS[user],
            "tls_ca_file": str(self.trust),
        }

    def set_rules(self) -> None:
        """Run deploy/kafka/acls.sh, as an operator does."""
        java = kafka.java(self.folder / "kafka", 128, kafka_jars("kafka-tools"))
        # Many short lives: they should not spend them on compiling.
        java[1:1] = ["-XX:TieredStopAtLevel=1"]
        tool = " ".join([*java, "org.apache.kafka.tools.AclCommand"])
        command = ["sh", str(ROOT / "deploy/kafka/acls.sh"), "--bootstrap-server", self.bootstrap]
        done = subprocess.run(
            [*command, "--command-config", str(self.config)],
            env=os.environ | {"KAFKA_ACLS": tool},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr

    def ready(self) -> None:
        """Raises OSError until it listens."""
        socket.create_connection((HOST, self.port), timeout=2).close()


@contextmanager
def secure_kafka(folder: Path, authority: trustme.CA) -> Iterator[SecureKafka]:
    """Run it, with its rules set."""
    made = SecureKafka(folder, authority)
    supervisor = Supervisor(folder / "logs")
    try:
        supervisor.start(Part("kafka", made.command, ready=made.ready))
        made.set_rules()
        yield made
    finally:
        supervisor.stop()
