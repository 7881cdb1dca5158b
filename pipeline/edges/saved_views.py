"""Views of the dashboard that people gave a name."""

import secrets
import time
from typing import Any

from clickhouse_connect.driver import Client

from pipeline.edges.clickhouse import translated

_COLUMNS = ("workspace_id", "id", "name", "query", "made_by", "version", "is_deleted")


def list_views(client: Client, workspace_id: str) -> list[dict[str, Any]]:
    """All of a workspace, by name. Raises as `clickhouse.translated`."""
    with translated():
        rows = client.query(
            "SELECT id, name, query, made_by FROM saved_views FINAL WHERE workspace_id = {workspace:String} "
            "ORDER BY lower(name), id",
            parameters={"workspace": workspace_id},
        ).result_rows
    return [{"id": row[0], "name": row[1], "query": row[2], "madeBy": row[3]} for row in rows]


def save_view(client: Client, workspace_id: str, name: str, query: str, made_by: str) -> str:
    """Keep a view and return its id. Raises as `clickhouse.translated`."""
    view_id = secrets.token_hex(6)
    _store(client, (workspace_id, view_id, name, query, made_by, time.time_ns(), 0))
    return view_id


def delete_view(client: Client, workspace_id: str, view_id: str) -> None:
    """Forget a view, if there is one. Raises as `clickhouse.translated`."""
    _store(client, (workspace_id, view_id, "", "", "", time.time_ns(), 1))


def _store(client: Client, row: tuple[Any, ...]) -> None:
    with translated():
        client.insert("saved_views", [row], column_names=_COLUMNS)
