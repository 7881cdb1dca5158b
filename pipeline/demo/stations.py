"""Stations: each joins a scene with the vision that inspects it, and says what it found in the canonical form."""

from collections.abc import Mapping
from datetime import datetime
from functools import cache
from typing import Literal, NamedTuple, Protocol

import numpy as np

from pipeline.demo.annotations import Annotation, Result, boxed, canonical, classified, keypoint, pixels
from pipeline.demo.geometry import Pixels, Size
from pipeline.demo.scenes.defects import KINDS, add_defects
from pipeline.demo.scenes.frame import Wobble, light, place
from pipeline.demo.scenes.motorcycle import PAINTS, PARTS, SKELETON, motorcycle
from pipeline.demo.scenes.photographs import Tint, photograph
from pipeline.demo.scenes.tray import SLOTS, lay
from pipeline.demo.scenes.worker import HELMETS, worker
from pipeline.demo.vision.assembly import AssemblyModel
from pipeline.demo.vision.counting import Coin, count_coins
from pipeline.demo.vision.protection import Garment, Person, find_people
from pipeline.demo.vision.surface import SurfaceModel, confidence

StationKind = Literal["paving", "panels", "assembly", "gate", "tray"]
Skeleton = tuple[tuple[str, str], ...]
Metadata = dict[str, str | int | float | bool]

_ORDER_SECONDS = 5400
"""A production order, and with it the part number on a line, lasts so long."""
_CLEAN_FRAMES = 24
"""Frames that teach a surface. Of 150 clean frames of brick, 12 left 17 taken for defective and 24 left none."""


class Observation(NamedTuple):
    """A frame, the canonical result of inspecting it, and what the station knows of the item in it."""

    frame: Pixels
    result: Result
    metadata: Metadata


class Station(Protocol):
    """A kind of place with a camera and a model. It keeps no state of frames, so cameras share it."""

    use_case_id: str
    workflow_id: str
    class_names: tuple[str, ...]
    size: Size
    skeleton: Skeleton

    def observe(self, rng: np.random.Generator, moment: datetime, trouble: float) -> Observation:
        """Take the next frame, in which something is wrong with probability `trouble`, and inspect it."""
        ...


class SurfaceStation:
    """Scratches, dents and stains on a surface that comes in several variants, by part number."""

    use_case_id = "defect-detection"
    class_names: tuple[str, ...] = ("ok", "defective", "scratch", "dent", "stain")
    size = (480, 360)
    skeleton: Skeleton = ()

    def __init__(self, workflow_id: str, file_name: str, variants: Mapping[str, Tint]) -> None:
        self.workflow_id = workflow_id
        self._photos = {part: photograph(file_name, tint) for part, tint in variants.items()}
        self._models: dict[str, SurfaceModel] = {}

    def observe(self, rng: np.random.Generator, moment: datetime, trouble: float) -> Observation:
        """See `Station`."""
        part = list(self._photos)[int(moment.timestamp() // _ORDER_SECONDS) % len(self._photos)]
        frame = self._clean_frame(rng, part)
        if rng.random() < trouble:
            kinds = rng.permutation(len(KINDS))[: rng.integers(1, 3)]
            frame, _ = add_defects(rng, frame, [KINDS[kind] for kind in kinds])
        inspection = self._model(part).inspect(frame)
        sure = confidence(inspection.score)
        verdict = classified("defective", sure) if inspection.findings else classified("ok", 1 - sure)
        found = [boxed(each.kind, each.box, confidence(each.score)) for each in inspection.findings]
        return Observation(frame, canonical(object_detections=found, classifications=[verdict]), {"part_number": part})

    def _model(self, part: str) -> SurfaceModel:
        if part not in self._models:
            rng = np.random.default_rng(0)
            self._models[part] = SurfaceModel.learn(self._clean_frame(rng, part) for _ in range(_CLEAN_FRAMES))
        return self._models[part]

    def _clean_frame(self, rng: np.random.Generator, part: str) -> Pixels:
        photo = self._photos[part]
        view = place(rng, photo.size, self.size, Wobble(zoom=(1.0, 1.15), turn=2.0, mirror=True))
        return light(rng, view.render(photo, self.size))


class AssemblyStation:
    """Finished motorcycles: where each part is, and whether one is missing."""

    use_case_id = "defect-detection"
    workflow_id = "assembly-check"
    class_names: tuple[str, ...] = ("ok", "defective", "motorcycle", "missing_part", *PARTS)
    size = (640, 432)
    skeleton: Skeleton = SKELETON

    def __init__(self) -> None:
        self._model = AssemblyModel()

    def observe(self, rng: np.random.Generator, moment: datetime, trouble: float) -> Observation:
        """See `Station`."""
        paint = str(rng.choice(list(PAINTS)))
        removable = [name for name, part in PARTS.items() if part.removable]
        photo = motorcycle(paint, str(rng.choice(removable)) if rng.random() < trouble else None)
        view = place(rng, photo.size, self.size, Wobble(zoom=(1.0, 1.08), turn=2.0))
        frame = light(rng, view.render(photo, self.size))
        return Observation(frame, self._inspect(frame), {"part_number": f"MC400-{paint.upper()}"})

    def _inspect(self, frame: Pixels) -> Result:
        product = self._model.inspect(frame)
        whole = product.box.within(self.size) if product else None
        if product is None or whole is None:
            return canonical()
        parts = [(part, box) for part in product.parts if (box := part.box.within(self.size))]
        worst = max((part.missing for part, _ in parts), default=0.0)
        missing = [
            boxed("missing_part", box, part.missing) | {"detection_id": part.name}
            for part, box in parts
            if part.missing >= 0.5
        ]
        points = [keypoint(part.name, part.box.x, part.box.y, part.likeness) for part, _ in parts if part.missing < 0.5]
        verdict = classified("defective", worst) if missing else classified("ok", 1 - worst)
        motorcycle_found = boxed("motorcycle", whole, product.confidence) | {"keypoints": points}
        return canonical(object_detections=missing, classifications=[verdict], keypoints=[motorcycle_found])


class GateStation:
    """People at a gate: helmet and high-visibility vest, each worn or not."""

    use_case_id = "ppe-compliance"
    workflow_id = "ppe-check"
    class_names: tuple[str, ...] = ("person", "helmet", "no_helmet", "vest", "no_vest")
    size = (560, 420)
    skeleton: Skeleton = ()

    def observe(self, rng: np.random.Generator, moment: datetime, trouble: float) -> Observation:
        """See `Station`."""
        helmet = None if rng.random() < trouble else str(rng.choice(list(HELMETS)))
        photo = worker(helmet, rng.random() >= trouble / 2)
        view = place(rng, photo.size, self.size, Wobble(zoom=(1.0, 1.08), turn=2.0, mirror=True))
        frame = light(rng, view.render(photo, self.size))
        people = find_people(frame)
        if any(not person.helmet.worn for person in people):
            alert = "missing_helmet"
        else:
            alert = "missing_vest" if any(not person.vest.worn for person in people) else "none"
        found = [annotation for person in people for annotation in _equipment(person)]
        return Observation(frame, canonical(object_detections=found), {"alert_type": alert})


class TrayStation:
    """Coins on a tray: each outlined and sized; some trays are short."""

    use_case_id = "inventory-count"
    workflow_id = "tray-count"
    class_names: tuple[str, ...] = ("coin_small", "coin_medium", "coin_large")
    size = (512, 404)
    skeleton: Skeleton = ()
    _least_diameters = {"coin_large": 63.2, "coin_medium": 54.0}

    def observe(self, rng: np.random.Generator, moment: datetime, trouble: float) -> Observation:
        """See `Station`."""
        picture, _ = lay(rng, int(rng.integers(1, 7)) if rng.random() < trouble else 0)
        view = place(rng, picture.size, self.size, Wobble(zoom=(1.0, 1.01), turn=1.0))
        frame = light(rng, view.render(picture, self.size))
        coins = [self._outlined(coin) for coin in count_coins(frame)]
        tray = f"T-{int(rng.integers(100, 1000))}"
        return Observation(frame, canonical(instance_segmentations=coins), {"tray_id": tray, "expected_count": SLOTS})

    def _outlined(self, coin: Coin) -> Annotation:
        sizes = (name for name, least in self._least_diameters.items() if coin.diameter >= least)
        annotation = boxed(next(sizes, "coin_small"), coin.box, coin.confidence)
        return annotation | {"points": [[pixels(x), pixels(y)] for x, y in coin.points]}


@cache
def station(kind: StationKind) -> Station:
    """The station of a kind; its model is learnt at the first frame."""
    match kind:
        case "paving":
            return SurfaceStation("paver-surface", "brick.png", _PAVERS)
        case "panels":
            return SurfaceStation("panel-surface", "gravel.png", _PANELS)
        case "assembly":
            return AssemblyStation()
        case "gate":
            return GateStation()
        case "tray":
            return TrayStation()


_PAVERS = {
    "PV-210-TERRACOTTA": Tint("#1d0a06", "#8f4527", "#efe0cc", 90),
    "PV-210-ANTHRACITE": Tint("#0b0d10", "#4a4f57", "#dfe3e6", 95),
}
_PANELS = {
    "GP-480-GRANITE": Tint("#1c1a19", "#8a8179", "#f1ebe2", 127),
    "GP-480-SANDSTONE": Tint("#20140a", "#a98a5c", "#fbf0d8", 127),
}


def _equipment(person: Person) -> list[Annotation]:
    return [
        boxed("person", person.body, person.confidence),
        _garment("helmet", person.helmet),
        _garment("vest", person.vest),
    ]


def _garment(name: str, garment: Garment) -> Annotation:
    return boxed(name if garment.worn else f"no_{name}", garment.box, garment.confidence)
