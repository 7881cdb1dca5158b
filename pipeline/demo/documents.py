"""What the registry has to know before the demo runs: factories, cameras, and the one use case that does not ship."""

from importlib.resources import files

import yaml

from pipeline.demo.factories import CAMERAS, FACTORIES, Camera
from pipeline.demo.stations import station
from schemas.device import Device, DeviceFile
from schemas.raw_inference import FrameSize
from schemas.use_case import UseCase


def devices() -> DeviceFile:
    """Factories and cameras, as `vision-events devices apply` takes them."""
    return DeviceFile(factories=FACTORIES, devices=tuple(_device(camera) for camera in CAMERAS))


def use_cases() -> tuple[UseCase, ...]:
    """Use cases that the demo needs beyond the two that ship: `inventory-count`."""
    text = files("pipeline.demo").joinpath("inventory-count.yaml").read_text(encoding="utf-8")
    return (UseCase.model_validate(yaml.safe_load(text)),)


def _device(camera: Camera) -> Device:
    place = station(camera.station)
    width, height = place.size
    return Device(
        id=camera.device_id,
        name=camera.name,
        factory_id=camera.factory_id,
        stream_id=camera.stream_id,
        workflow_id=place.workflow_id,
        use_case_id=place.use_case_id,
        image=FrameSize(width=width, height=height),
        class_names=place.class_names,
        metadata=dict(camera.metadata),
    )
