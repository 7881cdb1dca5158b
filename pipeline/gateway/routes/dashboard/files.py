"""The dashboard's files, as they lie in the package `pipeline.dashboard`."""

import asyncio
import hashlib
from importlib.resources import files
from pathlib import Path, PurePosixPath
from typing import Final

from fastapi import APIRouter, Request, Response
from fastapi.responses import RedirectResponse
from starlette.staticfiles import StaticFiles

from pipeline.gateway.errors import ApiError

FOLDER: Final = Path(str(files("pipeline.dashboard")))

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
        page = await asyncio.to_thread(_page)
        return Response(page, headers=_HEADERS | {"Cache-Control": "no-cache"}, media_type="text/html")
    response = await _files.get_response(name, request.scope)
    kept = name != path and version == await asyncio.to_thread(_version)
    response.headers["Cache-Control"] = "public, max-age=31536000, immutable" if kept else "no-cache"
    response.headers["Content-Type"] = kind
    response.headers.update(_HEADERS)
    return response


def _version() -> str:
    """Another one after any change of a file, so that a page never runs files of two versions."""
    seen = [(str(path), path.stat().st_mtime_ns) for path in _own_files()]
    return _VERSIONED + hashlib.sha256(repr(seen).encode()).hexdigest()[:12]


def _page() -> str:
    """The page of the version that is there now. All modules are named in it: they load at once, not one by one."""
    at = f"/dashboard/{_version()}/"
    modules = [path.relative_to(FOLDER).as_posix() for path in _own_files() if path.suffix == ".js"]
    links = "\n    ".join(f'<link rel="modulepreload" href="{at}{name}" />' for name in modules)
    text = (FOLDER / "index.html").read_text(encoding="utf-8")
    return text.replace("<!-- modules -->", links).replace(f"/dashboard/{_VERSIONED}/", at)


def _own_files() -> list[Path]:
    return sorted(path for path in FOLDER.rglob("*") if path.suffix in _TYPES and path.name != "uplot.js")
