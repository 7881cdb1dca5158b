"""A load driver for HTTP that costs little of the machine it shares with the server: prepared bytes, bare sockets."""

import asyncio
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from tests.benchmarks.processes import BenchmarkError


@dataclass
class Load:
    """What came of a run: answers by status, and the milliseconds of each in order."""

    seconds: float
    statuses: Counter[int] = field(default_factory=Counter)
    waits_ms: list[float] = field(default_factory=list)

    def figures(self) -> dict[str, Any]:
        waits = sorted(self.waits_ms)
        if not waits:
            raise BenchmarkError("no answer at all")
        return {
            "per_second": self.statuses[201] / self.seconds,
            "p50_ms": waits[len(waits) // 2],
            "p99_ms": waits[len(waits) * 99 // 100],
            "max_ms": waits[-1],
            "statuses": {str(status): count for status, count in sorted(self.statuses.items())},
        }


def request(host: str, path: str, headers: dict[str, str], body: bytes) -> bytes:
    """A POST as bytes."""
    head = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    return f"POST {path} HTTP/1.1\r\nHost: {host}\r\n{head}Content-Length: {len(body)}\r\n\r\n".encode() + body


async def drive(
    port: int, make: Callable[[int], bytes], connections: int, seconds: float, per_second: float | None = None
) -> Load:
    """Send for so long over so many connections, each waiting for its answer; paced to a rate where one is given.

    With a rate, a wait counts from when the request was due: a server that falls behind cannot hide it.
    """
    load = Load(seconds)
    numbers = iter(range(10**9))
    began = time.perf_counter()

    async def one() -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        while True:
            number = next(numbers)
            due = began + number / per_second if per_second else time.perf_counter()
            if due >= began + seconds or time.perf_counter() >= began + seconds:
                break
            if (early := due - time.perf_counter()) > 0:
                await asyncio.sleep(early)
            start = due if per_second else time.perf_counter()
            writer.write(make(number))
            head = await reader.readuntil(b"\r\n\r\n")
            length = head.lower().partition(b"content-length:")[2].partition(b"\r\n")[0]
            if length:
                await reader.readexactly(int(length))
            else:
                while await reader.readuntil(b"\r\n") != b"0\r\n":  # the bare server answers in chunks
                    pass
                await reader.readexactly(2)
            load.waits_ms.append((time.perf_counter() - start) * 1000)
            load.statuses[int(head[9:12])] += 1
        writer.close()

    await asyncio.gather(*(one() for _ in range(connections)))
    load.seconds = time.perf_counter() - began
    return load
