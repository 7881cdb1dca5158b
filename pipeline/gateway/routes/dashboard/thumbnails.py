"""`/dashboard/api/thumbnails`: small pictures for lists, made when they are asked for and kept by the browser."""

import asyncio
from typing import Annotated, Final

from fastapi import APIRouter, Path, Request
from fastapi.responses import Response

from pipeline.core.thumbnail import SMALL, thumbnail
from pipeline.gateway.access import Reader
from pipeline.gateway.errors import ApiError
from pipeline.gateway.services import services_of

router = APIRouter(prefix="/dashboard/api/thumbnails")

_AT_ONCE: Final = asyncio.Semaphore(2)
"""Each takes a core for some milliseconds, and memory for the picture unpacked; writes must not wait for them."""


@router.get("/{image_id}")
async def small(request: Request, who: Reader, image_id: Annotated[str, Path(pattern="^[0-9a-f]{64}$")]) -> Response:
    """A JPEG, or the picture itself where that is small."""
    # The name is the hash of the content: what the browser has never changes.
    headers = {"ETag": f'"{image_id}"', "Cache-Control": "private, max-age=604800, immutable"}
    if request.headers.get("if-none-match") == headers["ETag"]:
        return Response(status_code=304, headers=headers)
    images = services_of(request).images
    headers |= {"X-Content-Type-Options": "nosniff", "Content-Security-Policy": "default-src 'none'; sandbox"}
    async with _AT_ONCE:
        stored = await asyncio.to_thread(images.find, who.workspace_id, image_id)
        if stored is None:
            raise ApiError(404, "no such image")
        chunks = await asyncio.to_thread(images.read, who.workspace_id, image_id, 0, stored.size)
        content = await asyncio.to_thread(b"".join, chunks)
        if stored.size <= SMALL and stored.content_type in ("image/jpeg", "image/png", "image/webp"):
            return Response(content, headers=headers, media_type=stored.content_type)
        try:
            made = await asyncio.to_thread(thumbnail, content)
        except ValueError as error:
            raise ApiError(404, f"no thumbnail: {error}") from None
    return Response(made, headers=headers, media_type="image/jpeg")
