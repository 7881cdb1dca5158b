"""The dashboard's files, as they lie in the package `pipeline.dashboard`."""

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
    # Asked for anew each time, answered with 304: a new version of the system is never mixed with an old page.
    "Cache-Control": "no-cache",
}

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
    kind = _TYPES.get(PurePosixPath(path).suffix)
    response = await _files.get_response(path if kind else "index.html", request.scope)
    if kind:
        response.headers["Content-Type"] = kind
    response.headers.update(_HEADERS)
    return response
