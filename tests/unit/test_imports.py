"""Imports flow one way: commands and edges -> core -> schemas; the embedded stack stands alone."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

INNER = {f"pipeline.{name}" for name in ("core", "errors", "settings", "metrics", "logs")} | {"schemas"}
"""What every room with I/O builds on."""

# Each room, and the rooms of ours that it may import from.
ALLOWED = {
    "schemas": {"schemas"},
    "pipeline/errors.py": {"schemas"},
    "pipeline/settings.py": {"pipeline.errors", "schemas"},
    "pipeline/metrics.py": set(),
    "pipeline/logs.py": {"pipeline.settings"},
    "pipeline/core": {"pipeline.core", "pipeline.errors", "schemas"},
    "pipeline/transport": {"pipeline.transport"},
    "pipeline/alerts": INNER | {"pipeline.alerts", "pipeline.worker", "pipeline.transport", "pipeline.edges"},
    "pipeline/edges": INNER | {"pipeline.edges"},
    "pipeline/ingest": INNER | {"pipeline.ingest", "pipeline.worker", "pipeline.transport", "pipeline.edges"},
    "pipeline/worker": INNER | {"pipeline.worker", "pipeline.transport", "pipeline.edges"},
    "pipeline/gateway": INNER | {"pipeline.gateway", "pipeline.edges"},
    "pipeline/dashboard": set(),
    "pipeline/client": INNER | {"pipeline.client", "pipeline.edges"},
    "pipeline/spool": INNER | {"pipeline.spool", "pipeline.client", "pipeline.edges"},
    "pipeline/demo": {"pipeline.demo", "pipeline.errors", "schemas"},
    "deploy": {"deploy"},
}


def imported(path: Path) -> set[str]:
    """Modules of ours that a file imports, anywhere in it."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            package = ".".join(path.relative_to(ROOT).parts[: -node.level]) + "." if node.level else ""
            module = package + (node.module or "")
            names |= {f"{module}.{alias.name}" for alias in node.names} if module == "pipeline" else {module}
    return {name for name in names if name.split(".")[0] in ("schemas", "pipeline", "deploy", "tests")}


@pytest.mark.parametrize("room", sorted(ALLOWED))
def test_a_room_imports_only_what_lies_further_in(room: str) -> None:
    place = ROOT / room
    files = [place] if place.is_file() else sorted(place.rglob("*.py"))
    assert files
    wrong = {
        f"{path.relative_to(ROOT)} imports {name}"
        for path in files
        for name in imported(path)
        if not any(name == allowed or name.startswith(allowed + ".") for allowed in ALLOWED[room])
    }
    assert not wrong


def test_every_room_of_the_pipeline_is_listed() -> None:
    rooms = {f"pipeline/{path.name}" for path in (ROOT / "pipeline").iterdir() if not path.name.startswith("__")}
    assert rooms - {"pipeline/cli"} <= set(ALLOWED)
