"""The command line as a user meets it: what it prints, what it refuses, and how it ends."""

import io
import json
import uuid
from pathlib import Path

import pytest
from PIL import Image

from tests.end_to_end.system import System


def test_a_use_case_document_goes_in_and_comes_out(system: System, tmp_path: Path) -> None:
    name = f"doc-{uuid.uuid4().hex[:8]}"
    path = tmp_path / "case.yaml"
    path.write_text(f"id: {name}\nname: Documents\nretention_days: 3\nmetadata: {{mode: strict}}\n")
    assert name in system.run("use-cases", "apply", str(path))
    shown = tmp_path / "shown.yaml"
    shown.write_text(system.run("use-cases", "show", name))
    assert "retention_days: 3" in shown.read_text()
    assert name in system.run("use-cases", "apply", str(shown))
    listed = system.run("sql", "SELECT name FROM use_cases WHERE id = '" + name + "'", "--format", "TSV")
    assert listed == "Documents\n"
    assert "Documents" in system.run("use-cases", "list")


def test_a_faulty_document_is_refused_before_anything_is_stored(system: System, tmp_path: Path) -> None:
    good, bad = tmp_path / "good.yaml", tmp_path / "bad.yaml"
    name = f"never-{uuid.uuid4().hex[:8]}"
    good.write_text(f"{{id: {name}, name: Good}}")
    bad.write_text("{id: bad, name: Bad, retention_days: 0}")
    message = system.run("use-cases", "apply", str(good), str(bad), status=2)
    assert "bad.yaml" in message
    assert "retention_days" in message
    assert "no use case" in system.run("use-cases", "show", name, status=2)


def test_a_device_fills_in_what_its_records_leave_out(system: System, tmp_path: Path) -> None:
    factory, device = f"f-{uuid.uuid4().hex[:8]}", f"cam-{uuid.uuid4().hex[:8]}"
    document = {
        "factories": [
            {"id": factory, "time_zone": "Asia/Kolkata", "shifts": [{"name": "all", "start": "06:00", "end": "06:00"}]}
        ],
        "devices": [
            {"id": device, "factory_id": factory, "use_case_id": "defect-detection", "metadata": {"line_id": "L9"}}
        ],
    }
    path = tmp_path / "devices.json"
    path.write_text(json.dumps(document))
    assert "1 factories and 1 devices" in system.run("devices", "apply", str(path))
    assert factory in system.run("devices", "list")
    records = tmp_path / "records.json"
    records.write_text(json.dumps({"predictions": [], "image": {"width": 8, "height": 6}}))
    with system.worker():
        system.run("publish", str(records), "--device", device)
        system.drained()
    rows = system.sql.query(
        "SELECT factory_id, toJSONString(custom_metadata), toJSONString(event_data) FROM vision_events "
        "WHERE device_id = {d:String}",
        parameters={"d": device},
    ).result_rows
    assert [(row[0], json.loads(row[1]), json.loads(row[2])) for row in rows] == [
        (factory, {"line_id": "L9", "shift": "all"}, {"result": "pass"})
    ]


def test_images_are_uploaded_beside_their_records(system: System, tmp_path: Path) -> None:
    name = f"cam-{uuid.uuid4().hex[:8]}"
    buffer = io.BytesIO()
    Image.new("RGB", (20, 10), "navy").save(buffer, "JPEG")
    (tmp_path / "a.jpg").write_bytes(buffer.getvalue())
    record = {"source": {"device_id": name}, "images": [{"file": "a.jpg", "role": "original"}]}
    path = tmp_path / "records.ndjson"
    path.write_text(json.dumps(record))
    with system.worker():
        system.run("publish", str(path), "--use-case", "defect-detection", "--images", str(tmp_path))
        system.drained()
    sizes = "SELECT (images[1].input_width, images[1].input_size) FROM vision_events WHERE device_id = {d:String}"
    assert system.value(sizes, d=name) == (20, len(buffer.getvalue()))


@pytest.mark.parametrize("statement", ["DROP TABLE stored_events", "INSERT INTO migrations (number) VALUES (99)"])
def test_an_analyst_reads_and_does_not_write(system: System, statement: str) -> None:
    assert "only reads" in system.run("sql", statement, status=2)
    assert system.value("SELECT count() FROM migrations WHERE number = 99") == 0


def test_a_mistake_in_sql_is_one_message(system: System) -> None:
    assert "error:" in system.run("sql", "SELECT nonsense FROM vision_events", status=1)


def test_status_tells_scripts_everything(system: System) -> None:
    status = json.loads(system.run("status", "--json", status=None, output=True))
    assert status["words"]
    assert status["health"] == {"clickhouse": "ok", "kafka": "ok", "s3": "ok"}
    assert set(status["addresses"]) == {"kafka", "s3", "clickhouse", "http"}
    raw = status["topics"]["vision.inferences"]
    assert raw["produced"] == raw["stored"] + raw["rejected"] + raw["unaccounted"]
    assert "vision.rejects" in system.run("status", status=None, output=True)


def test_a_service_that_is_away_is_exit_code_3(system: System) -> None:
    message = system.run("sql", "SELECT 1", "--set", "clickhouse_url=http://127.0.0.1:9", status=3)
    assert message.count("\n") <= 6
    assert "ClickHouse" in message


def test_a_worker_with_wrong_credentials_stops_and_says_so(system: System) -> None:
    assert "ClickHouse refuses" in system.run("worker", "--set", "clickhouse_password=wrong", status=2)
