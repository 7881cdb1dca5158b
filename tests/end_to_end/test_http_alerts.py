"""Alerts and silences over HTTP, each workspace its own."""

import uuid
from datetime import UTC, datetime, timedelta

from pipeline.edges.alerts import insert_alerts
from schemas.alert import Alert
from tests.end_to_end.http import Gateway
from tests.end_to_end.system import System


def test_alerts_and_silences_of_a_workspace(system: System, gateway: Gateway) -> None:
    workspace = f"w-{uuid.uuid4().hex[:6]}"
    ours, theirs = gateway.client(workspace=workspace), gateway.client()
    now = datetime.now(UTC).replace(microsecond=0)
    alert = Alert(
        alert_id=workspace,
        fingerprint="f",
        status="firing",
        workspace_id=workspace,
        use_case_id="u",
        rule="burst",
        severity="high",
        group={"line": "L3"},
        starts_at=now,
        fired_at=now,
        detected_at=now,
    )
    insert_alerts(system.sql, [alert])
    (found,) = ours.get("/alerts", params={"status": "firing", "useCaseId": "u"}).json()["alerts"]
    assert (found["alertId"], found["group"], found["endsAt"]) == (workspace, {"line": "L3"}, None)
    assert datetime.fromisoformat(found["firedAt"]) == now
    assert ours.get("/alerts", params={"status": "resolved"}).json() == {"alerts": []}
    assert workspace not in theirs.get("/alerts").text

    body = {"matchers": [{"label": "line", "value": "L3"}], "endsAt": (now + timedelta(hours=1)).isoformat()}
    made = ours.post("/alerts/silences", json=body | {"comment": "tool change"})
    assert made.status_code == 201
    silence, by = made.json()["id"], made.json()["createdBy"]
    assert by == "test"  # the name of the key
    assert [item["id"] for item in ours.get("/alerts/silences").json()["silences"]] == [silence]
    assert silence not in theirs.get("/alerts/silences").text
    assert theirs.delete(f"/alerts/silences/{silence}").status_code == 404
    assert ours.delete(f"/alerts/silences/{silence}").status_code == 200
    assert ours.get("/alerts/silences").json() == {"silences": []}
    refused = ours.post("/alerts/silences", json=body | {"endsAt": now.isoformat()})
    assert (refused.status_code, refused.json()["error"]) == (400, "endsAt: must be after the silence begins")
    assert ours.post("/alerts/silences", json={"matchers": [], "endsAt": body["endsAt"]}).status_code == 400
