"""The transport driver that Faust finds by the scheme of the broker URL."""

from __future__ import annotations

from typing import Any

from faust.transport import drivers
from faust.transport.drivers import aiokafka

from .consumer import BatchConsumer
from .options import SCHEME, options_of


class Transport(aiokafka.Transport):
    """Faust's Kafka transport with record batches; the producer is Faust's."""

    Consumer = BatchConsumer

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.options = options_of(self.url[0])


# The entry point of the installed package says the same; this serves a source tree that is not installed.
drivers.TRANSPORTS.aliases.setdefault(SCHEME, f"{__name__}:Transport")
