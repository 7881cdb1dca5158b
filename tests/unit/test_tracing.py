"""Traces are off by default, take part in what a producer began only, and say what is missing."""

import sys
from contextlib import AsyncExitStack

import pytest
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from pipeline.errors import ConfigurationError
from pipeline.settings import Settings
from pipeline.worker.tracing import Tracer, headers_of, start_tracing

SAMPLED = [("other", b"1"), ("traceparent", b"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01")]


@pytest.fixture
def exporter() -> InMemorySpanExporter:
    return InMemorySpanExporter()


@pytest.fixture
def tracer(exporter: InMemorySpanExporter) -> Tracer:
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    return Tracer(provider)


def test_off_by_default() -> None:
    assert start_tracing(Settings(), "worker", AsyncExitStack()) is None


def test_an_extra_that_is_missing_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "opentelemetry.exporter.otlp.proto.http.trace_exporter", None)
    with pytest.raises(ConfigurationError, match=r"otlp_endpoint.*vision-events\[tracing\]"):
        start_tracing(Settings(otlp_endpoint="http://127.0.0.1:1"), "worker", AsyncExitStack())


def test_a_span_goes_on_where_the_producer_began(tracer: Tracer, exporter: InMemorySpanExporter) -> None:
    span = tracer.begin("process", "vision.inferences", SAMPLED, {"messaging.kafka.offset": 7}, since_ms=1_000)
    assert span is not None
    ((name, value),) = headers_of(span)
    span.end()
    (told,) = exporter.get_finished_spans()
    assert (told.name, told.start_time) == ("process vision.inferences", 1_000_000_000)
    assert told.parent is not None
    assert f"{told.parent.trace_id:032x}-{told.parent.span_id:016x}".encode() in SAMPLED[1][1]
    assert (name, value) == ("traceparent", f"00-{told.context.trace_id:032x}-{told.context.span_id:016x}-01".encode())
    assert told.attributes is not None
    assert told.attributes["messaging.kafka.offset"] == 7


@pytest.mark.parametrize("value", [b"", b"00-broken", b"\xff", None, b"00-" + b"0" * 32 + b"-" + b"0" * 16 + b"-01"])
def test_what_is_no_context_begins_nothing(tracer: Tracer, value: bytes) -> None:
    assert tracer.begin("process", "vision.inferences", [("traceparent", value)], {}) is None
    assert tracer.begin("process", "vision.inferences", [], {}) is None


def test_what_the_producer_does_not_sample_is_passed_on_and_not_told(
    tracer: Tracer, exporter: InMemorySpanExporter
) -> None:
    silent = [("traceparent", SAMPLED[1][1].removesuffix(b"01") + b"00")]
    span = tracer.begin("process", "vision.inferences", silent, {})
    assert span is not None
    ((_, value),) = headers_of(span)
    span.end()
    assert value.endswith(b"-00")
    assert exporter.get_finished_spans() == ()
