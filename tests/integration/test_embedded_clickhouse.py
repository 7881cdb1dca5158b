"""ClickHouse's HTTP protocol over chDB, as stock clients see it."""

import ctypes
import gzip
import json
import os
import re
import subprocess
import zlib
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

import clickhouse_connect
import httpx
import lz4.frame
import pytest
from clickhouse_connect.driver import Client
from clickhouse_connect.driver.exceptions import DatabaseError, StreamFailureError

from deploy.embedded.clickhouse import prepare
from deploy.embedded.clickhouse.config import Limits
from tests.support.clickhouse_server import ANALYST, WRITER, ClickHouseServer, eventually

ROWS = 60_000
TABLE = (
    "CREATE OR REPLACE TABLE {name} (id String, number UInt32, meta JSON, boxes Array(Tuple(class String, x Float32))) "
    "ENGINE = ReplacingMergeTree ORDER BY id"
)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ClickHouseServer]:
    running = ClickHouseServer(tmp_path_factory.mktemp("clickhouse"))
    with httpx.Client(base_url=running.url, auth=WRITER) as http:
        assert http.post("/", content="CREATE DATABASE vision").status_code == 200
        assert http.post("/", content=TABLE.format(name="vision.kept")).status_code == 200
    yield running
    assert running.stop() == 0


@pytest.fixture(scope="module")
def writer(server: ClickHouseServer) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=server.url, auth=WRITER, timeout=60) as http:
        yield http


@pytest.fixture(scope="module")
def analyst(server: ClickHouseServer) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=server.url, auth=ANALYST, timeout=60) as http:
        yield http


def connect(server: ClickHouseServer, compress: str | bool = False) -> Client:
    return clickhouse_connect.get_client(
        host="127.0.0.1",
        port=server.port,
        username=WRITER[0],
        password=WRITER[1],
        database="vision",
        compress=compress,
        autogenerate_session_id=False,
    )


def ask(http: httpx.Client, text: str, /, **parameters: str) -> str:
    answer = http.post("/", content=text, params=parameters)
    assert answer.status_code == 200, answer.text
    return answer.text.rstrip("\n")


def refused(http: httpx.Client, text: str, /, **parameters: str) -> int:
    answer = http.post("/", content=text, params=parameters)
    assert answer.status_code >= 400, f"{text} was answered: {answer.text[:200]}"
    code = int(answer.headers["X-ClickHouse-Exception-Code"])
    assert f"Code: {code}. DB::Exception: " in answer.text
    return code


class TestInserts:
    """Content is compared, not only counts: an insert may lose frames or columns without an error."""

    def check(self, client: Client, name: str) -> None:
        totals = client.query(
            "SELECT count(), uniqExact(id), sum(number), sum(meta.n::Int64), sum(boxes[2].x), any(meta.a.b) "
            f"FROM {name}"
        ).result_rows
        total = sum(range(ROWS))
        assert totals == [(ROWS, ROWS, total, total, 2.5 * ROWS, "deep")]
        row = client.query(f"SELECT id, number, meta, boxes FROM {name} WHERE number = 54321").result_rows[0]
        boxes = [{"class": "scratch", "x": 1.5}, {"class": "dent", "x": 2.5}]
        assert row == ("id-54321", 54321, {"n": 54321, "a": {"b": "deep"}}, boxes)

    @pytest.mark.parametrize("compress", [False, "lz4", "zstd", "gzip"])
    def test_native_with_every_compression(self, server: ClickHouseServer, compress: str | bool) -> None:
        client, name = connect(server, compress), f"native_{compress}"
        client.command(TABLE.format(name=name))
        boxes = [("scratch", 1.5), ("dent", 2.5)]
        rows = [(f"id-{n}", n, {"n": n, "a": {"b": "deep"}}, boxes) for n in range(ROWS)]
        assert client.insert(name, rows).written_rows == ROWS
        self.check(client, name)

    @pytest.mark.parametrize("encoding", ["", "gzip", "lz4"])
    def test_json_lines_in_several_frames(self, server: ClickHouseServer, encoding: str) -> None:
        client, name = connect(server), f"json_{encoding or 'plain'}"
        client.command(TABLE.format(name=name))
        boxes = [{"class": "scratch", "x": 1.5}, {"class": "dent", "x": 2.5}]
        lines = [
            json.dumps({"id": f"id-{n}", "number": n, "meta": {"n": n, "a": {"b": "deep"}}, "boxes": boxes}).encode()
            for n in range(ROWS)
        ]
        pack = {"": bytes, "gzip": gzip.compress, "lz4": lz4.frame.compress}[encoding]
        body = b"".join(pack(b"\n".join(lines[n : n + 7_000]) + b"\n") for n in range(0, ROWS, 7_000))
        summary = client.raw_insert(name, insert_block=body, fmt="JSONEachRow", compression=encoding or None)
        assert summary.written_rows == ROWS
        self.check(client, name)

    @pytest.mark.parametrize("compress", [False, "lz4", "zstd"])
    def test_arrow(self, server: ClickHouseServer, compress: str | bool) -> None:
        pa = pytest.importorskip("pyarrow")
        client, name = connect(server, compress), f"arrow_{compress}"
        client.command(TABLE.format(name=name))
        boxes = [{"class": "scratch", "x": 1.5}, {"class": "dent", "x": 2.5}]
        table = pa.table(
            {
                "id": [f"id-{n}" for n in range(ROWS)],
                "number": pa.array(range(ROWS), pa.uint32()),
                "meta": [json.dumps({"n": n, "a": {"b": "deep"}}) for n in range(ROWS)],
                "boxes": [boxes] * ROWS,
            }
        )
        client.insert_arrow(name, table)
        self.check(client, name)
        assert client.query_arrow(f"SELECT id FROM {name}").num_rows == ROWS

    def test_values_in_the_query_and_a_materialised_view(self, writer: httpx.Client) -> None:
        ask(writer, "CREATE OR REPLACE TABLE vision.a (x UInt32, s String) ENGINE = MergeTree ORDER BY x")
        ask(writer, "CREATE TABLE vision.b (x UInt32) ENGINE = MergeTree ORDER BY x")
        ask(writer, "CREATE MATERIALIZED VIEW vision.m TO vision.b AS SELECT x FROM vision.a")
        ask(writer, "INSERT INTO vision.a (s, x) VALUES ('FORMAT; VALUES (', 1), ('é\\'', 1 + 1)")
        ask(writer, "3\tx\n4\ty\n", query="INSERT INTO vision.a FORMAT TSV")
        ask(writer, "INSERT INTO {t:Identifier} (x) VALUES (7)", database="vision", param_t="a")
        ask(writer, "WITH (SELECT 8) AS eight INSERT INTO vision.a SELECT eight, 'w'")
        ask(writer, "INSERT INTO {t:Identifier} SELECT number + 5, 'z' FROM numbers(2)", database="vision", param_t="a")
        assert ask(writer, "SELECT groupArray(x) FROM (SELECT x FROM vision.b ORDER BY x)") == "[1,2,3,4,5,6,7,8]"
        assert ask(writer, "SELECT s FROM vision.a WHERE x <= 2 ORDER BY x FORMAT TSVRaw") == "FORMAT; VALUES (\né'"

    @pytest.mark.parametrize(
        ("body", "code"),
        [
            ('{"id": "a", "number": "x"}\n', 27),
            ('{"id": "a", "numbe', 26),
            ('{"id": "a", "unknown": 1}\n', 117),
        ],
    )
    def test_bad_data_is_refused_with_the_code_of_the_engine(self, writer: httpx.Client, body: str, code: int) -> None:
        query = "INSERT INTO vision.kept FORMAT JSONEachRow"
        assert refused(writer, body, query=query, input_format_skip_unknown_fields="0") == code
        assert ask(writer, "SELECT count() FROM vision.kept") == "0"


class TestProtocol:
    def test_who_may_come_in(self, server: ClickHouseServer) -> None:
        name, password = WRITER
        with httpx.Client(base_url=server.url) as http:
            assert ask(http, "SELECT 1", user=name, password=password) == "1"
            http.headers.update({"X-ClickHouse-User": name, "X-ClickHouse-Key": password})
            assert ask(http, "SELECT 1") == "1"
            http.headers["X-ClickHouse-Key"] = ANALYST[1]
            assert refused(http, "SELECT 1") == 516
        with httpx.Client(base_url=server.url) as http:
            assert http.get("/ping").text == "Ok.\n"
            assert refused(http, "SELECT 1") == 516
            assert refused(http, "SELECT 1", user="nobody", password="") == 516
            assert http.get("/", params={"query": "SELECT 1"}).status_code == 403

    def test_parameters_settings_database_and_format(self, writer: httpx.Client) -> None:
        answer = writer.post(
            "/?database=vision&default_format=JSONCompact&max_threads=1&param_n=7&param_s=a%5Ctb&query_id=mine",
            content="SELECT {n:UInt8} + 1, {s:String}, currentDatabase(), getSetting('max_threads')",
        )
        assert answer.json()["data"] == [[8, "a\tb", "vision", 1]]
        assert answer.headers["X-ClickHouse-Format"] == "JSONCompact"
        assert answer.headers["X-ClickHouse-Query-Id"] == "mine"
        assert answer.headers["X-ClickHouse-Timezone"]
        assert json.loads(answer.headers["X-ClickHouse-Summary"])["result_rows"] == "1"

    def test_nothing_of_a_request_stays_for_the_next(self, writer: httpx.Client) -> None:
        ask(writer, "SET max_threads = 1")
        ask(writer, "USE vision")
        assert ask(writer, "SELECT currentDatabase(), getSetting('max_threads') = 1") == "default\t0"

    @pytest.mark.parametrize(
        ("query", "answer"),
        [
            ("SELECT 1 -- FORMAT JSON", "1"),
            ("SELECT 'FORMAT JSON' AS format", "FORMAT JSON"),
            ("SELECT 2 FORMAT CSV SETTINGS max_threads = 1;", "2"),
            ("(SELECT 3)", "3"),
            ("FROM numbers(1) SELECT number", "0"),
            ("WITH 4 AS x SELECT x\n", "4"),
            ("EXISTS vision.kept", "1"),
            ("SHOW TABLES FROM vision LIKE 'kep%'", "kept"),
        ],
    )
    def test_statements_that_answer(self, writer: httpx.Client, query: str, answer: str) -> None:
        assert ask(writer, query) == answer

    @pytest.mark.parametrize(
        ("query", "code", "status"),
        [
            ("SELEC 1", 62, 400),
            ("SELECT 1; SELECT 2", 62, 400),
            ("SELECT * FROM nowhere", 60, 404),
            ("SELECT nothing", 47, 404),
            ("SELECT 1 SETTINGS nothing = 1", 115, 404),
            ("SELECT throwIf(1)", 395, 500),
            ("SELECT 1 INTO OUTFILE '/tmp/x'", 358, 500),
            ("INSERT INTO vision.kept FROM INFILE '/etc/passwd' FORMAT CSV", 48, 501),
        ],
    )
    def test_errors_have_the_code_and_status_of_a_server(
        self, writer: httpx.Client, query: str, code: int, status: int
    ) -> None:
        answer = writer.post("/", content=query, headers={"Accept-Encoding": "lz4"})
        assert (answer.headers["X-ClickHouse-Exception-Code"], answer.status_code) == (str(code), status)
        assert answer.text.startswith(f"Code: {code}. DB::Exception: ")

    def test_what_cannot_be_read_is_refused(self, writer: httpx.Client) -> None:
        assert writer.post("/", content=b"SELECT '\xff'").headers["X-ClickHouse-Exception-Code"] == "36"
        squeezed = {"Content-Encoding": "lz4"}
        assert writer.post("/", content=b"SELECT 1", headers=squeezed).status_code == 500
        assert writer.post("/", content=b"x", headers={"Content-Encoding": "snappy"}).status_code == 500
        assert refused(writer, "SELECT 1", compress="1") == 48
        assert ask(writer, "SELECT timezone()") == "UTC"

    def test_get_only_reads(self, writer: httpx.Client) -> None:
        assert writer.get("/", params={"query": "SELECT 1"}).text == "1\n"
        answer = writer.get("/", params={"query": "DROP TABLE vision.kept"})
        assert answer.headers["X-ClickHouse-Exception-Code"] == "164"

    def test_json_paths_group_and_system_tables_answer(self, server: ClickHouseServer) -> None:
        client = connect(server)
        client.command(TABLE.format(name="grouped"))
        client.insert("grouped", [(str(n), n, {"line": f"L{n % 2}"}, []) for n in range(10)])
        assert client.query(
            "SELECT meta.line, count() FROM grouped GROUP BY meta.line ORDER BY meta.line"
        ).result_rows == [
            ("L0", 5),
            ("L1", 5),
        ]
        assert client.query("SELECT sum(rows) FROM system.parts WHERE active AND table = 'grouped'").first_row == (10,)
        assert client.query("SELECT count() FROM system.columns WHERE table = 'grouped'").first_row == (4,)


class TestStreams:
    def test_a_large_answer_is_whole_and_never_in_memory(self, server: ClickHouseServer, writer: httpx.Client) -> None:
        before, size = _peak_kb(server), 0
        plain = {"Accept-Encoding": "identity"}
        query = "SELECT number FROM numbers(40000000) FORMAT RowBinary"
        with writer.stream("POST", "/", content=query, headers=plain) as answer:
            for chunk in answer.iter_raw():
                size += len(chunk)
        assert size == 40_000_000 * 8
        assert _peak_kb(server) - before < 150_000

    @pytest.mark.parametrize(
        ("encoding", "unpack"),
        [("gzip", gzip.decompress), ("deflate", zlib.decompress), ("lz4", lz4.frame.decompress)],
    )
    def test_compressed_answers(self, writer: httpx.Client, encoding: str, unpack: Callable[[bytes], bytes]) -> None:
        query = "SELECT number FROM numbers(400000)"
        with writer.stream("POST", "/", content=query, headers={"Accept-Encoding": encoding}) as answer:
            assert answer.headers["Content-Encoding"] == encoding
            content = b"".join(answer.iter_raw())
        assert unpack(content) == b"".join(b"%d\n" % n for n in range(400_000))

    def test_a_late_error_is_not_taken_for_an_end(self, server: ClickHouseServer, writer: httpx.Client) -> None:
        query = "SELECT throwIf(number = 4000000) FROM numbers(5000000) SETTINGS max_block_size = 10000"
        parts: list[bytes] = []
        plain = {"Accept-Encoding": "identity"}
        with writer.stream("POST", "/", content=query, headers=plain) as answer, suppress(httpx.RemoteProtocolError):
            for part in answer.iter_raw():
                parts.append(part)
            parts.append(b"an end like any other")
        tag = answer.headers["X-ClickHouse-Exception-Tag"].encode()
        block = rb"__exception__\r\n" + tag + rb"\r\nCode: 395.*\n\d+ " + tag + rb"\r\n__exception__\r\n\Z"
        assert re.search(block, b"".join(parts), re.DOTALL)
        with pytest.raises(StreamFailureError, match="Code: 395"):
            len(connect(server).query(query).result_set)

    def test_a_query_ends_when_its_client_goes_away(self, server: ClickHouseServer, writer: httpx.Client) -> None:
        running = "SELECT count() FROM system.processes WHERE query LIKE '%numbers(1000000000000%'"
        running += " AND query NOT LIKE '%system%'"
        with httpx.Client(base_url=server.url, auth=WRITER) as http:
            with http.stream("POST", "/", content="SELECT number FROM numbers(1000000000000)") as answer:
                next(answer.iter_raw())
                assert ask(writer, running) == "1"
            with pytest.raises(httpx.ReadTimeout):
                http.post("/", content="SELECT sum(number) FROM numbers(1000000000000000)", timeout=0.5)
        eventually(lambda: ask(writer, running) == "0")


class TestAnalyst:
    @pytest.mark.parametrize(
        "query",
        [
            "SELECT count() FROM vision.kept",
            "SELECT count() FROM system.columns WHERE table = 'kept'",
            "SELECT count() FROM vision.kept WHERE id LIKE '%file(%' OR id = 'eval(\\'x\\')'",
            "SELECT 1 AS file, 2 AS `file(` SETTINGS max_threads = 1, max_execution_time = 5",
            "SELECT * FROM values((1), (2)) WHERE c1 IS NOT NULL",
            "SHOW TABLES FROM vision",
            "DESCRIBE TABLE vision.kept",
            "EXPLAIN SELECT count() FROM vision.kept",
        ],
    )
    def test_reads(self, analyst: httpx.Client, query: str) -> None:
        ask(analyst, query)

    @pytest.mark.parametrize(
        "query",
        [
            "INSERT INTO vision.kept (id) VALUES ('a')",
            "INSERT INTO vision.kept (id) SELECT 'a'",
            "CREATE TABLE vision.mine (a UInt8) ENGINE = Memory",
            "CREATE TEMPORARY TABLE mine (a UInt8)",
            "CREATE FUNCTION f AS x -> x",
            "DROP TABLE vision.kept",
            "TRUNCATE TABLE vision.kept",
            "ALTER TABLE vision.kept DELETE WHERE 1",
            "OPTIMIZE TABLE vision.kept",
            "SYSTEM STOP MERGES",
            "KILL QUERY WHERE 1",
            "SET readonly = 0",
            "SET ROLE writer",
            "SET profile = 'default'",
            "SELECT 1 SETTINGS readonly = 0",
            "SELECT 1 SETTINGS max_execution_time = 1000",
            "SELECT 1 SETTINGS max_execution_time = 0",
            "SELECT 1 SETTINGS max_memory_usage = 100000000000",
            "SELECT 1 SETTINGS profile = 'default', max_result_rows = 2000000",
            "SELECT number FROM numbers(100) SETTINGS max_result_rows = 10",
            "SELECT 1 PARALLEL WITH DROP TABLE vision.kept",
            "SELECT 1; DROP TABLE vision.kept",
            "EXECUTE AS default SELECT 1",
            "BACKUP TABLE vision.kept TO File('/tmp/x')",
            "SELECT * FROM system.users",
        ],
    )
    def test_changes_nothing_and_keeps_to_the_limits(self, analyst: httpx.Client, query: str) -> None:
        assert refused(analyst, query) in (62, 80, 164, 344, 396, 452, 497)

    @pytest.mark.parametrize(
        "query",
        [
            "SELECT * FROM file('/etc/passwd', 'LineAsString')",
            "SELECT * FROM file('{folder}/users.xml', 'LineAsString')",
            "DESCRIBE file('/etc/passwd', 'CSV')",
            "SELECT file('/etc/passwd')",
            "SELECT  /* c */ `f\\x69le` -- c\n ('/etc/passwd')",
            "SELECT \"file\"('/etc/passwd')",
            "SELECT * APPLY(file) FROM (SELECT '/etc/passwd')",
            "SELECT COLUMNS('.*') APPLY file FROM (SELECT '/etc/passwd')",
            "SELECT arrayMap(x -> file(x), ['/etc/passwd'])",
            "WITH (SELECT file('/etc/passwd')) AS f SELECT f",
            "EXPLAIN SELECT file('/etc/passwd')",
            "EXPLAIN QUERY TREE SELECT file('/etc/passwd')",
            "SELECT * FROM viewExplain('EXPLAIN', '', (SELECT file('/etc/passwd')))",
            "SELECT * FROM eval('SELECT fi' || 'le(\\'/etc/passwd\\')')",
            "SELECT 1 SETTINGS allow_experimental_eval_table_function = 1",
            "SELECT 1 FORMAT Template SETTINGS format_template_resultset = '/etc/passwd'",
            "SELECT 1 SETTINGS format_template_row = '/etc/passwd' FORMAT Template",
            "SELECT 1 FORMAT Protobuf SETTINGS format_schema = '/etc/passwd:x'",
            "SELECT a FROM values('x String, a String ALIAS file(\\'/etc/passwd\\')', ('1'))",
            "SELECT a FROM values('x String, a String ' || 'ALIAS fi' || 'le(\\'/etc/passwd\\')', ('1'))",
            "SELECT arrayMap(file, ['/etc/passwd'])",
            "SELECT 1 SETTINGS select = 'file(\\'/etc/passwd\\')'",
            "SELECT 1 SETTINGS filter = '1'",
            "SELECT 1 SETTINGS additional_result_filter = '1'",
            "SELECT 1 SETTINGS additional_table_filters = {'vision.kept': '1'}",
            "SELECT 1 FORMAT Protobuf SETTINGS output_format_schema = '/tmp/x'",
            "SELECT 1 SETTINGS dialect = 'prql'",
            "SELECT * FROM url('http://127.0.0.1:1/', 'LineAsString')",
            "SELECT * FROM s3('http://127.0.0.1:1/bucket/x', 'CSV')",
            "DESCRIBE url('http://127.0.0.1:1/', 'CSV')",
            "SELECT * FROM remote('127.0.0.1:1', 'system', 'one')",
            "SELECT * FROM mysql('127.0.0.1:1', 'a', 'b', 'c', 'd')",
            "SELECT * FROM sqlite('/tmp/x', 'y')",
            "SELECT * FROM executable('x', 'TSV', 'a String')",
            "SELECT * FROM filesystem('/etc')",
            "SELECT * FROM python(users)",
            "SELECT 1 INTO OUTFILE '/tmp/vision-events-analyst'",
        ],
    )
    def test_reaches_neither_files_nor_other_hosts(self, analyst: httpx.Client, query: str) -> None:
        assert refused(analyst, query) in (344, 358, 452, 481, 497)

    def test_names_a_database(self, analyst: httpx.Client) -> None:
        assert ask(analyst, "SELECT count(), currentDatabase() FROM kept", database="vision") == "0\tvision"
        assert refused(analyst, "SELECT 1", database="nowhere") == 81

    def test_may_not_fill_the_memory(self, analyst: httpx.Client) -> None:
        assert refused(analyst, "SELECT 1 -- " + "x" * 5_000_000) == 229

    def test_settings_of_the_url_keep_to_the_limits_too(self, analyst: httpx.Client) -> None:
        most = Limits().analyst_seconds
        assert ask(analyst, "SELECT getSetting('max_execution_time')") == str(most)
        assert ask(analyst, "SELECT getSetting('max_execution_time')", max_execution_time="7") == "7"
        assert refused(analyst, "SELECT 1", max_execution_time=str(most + 1)) == 452
        assert refused(analyst, "SELECT 1", readonly="0") == 164
        assert refused(analyst, "SELECT 1", format_schema="/etc/passwd") == 452
        assert (
            refused(analyst, "SELECT sleepEachRow(1) FROM numbers(9)", max_execution_time="1", max_block_size="1")
            == 159
        )


def test_an_insert_that_finds_no_room_fails(server: ClickHouseServer) -> None:
    """chDB's own streaming insert reports success, and the rows are gone."""
    with connect(server) as client:
        client.command("CREATE TABLE full (n UInt64) ENGINE = MergeTree ORDER BY n")
        no_room = {"min_free_disk_bytes_to_perform_insert": 2**62}
        with pytest.raises(DatabaseError, match="243"):
            client.raw_insert("full", insert_block=b'{"n": 1}', fmt="JSONEachRow", settings=no_room)
        client.raw_insert("full SETTINGS max_threads = 1", insert_block=b'{"n": 2}', fmt="JSONEachRow")
        assert client.query("SELECT n FROM full").result_rows == [(2,)]


def test_many_clients_at_once(server: ClickHouseServer) -> None:
    connect(server).command("CREATE TABLE busy (n UInt64) ENGINE = MergeTree ORDER BY n")

    def work(number: int) -> None:
        client = connect(server)
        for block in range(10):
            client.insert("busy", [(number * 10_000 + block * 1_000 + n,) for n in range(1_000)], column_names=["n"])
            assert client.query("SELECT count() FROM busy").first_row[0] >= 1_000

    with ThreadPoolExecutor(6) as pool:
        list(pool.map(work, range(6)))
    assert connect(server).query("SELECT count(), uniqExact(n) FROM busy").first_row == (60_000, 60_000)


def test_rows_outlive_a_kill_and_merges_and_ttl_go_on(tmp_path: Path) -> None:
    server = ClickHouseServer(tmp_path)
    client = connect_default(server)
    client.command("CREATE DATABASE vision")
    ending = "SETTINGS min_age_to_force_merge_seconds = 1, merge_with_ttl_timeout = 0"
    client.command(f"CREATE TABLE vision.r (k UInt8, v UInt8) ENGINE = ReplacingMergeTree(v) ORDER BY k {ending}")
    client.command(
        f"CREATE TABLE vision.t (d DateTime, v UInt8) ENGINE = MergeTree ORDER BY v TTL d + INTERVAL 1 SECOND {ending}"
    )
    for value in range(10):
        client.command(f"INSERT INTO vision.r VALUES (1, {value})")
        client.command(f"INSERT INTO vision.t VALUES (now() - 60, {value}), (now() + 600, 100 + {value})")
    server.kill()
    server.start()
    client = connect_default(server)
    assert client.query("SELECT v FROM vision.r FINAL").result_rows == [(9,)]
    eventually(lambda: client.query("SELECT v FROM vision.r").result_rows == [(9,)])
    eventually(lambda: client.query("SELECT count() FROM vision.t").result_rows == [(10,)])
    assert server.stop() == 0


def test_not_even_the_writer_leaves_the_data_folder(server: ClickHouseServer, writer: httpx.Client) -> None:
    probe = ctypes.CDLL(None).syscall(444, None, 0, 1)
    if probe < 1:
        pytest.skip("no Landlock in this kernel")
    for path in ("/etc/passwd", f"/proc/{server.process.pid}/environ", "/proc/self/environ", __file__):
        assert refused(writer, f"SELECT file('{path}')") == 76
        assert refused(writer, f"SELECT * FROM file('{path}', 'LineAsString')") == 76
    assert refused(writer, "INSERT INTO FUNCTION file('/tmp/vision-events-out.csv') SELECT 1") == 76


def test_a_taken_port_is_named(server: ClickHouseServer, tmp_path: Path) -> None:
    environment = {**os.environ, "CLICKHOUSE_PASSWORD": "a", "CLICKHOUSE_ANALYST_PASSWORD": "b"}
    place = Path(__file__).parents[2]
    command = prepare(tmp_path, server.port)
    done = subprocess.run(command, cwd=place, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert f"port {server.port} for ClickHouse is taken" in done.stderr


def connect_default(server: ClickHouseServer) -> Client:
    return clickhouse_connect.get_client(
        host="127.0.0.1", port=server.port, username=WRITER[0], password=WRITER[1], autogenerate_session_id=False
    )


def _peak_kb(server: ClickHouseServer) -> int:
    status = Path(f"/proc/{server.process.pid}/status").read_text()
    return int(status.split("VmHWM:")[1].split()[0])
