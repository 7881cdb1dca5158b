"""Which metadata keys the newest events of a use case have, and of which types: what a filter can be built from."""

from typing import Any, Final

from clickhouse_connect.driver import Client

from pipeline.core.query.conditions import Bindings
from pipeline.core.query.statements import Statement
from pipeline.edges.queries import Deadline, rows
from schemas.use_case import MetadataType

EVENTS_LOOKED_AT: Final = 100_000
"""The newest events of the use case: the cost of the answer does not grow with the table."""

# Types of ClickHouse's JSON column, and of its function JSONType.
_TYPES: Final[dict[str, MetadataType]] = {
    "String": "string",
    "Bool": "boolean",
    **dict.fromkeys(("Int64", "UInt64", "Float64", "Double"), "number"),
}

_NEWEST: Final = """
    SELECT {column} AS metadata
    FROM stored_events
    WHERE use_case_id = {use_case} AND workspace_id = {workspace} AND timestamp >= now64(6) - toIntervalDay({days})
        AND NOT is_deleted
    ORDER BY timestamp DESC
    LIMIT {limit}"""

_CUSTOM: Final = """SELECT entry.1 AS name, groupUniqArray(entry.2) AS types
FROM ({newest}
)
ARRAY JOIN JSONAllPathsWithTypes(metadata) AS entry
GROUP BY name
ORDER BY name"""

_IMAGE: Final = """SELECT name, groupUniqArray(JSONType(text, name)::String) AS types
FROM
(
    SELECT text, arrayJoin(JSONExtractKeys(text)) AS name
    FROM (SELECT DISTINCT arrayJoin(metadata) AS text FROM ({newest}
    ))
    WHERE text != ''
)
GROUP BY name
ORDER BY name"""

Fields = dict[str, dict[str, list[MetadataType]]]


def custom_metadata_fields(
    client: Client, workspace_id: str, use_case_id: str, lookback_days: int, timeout_s: float
) -> Fields:
    """`{name: {"types": [...]}}` of custom metadata. Raises QueryLimitError, and as `clickhouse.translated`."""
    return _fields(client, _CUSTOM, "custom_metadata", (workspace_id, use_case_id, lookback_days), timeout_s)


def image_metadata_fields(
    client: Client, workspace_id: str, use_case_id: str, lookback_days: int, timeout_s: float
) -> Fields:
    """The same of the metadata of images."""
    return _fields(client, _IMAGE, "images.metadata", (workspace_id, use_case_id, lookback_days), timeout_s)


def _fields(client: Client, sql: str, column: str, place: tuple[Any, ...], timeout_s: float) -> Fields:
    bindings = Bindings()
    newest = _NEWEST.format(
        column=column,
        workspace=bindings.bind(place[0], "String"),
        use_case=bindings.bind(place[1], "String"),
        days=bindings.bind(place[2], "UInt32"),
        limit=bindings.bind(EVENTS_LOOKED_AT, "UInt32"),
    )
    found = rows(client, Statement(sql.format(newest=newest), bindings.values), Deadline(timeout_s))
    return {row["name"]: {"types": sorted({_TYPES[name] for name in row["types"]})} for row in found}
