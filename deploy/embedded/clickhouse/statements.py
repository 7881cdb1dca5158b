"""Reads as much of a statement as an HTTP server has to: where data begins and where an answer's FORMAT stands.

Words are found as ClickHouse's lexer finds them (src/Parsers/Lexer.cpp): not within strings, quoted names, comments
or heredocs. Everything else is left to the engine.
"""

import itertools
import re
from collections.abc import Iterator
from typing import Final, NamedTuple

from deploy.embedded.clickhouse.errors import BAD_ARGUMENTS, INTO_OUTFILE_NOT_ALLOWED, NOT_IMPLEMENTED, ServerError

_TOKEN: Final = re.compile(
    rb"""(?P<skip>\s+|--[^\n]*|\#[ !][^\n]*|/\*.*?\*/)
    |'(?:[^'\\]|\\.|'')*'|`(?:[^`\\]|\\.|``)*`|"(?:[^"\\]|\\.|"")*"|\$(?P<tag>\w*)\$.*?\$(?P=tag)\$
    |(?P<word>[A-Za-z_]\w*)|\d[\w.]*|.""",
    re.DOTALL | re.VERBOSE,
)
_DEPTH: Final = {b"(": 1, b"[": 1, b"{": 1, b")": -1, b"]": -1, b"}": -1}


class Word(NamedTuple):
    """A significant token and where it stands; `text` in upper case, empty for what is not a bare word or a sign."""

    text: bytes
    start: int
    end: int
    depth: int


class Insert(NamedTuple):
    """An INSERT with data: the statement up to its SETTINGS, these, the format, and the data that came with it."""

    head: str
    settings: str
    format: str
    data: bytes


class Output(NamedTuple):
    """A statement that may answer with rows: its text before and from its FORMAT clause on."""

    body: str
    tail: str
    format: str
    streamable: bool


def parse(text: bytes, default_format: str) -> Insert | Output:
    """Divide a request's text. Raises ServerError for what only ClickHouse's own client can do."""
    words = _words(text)
    first = next(words, None)
    if first is not None and first.text == b"INSERT" and (insert := _insert(text, words)):
        return insert
    rest = list(words)
    _refuse_files(rest)
    if rest and rest[-1].text == b";":
        text = text[: rest.pop().start]
    place, format_name = _format(rest, text)
    streamable = first is not None and first.text in (b"SELECT", b"WITH", b"FROM", b"(")
    if first is not None and first.text == b"WITH":
        streamable = all(word.text != b"INSERT" or word.depth for word in rest)
    return Output(_utf8(text[:place]), _utf8(text[place:]), format_name or default_format, streamable)


def _words(text: bytes) -> Iterator[Word]:
    depth = 0
    for token in _TOKEN.finditer(text):
        if token["skip"] is not None:
            continue
        sign = token[0] if token["word"] or len(token[0]) == 1 else b""
        yield Word(sign.upper(), token.start(), token.end(), depth)
        depth += _DEPTH.get(sign, 0)


def _insert(text: bytes, words: Iterator[Word]) -> Insert | None:
    settings: int | None = None
    for word in words:
        if word.depth:
            continue
        if word.text == b"SETTINGS":
            settings = word.start
        head = settings or word.start
        if word.text == b"VALUES":
            return Insert(_utf8(text[:head]), _utf8(text[head : word.start]), "Values", text[word.end :])
        if word.text == b"FORMAT" and (name := next(words, None)):
            # ParserInsertQuery: data begins after the first line break, or after blanks where there is none.
            data = re.sub(rb"\A[ \t\f]*\r?\n?", b"", text[name.end :], count=1)
            clause = _utf8(text[head : word.start])
            return Insert(_utf8(text[:head]), clause, text[name.start : name.end].decode(), data)
        if word.text in (b"SELECT", b"WITH", b"FROM", b"WATCH"):
            if word.text == b"FROM" and (file := next(words, None)) and file.text == b"INFILE":
                raise ServerError(NOT_IMPLEMENTED, "FROM INFILE reads the client's files and is not for HTTP")
            return None
    return None


def _utf8(text: bytes) -> str:
    try:
        return text.decode()
    except UnicodeDecodeError as error:
        raise ServerError(BAD_ARGUMENTS, f"the statement is not UTF-8: {error}") from None


def _refuse_files(words: list[Word]) -> None:
    for word, following in itertools.pairwise(words):
        if word.text == b"INTO" and following.text == b"OUTFILE":
            raise ServerError(INTO_OUTFILE_NOT_ALLOWED, "INTO OUTFILE is not allowed")


def _format(words: list[Word], text: bytes) -> tuple[int, str]:
    """Where the FORMAT clause begins (else the end of the text) and the format's name (else empty)."""
    for index in range(len(words) - 2, -1, -1):
        word, name = words[index], words[index + 1]
        ends = index + 2 == len(words) or words[index + 2].text == b"SETTINGS"
        if word.text == b"FORMAT" and not word.depth and name.text and ends:
            return word.start, text[name.start : name.end].decode()
    return len(text), ""
