"""`/docs`: the HTTP API to read and to try, in Swagger UI. Its files come from a package: no other host is asked."""

from importlib.resources import files
from pathlib import Path
from typing import Final

from fastapi import APIRouter, Request, Response
from fastapi.openapi.docs import get_swagger_ui_html
from starlette.staticfiles import StaticFiles

from pipeline.gateway.errors import ApiError

_FILES: Final = ("swagger-ui-bundle.js", "swagger-ui.css")
# FastAPI writes the call that starts Swagger UI into the page, and Swagger UI its styles.
_POLICY: Final = (
    "default-src 'none'; script-src 'self' 'unsafe-inline'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; "
    "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)

router = APIRouter(include_in_schema=False)
_static: Final = StaticFiles(directory=Path(str(files("fastapi_offline"))) / "static")


@router.get("/docs")
async def reference(request: Request) -> Response:
    """The page."""
    page = get_swagger_ui_html(
        openapi_url=request.app.openapi_url,
        title=request.app.title,
        swagger_js_url=f"/docs/{_FILES[0]}",
        swagger_css_url=f"/docs/{_FILES[1]}",
        swagger_favicon_url="/dashboard/icon.svg",
        swagger_ui_parameters={"validatorUrl": None},  # it would send the document to another host
    )
    page.headers["Content-Security-Policy"] = _POLICY
    return page


@router.get("/docs/{name}")
async def reference_file(request: Request, name: str) -> Response:
    """A file of Swagger UI."""
    if name not in _FILES:
        raise ApiError(404, f"no such call: GET {request.url.path}")
    return await _static.get_response(name, request.scope)
