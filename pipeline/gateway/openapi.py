"""The OpenAPI document: what FastAPI makes of the routes, corrected where routes read their bodies themselves."""

from typing import Any

from fastapi import FastAPI


def complete(app: FastAPI) -> None:
    """Make `app.openapi` move definitions out of bodies' schemas, and leave out answers that are never given."""
    generate = app.openapi

    def openapi() -> dict[str, Any]:
        if app.openapi_schema is None:
            document = generate()
            schemas = document.setdefault("components", {}).setdefault("schemas", {})
            for path in document["paths"].values():
                for operation in path.values():
                    # FastAPI's own 422 is answered as 400 here.
                    if "HTTPValidationError" in str(operation["responses"].get("422", "")):
                        del operation["responses"]["422"]
                    for content in operation.get("requestBody", {}).get("content", {}).values():
                        schemas.update(content["schema"].pop("$defs", {}))
            for name in ("HTTPValidationError", "ValidationError"):
                schemas.pop(name, None)
            app.openapi_schema = document
        return app.openapi_schema

    app.openapi = openapi  # type: ignore[method-assign]
