"""Three Kafka brokers with replication 3 and min.insync.replicas 2, each behind a proxy that clients are told of."""

import subprocess
from pathlib import Path

from deploy.embedded import kafka
from deploy.embedded.ports import HOST, free_port
from deploy.embedded.supervisor import die_with_parent
from tests.faults.proxy import Background, TcpProxy

NODES = (1, 2, 3)


class Cluster:
    """Starts, kills and starts brokers again; nothing starts one by itself."""

    def __init__(self, folder: Path, background: Background) -> None:
        self._folder = folder
        ports = {node: (free_port(), free_port(), free_port()) for node in NODES}
        self.proxies = {node: TcpProxy(background, HOST, ports[node][0]) for node in NODES}
        voters = ",".join(f"{node}@{HOST}:{ports[node][2]}" for node in NODES)
        cluster_id = kafka.new_cluster_id()
        self._commands = {}
        for node, (port, internal, controller) in ports.items():
            overrides = {
                "node.id": str(node),
                "controller.quorum.voters": voters,
                "listeners": f"PLAINTEXT://{HOST}:{port},INTERNAL://{HOST}:{internal},CONTROLLER://{HOST}:{controller}",
                "advertised.listeners": f"PLAINTEXT://{HOST}:{self.proxies[node].port},INTERNAL://{HOST}:{internal}",
                "listener.security.protocol.map": "PLAINTEXT:PLAINTEXT,INTERNAL:PLAINTEXT,CONTROLLER:PLAINTEXT",
                "inter.broker.listener.name": "INTERNAL",
                "min.insync.replicas": "2",
                "offsets.topic.replication.factor": "3",
                "transaction.state.log.replication.factor": "3",
                "transaction.state.log.min.isr": "2",
                # A dead broker is noticed in 3 s, not 9: rounds are shorter, and nothing else changes.
                "broker.session.timeout.ms": "3000",
                "broker.heartbeat.interval.ms": "500",
            }
            self._commands[node] = kafka.prepare(
                folder / f"kafka-{node}",
                port,
                controller_port=controller,
                heap_mb=384,
                cluster_id=cluster_id,
                overrides=overrides,
            )
        self.bootstrap = ",".join(f"{HOST}:{proxy.port}" for proxy in self.proxies.values())
        self._running: dict[int, subprocess.Popen[bytes]] = {}

    def start(self, *nodes: int) -> None:
        """Start brokers; clients wait for them by themselves."""
        for node in nodes or NODES:
            with (self._folder / f"kafka-{node}.log").open("ab") as log:
                self._running[node] = subprocess.Popen(
                    self._commands[node], stdout=log, stderr=log, preexec_fn=die_with_parent
                )

    def kill(self, *nodes: int) -> None:
        """kill -9; the brokers stay away until they are started."""
        for node in nodes:
            process = self._running.pop(node)
            process.kill()
            process.wait()

    def stop(self) -> None:
        """End all brokers."""
        self.kill(*self._running)
        for proxy in self.proxies.values():
            proxy.close()
