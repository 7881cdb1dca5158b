"""Proxies between a worker and a service, with the faults that a network and a server have."""

import asyncio
import threading
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any, TypeVar
from urllib.parse import unquote_plus

Result = TypeVar("Result")
_CHUNK = 64 * 1024


class Background:
    """An event loop on a thread of its own."""

    def __init__(self) -> None:
        self.loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self.loop.run_forever, daemon=True)
        self._thread.start()

    def run(self, work: Coroutine[Any, Any, Result]) -> Result:
        """Run a coroutine there and wait for it."""
        return asyncio.run_coroutine_threadsafe(work, self.loop).result()

    def close(self) -> None:
        self.loop.call_soon_threadsafe(self.loop.stop)
        self._thread.join()


class TcpProxy:
    """Passes bytes on. It can refuse connections, cut those that there are, and cut each after so many bytes."""

    def __init__(self, background: Background, host: str, port: int, listen: int = 0) -> None:
        self._background = background
        self._upstream = (host, port)
        self._writers: set[asyncio.StreamWriter] = set()
        self._budget: int | None = None
        self.port = listen
        self.hits = 0
        self._server = background.run(self._listen())

    async def _listen(self) -> asyncio.Server:
        server = await asyncio.start_server(self._serve, "127.0.0.1", self.port, limit=2**20)
        self.port = server.sockets[0].getsockname()[1]
        return server

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with self._tracked(writer), suppress(OSError, asyncio.IncompleteReadError):
            upstream, to_upstream = await asyncio.open_connection(*self._upstream, limit=2**20)
            with self._tracked(to_upstream):
                await self._pass_on(reader, writer, upstream, to_upstream)

    async def _pass_on(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        upstream: asyncio.StreamReader,
        to_upstream: asyncio.StreamWriter,
    ) -> None:
        left = self._budget

        async def pump(source: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
            nonlocal left
            while data := await source.read(_CHUNK):
                if left is not None:
                    left -= len(data)
                    if left < 0:
                        self.hits += 1
                        target.write(data[: len(data) // 2])
                        return
                target.write(data)
                await target.drain()

        pumps = [asyncio.create_task(pump(reader, to_upstream)), asyncio.create_task(pump(upstream, writer))]
        _, pending = await asyncio.wait(pumps, return_when=asyncio.FIRST_COMPLETED)
        for task in pending:
            task.cancel()
        await asyncio.gather(*pumps, return_exceptions=True)

    @contextmanager
    def _tracked(self, writer: asyncio.StreamWriter) -> Iterator[None]:
        self._writers.add(writer)
        try:
            yield
        finally:
            self._writers.discard(writer)
            writer.close()

    def cut(self) -> None:
        """Cut every connection that there is, as a restarted switch would."""

        async def abort() -> None:
            self.hits += len(self._writers) // 2
            for writer in list(self._writers):
                writer.transport.abort()

        self._background.run(abort())

    @contextmanager
    def away(self) -> Iterator[None]:
        """Nobody listens."""

        async def stop() -> None:
            self._server.close()

        self._background.run(stop())
        self.cut()
        self.hits += 1
        try:
            yield
        finally:
            self._server = self._background.run(self._listen())

    @contextmanager
    def cutting_after(self, bytes_: int) -> Iterator[None]:
        """New connections are cut in the middle of what comes after so many bytes."""
        self._budget = bytes_
        self.cut()
        try:
            yield
        finally:
            self._budget = None

    def close(self) -> None:
        async def stop() -> None:
            self._server.close()
            for writer in list(self._writers):
                writer.transport.abort()

        self._background.run(stop())


@dataclass(frozen=True, slots=True)
class Request:
    """What a rule sees: the request line with its query decoded, and the body."""

    line: str
    head: bytes
    body: bytes


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer of the proxy itself, instead of the service's."""

    status: int
    headers: dict[str, str]
    body: bytes


@dataclass(frozen=True, slots=True)
class Delay:
    """The request is passed on after so many seconds."""

    seconds: float


@dataclass(frozen=True, slots=True)
class CutRequest:
    """The service sees half of the request."""


@dataclass(frozen=True, slots=True)
class CutResponse:
    """The service does its work; the client sees half of the answer."""


Action = Answer | Delay | CutRequest | CutResponse
When = Callable[[Request], bool]


def always(request: Request) -> bool:
    return True


class HttpProxy(TcpProxy):
    """Passes HTTP requests on, one connection to the service for each; `acting` makes a fault of some of them."""

    _rule: tuple[When, Action] | None = None

    @contextmanager
    def acting(self, action: Action, when: When = always) -> Iterator[None]:
        """Do this to the requests that `when` picks. `hits` counts them."""
        self._rule = (when, action)
        try:
            yield
        finally:
            self._rule = None

    async def _pass_on(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        upstream: asyncio.StreamReader,
        to_upstream: asyncio.StreamWriter,
    ) -> None:
        request = await _read(reader, writer)
        action = self._rule[1] if self._rule and self._rule[0](request) else None
        self.hits += action is not None
        if isinstance(action, Answer):
            lines = [f"HTTP/1.1 {action.status} Fault", f"Content-Length: {len(action.body)}", "Connection: close"]
            lines += [f"{name}: {value}" for name, value in action.headers.items()]
            writer.write("\r\n".join(lines).encode() + b"\r\n\r\n" + action.body)
            await writer.drain()
            return
        if isinstance(action, Delay):
            await asyncio.sleep(action.seconds)
        whole = request.head + request.body
        to_upstream.write(whole[: len(whole) - len(request.body) // 2 - 1] if isinstance(action, CutRequest) else whole)
        await to_upstream.drain()
        if isinstance(action, CutRequest):
            return
        if isinstance(action, CutResponse):
            answer = await upstream.read(-1)
            writer.write(answer[: len(answer) // 2])
            await writer.drain()
            writer.transport.abort()
            return
        while data := await upstream.read(_CHUNK):
            writer.write(data)
            await writer.drain()


async def _read(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> Request:
    """One request; its head says that the connection closes after it, so that the answer ends with it."""
    head = await reader.readuntil(b"\r\n\r\n")
    line, *fields = head.decode("latin-1").split("\r\n")
    names = {name.strip().lower(): value.strip() for name, _, value in (field.partition(":") for field in fields)}
    if names.get("expect", "").lower() == "100-continue":
        writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
    body = b""
    if "chunked" in names.get("transfer-encoding", "").lower():
        while True:
            size = await reader.readuntil(b"\r\n")
            chunk = await reader.readexactly(int(size.split(b";")[0], 16) + 2)
            body += size + chunk
            if chunk == b"\r\n":
                break
    elif length := int(names.get("content-length", 0)):
        body = await reader.readexactly(length)
    kept = [line, *(f for f in fields if f and f.split(":")[0].strip().lower() not in ("connection", "expect"))]
    return Request(unquote_plus(line), "\r\n".join([*kept, "Connection: close", "", ""]).encode("latin-1"), body)
