"""A partition stands still when records wait and none is done; nothing else is standing still."""

from hypothesis import given
from hypothesis import strategies as st

from pipeline.core.stalls import Place, StallWatch


def test_a_partition_that_stands_still_is_named_with_what_waits() -> None:
    watch = StallWatch(30)
    places = {"t/0": Place(10, 25), "t/1": Place(7, 7)}
    assert watch.look(0, places) == []
    assert watch.look(29, places) == []
    (stall,) = watch.look(31, places)
    assert str(stall) == "t/0: 15 records wait, nothing done for 31 s"


def test_it_goes_on_by_progress_by_reaching_the_end_and_by_being_revoked() -> None:
    watch = StallWatch(30)
    for now, place in [(0, Place(1, 9)), (40, Place(2, 9)), (80, Place(2, 2)), (81, Place(2, 5)), (100, Place(2, 8))]:
        assert watch.look(now, {"t/0": place}) == []
    assert watch.look(111, {"t/0": Place(2, 8)})
    assert watch.look(112, {}) == []
    assert watch.look(113, {"t/0": Place(2, 8)}) == []


@given(st.lists(st.tuples(st.floats(0.1, 9), st.integers(0, 2), st.integers(0, 2))))
def test_it_is_noticed_at_the_first_look_after_the_time_and_never_before(steps: list[tuple[float, int, int]]) -> None:
    watch, now, done, end, since = StallWatch(10), 0.0, 0, 0, 0.0
    for pause, more, handled in steps:
        now += pause
        end += more
        moved = min(handled, end - done)
        done += moved
        if moved or done == end or now == pause:
            since = now
        assert bool(watch.look(now, {"p": Place(done, end)})) == (now - since >= 10)
