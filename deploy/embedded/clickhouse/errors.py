"""ClickHouse errors: code, message, and the HTTP status that a server answers with."""

import re
from typing import Final

SYNTAX_ERROR: Final = 62
NOT_IMPLEMENTED: Final = 48
UNKNOWN_COMPRESSION_METHOD: Final = 89
BAD_ARGUMENTS: Final = 36
READONLY: Final = 164
QUERY_IS_TOO_LARGE: Final = 229
INTO_OUTFILE_NOT_ALLOWED: Final = 358
ACCESS_DENIED: Final = 497
AUTHENTICATION_FAILED: Final = 516

_NAMES: Final = {
    SYNTAX_ERROR: "SYNTAX_ERROR",
    NOT_IMPLEMENTED: "NOT_IMPLEMENTED",
    UNKNOWN_COMPRESSION_METHOD: "UNKNOWN_COMPRESSION_METHOD",
    BAD_ARGUMENTS: "BAD_ARGUMENTS",
    READONLY: "READONLY",
    QUERY_IS_TOO_LARGE: "QUERY_IS_TOO_LARGE",
    INTO_OUTFILE_NOT_ALLOWED: "INTO_OUTFILE_NOT_ALLOWED",
    ACCESS_DENIED: "ACCESS_DENIED",
    AUTHENTICATION_FAILED: "AUTHENTICATION_FAILED",
}

# exceptionCodeToHTTPStatus in ClickHouse's src/Server/HTTP/exceptionCodeToHTTPStatus.cpp; all others are 500.
_STATUS: Final = {
    **dict.fromkeys(
        (6, 15, 25, 26, 27, 36, 37, 38, 41, 44, 53, 62, 72, 117, 123, 167, 168, 223, 321, 376, 427, 441), 400
    ),
    **dict.fromkeys((675, 676), 400),
    194: 401,
    **dict.fromkeys((192, 193, 512, 516), 403),
    **dict.fromkeys((46, 47, 50, 56, 60, 63, 73, 78, 81, 115, 139, 152, 336), 404),
    159: 408,
    381: 411,
    229: 413,
    48: 501,
    **dict.fromkeys((76, 209, 439), 503),
}


class ServerError(Exception):
    """An error with ClickHouse's code, as a client sees it."""

    def __init__(self, code: int, message: str) -> None:
        super().__init__(message)
        self.code = code
        name = _NAMES.get(code)
        self.message = f"{message} ({name})" if name and not message.endswith(")") else message

    @property
    def status(self) -> int:
        """The HTTP status of this error."""
        return _STATUS.get(self.code, 500)

    def text(self, version: str) -> str:
        """The error as a server writes it into an answer."""
        return f"Code: {self.code}. DB::Exception: {self.message} (version {version})\n"


def from_engine(error: Exception) -> ServerError:
    """What the engine said. chDB has the code in the text only, and wraps one message in another."""
    text = str(error)
    heads = list(re.finditer(r"Code: (\d+)\. DB::\w*Exception: ", text))
    if not heads:
        return ServerError(1001, text)
    message = text[heads[-1].end() :]
    return ServerError(int(heads[0][1]), re.sub(r"( \(version [^()]*(\([^()]*\))?\)(\. \(\w+\))?)+\s*$", "", message))
