"""What receivers are sent, who is told, and the table behind it."""

import base64
import hashlib
import hmac
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from faust.types import TP

from pipeline.alerts.delivery import _concerns, _mark
from pipeline.alerts.receivers import Sender, read_receivers, secret_of
from pipeline.alerts.store import PartitionStore
from pipeline.core.alerts.messages import (
    alertmanager_alerts,
    alertmanager_webhook,
    cloud_event,
    request_of,
    slack_message,
)
from pipeline.errors import ConfigurationError
from schemas.alert import Alert
from schemas.receiver import Receiver

NOW = datetime(2026, 11, 24, 10, tzinfo=UTC)


def alert(**changes: Any) -> Alert:
    fields = {
        "alert_id": "a1",
        "fingerprint": "f1",
        "status": "firing",
        "workspace_id": "default",
        "use_case_id": "u",
        "rule": "burst",
        "severity": "high",
        "group": {"line_id": "L3"},
        "labels": {"alertname": "burst", "use_case": "u", "severity": "high", "line_id": "L3"},
        "annotations": {"summary": "3 <b>scratches</b> & more"},
        "starts_at": NOW,
        "fired_at": NOW,
        "value": 3,
        "image_url": "http://s3/x",
        "detected_at": NOW,
    }
    return Alert.model_validate(fields | changes)


ENDED = {"status": "resolved", "ends_at": NOW + timedelta(minutes=1)}


def test_both_ends_of_an_alert_have_one_subject_and_ids_of_their_own() -> None:
    first, last = cloud_event(alert()), cloud_event(alert(**ENDED))
    assert (first.id, last.id) == ("a1-firing", "a1-resolved")
    assert (first.subject, first.source) == (last.subject, last.source) == ("u/burst", "vision-events/default/u")
    assert (first.time, last.time) == (NOW, NOW + timedelta(minutes=1))


def test_an_alertmanager_is_told_of_an_open_alert_for_a_while_and_of_its_end() -> None:
    open_, ended = alertmanager_alerts([alert(), alert(**ENDED)], NOW)
    assert (open_["startsAt"], open_["endsAt"]) == ("2026-11-24T10:00:00.000Z", "2026-11-24T10:10:00.000Z")
    assert ended["endsAt"] == "2026-11-24T10:01:00.000Z"
    assert open_["labels"] == ended["labels"]
    assert open_["annotations"]["image_url"] == "http://s3/x"


def test_the_webhook_of_an_alertmanager() -> None:
    body = alertmanager_webhook(alert(), "hook")
    assert (body["version"], body["status"], body["receiver"]) == ("4", "firing", "hook")
    assert body["alerts"][0]["endsAt"] == "0001-01-01T00:00:00Z"
    assert body["groupLabels"] == {"alertname": "burst", "use_case": "u"}


def test_a_message_for_people_is_never_markup() -> None:
    message = slack_message(alert())
    assert "3 &lt;b&gt;scratches&lt;/b&gt; &amp; more" in message["text"]
    assert message["attachments"][0]["image_url"] == "http://s3/x"
    assert message["attachments"][0]["color"] == "danger"
    assert slack_message(alert(**ENDED))["attachments"][0]["color"] == "good"


def test_a_signature_can_be_checked_with_the_secret() -> None:
    receiver = Receiver(name="r", url="http://127.0.0.1/", secret="k")  # type: ignore[arg-type]
    _, headers, body = request_of(receiver, cloud_event(alert()), NOW, secret_of(receiver))
    signed = b"a1-firing.%d." % NOW.timestamp() + body
    expected = base64.b64encode(hmac.new(b"k", signed, hashlib.sha256).digest()).decode()
    assert headers["Webhook-Signature"] == f"v1,{expected}"
    assert headers["Idempotency-Key"] == headers["Webhook-Id"] == "a1-firing"


@pytest.mark.parametrize(
    ("changes", "last", "told"),
    [
        ({}, None, True),
        ({}, "same", False),
        (ENDED, "same", True),
        (ENDED, None, False),
        ({"suppressed_by": "silence s"}, None, False),
        ({"labels": {"use_case": "other"}}, None, False),
        ({"fired_at": NOW + timedelta(hours=1)}, "same", True),
        ({"fired_at": NOW - timedelta(hours=1)}, "same", False),
    ],
)
def test_who_is_told_of_what(changes: dict[str, Any], last: str | None, told: bool) -> None:
    receiver = Receiver.model_validate({"name": "r", "url": "http://127.0.0.1/", "match": {"use_case": ["u"]}})
    subject = alert(**changes)
    assert _concerns(receiver, subject, _mark(alert()) if last else None, _mark(subject)) is told


def test_a_receiver_that_wants_no_end_gets_none() -> None:
    receiver = Receiver.model_validate({"name": "r", "url": "http://127.0.0.1/", "send_resolved": False})
    assert receiver.takes({}, "firing")
    assert not receiver.takes({}, "resolved")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("receivers: [{name: a, url: nowhere}]", "receivers.0.url"),
        ("receivers: [{name: a, url: 'http://x/', type: pager}]", "receivers.0.type"),
        ("receivers: [{name: a, url: 'http://x/'}, {name: a, url: 'http://y/'}]", "receiver 'a' is listed twice"),
        ("receivers: [{name: a, url: 'http://x/', secret_file: /nowhere}]", "receiver 'a', field secret_file"),
    ],
)
def test_a_fault_in_the_receivers_is_said(text: str, message: str, tmp_path: Path) -> None:
    (tmp_path / "receivers.yaml").write_text(text)
    with pytest.raises(ConfigurationError, match=message):
        read_receivers(str(tmp_path / "receivers.yaml"))


@pytest.mark.parametrize(
    ("answers", "state", "attempts"),
    [([200], "delivered", 1), ([500, 429, 204], "delivered", 3), ([400], "dead", 1), ([302], "dead", 1)],
)
async def test_what_answers_mean(answers: list[int], state: str, attempts: int) -> None:
    given, seen = iter(answers), []

    async def answer(request: web.Request) -> web.Response:
        seen.append(request.headers["Webhook-Id"])
        return web.Response(status=next(given), headers={"Location": "http://127.0.0.1:1/"})

    application = web.Application()
    application.router.add_post("/", answer)
    runner = web.AppRunner(application)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    port = site._server.sockets[0].getsockname()[1]  # type: ignore[union-attr]
    receiver = Receiver.model_validate({"name": "r", "url": f"http://127.0.0.1:{port}/"})
    async with Sender(retry_s=30) as sender:
        delivery = await sender.deliver(receiver, cloud_event(alert()))
    await runner.cleanup()
    assert (delivery.state, delivery.attempts) == (state, attempts)
    assert seen == ["a1-firing"] * attempts


async def test_a_receiver_that_is_away_is_given_up_in_the_end() -> None:
    receiver = Receiver.model_validate({"name": "r", "url": "http://127.0.0.1:1/"})
    async with Sender(retry_s=0.1) as sender:
        delivery = await sender.deliver(receiver, cloud_event(alert()))
    assert delivery.state == "dead"
    assert "Connect" in delivery.error


class FakeTable:
    name = "t"

    class changelog_topic:
        @staticmethod
        def get_topic_name() -> str:
            return "t-changelog"


def value(epoch: int, content: bytes) -> bytes:
    return epoch.to_bytes(8, "big") + content


async def test_a_worker_that_was_taken_for_dead_overwrites_nothing() -> None:
    store = PartitionStore("memory://", None, FakeTable())  # type: ignore[arg-type]
    place = TP("t-changelog", 0)
    await store.on_rebalance({place}, set(), {place})
    assert store.persisted_offset(place) == -1
    store.apply(0, b"k", value(5, b"old owner"))
    store.apply(0, b"k", value(7, b"new owner"))
    store.apply(0, b"k", value(5, b"woke up"))
    assert store.parts == {0: {b"k": b"new owner"}}
    store.apply(0, b"k", None)
    assert store.parts == {0: {}}
    await store.on_rebalance(set(), {place}, set())
    assert (store.parts, store.epochs, store.assigned) == ({}, {}, set())
