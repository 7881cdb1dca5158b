"""What the ClickHouse server over chDB reads of a statement: where data begins, where the FORMAT clause stands."""

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deploy.embedded.clickhouse.errors import ServerError, from_engine
from deploy.embedded.clickhouse.statements import Insert, Output, parse

texts = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=30)


def quoted(text: str, quote: str) -> str:
    return quote + text.replace("\\", "\\\\").replace(quote, "\\" + quote) + quote


# Places where words mean nothing, as ClickHouse's lexer has them.
noise = st.one_of(
    texts.map(lambda text: quoted(text, "'")),
    texts.map(lambda text: quoted(text, "`")),
    texts.map(lambda text: quoted(text, '"')),
    texts.map(lambda text: "/*" + text.replace("*/", "") + "*/"),
    texts.map(lambda text: "--" + text.replace("\n", "") + "\n"),
    texts.map(lambda text: "$tag$" + text.replace("$", "") + "$tag$"),
    st.sampled_from(["'FORMAT CSV'", "-- FORMAT CSV\n", "(FORMAT CSV)", "/* VALUES ( */", "'it''s'", "`a``b`"]),
)


@given(st.lists(noise, max_size=5), st.binary(max_size=50), st.sampled_from(["\n", "\r\n", " \n", "\t \n"]))
def test_data_of_an_insert_begins_after_the_line_of_its_format(parts: list[str], data: bytes, gap: str) -> None:
    head = " ".join(["INSERT INTO t (a,", *parts, ")"])
    found = parse(f"{head} FORMAT JSONEachRow{gap}".encode() + data, "TSV")
    assert found == Insert(head + " ", "", "JSONEachRow", data)


@given(st.lists(noise, max_size=5), st.binary(max_size=50))
def test_data_of_values_begins_after_the_word(parts: list[str], data: bytes) -> None:
    head = " ".join(["insert into t (", *parts, ")"])
    assert parse(f"{head} values".encode() + b" " + data, "TSV") == Insert(head + " ", "", "Values", b" " + data)


@given(
    st.lists(noise, max_size=5), st.sampled_from(["", " SETTINGS max_threads = 1"]), st.sampled_from(["", ";", " ; "])
)
def test_the_format_of_a_query_is_its_last_clause(parts: list[str], settings: str, end: str) -> None:
    body = " ".join(["SELECT", *parts, "1\n"])
    found = parse(f"{body}FORMAT CSV{settings}{end}".encode(), "TSV")
    assert isinstance(found, Output)
    assert (found.body, found.format, found.streamable) == (body, "CSV", True)
    assert found.tail.strip() == f"FORMAT CSV{settings}"


@given(st.lists(noise, max_size=6))
def test_a_query_without_format_is_left_as_it_is(parts: list[str]) -> None:
    text = " ".join(["SELECT 1,", *parts])
    assert parse(text.encode(), "TSV") == Output(text, "", "TSV", True)


@given(st.binary(max_size=80))
def test_no_bytes_do_more_than_be_refused(text: bytes) -> None:
    with suppress(ServerError):
        parse(text, "TSV")


@pytest.mark.parametrize(
    "text",
    [
        "INSERT INTO t SELECT 1 FORMAT Null",
        "INSERT INTO t WITH 1 AS x SELECT x",
        "INSERT INTO FUNCTION file('a') SELECT 1",
        "WITH 1 AS x INSERT INTO t SELECT x",
        "SHOW TABLES",
        "CREATE TABLE t (format String) ENGINE = Memory",
        "",
    ],
)
def test_other_statements_are_not_streamed(text: str) -> None:
    found = parse(text.encode(), "TSV")
    assert isinstance(found, Output)
    assert not found.streamable


@pytest.mark.parametrize(
    ("text", "code", "message"),
    [
        ("Code: 60. DB::Exception: No table. (UNKNOWN_TABLE)", 60, "No table. (UNKNOWN_TABLE)"),
        ("Code: 60. DB::Exception: No table. (UNKNOWN_TABLE) (version 26.9.2.1)", 60, "No table. (UNKNOWN_TABLE)"),
        (
            "Code: 452. DB::Exception: Code: 452. DB::Exception: Too much. (SETTING_CONSTRAINT_VIOLATION) "
            "(version 26.9.2.1). (SETTING_CONSTRAINT_VIOLATION)",
            452,
            "Too much. (SETTING_CONSTRAINT_VIOLATION)",
        ),
        ("Streaming insert finish failed: Code: 27. DB::ErrnoException: No. (X)", 27, "No. (X)"),
        ("something else", 1001, "something else"),
    ],
)
def test_codes_come_out_of_the_engines_texts(text: str, code: int, message: str) -> None:
    error = from_engine(RuntimeError(text))
    assert (error.code, error.message) == (code, message)
