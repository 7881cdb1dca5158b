"""Field paths of the stored event as clients of the HTTP API know them."""

from typing import Final

from pydantic.alias_generators import to_camel

from schemas.api import ApiEvent

_SOURCE: Final = {f"source.{name}_id": f"{name}Id" for name in ("device", "stream", "workflow", "factory", "frame")}


def api_path(path: str, event: ApiEvent) -> str:
    """The dotted path in camelCase. Keys of metadata stay as they are; images get the client's position.

    One image of the API lies on the topic as up to two: the output image, then the original.
    """
    if path in _SOURCE:
        return _SOURCE[path]
    first, *rest = path.split(".")
    if first == "images" and rest and rest[0].isdigit():
        names = [
            (position, name)
            for position, image in enumerate(event.images or ())
            for name in _references(image.get("source_id"), image.get("input_source_id"))
        ]
        index = int(rest[0])
        if index < len(names):
            position, name = names[index]
            rest = [str(position), name if rest[1:] == ["image_id"] else ".".join(rest[1:])]
        return ".".join(("images", *rest)).rstrip(".")
    if first in ("event_data", "custom_metadata"):
        return ".".join((to_camel(first), *(rest if first == "custom_metadata" else map(to_camel, rest))))
    return to_camel(path)


def _references(output: str | None, original: str | None) -> list[str]:
    if original is None:
        return ["sourceId"]
    return ["inputSourceId"] if output is None else ["sourceId", "inputSourceId"]
