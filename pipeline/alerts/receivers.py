"""Tells receivers over HTTP: attempts with growing waits, and what is said when they were of no use."""

import logging
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import aiohttp
import orjson
from tenacity import AsyncRetrying, RetryError, retry_if_exception_type, stop_after_delay, wait_random_exponential

from pipeline.core.alerts.messages import alertmanager_alerts, alertmanager_url, request_of, signature
from pipeline.core.documents import parse_document
from pipeline.edges.alerts import Delivery
from pipeline.errors import ConfigurationError
from schemas.alert import Alert, AlertEvent
from schemas.receiver import Receiver, ReceiverFile

log = logging.getLogger(__name__)

_AGAIN: Final = frozenset({408, 425, 429})
"""Client errors that pass by themselves; every other one is final, a server error never is."""


class _TryAgainError(Exception):
    """An attempt failed in a way that may pass."""


def read_receivers(path: str) -> tuple[Receiver, ...]:
    """The receivers of a file; none for an empty path. Raises ConfigurationError naming file and field."""
    if not path:
        return ()
    try:
        text = Path(path).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigurationError(f"setting alert_receivers: {path}: {error}") from None
    receivers = parse_document(text, ReceiverFile, path).receivers
    for receiver in receivers:
        secret_of(receiver)
    return receivers


def secret_of(receiver: Receiver) -> bytes:
    """The secret that requests to a receiver are signed with. Raises ConfigurationError for a missing file."""
    if receiver.secret_file is None:
        return receiver.secret.get_secret_value().encode()
    try:
        return receiver.secret_file.read_bytes().strip()
    except OSError as error:
        raise ConfigurationError(f"receiver {receiver.name!r}, field secret_file: {error}") from None


class Sender:
    """Sends requests, as an asynchronous context manager of one HTTP session."""

    def __init__(self, retry_s: float) -> None:
        self._retry_s = retry_s

    async def __aenter__(self) -> "Sender":
        self._session = aiohttp.ClientSession(headers={"User-Agent": "vision-events"})
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._session.close()

    async def deliver(self, receiver: Receiver, event: AlertEvent, more: Sequence[tuple[str, bytes]] = ()) -> Delivery:
        """Tell a receiver of a transition, again and again until it says yes, a final no, or time is up.

        `more` are further headers of the requests.
        """
        attempts, failure = 0, ""
        try:
            async for attempt in AsyncRetrying(
                retry=retry_if_exception_type(_TryAgainError),
                wait=wait_random_exponential(multiplier=0.5, max=60),
                stop=stop_after_delay(self._retry_s),
            ):
                with attempt:
                    attempts += 1
                    refusal = await self._attempt(receiver, event, more)
                    if refusal:
                        log.error("alert %s: receiver %s refuses it: %s", event.id, receiver.name, refusal)
                        return Delivery(event, receiver.name, "dead", attempts, refusal, datetime.now(UTC))
        except RetryError as error:
            failure = str(error.last_attempt.exception())
            log.error(
                "alert %s: receiver %s given up after %d attempts: %s", event.id, receiver.name, attempts, failure
            )
        return Delivery(event, receiver.name, "dead" if failure else "delivered", attempts, failure, datetime.now(UTC))

    async def remind(self, receiver: Receiver, alerts: Sequence[Alert]) -> None:
        """Tell an Alertmanager once more which alerts are open. The next time makes up for a failure."""
        now = datetime.now(UTC)
        body = orjson.dumps(alertmanager_alerts(alerts, now))
        headers = {"Content-Type": "application/json", **signature("open-alerts", now, body, secret_of(receiver))}
        try:
            refusal = await self._post(receiver, alertmanager_url(receiver), headers, body)
        except _TryAgainError as error:
            refusal = str(error)
        if refusal:
            log.warning("receiver %s was not told again of %d open alerts: %s", receiver.name, len(alerts), refusal)

    async def _attempt(self, receiver: Receiver, event: AlertEvent, more: Sequence[tuple[str, bytes]]) -> str:
        url, headers, body = request_of(receiver, event, datetime.now(UTC), secret_of(receiver))
        headers |= {name: content.decode() for name, content in more}
        return await self._post(receiver, url, headers, body)

    async def _post(self, receiver: Receiver, url: str, headers: dict[str, str], body: bytes) -> str:
        """ "" when it was accepted, else why it never will be. Raises _TryAgainError."""
        timeout = aiohttp.ClientTimeout(total=receiver.timeout_s)
        try:
            # No redirects: a receiver is what the file names, and nothing that an answer points to.
            async with self._session.post(
                url, data=body, headers=headers, timeout=timeout, allow_redirects=False
            ) as answer:
                if answer.status < 300:
                    return ""
                said = (await answer.content.read(500)).decode("utf-8", "replace")
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise _TryAgainError(f"{type(error).__name__}: {error}") from error
        if answer.status >= 500 or answer.status in _AGAIN:
            raise _TryAgainError(f"HTTP {answer.status}: {said}")
        return f"HTTP {answer.status}: {said}"
