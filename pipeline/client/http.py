"""Over HTTP to a server of the Vision Events API: images are uploaded, then the events are posted in batches."""

import asyncio
import ssl
from collections.abc import Sequence
from typing import Any, Final

import aiohttp
import orjson

from pipeline.client.api import api_event
from pipeline.client.transport import KeyRefusedError, Outcome
from pipeline.core.images import decode_base64
from pipeline.core.outgoing import OutgoingEvent
from pipeline.errors import ConfigurationError, DependencyError, InvalidRecordError, RefusedError
from schemas.topics import MAX_RAW_RECORD_BYTES
from schemas.use_case import ImagePolicy

MAX_BATCH: Final = 100
"""Most events of one call (HTTP contract)."""

_ANY_IMAGE = ImagePolicy(max_bytes=MAX_RAW_RECORD_BYTES)
_REFUSED: Final = (400, 404, 409, 413, 422)
_UPLOADS_AT_ONCE: Final = 8


class GatewayTransport:
    """Delivers by `POST /vision-events` and `/batch` below `url`, authorized by `api_key`."""

    def __init__(self, url: str, api_key: str, timeout_s: float = 30, trust: ssl.SSLContext | None = None) -> None:
        if not url.startswith(("http://", "https://")):
            raise ConfigurationError(f"setting gateway_url: {url!r} is not an http(s) URL")
        self._base = url.rstrip("/") + "/vision-events"
        self._headers = {"Authorization": f"Bearer {api_key}"}
        self._timeout = aiohttp.ClientTimeout(total=timeout_s)
        self._trust = trust
        self._session: aiohttp.ClientSession | None = None
        self._slots = asyncio.Semaphore(_UPLOADS_AT_ONCE)

    async def deliver(self, events: Sequence[OutgoingEvent]) -> list[Outcome]:
        """As `Transport.deliver`."""
        outcomes: list[Outcome] = []
        for start in range(0, len(events), MAX_BATCH):
            outcomes += await self._deliver_batch(events[start : start + MAX_BATCH])
        return outcomes

    async def close(self) -> None:
        """Give back connections."""
        if self._session is not None:
            await self._session.close()
            self._session = None

    async def _deliver_batch(self, events: Sequence[OutgoingEvent]) -> list[Outcome]:
        bodies = await asyncio.gather(*(self._body(event) for event in events))
        ready = [body for body in bodies if isinstance(body, dict)]
        if len(ready) == len(bodies) > 1:
            try:
                await self._post("/batch", {"events": ready})
                return [None] * len(bodies)
            except RefusedError:
                pass  # all or none: which of them, and why, is found out one by one
            except DependencyError as error:
                return [error] * len(bodies)
        return await self._one_by_one(bodies)

    async def _one_by_one(self, bodies: Sequence["dict[str, Any] | Outcome"]) -> list[Outcome]:
        outcomes: list[Outcome] = []
        away: DependencyError | None = None
        for body in bodies:
            if not isinstance(body, dict) or away is not None:
                outcomes.append(away if isinstance(body, dict) else body)
                continue
            try:
                await self._post("", body)
                outcomes.append(None)
            except RefusedError as error:
                outcomes.append(error)
            except DependencyError as error:
                away = error
                outcomes.append(error)
        return outcomes

    async def _body(self, event: OutgoingEvent) -> "dict[str, Any] | Outcome":
        """The event as the API takes it, its inline images uploaded."""
        document = orjson.loads(event.value)
        try:
            for position, image in enumerate(document.get("images", ())):
                if image.get("data") is not None:
                    content = decode_base64(image.pop("data"), f"images.{position}.data", _ANY_IMAGE)
                    image["image_id"] = await self._upload(content)
            return api_event(document)
        except InvalidRecordError as error:
            return RefusedError(str(error))
        except (RefusedError, DependencyError) as error:
            return error

    async def _upload(self, content: bytes) -> str:
        form = aiohttp.FormData()
        form.add_field("file", content, filename="image", content_type="application/octet-stream")
        async with self._slots:
            answer = await self._request("/upload", data=form)
        if not isinstance(answer, dict) or not isinstance(answer.get("sourceId"), str):
            raise DependencyError(f"{self._base}/upload: answered without a sourceId")
        return str(answer["sourceId"])

    async def _post(self, path: str, document: Any) -> None:
        body = orjson.dumps(document)
        await self._request(path, data=body, headers={"Content-Type": "application/json"})

    async def _request(self, path: str, **options: Any) -> Any:
        if self._session is None:
            self._session = aiohttp.ClientSession(
                headers=self._headers,
                timeout=self._timeout,
                connector=aiohttp.TCPConnector(ssl=self._trust) if self._trust else None,
            )
        url = self._base + path
        try:
            async with self._session.post(url, allow_redirects=False, **options) as response:
                body = await response.read()
                if response.status == 201:
                    return orjson.loads(body)
                raise _error(url, response.status, body)
        except (aiohttp.ClientError, TimeoutError, OSError, orjson.JSONDecodeError) as error:
            raise DependencyError(f"{url}: {error or type(error).__name__}") from error


def _error(url: str, status: int, body: bytes) -> RefusedError | DependencyError:
    """What an answer other than success means for the event."""
    try:
        document = orjson.loads(body)
        said = document.get("error") or document.get("detail") or ""
    except (orjson.JSONDecodeError, AttributeError):
        said = ""
    message = f"{url}: {status}: {said or body[:200].decode('utf-8', 'replace')}"
    if status in (401, 403):
        return KeyRefusedError(message)
    # A 404 that says nothing in the API's shape, or that the call is unknown, is of a wrong address: a person mends it.
    wrong_address = status == 404 and (not said or str(said).startswith("no such call"))
    return RefusedError(message) if status in _REFUSED and not wrong_address else DependencyError(message)
