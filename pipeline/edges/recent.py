"""What became of the most recent records, from the tables: the memory of the reject limit over restarts."""

from typing import Final

from clickhouse_connect.driver import Client

from pipeline.core.record import ORIGIN_HEADER
from pipeline.core.reject_limit import WINDOW, RejectLimit
from pipeline.edges.clickhouse import translated
from pipeline.settings import Settings

_USUAL_FROM: Final = 10 * WINDOW
"""A reason is usual when so many records had it within a week, and they were the share of all that the limit allows."""

_RECENT: Final = f"""
SELECT reason, count()
FROM
(
  SELECT reason FROM
  (
    SELECT * FROM
    (
        SELECT '' AS reason, inserted_at FROM stored_events
        WHERE inserted_at > now64(3) - INTERVAL 1 DAY AND NOT is_deleted ORDER BY inserted_at DESC LIMIT {WINDOW}
    )
    UNION ALL
    SELECT * FROM
    (
        SELECT toString(reason) AS reason, inserted_at FROM stored_rejects
        WHERE inserted_at > now64(3) - INTERVAL 1 DAY AND NOT has(headers.name, '{ORIGIN_HEADER}')
        ORDER BY inserted_at DESC LIMIT {WINDOW}
    )
  )
  ORDER BY inserted_at DESC LIMIT {WINDOW}
)
GROUP BY reason
"""

_WEEK: Final = f"""
SELECT toString(reason), count() AS n FROM stored_rejects
WHERE inserted_at > now64(3) - INTERVAL 7 DAY AND NOT has(headers.name, '{ORIGIN_HEADER}')
GROUP BY reason HAVING n >= {_USUAL_FROM}
"""

_STORED: Final = "SELECT count() FROM stored_events WHERE inserted_at > now64(3) - INTERVAL 7 DAY AND NOT is_deleted"


def load_limit(client: Client, settings: Settings) -> RejectLimit:
    """The reject limit as the settings and the tables have it. Raises as `clickhouse.translated`."""
    share = settings.reject_stop_share
    with translated():
        recent = {row[0]: row[1] for row in client.query(_RECENT).result_rows}
        often = {row[0]: row[1] for row in client.query(_WEEK).result_rows}
        total = client.query(_STORED).result_rows[0][0] + sum(often.values()) if often else 0
    usual = {reason for reason, number in often.items() if number >= share * total}
    return RejectLimit(share, recent, usual | set(settings.expected_rejects))
