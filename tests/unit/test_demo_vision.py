"""The demo's vision finds what was drawn into its frames, and little else."""

import numpy as np
import pytest

from pipeline.demo.geometry import Box, Pixels
from pipeline.demo.scenes.defects import KINDS, DefectKind, add_defects
from pipeline.demo.scenes.frame import Placement, Wobble, light, place
from pipeline.demo.scenes.motorcycle import PAINTS, PARTS, motorcycle
from pipeline.demo.scenes.photographs import Tint, photograph, sample_file
from pipeline.demo.scenes.tray import SLOTS, coin_tray, lay
from pipeline.demo.scenes.worker import HELMETS, worker
from pipeline.demo.vision.assembly import AssemblyModel, moved
from pipeline.demo.vision.counting import count_coins
from pipeline.demo.vision.protection import find_people
from pipeline.demo.vision.surface import SurfaceModel, confidence
from pipeline.errors import ConfigurationError

SURFACES = {
    "brick.png": Tint("#1d0a06", "#8f4527", "#efe0cc", 90),
    "gravel.png": Tint("#1c1a19", "#8a8179", "#f1ebe2", 127),
}
SEEDS = range(20)


def overlap(one: Box, other: Box) -> float:
    """Intersection over union."""
    (a, b, c, d), (e, f, g, h) = one.corners, other.corners
    inside = max(0.0, min(c, g) - max(a, e)) * max(0.0, min(d, h) - max(b, f))
    return inside / (one.width * one.height + other.width * other.height - inside)


def surface_frame(name: str, rng: np.random.Generator) -> Pixels:
    photo, size = photograph(name, SURFACES[name]), (480, 360)
    return light(rng, place(rng, photo.size, size, Wobble((1.0, 1.15), 2.0, True)).render(photo, size))


@pytest.fixture(scope="module", params=sorted(SURFACES))
def surface(request: pytest.FixtureRequest) -> tuple[str, SurfaceModel]:
    rng = np.random.default_rng(0)
    return request.param, SurfaceModel.learn(surface_frame(request.param, rng) for _ in range(24))


@pytest.mark.parametrize("kind", KINDS)
def test_defects_are_found_where_they_were_drawn(surface: tuple[str, SurfaceModel], kind: DefectKind) -> None:
    name, model = surface
    found = named = 0
    for seed in SEEDS:
        rng = np.random.default_rng(seed)
        frame, (defect,) = add_defects(rng, surface_frame(name, rng), [kind])
        hits = [each for each in model.inspect(frame).findings if overlap(each.box, defect.box) > 0.3]
        found += bool(hits)
        named += any(each.kind == kind for each in hits)
    assert found >= 16
    assert named >= 16


def test_a_clean_surface_is_found_clean(surface: tuple[str, SurfaceModel]) -> None:
    name, model = surface
    inspections = [model.inspect(surface_frame(name, np.random.default_rng(seed))) for seed in range(100, 140)]
    clean = [inspection for inspection in inspections if not inspection.findings]
    assert len(clean) >= 38
    assert all(confidence(inspection.score) <= 0.5 for inspection in clean)


def test_the_confidence_of_a_score_rises_from_0_through_one_half_at_the_threshold() -> None:
    scores = np.linspace(0, 30, 301)
    values = [confidence(score) for score in scores]
    assert values == sorted(values)
    assert values[0] == 0
    assert 0.99 < values[-1] < 1
    assert confidence(1.15) == pytest.approx(0.5)


def test_coins_are_counted() -> None:
    assert len(coin_tray().coins) == SLOTS == 24
    exact = 0
    for seed in SEEDS:
        rng = np.random.default_rng(seed)
        picture, centres = lay(rng, missing=seed % 6)
        view = place(rng, picture.size, (512, 404), Wobble((1.0, 1.01), 1.0))
        coins = count_coins(light(rng, view.render(picture, (512, 404))))
        assert abs(len(coins) - len(centres)) <= 1
        exact += len(coins) == len(centres) == SLOTS - seed % 6
        middles = np.array([coin.box[:2] for coin in coins])
        for centre in view.to_frame(np.array(centres)):
            assert np.hypot(*(middles - centre).T).min() < 16
    assert exact >= 18


def test_an_outline_lies_within_its_box() -> None:
    picture, _ = lay(np.random.default_rng(1), missing=0)
    for coin in count_coins(np.asarray(picture)):
        left, top, right, bottom = coin.box.corners
        assert len(coin.points) > 12
        assert all(left <= x <= right and top <= y <= bottom for x, y in coin.points)


def portrait(seed: int, helmet: str | None, vest: bool) -> tuple[Pixels, Placement]:
    rng = np.random.default_rng(seed)
    photo = worker(helmet, vest)
    view = place(rng, photo.size, (560, 420), Wobble((1.0, 1.08), 2.0, True))
    return light(rng, view.render(photo, (560, 420))), view


def test_faces_are_found_and_helmets_and_vests_told_from_their_absence() -> None:
    found = right = 0
    for seed in SEEDS:
        helmet, vest = [None, *HELMETS][seed % 4], seed % 3 > 0
        frame, view = portrait(seed, helmet, vest)
        people = find_people(frame)
        assert len(people) <= 1
        for person in people:
            found += 1
            right += person.helmet.worn == (helmet is not None) and person.vest.worn == vest
            (nose,) = view.to_frame(np.array([[226.0, 158.0]]))
            assert np.hypot(*(np.array(person.face[:2]) - nose)) < person.face.width / 3
    assert found >= 18
    assert right >= found - 1


def test_no_face_is_seen_on_a_wall() -> None:
    rng = np.random.default_rng(0)
    assert find_people(surface_frame("brick.png", rng)) == []


@pytest.fixture(scope="module")
def assembly() -> AssemblyModel:
    return AssemblyModel()


def test_every_part_is_located_and_only_the_missing_one_missed(assembly: AssemblyModel) -> None:
    removable = [name for name, part in PARTS.items() if part.removable]
    for seed in SEEDS:
        rng = np.random.default_rng(seed)
        gone = [None, *removable][seed % (len(removable) + 1)]
        photo, size = motorcycle(list(PAINTS)[seed % 3], gone), (640, 432)
        view = place(rng, photo.size, size, Wobble((1.0, 1.08), 2.0))
        product = assembly.inspect(light(rng, view.render(photo, size)))
        assert product is not None
        for part in product.parts:
            truth = moved(PARTS[part.name].box, view)
            assert np.hypot(part.box.x - truth.x, part.box.y - truth.y) < 2
        assert [part.name for part in product.parts if part.missing >= 0.5] == ([gone] if gone else [])


def test_no_motorcycle_is_found_where_there_is_none(assembly: AssemblyModel) -> None:
    assert assembly.inspect(np.full((432, 640, 3), 90, dtype=np.uint8)) is None
    assert assembly.inspect(surface_frame("gravel.png", np.random.default_rng(0))) is None


def test_a_photograph_covers_the_whole_frame_whatever_the_view() -> None:
    for seed in SEEDS:
        rng = np.random.default_rng(seed)
        photo, frame = (512, 392), (560, 420)
        view = place(rng, photo, frame, Wobble((1.0, 1.2), 3.0, True))
        back = np.linalg.inv(np.vstack([view.matrix, [0, 0, 1]]))
        corners = np.array([[x, y, 1] for x in (0, frame[0]) for y in (0, frame[1])]) @ back.T
        assert (corners[:, :2] > -0.01).all()
        assert (corners[:, :2] < np.array(photo) + 0.01).all()


def test_a_sample_file_that_the_wheel_lacks_is_named() -> None:
    with pytest.raises(ConfigurationError, match=r"kidney\.tif"):
        sample_file("kidney.tif")
