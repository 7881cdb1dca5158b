"""A trace that a producer began goes on over the workers to the event, the alert and those who are told."""

from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import orjson

from schemas.topics import ALERTS, EVENTS, REJECTS
from tests.end_to_end.alert_support import AlertWorkers, WebhookServer
from tests.end_to_end.system import System, until
from tests.end_to_end.test_alerts import apply, failed_part
from tests.end_to_end.test_metrics import RULE
from tests.support.tools import extra

TRACE, SPAN = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
CONTEXT = [("traceparent", f"00-{TRACE}-{SPAN}-01".encode()), ("tracestate", b"camera=1")]


def spans(collector: WebhookServer) -> dict[tuple[str, str], Any]:
    """What a collector was sent, by service and name, but what ends an alert: a slow machine sees that too."""
    messages = extra("opentelemetry.proto.collector.trace.v1.trace_service_pb2", "tracing")
    found = {}
    for path, _, body in collector.requests:
        if path == "/v1/traces":
            for resource in messages.ExportTraceServiceRequest.FromString(body).resource_spans:
                about = {item.key: item.value.string_value for item in resource.resource.attributes}
                for scope in resource.scope_spans:
                    for span in scope.spans:
                        if any(item.value.string_value == "resolved" for item in span.attributes):
                            continue
                        place = (about["service.name"], span.name + (" failed" if span.status.code == 2 else ""))
                        assert place not in found, "one span each"
                        found[place] = span
    return found


def test_a_trace_goes_from_a_producer_to_all_who_are_told(system: System, tmp_path: Path) -> None:
    extra("opentelemetry.sdk.trace", "tracing")
    use_case = apply(system, RULE | {"lateness": 60})
    with ExitStack() as stack:
        hook = WebhookServer()
        stack.callback(hook.close)
        receivers = [{"name": "hook", "url": f"{hook.url}/hook", "match": {"use_case": [use_case.id]}}]
        workers = stack.enter_context(AlertWorkers(system, f"alerts-{use_case.id}", receivers, tmp_path))
        workers.start("a1", otlp_endpoint=hook.url)
        with system.worker(otlp_endpoint=hook.url):
            now = datetime.now(UTC)
            system.publish([failed_part(use_case.id, 1, now), b"not JSON"], headers=CONTEXT)
            passed = {"event_data": {"result": "pass"}}
            system.publish([failed_part(use_case.id, 2, now, **passed)], headers=[("traceparent", b"00-broken")])
            system.publish([failed_part(use_case.id, 3, now, **passed)])
            (headers, _), *_ = until(lambda: hook.at("/hook"), bool)
            system.drained()
        workers.stop()
        found = spans(hook)
    ingest, failed = (found.pop(("vision-events-worker", f"process vision.inferences{end}")) for end in ("", " failed"))
    told = [found.pop(("vision-events-alert-worker", name)) for name in ("send vision.alerts", "deliver hook")]
    assert not found
    assert {span.trace_id.hex() for span in (ingest, failed, *told)} == {TRACE}
    assert [span.parent_span_id.hex() for span in (ingest, failed)] == [SPAN, SPAN]
    assert [span.parent_span_id for span in told] == [ingest.span_id, told[0].span_id]
    # A candidate goes out before its batch is committed: an alert may be sent before the event's own span has ended.
    assert ingest.start_time_unix_nano < min(ingest.end_time_unix_nano, told[0].start_time_unix_nano)

    def context(span: Any) -> dict[str, bytes]:
        return {"traceparent": f"00-{TRACE}-{span.span_id.hex()}-01".encode(), "tracestate": b"camera=1"}

    events = {
        event["event_id"]: dict(record.headers)
        for record in system.read(EVENTS.name)
        if (event := orjson.loads(record.value))["use_case_id"] == use_case.id
    }
    assert events == {f"{use_case.id}-1": context(ingest), f"{use_case.id}-2": {}, f"{use_case.id}-3": {}}
    (alert,) = [record for record in system.read(ALERTS.name) if use_case.id.encode() in record.value][:1]
    assert dict(alert.headers) == context(told[0])
    (reject,) = [record for record in system.read(REJECTS.name) if ("traceparent", CONTEXT[0][1]) in record.headers]
    assert dict(reject.headers).items() >= dict(CONTEXT).items()
    assert headers["traceparent"].encode() == context(told[1])["traceparent"]
