"""Ports on the loopback address, the only one that embedded servers listen on."""

import socket
from typing import Final

from deploy.embedded.errors import EmbeddedError

HOST: Final = "127.0.0.1"


def free_port() -> int:
    """A port that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return int(probe.getsockname()[1])


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
