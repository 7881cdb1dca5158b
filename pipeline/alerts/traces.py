"""Traces of alerts: from the candidate of the event that set one off, to its record and those who are told."""

from collections import OrderedDict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Final, Literal

from opentelemetry.trace import Span

from pipeline.worker.tracing import Headers, Tracer, headers_of
from schemas.alert import Alert
from schemas.topics import ALERTS

_REMEMBERED: Final = 10_000
"""Events whose trace context is kept. An alert fires seconds later, and is resolved some time after that."""


class AlertTraces:
    """Trace contexts of the events that alert rules matched, as long as this process remembers them."""

    def __init__(self, tracer: Tracer | None) -> None:
        self._tracer = tracer
        self._contexts: OrderedDict[str, Headers] = OrderedDict()

    def remember(self, event_id: str, headers: Sequence[tuple[str, bytes]]) -> None:
        """Keep the context of a candidate's event, where it has one."""
        if self._tracer is not None and headers:
            self._contexts[event_id] = list(headers)
            self._contexts.move_to_end(event_id)
            if len(self._contexts) > _REMEMBERED:
                self._contexts.popitem(last=False)

    @contextmanager
    def published(self, alerts: Sequence[Alert]) -> Iterator[list[Headers]]:
        """While alerts are published: the headers of each."""
        begun = [self._begin("send", ALERTS.name, alert, self._contexts.get(alert.event_id, [])) for alert in alerts]
        try:
            yield [headers_of(span) if span is not None else [] for span in begun]
        finally:
            for span in begun:
                if span is not None:
                    span.end()

    @contextmanager
    def delivered(self, receiver: str, alert: Alert, headers: Sequence[tuple[str, bytes]]) -> Iterator[Headers]:
        """While a receiver is told of the alert of a record with these headers: those of the requests to it."""
        span = self._begin("deliver", receiver, alert, headers)
        try:
            yield headers_of(span) if span is not None else []
        finally:
            if span is not None:
                span.end()

    def _begin(
        self, operation: Literal["send", "deliver"], to: str, alert: Alert, headers: Sequence[tuple[str, bytes]]
    ) -> Span | None:
        if self._tracer is None or not headers:
            return None
        about = {f"vision_events.{name}": getattr(alert, name) for name in ("rule", "status", "alert_id", "event_id")}
        return self._tracer.begin(operation, to, headers, about)
