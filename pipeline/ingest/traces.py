"""Spans of the records of one flush, and the trace context of what they lead to."""

from collections.abc import Iterator
from contextlib import contextmanager

from opentelemetry.trace import Span, Status, StatusCode

from pipeline.ingest.batch import Batch
from pipeline.worker.tracing import Tracer, headers_of


@contextmanager
def traced(tracer: Tracer | None, batch: Batch) -> Iterator[None]:
    """While a batch is published: a span for each record that carries a trace context, from its arrival at Kafka on.

    Events and candidates are published with the context of that span. A reject's span is an error, with its reason;
    what is published of it has the record's own headers.
    """
    if tracer is None:
        yield
        return
    spans: list[Span] = []
    try:
        for row in batch.rows:
            record = row.record
            place = _place(record.partition, record.offset)
            span = tracer.begin("process", record.topic, record.headers, place, record.timestamp)
            if span is not None:
                spans.append(span)
                row.headers = headers_of(span)
                for candidate in row.candidates:
                    candidate.headers = row.headers
        for reject in batch.rejects:
            place = _place(reject.partition, reject.offset)
            since = int(reject.timestamp.timestamp() * 1000)
            span = tracer.begin("process", reject.topic, reject.headers, place, since)
            if span is not None:
                spans.append(span)
                span.set_attribute("error.type", reject.reason.value)
                span.set_status(Status(StatusCode.ERROR, reject.message))
        yield
    finally:
        for span in spans:
            span.end()


def _place(partition: int, offset: int) -> dict[str, str | int]:
    return {
        "messaging.system": "kafka",
        "messaging.destination.partition.id": str(partition),
        "messaging.kafka.offset": offset,
    }
