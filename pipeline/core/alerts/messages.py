"""What is sent of an alert: a CloudEvent, and the bodies that receivers know. No I/O."""

import base64
import hashlib
import hmac
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import orjson

from schemas.alert import Alert, AlertEvent
from schemas.receiver import Receiver

OPEN_FOR = timedelta(minutes=10)
"""An Alertmanager takes an alert for over when it was not told of it again for so long."""


def cloud_event(alert: Alert) -> AlertEvent:
    """The CloudEvent of a transition. The same transition always has the same id."""
    firing = alert.status == "firing"
    return AlertEvent(
        id=f"{alert.alert_id}-{alert.status}",
        source=f"vision-events/{alert.workspace_id}/{alert.use_case_id}",
        type="visionevents.alert.firing" if firing else "visionevents.alert.resolved",
        subject=f"{alert.use_case_id}/{alert.rule}",
        time=alert.fired_at if firing or alert.ends_at is None else alert.ends_at,
        data=alert,
    )


def request_of(
    receiver: Receiver, event: AlertEvent, now: datetime, secret: bytes
) -> tuple[str, dict[str, str], bytes]:
    """URL, headers and body of the request that tells a receiver of one transition."""
    url = str(receiver.url)
    match receiver.type:
        case "webhook":
            body = event.model_dump_json().encode()
        case "slack":
            body = orjson.dumps(slack_message(event.data))
        case "alertmanager_webhook":
            body = orjson.dumps(alertmanager_webhook(event.data, receiver.name))
        case "alertmanager":
            url = alertmanager_url(receiver)
            body = orjson.dumps(alertmanager_alerts([event.data], now))
    content = "application/cloudevents+json" if receiver.type == "webhook" else "application/json"
    return url, {"Content-Type": content, **signature(event.id, now, body, secret)}, body


def signature(message_id: str, now: datetime, body: bytes, secret: bytes) -> dict[str, str]:
    """Headers of Standard Webhooks: the id is the same in every attempt, so a receiver can tell a repetition.

    Signed (HMAC-SHA256) is `id.timestamp.body`, so that an old message cannot be sent again by others.
    """
    stamp = str(int(now.timestamp()))
    headers = {"Webhook-Id": message_id, "Webhook-Timestamp": stamp, "Idempotency-Key": message_id}
    if secret:
        signed = hmac.new(secret, f"{message_id}.{stamp}.".encode() + body, hashlib.sha256).digest()
        headers["Webhook-Signature"] = "v1," + base64.b64encode(signed).decode()
    return headers


def alertmanager_url(receiver: Receiver) -> str:
    """Where an Alertmanager takes alerts."""
    return str(receiver.url).rstrip("/") + "/api/v2/alerts"


def alertmanager_alerts(alerts: Sequence[Alert], now: datetime) -> list[dict[str, Any]]:
    """The body of Alertmanager's v2 alerts call. An open alert ends by itself unless it is told of again."""
    return [
        {
            "labels": alert.labels,
            "annotations": _annotations(alert),
            "startsAt": _text(alert.fired_at),
            "endsAt": _text(now + OPEN_FOR if alert.status == "firing" else max(alert.ends_at or now, alert.fired_at)),
            "generatorURL": alert.image_url,
        }
        for alert in alerts
    ]


def alertmanager_webhook(alert: Alert, receiver: str) -> dict[str, Any]:
    """The body that an Alertmanager sends to webhooks (version 4), for one alert."""
    one = {
        "status": alert.status,
        "labels": alert.labels,
        "annotations": _annotations(alert),
        "startsAt": _text(alert.fired_at),
        "endsAt": _text(alert.ends_at) if alert.ends_at else "0001-01-01T00:00:00Z",
        "generatorURL": alert.image_url,
        "fingerprint": alert.fingerprint,
    }
    group = {name: alert.labels[name] for name in ("alertname", "use_case") if name in alert.labels}
    return {
        "version": "4",
        "groupKey": "{}:{" + ", ".join(f'{name}="{value}"' for name, value in sorted(alert.labels.items())) + "}",
        "truncatedAlerts": 0,
        "status": alert.status,
        "receiver": receiver,
        "groupLabels": group,
        "commonLabels": alert.labels,
        "commonAnnotations": one["annotations"],
        "externalURL": "",
        "alerts": [one],
    }


def slack_message(alert: Alert) -> dict[str, Any]:
    """A message for Slack's incoming webhooks, and for those that take the same."""
    firing = alert.status == "firing"
    title = f"{'FIRING' if firing else 'RESOLVED'}: {alert.rule} ({alert.severity})"
    group = ", ".join(f"{label} {value}" for label, value in alert.group.items() if value)
    summary = alert.annotations.get("summary", "")
    text = "\n".join(_escaped(line) for line in (title, group, summary) if line)
    attachment: dict[str, Any] = {
        "color": ("danger" if alert.severity == "high" else "warning") if firing else "good",
        "title": _escaped(title),
        "text": "\n".join(_escaped(line) for line in (group, summary) if line),
        "footer": alert.use_case_id,
        "ts": int((alert.fired_at if firing or alert.ends_at is None else alert.ends_at).timestamp()),
    }
    if alert.image_url and firing:
        attachment["image_url"] = alert.image_url
    return {"text": text, "attachments": [attachment]}


def _annotations(alert: Alert) -> dict[str, str]:
    extra = {"value": f"{alert.value:g}", "event_id": alert.event_id}
    if alert.image_url:
        extra["image_url"] = alert.image_url
    return {**extra, **alert.annotations}


def _escaped(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _text(moment: datetime) -> str:
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")
