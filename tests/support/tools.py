"""Programs and extras that tests use where the machine has them."""

import importlib
import os
import shutil
import sys
from pathlib import Path
from typing import Any

import pytest

# Read at import: tests themselves run without settings in their environment.
_REQUIRED = os.environ.get("VISION_EVENTS_REQUIRE_TOOLS") == "1"


def tool(name: str, package: str) -> str:
    """The path of a program, or skip; with VISION_EVENTS_REQUIRE_TOOLS=1 one that is missing is a failure."""
    beside = str(Path(sys.executable).parent)
    found = shutil.which(name) or shutil.which(name, path=beside)
    if found is None:
        assert not _REQUIRED, f"VISION_EVENTS_REQUIRE_TOOLS=1, and {name} is not on PATH ({package})"
        pytest.skip(f"{name} is not on PATH ({package})")
    return found


def extra(module: str, name: str) -> Any:
    """A module of an extra of ours, or skip; with VISION_EVENTS_REQUIRE_TOOLS=1 one that is missing is a failure."""
    try:
        return importlib.import_module(module)
    except ModuleNotFoundError:
        assert not _REQUIRED, f"VISION_EVENTS_REQUIRE_TOOLS=1, and the extra {name} is not installed"
        pytest.skip(f"the extra {name} is not installed: make .venv/.installed")
