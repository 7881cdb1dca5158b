"""The simulated plants as data: four factories in four time zones, their shifts, lines and cameras."""

from dataclasses import dataclass, field
from datetime import datetime, time, timedelta

from pipeline.demo.stations import StationKind
from schemas.device import Factory, Shift


@dataclass(frozen=True, slots=True)
class Camera:
    """One camera: where it hangs, what it watches, and how often (0..1) something is wrong in front of it.

    `metadata` is what the device registry knows of the place: line_id, zone or location. `bursts` is true where
    faults come in bursts: see `trouble`.
    """

    device_id: str
    name: str
    factory_id: str
    stream_id: str
    station: StationKind
    metadata: dict[str, str] = field(default_factory=dict)
    fault_rate: float = 0.08
    bursts: bool = False


def _shifts(*spans: tuple[str, int, int]) -> tuple[Shift, ...]:
    return tuple(Shift(name=name, start=time(start), end=time(end)) for name, start, end in spans)


FACTORIES = (
    Factory(
        id="koeln",
        name="Köln Paving Works",
        time_zone="Europe/Berlin",
        shifts=_shifts(("early", 6, 14), ("late", 14, 22), ("night", 22, 6)),
    ),
    Factory(
        id="monterrey",
        name="Monterrey Motorcycle Assembly",
        time_zone="America/Monterrey",
        shifts=_shifts(("day", 6, 15), ("evening", 15, 0), ("night", 0, 6)),
    ),
    Factory(
        id="pune",
        name="Pune Panel Casting",
        time_zone="Asia/Kolkata",
        shifts=_shifts(("A", 7, 15), ("B", 15, 23), ("C", 23, 7)),
    ),
    Factory(
        id="perth",
        name="Perth Mint Logistics",
        time_zone="Australia/Perth",
        shifts=_shifts(("day", 6, 18), ("night", 18, 6)),
    ),
)

CAMERAS = (
    Camera("koeln-cam-01", "Pavers, line 1", "koeln", "line-1", "paving", {"line_id": "K1"}),
    Camera("koeln-cam-02", "Pavers, line 2", "koeln", "line-2", "paving", {"line_id": "K2"}, bursts=True),
    Camera("koeln-cam-03", "Kiln hall, gate", "koeln", "gate-kiln", "gate", {"zone": "kiln-hall"}, 0.12),
    Camera("monterrey-cam-01", "Final assembly 1", "monterrey", "assembly-1", "assembly", {"line_id": "M1"}),
    Camera("monterrey-cam-02", "Final assembly 2", "monterrey", "assembly-2", "assembly", {"line_id": "M2"}, 0.14),
    Camera("monterrey-cam-03", "Weld cell, gate", "monterrey", "gate-weld", "gate", {"zone": "weld-cell"}, 0.1),
    Camera("pune-cam-01", "Panels, line 1", "pune", "line-1", "panels", {"line_id": "P1"}),
    Camera("pune-cam-02", "Panels, line 2", "pune", "line-2", "panels", {"line_id": "P2"}, 0.16),
    Camera("pune-cam-03", "Crusher, gate", "pune", "gate-crusher", "gate", {"zone": "crusher"}, 0.2, bursts=True),
    Camera("perth-cam-01", "Tray scale 1", "perth", "tray-1", "tray", {"location": "vault-1"}, 0.15),
    Camera("perth-cam-02", "Tray scale 2", "perth", "tray-2", "tray", {"location": "vault-2"}, 0.3),
)

_BURST_EVERY, _BURST_LASTS = timedelta(minutes=5), timedelta(seconds=45)


def factory_of(camera: Camera) -> Factory:
    """The factory in which a camera hangs."""
    return next(factory for factory in FACTORIES if factory.id == camera.factory_id)


def trouble(camera: Camera, moment: datetime, running: timedelta) -> float:
    """The probability that something is wrong before the camera at `moment` (zone-aware), `running` after the start.

    On a camera with bursts a worn tool damages nearly every part, or somebody without a helmet stays at the gate,
    during the first 45 seconds of each five minutes, so that the shipped alert rules fire and resolve within two
    minutes of the start; gates are worst in the quarter of an hour after a shift begins, when people come in a hurry.
    """
    if camera.bursts and running % _BURST_EVERY < _BURST_LASTS:
        return 0.85
    if camera.station == "gate":
        factory = factory_of(camera)
        local = moment.astimezone(factory.zone)
        if local.minute < 15 and any(shift.start.hour == local.hour for shift in factory.shifts):
            return min(1.0, 2.5 * camera.fault_rate)
    return camera.fault_rate
