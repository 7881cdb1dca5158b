"""Errors as ClickHouse and S3 answer them."""

from tests.faults.proxy import Answer, Request

_NAMES = {60: "UNKNOWN_TABLE", 241: "MEMORY_LIMIT_EXCEEDED", 252: "TOO_MANY_PARTS", 516: "AUTHENTICATION_FAILED"}


def clickhouse_error(code: int, name: str = "") -> Answer:
    """ClickHouse's answer to a statement that failed with this code of ErrorCodes.cpp."""
    name = name or _NAMES.get(code, "SOME_ERROR")
    text = f"Code: {code}. DB::Exception: made by the fault suite. ({name}) (version 26.9.1.1)\n"
    return Answer(404 if code == 60 else 500, {"X-ClickHouse-Exception-Code": str(code)}, text.encode())


def s3_error(status: int, code: str) -> Answer:
    """An S3 server's error document."""
    text = f"<?xml version='1.0'?><Error><Code>{code}</Code><Message>made by the fault suite</Message></Error>"
    return Answer(status, {"Content-Type": "application/xml"}, text.encode())


def is_insert(request: Request) -> bool:
    """An insert of events or rejects, by whoever."""
    return ("INSERT INTO" in request.line and "stored_" in request.line) or b"INSERT INTO" in request.body[:200]


def is_put(request: Request) -> bool:
    """An object that is written."""
    return request.line.startswith("PUT ")
