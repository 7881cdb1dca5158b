"""The tables of a cluster in the real engine, with one local shard: what goes in through them comes out of them.

Replication needs a Keeper, which is not in the engine here: engines are taken without it. A cluster was not run.
"""

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

from pipeline.edges.migrations import load_migrations, statements_of
from pipeline.edges.sweep import NOT_SWEPT_YET
from pipeline.settings import Settings

CLUSTER = Settings(clickhouse_cluster="plant", clickhouse_database="vision")  # type: ignore[call-arg]

# A replica without a database of its own, at the engine's own port, is local: no network is needed.
CONFIG = """<clickhouse>
<users_config>{folder}/users.xml</users_config>
<tcp_port>9000</tcp_port>
<remote_servers><plant><shard><replica><host>127.0.0.1</host><port>9000</port></replica></shard></plant></remote_servers>
</clickhouse>"""
USERS = """<clickhouse>
<profiles><default>
<allow_suspicious_types_in_group_by>1</allow_suspicious_types_in_group_by>
<distributed_product_mode>global</distributed_product_mode>
<distributed_foreground_insert>1</distributed_foreground_insert>
<date_time_input_format>best_effort</date_time_input_format>
</default></profiles>
<quotas><default/></quotas>
<users><default><password/><networks><ip>::/0</ip></networks><profile>default</profile><quota>default</quota></default>
</users>
</clickhouse>"""

PROGRAM = """
import json, sys
import chdb
folder = sys.argv[1]
connection = chdb.connect(f"file:{folder}/data?config-file={folder}/config.xml")
print(json.dumps([str(connection.query(statement, "TSV")).strip() for statement in json.load(sys.stdin)]))
"""


def without_replication(statement: str) -> str:
    text = statement.replace(" ON CLUSTER plant", "").replace(" SYNC", "")
    return re.sub(r"Replicated(\w*MergeTree)\('[^']*', '[^']*'(?:, )?([^)]*)\)", r"\1(\2)", text)


def event(number: int, **changes: Any) -> str:
    made = {
        "workspace_id": "w",
        "use_case_id": "u",
        "timestamp": f"2026-11-24T00:00:{number % 60:02}Z",
        "event_id": f"e{number}",
        "object_detections": [{"class": "scratch", "x": 1, "y": 1, "width": 1, "height": 1}],
        "retention_days": 14,
        "topic": "t",
        "partition": number % 4,
        "offset": number,
        "version": 1,
    }
    return json.dumps(made | changes)


def test_what_goes_in_through_distributed_tables_comes_out_once(tmp_path: Path) -> None:
    (tmp_path / "users.xml").write_text(USERS)
    (tmp_path / "config.xml").write_text(CONFIG.format(folder=tmp_path))
    made = [
        without_replication(text)
        for migration in load_migrations()
        for statement in migration.statements
        for text in statements_of(statement, CLUSTER)
    ]
    insert = "INSERT INTO stored_events FORMAT JSONEachRow "
    rows = "\n".join(event(number) for number in range(100))
    moved = event(0, timestamp="2026-11-25T00:00:00Z", version=2, offset=100)
    questions = [
        "SELECT count() FROM stored_events_local",
        "SELECT count(), uniqExact(event_id) FROM vision_events",
        "SELECT count() FROM detections",
        "SELECT sum(stored), sum(rejected) FROM record_counts",
        "SELECT count() FROM rejects",
        f"SELECT event_id, toDate(timestamp) FROM ({NOT_SWEPT_YET})",
    ]
    reject = (
        "INSERT INTO stored_rejects (topic, partition, offset, timestamp, reason, headers) "
        "SELECT 't', 0, 400, now64(3), 'not_json', CAST([], 'Array(Tuple(name String, value String))')"
    )
    twice = [insert + rows, insert + rows]  # a redelivery
    statements = ["CREATE DATABASE vision", "USE vision", *made, *twice, insert + moved, reject]
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, str(tmp_path)],
        input=json.dumps([*statements, *questions]),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-4000:]
    answers = json.loads(done.stdout)[len(statements) :]
    assert int(answers[0]) >= 101
    assert answers[1:] == ["101\t100", "101", "101\t1", "1", "e0\t2026-11-24"]
