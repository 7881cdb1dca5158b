"""A TCP proxy that can fall silent: connections stay open, and nothing comes back."""

import asyncio
import ssl
import threading
from contextlib import suppress
from typing import Self


class MuteProxy:
    """Forwards to a service until it is mute; bytes that wait meanwhile go on afterwards. Use it as a context.

    With `tls` it speaks TLS to its clients, and to the service in the clear.
    """

    def __init__(self, host: str, port: int, tls: ssl.SSLContext | None = None) -> None:
        self._target = (host, port)
        self._tls = tls
        self._loop = asyncio.new_event_loop()
        self._speaks = asyncio.Event()
        self._speaks.set()
        self._ready = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self.port = 0

    def __enter__(self) -> Self:
        self._thread.start()
        assert self._ready.wait(10)
        return self

    def __exit__(self, *_: object) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)

    def mute(self, silent: bool) -> None:
        """Fall silent, or speak again."""
        self._loop.call_soon_threadsafe(self._speaks.clear if silent else self._speaks.set)

    def _run(self) -> None:
        self._loop.run_until_complete(self._serve())
        self._loop.run_forever()
        for task in asyncio.all_tasks(self._loop):
            task.cancel()
        self._loop.run_until_complete(asyncio.sleep(0))
        self._loop.close()

    async def _serve(self) -> None:
        self._server = await asyncio.start_server(self._connected, "127.0.0.1", 0, ssl=self._tls)
        self.port = self._server.sockets[0].getsockname()[1]
        self._ready.set()

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError, asyncio.CancelledError):
            from_target, to_target = await asyncio.open_connection(*self._target)
            await asyncio.gather(self._pump(reader, to_target), self._pump(from_target, writer))

    async def _pump(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while data := await reader.read(65536):
                await self._speaks.wait()
                writer.write(data)
                await writer.drain()
        finally:
            writer.close()
