"""deploy/clickhouse/users.d in the real engine: what each user may do, and what it may not."""

import json
import subprocess
import sys
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

USERS_D = Path(__file__).parents[2] / "deploy" / "clickhouse" / "users.d" / "vision-events.xml"

# chDB runs everything as its user `default`, so the user under test takes that name; the engine checks its grants.
PROGRAM = """
import json, os, sys
import chdb
path, statements = sys.argv[1], json.loads(sys.argv[2])
connection = chdb.connect(f"file:{path}/data?config-file={path}/config.xml")
answers = []
for statement in statements:
    try:
        connection.query(statement)
        answers.append("ok")
    except Exception as error:
        answers.append(str(error))
connection.close()
print(json.dumps(answers))
"""


def run(folder: Path, user: str, *statements: str) -> list[str]:
    """What the engine answers a user: "ok", or the error."""
    users = ET.fromstring(USERS_D.read_text())
    known = users.find("users")
    assert known is not None
    chosen = known.find(user)
    assert chosen is not None
    for other in list(known):
        known.remove(other)
    chosen.tag = "default"
    for password in chosen.findall("password"):
        chosen.remove(password)
    ET.SubElement(chosen, "password")
    known.append(chosen)
    quotas = ET.SubElement(users, "quotas")
    ET.SubElement(quotas, "default")
    ET.ElementTree(users).write(folder / "users.xml")
    (folder / "config.xml").write_text(f"<clickhouse><users_config>{folder / 'users.xml'}</users_config></clickhouse>")
    command = [sys.executable, "-c", PROGRAM, str(folder), json.dumps(statements)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 0, done.stderr
    answers: list[str] = json.loads(done.stdout)
    return answers


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An engine whose tables the administrator made."""
    folder = tmp_path_factory.mktemp("users")
    made = run(
        folder,
        "vision_admin",
        "CREATE DATABASE IF NOT EXISTS vision",
        "CREATE TABLE vision.stored_events (id String, at DateTime) ENGINE = MergeTree ORDER BY id",
        "CREATE TABLE vision.api_keys (id String, digest String) ENGINE = MergeTree ORDER BY id",
        "CREATE TABLE vision.api_key_uses (id String) ENGINE = MergeTree ORDER BY id",
        "CREATE VIEW vision.vision_events AS SELECT * FROM vision.stored_events",
        "ALTER TABLE vision.stored_events MODIFY TTL at + toIntervalDay(1)",
        "INSERT INTO vision.stored_events SELECT 'a', now()",
        "CREATE USER somebody",
    )
    assert made[:-1] == ["ok"] * 7
    assert "ACCESS_DENIED" in made[-1] or "Not enough privileges" in made[-1]
    return folder


def refused(answers: list[str]) -> list[bool]:
    return ["ACCESS_DENIED" in answer or "READONLY" in answer for answer in answers]


def test_the_writer_inserts_and_changes_no_table(folder: Path) -> None:
    answers = run(
        folder,
        "vision_writer",
        "INSERT INTO vision.stored_events SELECT 'b', now()",
        "SELECT * FROM vision.vision_events",
        "SELECT * FROM vision.api_keys",
        "ALTER TABLE vision.stored_events DELETE WHERE 1",
        "DROP TABLE vision.stored_events",
        "TRUNCATE TABLE vision.stored_events",
        "CREATE TABLE vision.another (id String) ENGINE = MergeTree ORDER BY id",
    )
    assert answers[:3] == ["ok"] * 3
    assert refused(answers[3:]) == [True] * 4, answers


@pytest.mark.parametrize("user", ["analyst", "vision_reader"])
def test_readers_read_all_but_the_keys_and_write_nothing(folder: Path, user: str) -> None:
    answers = run(
        folder,
        user,
        "SELECT * FROM vision.vision_events",
        "SELECT * FROM vision.stored_events",
        "SELECT * FROM vision.api_keys",
        "SELECT digest FROM vision.api_keys",
        "SELECT * FROM vision.api_key_uses",
        "INSERT INTO vision.stored_events SELECT 'c', now()",
        "SELECT * FROM url('http://127.0.0.1:1/', CSV, 'x String')",
    )
    assert answers[:2] == ["ok", "ok"]
    assert refused(answers[2:]) == [True] * 5, answers


def test_an_analyst_cannot_raise_the_limits(folder: Path) -> None:
    answers = run(
        folder,
        "analyst",
        "SELECT 1 SETTINGS max_execution_time = 30",
        "SELECT 1 SETTINGS max_execution_time = 600",
        "SELECT 1 SETTINGS max_memory_usage = 100000000000",
        "SET readonly = 0",
    )
    assert answers[0] == "ok"
    assert all("max_" in answer or "readonly" in answer for answer in answers[1:]), answers
