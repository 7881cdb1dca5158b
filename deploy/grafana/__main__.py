"""Writes the dashboard: `python -m deploy.grafana`. A test holds the file current."""

import json
from pathlib import Path
from typing import Any, Final

from deploy.grafana.panels import ROWS, Panel

DASHBOARD: Final = Path(__file__).with_name("dashboards") / "vision-events.json"

_WIDTH, _HEIGHT, _COLUMNS = 12, 8, 2
_SOURCE: Final = {"type": "prometheus", "uid": "prometheus"}


def dashboard() -> dict[str, Any]:
    """The dashboard in Grafana's schema."""
    panels: list[dict[str, Any]] = []
    y = 0
    for title, row in ROWS.items():
        panels.append({"id": len(panels) + 1, "type": "row", "title": title, "gridPos": _place(0, y, 24, 1)})
        y += 1
        for number, panel in enumerate(row):
            place = _place(number % _COLUMNS * _WIDTH, y + number // _COLUMNS * _HEIGHT, _WIDTH, _HEIGHT)
            panels.append({"id": len(panels) + 1, "gridPos": place, **_graph(panel)})
        y += -(-len(row) // _COLUMNS) * _HEIGHT
    return {
        "uid": "vision-events",
        "title": "Vision Events",
        "schemaVersion": 41,
        "version": 1,
        "editable": False,
        "refresh": "30s",
        "time": {"from": "now-6h", "to": "now"},
        "timezone": "browser",
        "panels": panels,
    }


def _place(x: int, y: int, width: int, height: int) -> dict[str, int]:
    return {"x": x, "y": y, "w": width, "h": height}


def _graph(panel: Panel) -> dict[str, Any]:
    targets = [
        {"refId": chr(ord("A") + number), "datasource": _SOURCE, "expr": query, "legendFormat": legend}
        for number, (legend, query) in enumerate(panel.queries.items())
    ]
    return {
        "type": "timeseries",
        "title": panel.title,
        "description": panel.meaning,
        "datasource": _SOURCE,
        "fieldConfig": {"defaults": {"unit": panel.unit, "min": 0}, "overrides": []},
        "options": {"legend": {"displayMode": "list", "placement": "bottom"}, "tooltip": {"mode": "multi"}},
        "targets": targets,
    }


def text() -> str:
    """The content of the file."""
    return json.dumps(dashboard(), indent=1) + "\n"


if __name__ == "__main__":
    DASHBOARD.write_text(text(), encoding="utf-8")
