"""Traces are off by default, take part in what a producer began only, and say what is missing."""

import sys
from collections.abc import Sequence
from contextlib import AsyncExitStack
from datetime import UTC, datetime
from typing import Any

import pytest
from opentelemetry.trace import NonRecordingSpan, StatusCode

from pipeline.alerts.traces import AlertTraces
from pipeline.core.alerts.candidates import Candidate
from pipeline.core.record import Record
from pipeline.errors import ConfigurationError, InvalidRecordError
from pipeline.ingest.batch import Batch, Row, reject
from pipeline.ingest.traces import traced
from pipeline.settings import Settings
from pipeline.worker.tracing import Tracer, headers_of, start_tracing
from schemas.alert import Alert
from schemas.reject import RejectReason
from tests.support.tools import extra

SAMPLED = [("other", b"1"), ("traceparent", b"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01")]


@pytest.fixture
def exporter() -> Any:
    """Keeps what a collector would be sent."""
    return extra("opentelemetry.sdk.trace.export.in_memory_span_exporter", "tracing").InMemorySpanExporter()


@pytest.fixture
def tracer(exporter: Any) -> Tracer:
    provider = extra("opentelemetry.sdk.trace", "tracing").TracerProvider()
    provider.add_span_processor(extra("opentelemetry.sdk.trace.export", "tracing").SimpleSpanProcessor(exporter))
    return Tracer(provider)


def test_off_by_default() -> None:
    assert start_tracing(Settings(), "worker", AsyncExitStack()) is None


def test_an_extra_that_is_missing_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "opentelemetry.exporter.otlp.proto.http.trace_exporter", None)
    with pytest.raises(ConfigurationError, match=r"otlp_endpoint.*vision-events\[tracing\]"):
        start_tracing(Settings(otlp_endpoint="http://127.0.0.1:1"), "worker", AsyncExitStack())


def test_a_span_goes_on_where_the_producer_began(tracer: Tracer, exporter: Any) -> None:
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


def test_what_the_producer_does_not_sample_is_passed_on_and_not_told(tracer: Tracer, exporter: Any) -> None:
    silent = [("traceparent", SAMPLED[1][1].removesuffix(b"01") + b"00")]
    span = tracer.begin("process", "vision.inferences", silent, {})
    assert span is not None
    ((_, value),) = headers_of(span)
    span.end()
    assert value.endswith(b"-00")
    assert exporter.get_finished_spans() == ()


def record(offset: int, headers: Sequence[tuple[str, bytes]]) -> Record:
    return Record(b"{}", offset=offset, timestamp=1_000, headers=headers)


def test_what_records_lead_to_carries_the_context_of_their_spans(tracer: Tracer, exporter: Any) -> None:
    candidate = Candidate(b"group", b"{}")
    plain, followed = Row(b"{}", record(1, ())), Row(b"{}", record(2, SAMPLED), [candidate])
    wrong = reject(record(3, SAMPLED), InvalidRecordError(RejectReason.NOT_JSON, "not JSON"))
    with traced(tracer, Batch(rows=[plain, followed], rejects=[wrong])):
        assert exporter.get_finished_spans() == (), "they last until all is published"
    stored, refused = exporter.get_finished_spans()
    assert plain.headers is None
    assert followed.headers == candidate.headers == headers_of(NonRecordingSpan(stored.context))
    assert (stored.attributes or {})["messaging.kafka.offset"] == 2
    assert stored.start_time == refused.start_time == 1_000_000_000
    assert (refused.status.status_code, (refused.attributes or {})["error.type"]) == (StatusCode.ERROR, "not_json")
    with traced(None, Batch(rows=[again := Row(b"{}", record(2, SAMPLED))])):
        pass
    assert again.headers is None


def test_an_alert_goes_on_from_the_event_that_set_it_off(tracer: Tracer, exporter: Any) -> None:
    alert = Alert(
        **dict.fromkeys(("alert_id", "fingerprint", "use_case_id", "workspace_id", "rule"), "a"),
        **dict.fromkeys(("starts_at", "fired_at", "detected_at"), datetime.now(UTC)),
        status="firing",
        severity="high",
        event_id="e-1",
    )
    traces = AlertTraces(tracer)
    traces.remember("e-1", SAMPLED[1:])
    with traces.published([alert, alert.model_copy(update={"event_id": "unknown"})]) as (found, unknown):
        pass
    assert unknown == []
    with traces.delivered("hook", alert, found) as more:
        pass
    sent, told = exporter.get_finished_spans()
    assert [span.name for span in (sent, told)] == ["send vision.alerts", "deliver hook"]
    assert headers_of(NonRecordingSpan(sent.context)) == found
    assert headers_of(NonRecordingSpan(told.context)) == more
    assert told.parent is not None
    assert told.parent.span_id == sent.context.span_id
    for number in range(20_000):
        traces.remember(f"n-{number}", SAMPLED[1:])
    assert len(traces._contexts) == 10_000
