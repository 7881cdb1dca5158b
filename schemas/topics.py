"""The Kafka topics: names, partitions, retention and sizes. `asyncapi.yaml` describes the same for consumers."""

from dataclasses import dataclass

from schemas.common import MEBIBYTE

DAY_MS = 24 * 3600 * 1000

MAX_RAW_RECORD_BYTES = 8 * MEBIBYTE
"""Largest raw record, images inline included."""
RECORD_OVERHEAD_BYTES = 64 * 1024
"""What Kafka's batch header, the key and the headers of a reject may add to the value."""


@dataclass(frozen=True, slots=True)
class Topic:
    """One topic as it is created. `partitions` None: the number that the settings give."""

    name: str
    retention_ms: int
    max_message_bytes: int = MEBIBYTE
    partitions: int | None = None
    timestamp_type: str = "CreateTime"

    def config(self) -> dict[str, str]:
        """The topic's configuration in Kafka's names."""
        return {
            "cleanup.policy": "delete",
            "retention.ms": str(self.retention_ms),
            "max.message.bytes": str(self.max_message_bytes + RECORD_OVERHEAD_BYTES),
            "message.timestamp.type": self.timestamp_type,
        }


# The broker stamps raw records: a producer with a wrong clock can then neither make the broker delete its records
# early (retention goes by timestamp) nor disturb which of two events with one id is the later.
INFERENCES = Topic("vision.inferences", 7 * DAY_MS, MAX_RAW_RECORD_BYTES, timestamp_type="LogAppendTime")
EVENTS = Topic("vision.events", 3 * DAY_MS, MAX_RAW_RECORD_BYTES)
REJECTS = Topic("vision.rejects", 30 * DAY_MS, MAX_RAW_RECORD_BYTES)
ALERT_CANDIDATES = Topic("vision.alert-candidates", DAY_MS)
ALERTS = Topic("vision.alerts", 30 * DAY_MS)

TOPICS = (INFERENCES, EVENTS, REJECTS, ALERT_CANDIDATES, ALERTS)
