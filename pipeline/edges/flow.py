"""What was stored and rejected lately, second by second, and how long it took: the throughput and latency of now."""

from typing import Any, Final

from clickhouse_connect.driver import Client

from pipeline.core.query.statements import Statement
from pipeline.edges.queries import Deadline, rows

SPAN_S: Final = 600
STEP_S: Final = 5

# Of a record that was read again long after it arrived (replay of old ones) the time since then is no latency.
_FLOW: Final = """SELECT at, sum(s) AS stored, sum(r) AS rejected, round(any(low)) AS p50, round(any(high)) AS p99
FROM
(
    SELECT toUnixTimestamp(toStartOfInterval(inserted_at, toIntervalSecond({step:UInt32}))) AS at,
        count() AS s, 0 AS r,
        toNullable(quantileTDigestIf(0.5)(waited, waited < 3600000)) AS low,
        toNullable(quantileTDigestIf(0.99)(waited, waited < 3600000)) AS high
    FROM
    (
        SELECT inserted_at,
            toUnixTimestamp64Milli(inserted_at) - toInt64(bitShiftRight(version, 20)) AS waited
        FROM stored_events
        WHERE inserted_at >= now64(3) - toIntervalSecond({span:UInt32}) AND NOT is_deleted
    )
    GROUP BY at
    UNION ALL
    SELECT toUnixTimestamp(toStartOfInterval(inserted_at, toIntervalSecond({step:UInt32}))) AS at,
        0 AS s, count() AS r, NULL AS low, NULL AS high
    FROM stored_rejects
    WHERE inserted_at >= now64(3) - toIntervalSecond({span:UInt32})
    GROUP BY at
)
GROUP BY at
ORDER BY at"""


def recent_flow(client: Client, timeout_s: float) -> list[dict[str, Any]]:
    """Of the last ten minutes, by steps of 5 s (`at`, seconds since the epoch): rows `stored` and `rejected`, and the
    median and 99th percentile (`p50`, `p99`, milliseconds) from arrival at Kafka to the table.

    Steps without any are left out. Raises QueryLimitError, and as `clickhouse.translated`.
    """
    return list(rows(client, Statement(_FLOW, {"span": SPAN_S, "step": STEP_S}), Deadline(timeout_s)))
