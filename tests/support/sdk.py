"""The public SDK of the hosted product, in an environment of its own: its pins clash with ours."""

import subprocess
import sys
from pathlib import Path
from typing import Final

REQUIREMENT: Final = "roboflow-slim==1.7.3"

_FOLDER: Final = Path(__file__).parents[2] / "build" / "sdk"


def sdk_python() -> Path:
    """The Python that has the SDK; installed at the first use, from the package index."""
    python = _FOLDER / "bin" / "python"
    installed = _FOLDER / "installed"
    if not installed.is_file() or installed.read_text() != REQUIREMENT:
        subprocess.run([sys.executable, "-m", "venv", "--clear", str(_FOLDER)], check=True)
        pip = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", REQUIREMENT]
        subprocess.run(pip, check=True, timeout=240)
        installed.write_text(REQUIREMENT)
    return python
