"""CloudEvents 1.0 around a record's value: in binary mode as Kafka headers `ce_*`, in structured mode as JSON.

Source: CloudEvents specification 1.0.2 and its Kafka protocol binding.
"""

from collections.abc import Mapping
from typing import Any
from uuid import NAMESPACE_URL, UUID, uuid5


def unwrap_cloudevent(value: Any, headers: Mapping[str, bytes]) -> tuple[Any, dict[str, Any]]:
    """The payload, and what the CloudEvent says of it as fall-backs: `timestamp`, `event_id`, `source`.

    A value that is no CloudEvent comes back as it is, with no fall-backs. Header names are lower case. An id is unique
    only together with its source, hence an event id is derived from both, unless the id is a UUID.
    """
    if "ce_specversion" in headers:
        attributes = {
            name[3:]: content.decode("utf-8", "replace") for name, content in headers.items() if name[:3] == "ce_"
        }
        return value, _fallbacks(attributes)
    if isinstance(value, dict) and "specversion" in value and "data" in value:
        return value["data"], _fallbacks(value)
    return value, {}


def _fallbacks(attributes: Mapping[str, Any]) -> dict[str, Any]:
    fallbacks: dict[str, Any] = {}
    time, source, own_id = (_text(attributes.get(name)) for name in ("time", "source", "id"))
    if time:
        fallbacks["timestamp"] = time
    if own_id:
        fallbacks["event_id"] = _event_id(own_id, source)
    if source:
        fallbacks["source"] = {"device_id": source}
    return fallbacks


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""


def _event_id(own_id: str, source: str) -> str:
    try:
        return str(UUID(own_id))
    except ValueError:
        return str(uuid5(NAMESPACE_URL, f"{source} {own_id}"))
