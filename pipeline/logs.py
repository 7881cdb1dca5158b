"""How processes log: a line a message on standard error, as text for people or as JSON for collectors.

In JSON, what a message is about stands in fields of its own: `batch_id` while a batch is written, also in messages of
those who do not know of batches, and whatever is given with `extra=`, such as `event_id`.
"""

import logging
from contextvars import ContextVar
from datetime import UTC, datetime
from typing import Final

import orjson

from pipeline.settings import Settings

batch_id: ContextVar[str] = ContextVar("batch_id", default="")
"""The batch that is being written: counts up within a process."""

_TEXT: Final = "%(asctime)s %(levelname)s %(name)s: %(message)s"
_OWN: Final = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}
"""What every record has: the rest was given with `extra=`."""


class JsonFormatter(logging.Formatter):
    """One JSON object a line: `time`, `level`, `logger`, `message`, and what the message is about."""

    def format(self, record: logging.LogRecord) -> str:
        """The line of a record."""
        fields = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage(),
        }
        if batch := batch_id.get():
            fields["batch_id"] = batch
        fields |= {name: value for name, value in vars(record).items() if name not in _OWN}
        if record.exc_info:
            fields["exception"] = self.formatException(record.exc_info)
        return orjson.dumps(fields, default=str, option=orjson.OPT_NON_STR_KEYS).decode()


def set_up_logging(settings: Settings) -> None:
    """Log to standard error at `log_level`, in the form of `log_format`."""
    handler = logging.StreamHandler()
    handler.setFormatter(JsonFormatter() if settings.log_format == "json" else logging.Formatter(_TEXT))
    logging.basicConfig(level=settings.log_level, handlers=[handler], force=True)
    # These two log every poll and every reconnect at levels that are meant for their authors.
    logging.getLogger("aiokafka").setLevel(max(logging.WARNING, logging.getLevelName(settings.log_level)))
    logging.getLogger("mode").setLevel(logging.WARNING)
