"""The dashboard's files: types hold, nothing leads outside, what is vendored is what its table says."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from pipeline.gateway.routes.dashboard.files import _modules

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "pipeline" / "dashboard"
CHECKS = ROOT / "tests" / "browser"
OWN = [
    path for path in sorted(FOLDER.rglob("*")) if path.suffix in (".js", ".css", ".html") and "vendor" not in path.parts
]


def test_types_hold() -> None:
    compiler = CHECKS / "node_modules" / ".bin" / "tsc"
    if shutil.which("node") is None or not compiler.exists():
        pytest.skip("no type checker: `make check-js` installs it where Node is")
    done = subprocess.run([compiler, "-p", CHECKS / "tsconfig.json"], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


def test_logic_without_a_browser() -> None:
    node = shutil.which("node")
    version = subprocess.run([node, "--version"], capture_output=True, text=True, check=True).stdout if node else ""
    if node is None or tuple(map(int, version.strip("v\n").split(".")[:2])) < (20, 19):
        pytest.skip("no Node that takes modules as they are (20.19)")
    done = subprocess.run([node, "--test", CHECKS / "lib.test.mjs"], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


def test_imports_lead_to_files_of_the_dashboard() -> None:
    assert OWN
    for path in OWN:
        for name in re.findall(r'(?:\bfrom |\bimport )"([^"]+)"|\bimport\("([^"]+)"\)', path.read_text()):
            module = "".join(name)
            assert module.startswith("."), f"{path.name} imports {module}"
            assert (path.parent / module).is_file(), f"{path.name} imports {module}"


def test_every_module_is_loaded_ahead_by_the_pages_that_need_it() -> None:
    found = {name for page in FOLDER.glob("pages/*.js") for name in _modules(str(page), page.stem)}
    assert {path.relative_to(FOLDER).as_posix() for path in OWN if path.suffix == ".js"} <= found


def test_no_address_of_another_host_and_no_markup_from_text() -> None:
    for path in OWN:
        text = path.read_text()
        assert not re.search(r"https?://(?!www\.w3\.org/)", text), path
        for word in (
            "innerHTML",
            "outerHTML",
            "insertAdjacentHTML",
            "dangerouslySetInnerHTML",
            "eval(",
            "new Function",
        ):
            assert word not in text, f"{path}: {word}"


def test_modules_are_small() -> None:
    long = {path.name: lines for path in OWN if (lines := len(path.read_text().splitlines())) > 250}
    assert not long


def test_vendored_libraries_are_listed_with_version_and_licence() -> None:
    table = (FOLDER / "vendor" / "README.md").read_text()
    packages = (CHECKS / "package.json").read_text()
    for path in FOLDER.joinpath("vendor").iterdir():
        if path.suffix in (".js", ".css"):
            (row,) = [line for line in table.splitlines() if line.startswith(f"| `{path.name}`")]
            _, _, package, version, licence, _, _ = (cell.strip() for cell in row.split("|"))
            assert f'"{package}": "{version}"' in packages
            assert (path.parent / licence.split("`")[1]).is_file()
