"""Ports on the loopback address, the only one that embedded servers listen on."""

import secrets
import socket
from typing import Final

from deploy.embedded.errors import EmbeddedError

HOST: Final = "127.0.0.1"

# Below those that systems give to outgoing connections (Linux: from 32768): such a connection would take the port of a
# server that has not bound it yet, or is being started again.
_PORTS: Final = range(10_000, 32_000)


def free_port() -> int:
    """A port that nobody listens on now, chosen at random. Raises EmbeddedError when there is none to be found."""
    for _ in range(1_000):
        if is_free(port := _PORTS[secrets.randbelow(len(_PORTS))]):
            return port
    raise EmbeddedError(f"no port of {_PORTS.start} to {_PORTS.stop - 1} is free on {HOST}")


def is_free(port: int) -> bool:
    """Whether a server could listen on this port."""
    with socket.socket() as probe:
        # As servers do: connections of an earlier run that linger in TIME_WAIT are no obstacle.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            return False
        return True


def require_free(name: str, port: int) -> None:
    """Raise EmbeddedError when the port is taken."""
    if not is_free(port):
        raise EmbeddedError(
            f"port {port} for {name} is taken on {HOST}: stop the program that uses it, or choose another port "
            "(0 takes any free one)"
        )
