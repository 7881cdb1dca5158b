"""Where results go: JSON files, the tables of docs/performance.md, and the figure."""

import json
import os
import platform
import re
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import psutil

from tests.benchmarks.processes import ROOT
from tests.benchmarks.tables import TABLES

PAGE = ROOT / "docs" / "performance.md"
RESULTS = ROOT / "docs" / "benchmarks"
FIGURE = "throughput.svg"

_LIBRARIES = ("aiokafka", "faust-streaming", "pydantic", "orjson", "clickhouse-connect", "chdb-core", "uvloop", "minio")


def machine() -> dict[str, Any]:
    """What the figures were measured on."""
    libraries = {}
    for name in _LIBRARIES:
        try:
            libraries[name] = version(name)
        except PackageNotFoundError:
            continue
    return {
        "cpu": _cpu_model(),
        "cores": os.cpu_count(),
        "memory_gb": round(psutil.virtual_memory().total / 1e9),
        "system": f"{platform.system()} {platform.machine()}",
        "python": platform.python_version(),
        "libraries": libraries,
    }


def _cpu_model() -> str:
    try:
        found = re.search(r"model name\s*:\s*(.+)", Path("/proc/cpuinfo").read_text())
    except OSError:
        found = None
    return found[1] if found else platform.processor()


def save(name: str, result: Any, parameters: dict[str, Any], folder: Path) -> Path:
    """Write a result with what is needed to judge it."""
    folder.mkdir(parents=True, exist_ok=True)
    document = {
        "benchmark": name,
        "measured_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "machine": machine(),
        "load_before": os.getloadavg()[0],
        "parameters": parameters,
        "result": result,
    }
    path = folder / f"{name}.json"
    path.write_text(json.dumps(document, indent=2, default=str) + "\n")
    return path


def load(name: str, folder: Path) -> dict[str, Any] | None:
    """A saved result, None where there is none."""
    path = folder / f"{name}.json"
    return json.loads(path.read_text()) if path.exists() else None


def write_page(folder: Path, page: Path) -> list[str]:
    """Put the tables of all saved results between their marks in the page; the names of those that were put."""
    text, done = page.read_text(), []
    for name, table_of in TABLES.items():
        document = load(name, folder)
        if document is None:
            continue
        found = document["machine"]
        made = table_of(document["result"])
        caption = (
            f"*{made.title}. Measured {document['measured_at'][:10]} on {found['cores']} cores of {found['cpu']}, "
            f"Python {found['python']}.*"
        )
        block = f"<!-- begin {name} -->\n{made.markdown()}\n\n{caption}\n<!-- end {name} -->"
        text, count = re.subn(rf"<!-- begin {name} -->.*?<!-- end {name} -->", lambda _, b=block: b, text, flags=re.S)
        done += [name] * bool(count)
    page.write_text(text)
    return done


def draw(folder: Path) -> Path | None:
    """The figure of the comparison as SVG, None where there is no result of it."""
    document = load("throughput", folder)
    if document is None:
        return None
    import matplotlib as mpl

    mpl.use("svg")
    import matplotlib.pyplot as plt

    mpl.rcParams["svg.hashsalt"] = "vision-events"  # the same figures give the same file
    rows = sorted(document["result"], key=lambda row: row["rate"])
    figure, axes = plt.subplots(figsize=(9, 0.45 * len(rows) + 1.2), layout="constrained")
    colours = ["#0b6e4f" if row["name"].startswith("ours") else "#9aa5b1" for row in rows]
    rates = [row["rate"] for row in rows]
    spread = [[row["rate"] - min(row["rates"]) for row in rows], [max(row["rates"]) - row["rate"] for row in rows]]
    bars = axes.barh([row["title"] for row in rows], rates, color=colours, xerr=spread, ecolor="#52606d", capsize=2)
    axes.bar_label(bars, [f"{rate:,.0f}" for rate in rates], padding=6)
    axes.set_xlabel("records per second, one worker process (median and range of the runs)")
    axes.spines[["top", "right"]].set_visible(False)
    axes.set_xlim(0, max(rates) * 1.15)
    path = folder / FIGURE
    figure.savefig(path, metadata={"Date": None})
    plt.close(figure)
    return path
