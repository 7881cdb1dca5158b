"""Answers: from the engine's pipe to the client, as they come."""

import asyncio
import fcntl
import os
import secrets
from contextlib import suppress
from typing import Final

from aiohttp import web

from deploy.embedded.clickhouse.engine import Summary
from deploy.embedded.clickhouse.errors import ServerError

WHOLE_ANSWER_BYTES: Final = 1024 * 1024
"""Up to this size an answer is sent with its length, its summary, and the right status when it fails late."""

Running = asyncio.Future[Summary]


class AnswerPipe:
    """What the engine writes for one request. `writing` is the engine's end, and the engine closes it."""

    def __init__(self) -> None:
        reading, self.writing = os.pipe()
        with suppress(OSError):  # a user may have only so many large pipes; a small one is slower, no more
            fcntl.fcntl(self.writing, fcntl.F_SETPIPE_SZ, WHOLE_ANSWER_BYTES)
        self._file = os.fdopen(reading, "rb", buffering=0)
        self._transport: asyncio.BaseTransport | None = None
        self._reader = asyncio.StreamReader(limit=WHOLE_ANSWER_BYTES)

    async def beginning(self, running: Running) -> tuple[bytes, bool]:
        """The answer and true, or the beginning of one that is larger than WHOLE_ANSWER_BYTES and false."""
        # Most answers are small and quick, and then lie in the pipe as a whole: reading side by side costs more.
        done, _ = await asyncio.wait({running}, timeout=0.02)
        if done:
            return self._file.readall() or b"", True
        protocol = asyncio.StreamReaderProtocol(self._reader)
        self._transport, _ = await asyncio.get_running_loop().connect_read_pipe(lambda: protocol, self._file)
        parts = bytearray()
        while len(parts) < WHOLE_ANSWER_BYTES and (part := await self.read()):
            parts += part
        return bytes(parts), self._reader.at_eof()

    async def read(self) -> bytes:
        """More of the answer; empty at its end."""
        return await self._reader.read(WHOLE_ANSWER_BYTES)

    def close(self) -> None:
        """Close our end."""
        # Never the file under a transport: the loop would go on watching a number that is soon another connection's.
        (self._transport or self._file).close()


async def stream(
    http: web.Request, pipe: AnswerPipe, beginning: bytes, running: Running, headers: dict[str, str], version: str
) -> web.StreamResponse:
    """Send an answer of unknown length."""
    tag = secrets.token_hex(8)
    response = web.StreamResponse(headers={**headers, "X-ClickHouse-Exception-Tag": tag})
    await response.prepare(http)
    await response.write(beginning)
    while chunk := await pipe.read():
        await response.write(chunk)
    try:
        await running
    except ServerError as error:
        # The status is long gone: an exception block as servers write it, and no proper end of the body.
        if "Content-Encoding" not in headers:
            await response.write(_exception_block(tag, error.text(version)))
        if http.transport is not None:
            http.transport.close()
        return response
    await response.write_eof()
    return response


def _exception_block(tag: str, text: str) -> bytes:
    message, mark = text.encode(), tag.encode()
    return b"\r\n__exception__\r\n%b\r\n%b%d %b\r\n__exception__\r\n" % (mark, message, len(message), mark)
