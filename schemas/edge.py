"""The edge call `POST /v2/events`, of the edge and of the gateway alike: answers, and its body for OpenAPI."""

from typing import Any, Final

from pydantic import BaseModel, ConfigDict

AT_CAPACITY: Final = 529
"""Not a registered status; what existing senders know as "at capacity, wait"."""


class EdgeAccepted(BaseModel):
    """The event is durable and has this id."""

    model_config = ConfigDict(extra="forbid")

    id: str


class EdgeProblem(BaseModel):
    """What went wrong; the message names the field at fault by its dotted path."""

    model_config = ConfigDict(extra="forbid")

    detail: str


_DESCRIPTIONS: Final = {
    400: "Not a valid event; the message names the field",
    401: "No key in X-API-Key, or a wrong one",
    403: "The key's scopes do not allow the call",
    404: "No such use case",
    413: "The body is too large",
    429: "Too many calls with this key",
    503: "The disk fails",
    AT_CAPACITY: "At capacity: send it again later",
}
EDGE_ANSWERS: Final[dict[int | str, dict[str, Any]]] = {
    status: {"model": EdgeProblem, "description": text} for status, text in _DESCRIPTIONS.items()
}

_TEXT: Final = {"type": "string"}
_IMAGE: Final = {
    "type": "object",
    "properties": {
        "base64Image": {"type": "string", "description": "The image shown: JPEG, PNG or WebP."},
        "inputBase64Image": {"type": "string", "description": "The original."},
        "label": _TEXT,
        **{
            kind: {"type": "array", "items": {"type": "object"}, "description": "As in `POST /vision-events`."}
            for kind in ("objectDetections", "classifications", "instanceSegmentations", "keypoints")
        },
    },
}
EDGE_BODY: Final[dict[str, Any]] = {
    "requestBody": {
        "required": True,
        "content": {
            "application/json": {
                "schema": {
                    "type": "object",
                    "description": "Any other format that the raw topic takes is accepted too.",
                    "properties": {
                        "inference_timestamp": {"type": "string", "format": "date-time"},
                        "solution": {"type": "string", "description": "The use case."},
                        "event_schema": {"type": "string", "description": "The event type."},
                        "event_data": {"type": "object"},
                        "images": {"type": "array", "items": _IMAGE},
                        "custom_metadata": {"type": "object"},
                        "displayImagePosition": {"type": "integer"},
                        **dict.fromkeys(("event_id", "device_id", "stream_id", "workflow_id"), _TEXT),
                    },
                }
            }
        },
    }
}
