"""How many events the use cases of a workspace have."""

from clickhouse_connect.driver import Client

from pipeline.edges.clickhouse import translated


def count_events(client: Client, workspace_id: str, lookback_days: int) -> dict[str, int]:
    """Events of the last days by use case, each id once. Raises as `clickhouse.translated`."""
    with translated():
        rows = client.query(
            "SELECT use_case_id, count() FROM vision_events WHERE workspace_id = {workspace:String} "
            "AND timestamp >= now64(6) - toIntervalDay({days:UInt32}) GROUP BY use_case_id",
            parameters={"workspace": workspace_id, "days": lookback_days},
        ).result_rows
    return {row[0]: row[1] for row in rows}
