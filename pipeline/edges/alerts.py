"""Alerts and what became of telling them, in ClickHouse."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final, NamedTuple

import orjson
from clickhouse_connect.driver import Client

from pipeline.edges.clickhouse import translated
from schemas.alert import Alert, AlertEvent

_ALERT_COLUMNS: Final = (
    *("workspace_id", "use_case_id", "fired_at", "alert_id", "status", "fingerprint", "rule", "severity"),
    *("group_labels", "labels", "annotations", "starts_at", "ends_at", "value", "event_id", "device_id", "image_id"),
    *("suppressed_by", "detected_at"),
)
_DELIVERY_COLUMNS: Final = ("message_id", "receiver", "workspace_id", "state", "attempts", "error", "event", "at")


class Delivery(NamedTuple):
    """What became of telling a receiver of one transition."""

    event: AlertEvent
    receiver: str
    state: str
    attempts: int
    error: str
    at: datetime


def insert_alerts(client: Client, alerts: Sequence[Alert]) -> None:
    """Insert transitions; the same one again replaces its row. Raises as `clickhouse.translated`."""
    rows = [
        [alert.group if name == "group_labels" else getattr(alert, name) for name in _ALERT_COLUMNS] for alert in alerts
    ]
    with translated():
        client.insert("stored_alerts", rows, column_names=_ALERT_COLUMNS)


def insert_deliveries(client: Client, deliveries: Sequence[Delivery]) -> None:
    """Insert what became of deliveries. Raises as `clickhouse.translated`."""
    rows = [
        (
            *(item.event.id, item.receiver, item.event.data.workspace_id, item.state, item.attempts, item.error[:2000]),
            *(item.event.model_dump_json(), item.at),
        )
        for item in deliveries
    ]
    with translated():
        client.insert("stored_alert_deliveries", rows, column_names=_DELIVERY_COLUMNS)


def find_alerts(client: Client, workspace_id: str, status: str | None, use_case_id: str | None, limit: int) -> Any:
    """The newest alerts of a workspace, as rows by name. Raises as `clickhouse.translated`."""
    with translated():
        return list(
            client.query(
                "SELECT * FROM alerts WHERE workspace_id = {workspace:String} "
                "AND ({status:String} = '' OR status = {status:String}) "
                "AND ({use_case:String} = '' OR use_case_id = {use_case:String}) "
                "ORDER BY fired_at DESC, alert_id LIMIT {limit:UInt32}",
                parameters={
                    "workspace": workspace_id,
                    "status": status or "",
                    "use_case": use_case_id or "",
                    "limit": limit,
                },
            ).named_results()
        )


def find_dead(client: Client, limit: int) -> list[tuple[AlertEvent, str, int, str, datetime]]:
    """Transitions that a receiver was not told of, oldest first. Raises as `clickhouse.translated`."""
    with translated():
        rows = client.query(
            "SELECT event, receiver, attempts, error, at FROM stored_alert_deliveries FINAL WHERE state = 'dead' "
            "ORDER BY at LIMIT {limit:UInt32}",
            parameters={"limit": limit},
        ).result_rows
    return [(AlertEvent.model_validate(orjson.loads(row[0])), *row[1:]) for row in rows]


def find_deliveries(client: Client, workspace_id: str, limit: int) -> list[dict[str, Any]]:
    """What became of telling receivers of the newest transitions of a workspace. Raises as `clickhouse.translated`."""
    with translated():
        found = client.query(
            "SELECT message_id, receiver, state, attempts, error, at FROM alert_deliveries "
            "WHERE workspace_id = {workspace:String} ORDER BY at DESC, message_id LIMIT {limit:UInt32}",
            parameters={"workspace": workspace_id, "limit": limit},
        )
        return list(found.named_results())
