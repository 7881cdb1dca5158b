"""When a flood of rejects is one: by share, by reason, over flushes of any size and over restarts."""

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from pipeline.core.reject_limit import LEAST, STORED, WINDOW, RejectLimit


def test_a_flood_is_noticed_in_the_flush_that_brings_it() -> None:
    limit = RejectLimit(0.5, {STORED: WINDOW})
    assert limit.judge(5_000, {"not_json": 40}) is None
    assert limit.judge(0, {"not_json": 6_000}) == ("not_json", 6_000, 6_000)


def test_a_few_records_are_not_judged_and_many_reasons_are_no_flood() -> None:
    assert RejectLimit(0.5).judge(0, {"not_json": LEAST - 1}) is None
    assert RejectLimit(0.5).judge(0, {f"reason {number}": WINDOW // 4 for number in range(4)}) is None


def test_what_is_usual_may_have_any_share_and_0_is_no_limit() -> None:
    assert RejectLimit(0.5, usual=["not_json"]).judge(0, {"not_json": WINDOW}) is None
    assert RejectLimit(0).judge(0, {"not_json": WINDOW}) is None


def test_a_restart_is_no_way_around_it() -> None:
    """A worker that is started again and again, with what it wrote before as its memory."""
    written: Counter[str] = Counter({STORED: 10 * WINDOW})
    for _ in range(100):
        recent = dict(Counter({"not_json": min(written["not_json"], WINDOW)}))
        recent[STORED] = WINDOW - recent["not_json"]
        if RejectLimit(0.5, recent).judge(0, {"not_json": LEAST - 1}):
            break
        written["not_json"] += LEAST - 1
    assert written["not_json"] <= WINDOW


def test_a_flood_that_was_let_through_does_not_stop_the_records_after_it() -> None:
    limit = RejectLimit(0.5, {"not_json": WINDOW})
    assert limit.judge(435, {"not_json": 5}) is None
    assert limit.judge(5, {"not_json": 5}) == ("not_json", 1_010, 1_450)


@given(st.floats(0.01, 1), st.lists(st.integers(0, 400).flatmap(lambda n: st.tuples(st.just(n), st.integers(0, n)))))
def test_the_rejects_of_one_reason_that_pass_are_bounded(share: float, flushes: list[tuple[int, int]]) -> None:
    limit, passed, recent = RejectLimit(share), 0, []
    for records, rejected in flushes:
        if limit.judge(records - rejected, Counter({"not_json": rejected}) if rejected else {}):
            return
        recent.append((records, rejected))
        passed += rejected
    handled = sum(records for records, _ in recent)
    assert passed <= max(LEAST, share * handled + 400 + WINDOW * share)
