"""The state machine of alerts against the plain evaluator, whatever order and however often events come."""

from collections.abc import Callable

from hypothesis import given
from hypothesis import strategies as st

from pipeline.core.alerts.states import GroupState, add_all, advance, is_empty, next_due
from pipeline.core.alerts.windows import Entry
from schemas.rule import AlertRule, Window
from tests.unit.alerts_reference import Seen, holds_at, timeline

END = 120

few = st.integers(1, 4)
seconds = st.integers(1, 12)
monotone = st.one_of(
    st.builds(Window, count=few, within=seconds),
    st.builds(Window, distinct=few, within=seconds, field=st.just("device_id")),
)
ratio = st.builds(Window, ratio=st.sampled_from([0.25, 0.5, 1.0]), min_events=few, within=seconds)


@st.composite
def rules(draw: st.DrawFn, window: st.SearchStrategy[Window]) -> AlertRule:
    waits = {name: draw(st.integers(0, 12)) for name in ("for", "resolve_after", "cooldown")}
    return AlertRule.model_validate({"name": "r", "window": draw(window).model_dump()} | waits)


@st.composite
def silences(draw: st.DrawFn) -> AlertRule:
    return AlertRule(name="r", absence=draw(seconds), group_by=("device_id",), cooldown=draw(st.integers(0, 12)))


@st.composite
def histories(draw: st.DrawFn, hits_only: bool) -> list[Seen]:
    moments = sorted(draw(st.lists(st.integers(0, 80), max_size=25)))
    hit = st.just(True) if hits_only else st.booleans()
    return [Seen(time, str(number), draw(hit), draw(st.sampled_from("abc"))) for number, time in enumerate(moments)]


def entry(seen: Seen) -> Entry:
    return Entry(seen.time * 1000, seen.id, int(seen.hit), 1, seen.value)


def run(rule: AlertRule, steps: list[tuple[list[Seen], int]]) -> list[tuple[str, int]]:
    """Events in the order given, and after each step the second up to which all have come."""
    state, found = GroupState(), []
    for events, settled in [*steps, ([], END)]:
        add_all(state, map(entry, events))
        state = GroupState.from_dict(state.as_dict())
        due = next_due(rule, state)
        state, transitions = advance(rule, state, settled * 1000)
        if not events:
            assert not transitions or due <= settled * 1000, "nothing happens before it is due"
        found += [(item.status, item.at // 1000) for item in transitions]
    return found


@given(st.one_of(rules(st.one_of(monotone, ratio)), silences()), st.data())
def test_events_in_order_give_what_the_plain_evaluator_gives(rule: AlertRule, data: st.DataObject) -> None:
    hits_only = rule.window is None or rule.window.ratio is None
    events = data.draw(histories(hits_only))
    lag = data.draw(st.integers(1, 15))
    steps = [([event], event.time - lag) for event in events]
    assert run(rule, steps) == timeline(rule, events, END)


@given(st.one_of(rules(ratio)), st.data())
def test_a_ratio_does_not_depend_on_order_and_repetition(rule: AlertRule, data: st.DataObject) -> None:
    events = data.draw(histories(False))
    assert run(rule, shuffled(data, events)) == timeline(rule, events, END)


@given(rules(monotone), st.data())
def test_out_of_order_and_repeated_events_fire_no_false_alert(rule: AlertRule, data: st.DataObject) -> None:
    events = data.draw(histories(True))
    found = run(rule, shuffled(data, events))
    fired = [at for status, at in found if status == "firing"]
    truly = [at for status, at in timeline(rule, events, END) if status == "firing"]
    assert bool(fired) == bool(truly)
    assert all(holds_at(rule, events, at) for at in fired)
    if fired:
        assert fired[0] >= truly[0]


def shuffled(data: st.DataObject, events: list[Seen]) -> list[tuple[list[Seen], int]]:
    """The events in any order within ten seconds of delay, some twice; settled is what can have been promised."""
    delays = data.draw(st.lists(st.integers(0, 10), min_size=len(events), max_size=len(events)))
    again = data.draw(st.lists(st.sampled_from(events), max_size=5)) if events else []
    arrivals = [(event.time + delay, event) for event, delay in zip(events, delays, strict=True)]
    arrivals += [(event.time + 11, event) for event in again]
    arrivals.sort(key=lambda item: item[0])
    return [([event], arrived - 11) for arrived, event in arrivals]


@given(rules(st.one_of(monotone, ratio)), st.data())
def test_a_state_that_is_forgotten_said_nothing(rule: AlertRule, data: st.DataObject) -> None:
    state = GroupState()
    add_all(state, map(entry, data.draw(histories(False))))
    moved, _ = advance(rule, state, 500_000)
    assert is_empty(rule, moved)


def fires(rule: AlertRule) -> Callable[..., list[tuple[str, int]]]:
    return lambda *times: run(rule, [([Seen(time, str(time))], time - 5) for time in times])


def test_for_cooldown_and_resolve_after_in_numbers() -> None:
    rule = AlertRule.model_validate(
        {"name": "r", "window": {"count": 2, "within": "10s"}, "for": 3, "resolve_after": "5s", "cooldown": "30s"}
    )
    assert fires(rule)(0, 2, 6) == [("firing", 5), ("resolved", 17)]
    assert fires(rule)(0, 2, 6, 20, 21, 47, 48) == [("firing", 5), ("resolved", 17), ("firing", 51), ("resolved", 62)]


def test_an_unbounded_crowd_keeps_a_bounded_state() -> None:
    rule = AlertRule(name="r", window=Window(count=3, within=60))
    state = GroupState()
    add_all(state, (Entry(number, str(number)) for number in range(10_000)))
    state, transitions = advance(rule, state, -1)
    assert [item.at for item in transitions] == [2]
    assert len(state.entries) < 2_010
