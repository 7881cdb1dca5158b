"""OpenTelemetry traces: what became of a record whose producer traces it, told to a collector over OTLP.

A record takes part when it carries a W3C trace context (header `traceparent`); no trace begins here, and without
`otlp_endpoint` nothing is done at all. The sampling is that of the producer.
"""

from collections.abc import Mapping, Sequence
from contextlib import AsyncExitStack
from typing import Final, Literal, TypeAlias

from opentelemetry.context import Context
from opentelemetry.trace import Span, SpanKind, TracerProvider, get_current_span, set_span_in_context
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from pipeline.errors import ConfigurationError
from pipeline.metrics import Process
from pipeline.settings import Settings

Headers: TypeAlias = list[tuple[str, bytes]]
"""Headers of a record that is published."""

_W3C: Final = TraceContextTextMapPropagator()

_KINDS: Final = {"process": SpanKind.CONSUMER, "send": SpanKind.PRODUCER, "deliver": SpanKind.CLIENT}


class Tracer:
    """Begins spans of records that carry a trace context."""

    def __init__(self, provider: TracerProvider) -> None:
        self._tracer = provider.get_tracer("vision-events")

    def begin(
        self,
        operation: Literal["process", "send", "deliver"],
        destination: str,
        headers: Sequence[tuple[str, bytes]],
        attributes: Mapping[str, str | int],
        since_ms: int | None = None,
    ) -> Span | None:
        """A span under the context in `headers`, from `since_ms` (epoch) or now; None where there is no context.

        Whoever asks for it ends it.
        """
        parent = _context(headers)
        if parent is None:
            return None
        return self._tracer.start_span(
            f"{operation} {destination}",
            parent,
            _KINDS[operation],
            {"messaging.operation.type": operation, "messaging.destination.name": destination, **attributes},
            start_time=None if since_ms is None else since_ms * 1_000_000,
        )


def headers_of(span: Span) -> Headers:
    """The headers of what a span leads to."""
    carrier: dict[str, str] = {}
    _W3C.inject(carrier, set_span_in_context(span))
    return [(name, text.encode()) for name, text in carrier.items()]


def start_tracing(settings: Settings, process: Process, stack: AsyncExitStack) -> Tracer | None:
    """The tracer of a process, None when it is off; `stack` sends what waits at the end, for seconds at most.

    Raises ConfigurationError when it is on and the extra is not installed.
    """
    if not settings.otlp_endpoint:
        return None
    try:  # an extra: most do without
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
        from opentelemetry.sdk.resources import Resource
        from opentelemetry.sdk.trace import TracerProvider as Provider
        from opentelemetry.sdk.trace.export import BatchSpanProcessor
    except ImportError as error:
        message = "setting otlp_endpoint: traces need an extra: pip install 'vision-events[tracing]'"
        raise ConfigurationError(message) from error
    about = {"service.name": f"vision-events-{process}", "service.instance.id": settings.worker_id}
    provider = Provider(resource=Resource.create({name: value for name, value in about.items() if value}))
    exporter = OTLPSpanExporter(f"{settings.otlp_endpoint.rstrip('/')}/v1/traces", timeout=5)
    provider.add_span_processor(BatchSpanProcessor(exporter))
    stack.callback(provider.shutdown)
    return Tracer(provider)


def _context(headers: Sequence[tuple[str, bytes]]) -> Context | None:
    for name, _ in headers:
        if name == "traceparent":
            carrier = {name: (content or b"").decode("ascii", "replace") for name, content in headers}
            context = _W3C.extract(carrier)
            return context if get_current_span(context).get_span_context().is_valid else None
    return None
