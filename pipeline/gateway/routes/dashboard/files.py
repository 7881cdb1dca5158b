"""The dashboard's files, as they lie in the package `pipeline.dashboard`."""

import asyncio
import hashlib
import re
import time
from functools import lru_cache
from importlib.resources import files
from pathlib import Path, PurePosixPath
from typing import Final

from fastapi import APIRouter, Request, Response
from fastapi.responses import RedirectResponse
from starlette.staticfiles import StaticFiles

from pipeline.gateway.errors import ApiError

FOLDER: Final = Path(str(files("pipeline.dashboard"))).resolve()

_TYPES: Final = {
    ".js": "text/javascript; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".svg": "image/svg+xml",
}

# No script, style or picture but this server's own; none within the page; nobody may frame it. Elements cannot be made
# of text: should a value from an event ever reach innerHTML, the browser refuses it.
_POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob:; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'"
)
_HEADERS: Final = {
    "Content-Security-Policy": _POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
}

_VERSIONED: Final = "@"
"""Begins the part of an address that names the version of all files: what it leads to never changes."""

_HOME: Final = "use-cases"
_IMPORT: Final = re.compile(r'^(?:import|export)\b[^;(]*?"(\.[^"]+)";', re.MULTILINE)

router = APIRouter()
_files: Final = StaticFiles(directory=FOLDER)


@router.get("/")
async def root() -> Response:
    """People who open the bare address want the page. What follows a `#` stays."""
    return RedirectResponse("/dashboard/", 307)


@router.get("/dashboard")
@router.get("/dashboard/{path:path}")
async def dashboard(request: Request, path: str = "") -> Response:
    """A file; every other address is a place within the page, which finds its way by itself."""
    if path.startswith("api/"):
        raise ApiError(404, f"no such call: GET {request.url.path}")
    version, _, rest = path.partition("/")
    name = rest if version.startswith(_VERSIONED) else path
    kind = _TYPES.get(PurePosixPath(name).suffix)
    if kind is None:
        page = await asyncio.to_thread(_page, path.partition("/")[0])
        return Response(page, headers=_HEADERS | {"Cache-Control": "no-cache"}, media_type="text/html")
    response = await _files.get_response(name, request.scope)
    kept = name != path and version == await asyncio.to_thread(_version)
    response.headers["Cache-Control"] = "public, max-age=31536000, immutable" if kept else "no-cache"
    response.headers["Content-Type"] = kind
    response.headers.update(_HEADERS)
    return response


def _version() -> str:
    """Another one after any change of a file, so that a page never runs files of two versions."""
    return _version_at(int(time.monotonic() * 2))  # a page's files come together: one look is enough for all


@lru_cache(maxsize=1)
def _version_at(_: int) -> str:
    seen = [(str(path), path.stat().st_mtime_ns) for path in _own_files()]
    return _VERSIONED + hashlib.sha256(repr(seen).encode()).hexdigest()[:12]


def _page(place: str) -> str:
    """The page of the version that is there now, with the modules that a place in it needs: they load at once."""
    version = _version()
    at = f"/dashboard/{version}/"
    links = "\n    ".join(f'<link rel="modulepreload" href="{at}{name}" />' for name in _modules(version, place))
    text = (FOLDER / "index.html").read_text(encoding="utf-8")
    return text.replace("<!-- modules -->", links).replace(f"/dashboard/{_VERSIONED}/", at)


@lru_cache(maxsize=64)
def _modules(version: str, place: str) -> list[str]:
    """What `main.js` and the page of a place import, and what that imports; `version` makes it new after a change."""
    page = FOLDER / "pages" / f"{place or _HOME}.js"
    found: set[Path] = set()
    left = [FOLDER / "main.js", *(path for path in FOLDER.glob("pages/*.js") if path == page)]
    while left:
        path = left.pop()
        if path not in found:
            found.add(path)
            names = _IMPORT.findall(path.read_text(encoding="utf-8"))
            left += [(path.parent / name).resolve() for name in names]
    return sorted(path.relative_to(FOLDER).as_posix() for path in found)


def _own_files() -> list[Path]:
    return sorted(path for path in FOLDER.rglob("*") if path.suffix in _TYPES and path.name != "uplot.js")
