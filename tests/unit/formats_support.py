"""What the tests of the input formats share: the golden files and a small device registry."""

import json
from pathlib import Path
from typing import Any

from pipeline.core.formats import FormatContext
from schemas.device import Device

GOLDEN = Path(__file__).parent / "golden" / "formats"
DEVICES = {
    "cam-7": Device(
        id="cam-7",
        image={"width": 1280, "height": 720},
        class_names=("dent", "crack", "scratch"),
    )
}


def context(width: int | None = None, height: int | None = None, device_id: str | None = None) -> FormatContext:
    return FormatContext(width, height, device_id, DEVICES.get)


def examples() -> list[tuple[str, str, dict[str, Any]]]:
    """(format, name of the example, its file's content) of all golden files, sorted."""
    return [(path.parent.name, path.stem, json.loads(path.read_text())) for path in sorted(GOLDEN.glob("*/*.json"))]
