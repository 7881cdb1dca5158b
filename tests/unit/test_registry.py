"""The shift of a moment, in the factory's own time."""

from datetime import UTC, datetime, time, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.core.registry import ShiftCalendar
from schemas.device import Factory, Shift

BERLIN = Factory(
    id="f",
    time_zone="Europe/Berlin",
    shifts=(
        Shift(name="early", start=time(6), end=time(14)),
        Shift(name="late", start=time(14), end=time(22)),
        Shift(name="night", start=time(22), end=time(6)),
    ),
)


@pytest.mark.parametrize(
    ("moment", "shift"),
    [
        ("2026-11-23T04:59:59+00:00", "night"),  # 05:59 in Berlin
        ("2026-11-23T05:00:00+00:00", "early"),
        ("2026-11-23T21:00:00+00:00", "night"),
        ("2026-07-01T04:00:00+00:00", "early"),  # summer time: 06:00
        ("2026-10-25T00:30:00+00:00", "night"),  # 02:30 for the first time that night
        ("2026-10-25T01:30:00+00:00", "night"),  # and for the second
    ],
)
def test_shifts_follow_local_time(moment: str, shift: str) -> None:
    assert ShiftCalendar(BERLIN).shift_at(datetime.fromisoformat(moment)) == shift


@given(st.datetimes(datetime(2025, 1, 1), datetime(2027, 1, 1)))
def test_a_calendar_around_the_clock_always_has_a_shift(moment: datetime) -> None:
    assert ShiftCalendar(BERLIN).shift_at(moment.replace(tzinfo=UTC)) is not None


def test_a_night_shift_belongs_to_the_day_it_starts() -> None:
    friday_night = Factory(id="f", shifts=(Shift(name="night", start=time(22), end=time(6), days=("fri",)),))
    calendar = ShiftCalendar(friday_night)
    saturday = datetime(2026, 11, 28, 5, 59, tzinfo=UTC)
    assert calendar.shift_at(saturday) == "night"
    assert calendar.shift_at(saturday - timedelta(days=1)) is None
    assert calendar.shift_at(saturday + timedelta(minutes=1)) is None
