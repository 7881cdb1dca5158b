"""Delivery in batches: tried again until durable, refused for good, or given up after a bounded time."""

from collections.abc import Sequence
from dataclasses import dataclass

from tenacity import AsyncRetrying, retry_if_exception, stop_after_delay, wait_random_exponential

from pipeline.client.transport import KeyRefusedError, Outcome, Transport, to_send_again
from pipeline.core.outgoing import OutgoingEvent
from pipeline.errors import DependencyError, InvalidRecordError, RefusedError


@dataclass(frozen=True, slots=True)
class Sent:
    """What became of an event: durable at the receiver where `error` is None.

    InvalidRecordError: it was not sent. RefusedError: the receiver will never take it. DependencyError: it was tried
    until the time was up, and may have arrived; send the same `Event` again.
    """

    event_id: str
    error: InvalidRecordError | RefusedError | DependencyError | None


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a call has come: events that are durable, and events that are not and will not be by this call."""

    delivered: int
    failed: int


async def deliver(transport: Transport, events: Sequence[OutgoingEvent], give_up_after_s: float) -> list[Outcome]:
    """The outcome of each event, after as many attempts as `give_up_after_s` allows; at least one is made."""
    outcomes: list[Outcome] = [None] * len(events)
    waiting = list(range(len(events)))

    async def attempt() -> None:
        nonlocal waiting
        answers = await transport.deliver([events[position] for position in waiting])
        for position, answer in zip(waiting, answers, strict=True):
            outcomes[position] = answer
        again = to_send_again([events[position].device_id for position in waiting], answers)
        waiting = [waiting[place] for place in again]
        for failure in answers:
            if isinstance(failure, DependencyError):
                raise failure

    retrying = AsyncRetrying(
        retry=retry_if_exception(_may_pass),
        wait=wait_random_exponential(multiplier=0.2, max=10),
        stop=stop_after_delay(give_up_after_s),
        reraise=True,
    )
    try:
        async for trial in retrying:
            with trial:
                await attempt()
    except DependencyError as error:
        for position in waiting:
            outcomes[position] = error
    return outcomes


def _may_pass(error: BaseException) -> bool:
    return isinstance(error, DependencyError) and not isinstance(error, KeyRefusedError)
