"""Links to images that a browser opens without a key, for a bounded time: signed, and served by the gateway itself.

The signature covers workspace, image and expiry, so a link opens one image of one workspace and nothing else.
"""

import hashlib
import hmac
import time
from typing import Final
from urllib.parse import quote, urlencode

from fastapi import Request

from pipeline.gateway.errors import ApiError
from pipeline.settings import Settings

PATH: Final = "/vision-events/images"

_PURPOSE: Final = b"vision-events image link\0"
"""The secret signs cursors too: neither can be passed off as the other."""


class ImageLinks:
    """Makes and checks links. Links of all gateways with the same secret are good at each of them."""

    def __init__(self, settings: Settings, secret: bytes) -> None:
        self._key = hmac.digest(secret, _PURPOSE, hashlib.sha256)
        self._valid_s = settings.image_link_hours * 3600
        self._public_url = settings.public_url.rstrip("/")

    def link(self, request: Request, workspace_id: str, image_id: str) -> str:
        """A link to an image, at `public_url` or where the request came in."""
        base = self._public_url or str(request.base_url).rstrip("/")
        # Whole tenths of the validity: the same image asked for again has the same link, which browsers keep.
        step = max(1, round(self._valid_s / 10))
        expires = (int(time.time()) // step + 1) * step + round(self._valid_s)
        query = urlencode({"expires": expires, "signature": self._sign(workspace_id, image_id, expires)})
        return f"{base}{PATH}/{quote(workspace_id, safe='')}/{image_id}?{query}"

    def check(self, workspace_id: str, image_id: str, expires: int, signature: str) -> None:
        """Raises ApiError 403 for a link that is not ours, was changed or has expired."""
        if not hmac.compare_digest(self._sign(workspace_id, image_id, expires).encode(), signature.encode()):
            raise ApiError(403, "the link is not valid")
        if expires < time.time():
            raise ApiError(403, "the link has expired; ask for the event again")

    def _sign(self, workspace_id: str, image_id: str, expires: int) -> str:
        # Image ids have no slash, so no two links sign the same text.
        text = f"{expires}/{image_id}/{workspace_id}"
        return hmac.new(self._key, text.encode(), hashlib.sha256).hexdigest()
