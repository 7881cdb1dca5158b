"""Says which alerts begin and end while `vision-events up` runs."""

from typing import Any

from clickhouse_connect.driver import Client
from rich.text import Text

from pipeline.edges.alerts import find_alerts
from schemas.common import DEFAULT_WORKSPACE

_NEWEST = 50


class Announcer:
    """Looks at the newest alerts of the default workspace; those of before it was made are known already."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._known = {_transition(row) for row in self._rows()}
        self._fired = self._resolved = 0

    def news(self) -> list[Text]:
        """A line for each alert that began or ended since the last look. Raises as `clickhouse.translated`."""
        fresh = [row for row in reversed(self._rows()) if _transition(row) not in self._known]
        begun = {alert_id for alert_id, _ in self._known}
        self._fired += sum(row["alert_id"] not in begun for row in fresh)
        self._resolved += sum(row["status"] == "resolved" for row in fresh)
        self._known |= {_transition(row) for row in fresh}
        return [_line(row) for row in fresh]

    def summary(self) -> str:
        """How many alerts began and ended since it was made."""
        return f"alerts meanwhile: {self._fired:,} fired, {self._resolved:,} resolved"

    def _rows(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = find_alerts(self._client, DEFAULT_WORKSPACE, None, None, _NEWEST)
        return found


def _transition(row: dict[str, Any]) -> tuple[str, str]:
    return row["alert_id"], row["status"]


def _line(row: dict[str, Any]) -> Text:
    firing = row["status"] == "firing"
    group = ", ".join(f"{label}={value}" for label, value in row["group_labels"].items())
    kept = f" ({row['suppressed_by']})" if row["suppressed_by"] else ""
    summary = row["annotations"].get("summary", "")
    text = f"alert {row['status']}: {row['rule']} of {row['use_case_id']}, {group}{kept}" + (summary and f": {summary}")
    return Text(text, style="red" if firing else "green")
