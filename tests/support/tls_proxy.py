"""TLS in front of a server that has none, with a certificate of the test's own authority."""

import ssl
from pathlib import Path
from urllib.parse import urlsplit

from tests.support.mute_proxy import MuteProxy


class TlsProxy(MuteProxy):
    """`url` is https; what comes goes to `target` in the clear. Use it as a context."""

    def __init__(self, target: str, chain: Path, key: Path) -> None:
        place = urlsplit(target)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(chain, key)
        super().__init__(place.hostname or "", place.port or 0, context)

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"https://127.0.0.1:{self.port}"
