"""An embedded Kafka whose only listener is SASL_SSL, with users, and nothing allowed that no rule allows."""

import asyncio
import itertools
import os
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import trustme
from aiokafka.protocol.admin import CreateAclsRequest
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
from pipeline.edges.kafka import admin
from pipeline.edges.retry import until_done
from pipeline.settings import Settings

ROOT = Path(__file__).parents[2]
# Read at import: tests themselves run without settings in their environment.
REAL_TOOL = os.environ.get("TEST_KAFKA_TOOLS") == "1"
OPERATIONS = {"All": 2, "Read": 3, "Write": 4, "Create": 5, "Describe": 8, "DescribeConfigs": 10}
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


class Rule(NamedTuple):
    """A rule as the protocol has it."""

    resource: int
    name: str
    pattern: int
    principal: str
    host: str
    operation: int
    permission: int


def rules_of(line: str) -> list[Rule]:
    """The rules that the arguments of kafka-acls.sh stand for."""
    words = line.split()
    given: dict[str, list[str]] = {}
    for name, value in itertools.pairwise(words):
        if name.startswith("--") and not value.startswith("--"):
            given.setdefault(name, []).append(value)
    assert "--add" in words
    known = {"--bootstrap-server", "--command-config", "--topic", "--group", "--operation", "--allow-principal"}
    assert given.keys() <= known | {"--resource-pattern-type"}
    pattern = {"literal": 3, "prefixed": 4}[given.get("--resource-pattern-type", ["literal"])[0]]
    resources = [(2, name) for name in given.get("--topic", ())] + [(3, name) for name in given.get("--group", ())]
    return [
        Rule(kind, name, pattern, principal, "*", OPERATIONS[operation], 3)
        for kind, name in resources
        for principal in given["--allow-principal"]
        for operation in given["--operation"]
    ]


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
        """Run deploy/kafka/acls.sh, as an operator does; by default with a tool that notes what the real one is told.

        The real one starts a Java machine for each rule, which takes a minute: TEST_KAFKA_TOOLS=1.
        """
        notes = self.folder / "rules.txt"
        if REAL_TOOL:
            # Many short lives: they should not spend them on compiling.
            program, *java = kafka.java(self.folder / "kafka", 128, kafka_jars("kafka-tools"))
            tool = " ".join([program, "-XX:TieredStopAtLevel=1", *java, "org.apache.kafka.tools.AclCommand"])
        else:
            script = self.folder / "note.sh"
            script.write_text(f'echo "$*" >> {notes}\n')
            tool = f"sh {script}"
        command = ["sh", str(ROOT / "deploy/kafka/acls.sh"), "--bootstrap-server", self.bootstrap]
        done = subprocess.run(
            [*command, "--command-config", str(self.config)],
            env=os.environ | {"KAFKA_ACLS": tool},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        if not REAL_TOOL:
            rules = [rule for line in notes.read_text().splitlines() for rule in rules_of(line)]
            asyncio.run(until_done(lambda: self._create(rules)))

    async def _create(self, rules: list["Rule"]) -> None:
        settings = Settings(**self.settings("vision-root"))  # type: ignore[arg-type]
        async with admin(settings) as client:
            for rule in rules:
                answer = await client._send_request(CreateAclsRequest(*rule))
                assert answer.creation_responses[0][0] == 0, answer

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
