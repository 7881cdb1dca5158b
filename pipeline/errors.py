"""Every error of the pipeline, in one tree. `retryable` tells what to do with it.

VisionEventsError
├── InvalidRecordError       this record can never be stored: it goes to the rejects, the others go on
├── DependencyError          a service is away or overloaded: wait and try again (retryable)
├── QueryLimitError          a question needs more time or memory than one may take: whoever asked has to narrow it
├── RowRefusedError          ClickHouse refuses a row for good: the row is found and rejected
├── RefusedError             a receiver refuses an event for good: the spool keeps it aside, a client tells its caller
├── SpoolFullError           the edge spool is full: the sender waits and sends again
├── TooManyRejectsError      so many records fail for one new reason that a person should look: stop, commit nothing
└── ConfigurationError       only a person can mend it: stop with a message, commit nothing
"""

from typing import ClassVar

from schemas.reject import RejectReason


class VisionEventsError(Exception):
    """Base of all errors of the pipeline."""

    retryable: ClassVar[bool] = False


class InvalidRecordError(VisionEventsError):
    """A record that cannot become a vision event.

    `field` is the dotted path of the offending field within the record, empty when it is the record as a whole.
    """

    def __init__(self, reason: RejectReason, message: str, field: str = "") -> None:
        super().__init__(f"{field}: {message}" if field else message)
        self.reason = reason
        self.message = message
        self.field = field


class DependencyError(VisionEventsError):
    """Kafka, S3 or ClickHouse does not answer or asks to wait."""

    retryable = True


class QueryLimitError(VisionEventsError):
    """A query needs more time, memory or rows than it may take; the message says what to narrow."""


class RowRefusedError(VisionEventsError):
    """ClickHouse refused an insert because of its content; `code` is the server's error code."""

    def __init__(self, code: int, message: str) -> None:
        super().__init__(message)
        self.code = code


class TooManyRejectsError(VisionEventsError):
    """More recent records than the limit allows fail for one reason that is not usual: see `reject_stop_share`."""


class ConfigurationError(VisionEventsError):
    """A missing table, topic or bucket, wrong credentials, a bad setting or file: the message says what to do."""


class RefusedError(VisionEventsError):
    """The receiver of an event refused it for good: too large, or not a valid event in its eyes. Others go on."""


class SpoolFullError(VisionEventsError):
    """The edge spool holds as much as it may, or its disk is full: the event was not taken."""
