"""What an input format is, and what an adapter knows beside the value that it turns into canonical form."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from schemas.device import Device

DeviceLookup = Callable[[str], Device | None]
"""The registered device of an id, or None."""


class FormatError(ValueError):
    """The content does not fit the format. `field` is a dotted path into the value, empty for the value itself."""

    def __init__(self, message: str, field: str = "") -> None:
        super().__init__(f"{field}: {message}" if field else message)
        self.message = message
        self.field = field


@dataclass(frozen=True, slots=True)
class FormatContext:
    """What is known beside the value: from the envelope around it, the record's key and the device registry.

    `width` and `height` are pixels of the frame that the coordinates refer to.
    """

    width: int | None
    height: int | None
    device_id: str | None
    devices: DeviceLookup

    def refined(self, own_id: str | None, size: Mapping[str, int] | None = None) -> "FormatContext":
        """This context with what the value itself says: its frame size, and its device where ours is unknown."""
        device_id = self.device_id if self._device() is not None else own_id or self.device_id
        width, height = (size["width"], size["height"]) if size else (self.width, self.height)
        return FormatContext(width, height, device_id, self.devices)

    def class_name(self, index: int) -> str:
        """The registry's name of a class given by index, else the index as text."""
        device = self._device()
        names = device.class_names if device is not None else ()
        return names[index] if 0 <= index < len(names) else str(index)

    def frame_size(self, field: str) -> dict[str, int]:
        """Width and height for coordinates that are fractions of the frame.

        Raises FormatError at `field` where neither the record nor the device registry knows them.
        """
        if self.width and self.height:
            return {"width": self.width, "height": self.height}
        device = self._device()
        if device is not None and device.image is not None:
            return {"width": device.image["width"], "height": device.image["height"]}
        who = f"device {self.device_id!r}" if self.device_id else "the device"
        raise FormatError(
            "the coordinates are fractions of a frame whose size is unknown; "
            f"give image.width and image.height in the record, or register {who} with its image size",
            field,
        )

    def _device(self) -> Device | None:
        return self.devices(self.device_id) if self.device_id else None


@dataclass(frozen=True, slots=True)
class Format:
    """One input format.

    `recognises` never raises. `to_canonical` gives the fields of `schemas.raw_inference.RawInferenceResult` that the
    value provides, or raises FormatError; the caller validates bounds.
    """

    name: str
    recognises: Callable[[Any], bool]
    to_canonical: Callable[[Any, FormatContext], dict[str, Any]]
