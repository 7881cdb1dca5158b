"""Use cases over HTTP, and the keys that reach them."""

import uuid

from tests.end_to_end.http import Gateway, event
from tests.end_to_end.system import System, until


def test_a_use_case_lives_from_its_first_event_to_its_archive(system: System, gateway: Gateway) -> None:
    client = gateway.client()
    name = f"Line {uuid.uuid4().hex[:6]}"
    created = client.post("/use-cases", json={"name": name})
    assert created.status_code == 201
    use_case = created.json()["id"]
    assert created.json() == {"id": use_case, "name": name}
    assert client.post("/", json=event(use_case, customMetadata={"anything": True})).json()["created"]
    with system.worker():
        system.drained()
    listed = client.get("/use-cases").json()
    assert listed["lookbackDays"] == 14
    assert {"id": use_case, "name": name, "status": "active", "eventCount": 1} in listed["useCases"]

    assert client.put(f"/use-cases/{use_case}", json={"name": name + " b"}).json() == {
        "id": use_case,
        "name": name + " b",
    }
    assert client.post(f"/use-cases/{use_case}/archive").json() == {"success": True}
    archived = client.post("/", json=event(use_case))
    assert (archived.status_code, archived.json()["error"]) == (400, "useCaseId: the use case is archived")
    by_status = {
        status: {case["id"] for case in client.get("/use-cases", params={"status": status}).json()["useCases"]}
        for status in ("active", "inactive")
    }
    assert use_case in by_status["inactive"] - by_status["active"]
    assert client.post(f"/use-cases/{use_case}/unarchive").json() == {"success": True}
    assert client.post("/", json=event(use_case)).status_code == 201


def test_a_name_is_given_once_in_a_workspace(gateway: Gateway) -> None:
    ours, theirs = gateway.client(), gateway.client(workspace=f"w-{uuid.uuid4().hex[:6]}")
    name = f"Name {uuid.uuid4().hex[:6]}"
    first = ours.post("/use-cases", json={"name": name}).json()["id"]
    taken = ours.post("/use-cases", json={"name": f" {name} "})
    assert taken.status_code == 409
    assert set(taken.json()) == {"error"}
    second = ours.post("/use-cases", json={"name": name + "2"}).json()["id"]
    assert ours.put(f"/use-cases/{second}", json={"name": name}).status_code == 409
    assert ours.put(f"/use-cases/{first}", json={"name": name}).status_code == 200
    assert theirs.post("/use-cases", json={"name": name}).status_code == 201


def test_use_cases_of_another_workspace_do_not_exist(gateway: Gateway) -> None:
    ours, theirs = gateway.client(), gateway.client(workspace=f"w-{uuid.uuid4().hex[:6]}")
    use_case = ours.post("/use-cases", json={"name": f"Ours {uuid.uuid4().hex[:6]}"}).json()["id"]
    assert theirs.get("/use-cases").json()["useCases"] == []
    for answer in (
        theirs.put(f"/use-cases/{use_case}", json={"name": "Mine"}),
        theirs.post(f"/use-cases/{use_case}/archive"),
        theirs.post(f"/use-cases/{use_case}/unarchive"),
        theirs.post("/", json=event(use_case)),
    ):
        assert answer.status_code == 404


def test_what_is_no_name_is_refused(gateway: Gateway) -> None:
    client = gateway.client()
    for body in ({}, {"name": ""}, {"name": "  "}, {"name": 7}, {"name": "x" * 257}, {"name": "x", "more": 1}, []):
        assert client.post("/use-cases", json=body).status_code == 400
    assert "status" in client.get("/use-cases", params={"status": "busy"}).json()["error"]


def test_a_revoked_key_is_refused_within_seconds(system: System, gateway: Gateway) -> None:
    name = f"key-{uuid.uuid4().hex[:8]}"
    key = system.run("keys", "create", name, "--scope", "vision-events:read").strip()
    client = gateway.client()
    client.headers["Authorization"] = f"Bearer {key}"
    assert client.get("/use-cases").status_code == 200
    assert client.post("/use-cases", json={"name": "x"}).status_code == 403

    def row() -> tuple[str, bool]:
        return system.sql.query(
            "SELECT id, id IN (SELECT id FROM api_key_uses) FROM api_keys FINAL WHERE name = {n:String}",
            parameters={"n": name},
        ).result_rows[0]

    assert until(lambda: row()[1], bool, 20)
    assert name in system.run("keys", "list")
    assert key not in system.run("keys", "list")
    system.run("keys", "revoke", row()[0])
    until(lambda: client.get("/use-cases").status_code, lambda status: status == 401, 20)
    assert "no key" in system.run("keys", "revoke", "nothing", status=2)
