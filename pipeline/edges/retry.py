"""Waiting for a dependency: the same step again until it succeeds, with jittered back-off."""

import logging
from collections.abc import Awaitable, Callable
from typing import TypeVar

from tenacity import AsyncRetrying, RetryCallState, retry_if_exception_type, wait_random_exponential

from pipeline import metrics
from pipeline.errors import DependencyError

log = logging.getLogger(__name__)

Result = TypeVar("Result")


async def until_done(step: Callable[[], Awaitable[Result]]) -> Result:
    """Run `step` until it raises no DependencyError; every other error is passed on.

    There is no last attempt: what a record leads to is either durable or being tried. Meanwhile nothing is
    acknowledged, so the transport pauses the partitions and keeps polling.
    """
    async for attempt in AsyncRetrying(
        retry=retry_if_exception_type(DependencyError),
        wait=wait_random_exponential(multiplier=0.2, max=10),
        before_sleep=_log_wait,
        reraise=True,
    ):
        with attempt:
            # Awaited here: handed a plain function, the library would take its coroutine for the result.
            return await step()
    raise AssertionError("retrying never ends without a result")


def _log_wait(state: RetryCallState) -> None:
    metrics.DEPENDENCY_RETRIES.inc()
    error = state.outcome.exception() if state.outcome else None
    wait = state.next_action.sleep if state.next_action else 0
    log.warning("attempt %d failed, next in %.1f s: %s", state.attempt_number, wait, error)
