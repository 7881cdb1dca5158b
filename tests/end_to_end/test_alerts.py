"""Alerts from the raw topic to those who are told: once each, and as the plain evaluator says."""

import asyncio
import base64
import hashlib
import hmac
import io
import os
import random
import shutil
import time
import urllib.request
import uuid
from collections import defaultdict
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import orjson
import pytest
from aiokafka import AIOKafkaProducer
from PIL import Image

from deploy.embedded.ports import free_port
from examples.alert_consumer import alerts as consumed
from pipeline.edges.kafka import connection, producer
from schemas.rule import AlertRule, label_of
from schemas.topics import INFERENCES
from schemas.use_case import UseCase
from tests.end_to_end.alert_support import AlertWorkers, WebhookServer, alertmanager
from tests.end_to_end.system import System, until
from tests.end_to_end.test_health import readiness
from tests.unit.alerts_reference import Seen, timeline

KILLS = int(os.environ.get("TEST_ALERT_KILLS", "3"))
"""How often a worker is killed: 100 for a figure worth quoting (about ten minutes)."""


@pytest.fixture
def cleanup() -> Iterator[ExitStack]:
    """Ends what a test that failed left running."""
    with ExitStack() as stack:
        yield stack


@pytest.fixture
def hook() -> Iterator[WebhookServer]:
    server = WebhookServer()
    yield server
    server.close()


def apply(system: System, *rules: dict[str, Any]) -> UseCase:
    name = f"alert-{uuid.uuid4().hex[:8]}"
    document = {"id": name, "name": name, "event_type": "quality_check", "alerts": rules}
    use_case = UseCase.model_validate(document)
    system.apply(use_case)
    return use_case


def failed_part(use_case: str, number: int, moment: datetime, **changes: Any) -> bytes:
    return orjson.dumps(
        {
            "event_id": f"{use_case}-{number}",
            "use_case_id": use_case,
            "timestamp": moment.isoformat(),
            "custom_metadata": {"line": "L3"},
            "event_data": {"result": "fail"},
            "result": {},
        }
        | changes
    )


BURST = {
    "name": "burst",
    "when": {"result": "fail"},
    "window": {"count": 3, "within": "5s"},
    "group_by": ["custom_metadata.line"],
    "lateness": 5,
    "severity": "high",
    "annotations": {"summary": "{{value}} on {{custom_metadata.line}}"},
}


@pytest.mark.skipif(
    not (shutil.which("prometheus-alertmanager") or shutil.which("alertmanager")),
    reason="no Alertmanager here: apt install prometheus-alertmanager",
)
def test_from_an_event_to_all_who_are_told(
    system: System, hook: WebhookServer, cleanup: ExitStack, tmp_path: Path
) -> None:
    use_case = apply(system, BURST)
    only = {"match": {"use_case": [use_case.id]}}
    with alertmanager(tmp_path, f"{hook.url}/from-alertmanager") as manager:
        receivers = [
            {"name": "hook", "url": f"{hook.url}/hook", "secret": "s3cret"} | only,
            {"name": "slack", "type": "slack", "url": f"{hook.url}/slack"} | only,
            {"name": "like-am", "type": "alertmanager_webhook", "url": f"{hook.url}/like-am"} | only,
            {"name": "am", "type": "alertmanager", "url": manager} | only,
            {"name": "gone", "url": f"{hook.url}/gone", "match": {"use_case": ["another"]}},
        ]
        workers = cleanup.enter_context(AlertWorkers(system, f"alerts-{use_case.id}", receivers, tmp_path))
        workers.start("a1", health_port=str(port := free_port()))
        picture = io.BytesIO()
        Image.new("RGB", (32, 24), "red").save(picture, "PNG")
        until(lambda: readiness(port), lambda answer: answer["ready"])
        with system.worker(health_port=str(port := free_port())):
            until(lambda: readiness(port), lambda answer: answer["ready"])
            now = datetime.now(UTC)
            images = [{"data": base64.b64encode(picture.getvalue()).decode()}]
            system.publish(
                [
                    failed_part(use_case.id, number, now + timedelta(milliseconds=number), images=images)
                    for number in range(3)
                ]
            )
            open_alerts = until(lambda: system.run("alerts", "list", "--use-case", use_case.id), lambda t: "burst" in t)
            assert "firing" in open_alerts or "resolved" in open_alerts
            for path in ("/hook", "/slack", "/like-am", "/from-alertmanager"):
                until(lambda path=path: hook.at(path), lambda found: len(found) >= 2, 90)
        workers.stop()
    (headers, first), (_, last) = hook.at("/hook")
    body = next(body for path, _, body in hook.requests if path == "/hook")
    signed = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
    expected = base64.b64encode(hmac.new(b"s3cret", signed, hashlib.sha256).digest()).decode()
    assert headers["webhook-signature"] == f"v1,{expected}"
    assert (first["type"], last["type"]) == ("visionevents.alert.firing", "visionevents.alert.resolved")
    assert first["data"]["fingerprint"] == last["data"]["fingerprint"]
    assert first["data"]["annotations"] == {"summary": "3 on L3"}
    ends = datetime.fromisoformat(last["data"]["ends_at"])
    assert abs((ends - now).total_seconds() - 5) < 0.01, "the window's end, in event time"
    with urllib.request.urlopen(first["data"]["image_url"]) as answer:
        assert answer.read() == picture.getvalue()
    # The Alertmanager grouped and resolved it, and its own webhook has the form that ours has.
    from_manager = [body for _, body in hook.at("/from-alertmanager")]
    ours = [body for _, body in hook.at("/like-am")]
    assert [body["status"] for body in from_manager[:2]] == ["firing", "resolved"] == [body["status"] for body in ours]
    assert from_manager[0]["groupLabels"] == {"use_case": use_case.id}
    assert from_manager[0]["alerts"][0]["labels"] == ours[0]["alerts"][0]["labels"]
    assert from_manager[0].keys() <= ours[0].keys()
    assert from_manager[0]["alerts"][0].keys() == ours[0]["alerts"][0].keys()
    assert "burst" in hook.at("/slack")[0][1]["text"]
    assert hook.at("/gone") == []
    query = "SELECT status, value, length(image_id) FROM alerts WHERE use_case_id = {u:String}"
    assert system.sql.query(query, parameters={"u": use_case.id}).result_rows == [("resolved", 3, 64)]


def test_silenced_dead_and_redelivered(system: System, hook: WebhookServer, cleanup: ExitStack, tmp_path: Path) -> None:
    use_case = apply(system, BURST | {"resolve_after": "1h"})
    receivers = [{"name": "refusing", "url": f"{hook.url}/hook", "match": {"use_case": [use_case.id]}}]
    workers = cleanup.enter_context(AlertWorkers(system, f"alerts-{use_case.id}", receivers, tmp_path))
    made = system.run("alerts", "silence", "line=quiet", f"use_case={use_case.id}", "--for", "1h", "--comment", "test")
    silence = made.split()[1]
    assert silence in system.run("alerts", "silences")
    hook.answers = [400]  # a final no
    workers.start("a1", health_port=str(port := free_port()))
    ready = until(lambda: readiness(port), lambda answer: answer["ready"])
    assert ready["services"] == {"clickhouse": "ok", "kafka": "ok"}
    assert len(ready["partitions"]) == system.settings.topic_partitions

    def burst(line: str, first: int) -> None:
        now = datetime.now(UTC)
        metadata = {"line": line}
        numbers = range(first, first + 3)
        system.publish([failed_part(use_case.id, number, now, custom_metadata=metadata) for number in numbers])

    states = "SELECT groupArray((group_labels['line'], suppressed_by)) FROM alerts WHERE use_case_id = {u:String}"
    with system.worker():
        burst("quiet", 0)
        until(lambda: system.value(states, u=use_case.id), lambda found: found == [("quiet", f"silence {silence}")])
        burst("loud", 10)
        until(lambda: system.run("alerts", "dead"), lambda text: "refusing" in text)
    workers.stop()
    assert len(hook.requests) == 1
    # What was stored, tried again as a user would: the rule fires for both lines.
    (document := tmp_path / "use-case.json").write_text(use_case.model_dump_json(by_alias=True))
    stored = system.run("sql", "-f", "JSONEachRow", f"SELECT * FROM vision_events WHERE use_case_id = '{use_case.id}'")
    (recorded := tmp_path / "events.ndjson").write_text(stored)
    assert "6 events, 2 alerts fired" in system.run("rules", "test", str(document), "--events", str(recorded))
    environment, system.environment = system.environment, workers.environment
    try:
        assert "delivered 1 of 1" in system.run("alerts", "redeliver", "--receiver", "refusing")
    finally:
        system.environment = environment
    (_, refused), (_, told) = hook.at("/hook")
    assert refused["id"] == told["id"]
    assert told["data"]["group"] == {"line": "loud"}
    system.run("alerts", "unsilence", silence)
    assert silence not in system.run("alerts", "silences")


RULES = (
    {
        "name": "count_by_device",
        "when": {"result": "fail"},
        "window": {"count": 3, "within": 3},
        "group_by": ["device_id"],
        "resolve_after": 2,
        "cooldown": 1,
        "lateness": 10,
    },
    {
        "name": "lasting",
        "when": {"result": "fail"},
        "window": {"count": 1, "within": 2},
        "for": 4,
        "group_by": ["device_id"],
        "lateness": 10,
    },
    {
        "name": "share_of_line",
        "when": {"result": "fail"},
        "window": {"ratio": 0.5, "within": 4, "min_events": 4},
        "group_by": ["custom_metadata.line"],
        "lateness": 10,
    },
    {"name": "silent", "absence": 6, "group_by": ["device_id"], "lateness": 10},
)


@pytest.mark.timeout(300 + 12 * KILLS)
async def test_kills_and_scaling_change_no_alert(
    system: System, hook: WebhookServer, cleanup: ExitStack, tmp_path: Path
) -> None:
    """Workers of both kinds are killed and added at random; the alerts are those of the plain evaluator."""
    use_case = apply(system, *RULES)
    only = {"match": {"use_case": [use_case.id]}}
    receivers = [{"name": "hook", "url": f"{hook.url}/hook"} | only]
    workers = cleanup.enter_context(AlertWorkers(system, f"alerts-{use_case.id}", receivers, tmp_path))
    generator = random.Random(11)
    events: list[tuple[int, str, str, bool]] = []
    workers.start("a1")
    ingest = system.start_worker()
    kafka = producer(system.settings)
    await kafka.start()
    begin = int(time.time())
    next_kill, kills, ended, until_bad = time.time() + 8, 0, 0, dict.fromkeys(range(6), 0.0)
    try:
        while kills < KILLS or time.time() < begin + 15:
            now = time.time()
            values = []
            for device in range(6):
                if now > until_bad[device] and generator.random() < 0.1:
                    until_bad[device] = now + generator.uniform(2, 8)
                if device == 5 and int(now - begin) % 20 > 10:
                    continue  # a camera that falls silent now and then
                failed = now < until_bad[device] and generator.random() < 0.8
                number, second = len(events), int(now)
                events.append((second - begin, f"cam-{device}", f"line-{device % 2}", failed))
                values.append(
                    failed_part(
                        use_case.id,
                        number,
                        datetime.fromtimestamp(second, UTC),
                        source={"device_id": f"cam-{device}"},
                        custom_metadata={"line": f"line-{device % 2}"},
                        event_data={"result": "fail" if failed else "pass"},
                    )
                )
                if generator.random() < 0.05:
                    values.append(values[-1])  # sent twice
            await publish(kafka, values)
            ended += workers.restart_ended()
            if ingest.poll() is not None:
                ingest, ended = system.start_worker(), ended + 1
            if kills < KILLS and now > next_kill:
                kills += 1
                next_kill = now + generator.uniform(3, 6)
                if generator.random() < 0.4:
                    system.kill(ingest)
                    ingest = system.start_worker()
                elif len(workers.running) == 1 and generator.random() < 0.5:
                    # Scale out; the next kill may take either.
                    workers.start("a1" if "a2" in workers.running else "a2")
                else:
                    name = generator.choice(sorted(workers.running))
                    workers.kill(name)
                    if not workers.running:
                        workers.start(name)
            await asyncio.sleep(max(0.0, 0.5 - (time.time() - now)))
        expected = by_the_plain_evaluator(use_case, events, int(time.time()) - begin + 40)
        await asyncio.to_thread(
            until, lambda: transitions(hook, begin), lambda found: found.keys() >= expected.keys(), 120
        )
    finally:
        await kafka.stop()
        system.kill(ingest)
        workers.stop()
    found = transitions(hook, begin)
    assert sorted(found) == sorted(expected)
    assert len({tuple(ids) for ids in found.values() if len(set(ids)) > 1}) == 0, "a repetition has the same id"
    repeated = sum(len(ids) - 1 for ids in found.values())
    print(f"{len(events)} events, {kills} kills, {ended} ended by themselves, {len(found)} transitions")
    print(f"{repeated} webhooks repeated, each with the id of the first")
    assert repeated <= max(1, kills // 20)
    rows = system.value("SELECT count() FROM alert_history WHERE use_case_id = {u:String}", u=use_case.id)
    assert rows == len(expected)
    # The example consumer sees each of them once.
    seen: set[str] = set()
    async for event in consumed(f"consumer-{use_case.id}", **connection(system.settings)):
        if event["data"]["use_case_id"] == use_case.id:
            assert event["id"] not in seen
            seen.add(event["id"])
        if len(seen) == len(expected):
            break
    assert seen == {ids[0] for ids in found.values()}


async def publish(kafka: AIOKafkaProducer, values: list[bytes]) -> None:
    """Each device to a partition of its own, as cameras are keyed."""
    keys = [orjson.loads(value)["source"]["device_id"].encode() for value in values]
    await asyncio.gather(
        *[await kafka.send(INFERENCES.name, value, key=key) for key, value in zip(keys, values, strict=True)]
    )


Transition = tuple[str, str, str, int]


def transitions(hook: WebhookServer, begin: int) -> dict[Transition, list[str]]:
    """What the webhook was told: rule, group, status and second, with the message ids of each."""
    found: dict[Transition, list[str]] = defaultdict(list)
    for headers, event in hook.at("/hook"):
        alert = event["data"]
        at = datetime.fromisoformat(alert["fired_at"] if alert["status"] == "firing" else alert["ends_at"])
        place = (alert["rule"], ",".join(alert["group"].values()), alert["status"], int(at.timestamp()) - begin)
        found[place].append(headers["webhook-id"])
    return found


def by_the_plain_evaluator(
    use_case: UseCase, events: list[tuple[int, str, str, bool]], end: int
) -> dict[Transition, None]:
    expected: dict[Transition, None] = {}
    for rule in use_case.alerts:
        groups: dict[str, list[Seen]] = defaultdict(list)
        for number, (second, device, line, failed) in enumerate(events):
            if failed or rule.absence is not None or (rule.window is not None and rule.window.ratio is not None):
                groups[line if grouped_by_line(rule) else device].append(Seen(second, str(number), failed))
        for group, seen in groups.items():
            expected |= {(rule.name, group, status, at): None for status, at in timeline(rule, seen, end)}
    return expected


def grouped_by_line(rule: AlertRule) -> bool:
    return [label_of(path) for path in rule.group_by] == ["line"]
