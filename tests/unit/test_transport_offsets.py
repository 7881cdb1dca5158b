"""The committed offset never passes a record that is not done, and reaches the end when all is."""

from __future__ import annotations

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from pipeline.transport.offsets import Delivery, PartitionOffsets, State

gaps = st.integers(0, 3)


class OffsetsMachine(RuleBasedStateMachine):
    """Random reads, acknowledgements in any order, seeks, revocations; a model of sets tells what is right."""

    def __init__(self) -> None:
        super().__init__()
        self.offsets = PartitionOffsets()
        self.deliveries: list[Delivery] = []
        self.current: list[Delivery] = []
        self.records: dict[Delivery, list[int]] = {}
        self.open: set[Delivery] = set()
        self.base = 0

    @initialize(start=st.integers(0, 50))
    def assign(self, start: int) -> None:
        self.place(start)

    def place(self, position: int) -> None:
        self.offsets.reset(position)
        self.base = position
        self.open.clear()
        self.current.clear()

    @rule(before=gaps, count=st.integers(1, 5), inside=gaps, after=gaps)
    def read(self, before: int, count: int, inside: int, after: int) -> None:
        start = self.offsets.position
        assert start is not None
        records = [start + before, *range(start + before + 1 + inside, start + before + inside + count)]
        delivery = Delivery(start, records[-1] + 1 + after, len(records), 10 * len(records))
        self.offsets.deliver(delivery)
        self.deliveries.append(delivery)
        self.current.append(delivery)
        self.records[delivery] = records
        self.open.add(delivery)

    @rule(length=st.integers(0, 4))
    def read_only_control_records(self, length: int) -> None:
        start = self.offsets.position
        assert start is not None
        self.offsets.skip(start, start + length)

    @precondition(lambda self: self.deliveries)
    @rule(data=st.data())
    def ack_any(self, data: st.DataObject) -> None:
        """Also ones acknowledged before, and ones from before a seek or of an assignment that was lost."""
        delivery = data.draw(st.sampled_from(self.deliveries))
        if delivery in self.current:
            self.start(self.current.index(delivery) + 1)
        assert self.offsets.ack(delivery) is (delivery in self.open)
        if delivery in self.open:
            self.open.remove(delivery)

    @precondition(lambda self: self.current)
    @rule(data=st.data())
    def start_up_to(self, data: st.DataObject) -> None:
        self.start(data.draw(st.integers(1, len(self.current))))

    def start(self, count: int) -> None:
        """An agent takes batches from its queue in order."""
        for delivery in self.current[:count]:
            delivery.started = True

    @rule()
    def queue_is_cleared(self) -> None:
        """What was not started is as if it had not been read."""
        while self.current and self.current[-1] in self.open and not self.current[-1].started:
            lost = self.current.pop()
            self.open.remove(lost)
        self.offsets.take_back()
        assert not [d for d in self.offsets.unfinished()[-1:] if not d.started]

    @rule(position=st.integers(0, 80))
    def seek_or_reassign(self, position: int) -> None:
        self.place(position)

    @rule(position=st.integers(0, 80))
    def revoke_and_assign_again(self, position: int) -> None:
        self.offsets.reset(None)
        assert self.offsets.committable is None
        assert all(d.state is not State.OPEN for d in self.deliveries)
        self.place(position)

    @rule()
    def finish_all(self) -> None:
        self.start(len(self.current))
        for delivery in list(self.open):
            self.ack_one(delivery)
        assert self.offsets.frontier == self.offsets.position

    def ack_one(self, delivery: Delivery) -> None:
        self.offsets.ack(delivery)
        self.open.remove(delivery)

    @invariant()
    def commit_is_the_first_record_not_done(self) -> None:
        not_done = [offset for delivery in self.open for offset in self.records[delivery]]
        frontier = self.offsets.frontier
        assert frontier is None or frontier <= min(not_done, default=frontier)
        if frontier is not None and self.offsets.position is not None:
            assert frontier <= self.offsets.position
            first_open = min((d.first for d in self.open), default=self.offsets.position)
            assert frontier == first_open
        assert self.offsets.committable in (None, frontier)
        if self.offsets.committable is None:
            assert frontier in (None, self.base)

    @invariant()
    def room_is_counted(self) -> None:
        assert [d for d in self.deliveries if d in self.open] == self.offsets.unfinished()
        still_open = [index for index, delivery in enumerate(self.current) if delivery in self.open]
        # Acknowledged behind an open one still counts: it would be read again after a crash.
        span = self.current[still_open[0] :] if still_open else []
        assert self.offsets.records == sum(d.records for d in span)
        assert self.offsets.size == sum(d.size for d in span)


TestOffsets = OffsetsMachine.TestCase
TestOffsets.settings = settings(max_examples=200, stateful_step_count=30, deadline=None)


def placed(position: int) -> PartitionOffsets:
    offsets = PartitionOffsets()
    offsets.reset(position)
    return offsets


def test_a_delivery_must_follow_the_one_before():
    offsets = placed(10)
    offsets.deliver(Delivery(10, 20, 10))
    for first, after in ((21, 30), (19, 30), (20, 19)):
        with pytest.raises(ValueError, match="do not follow position 20"):
            offsets.deliver(Delivery(first, after, 1))
    assert offsets.position == 20


def test_nothing_is_taken_before_the_position_is_known():
    with pytest.raises(ValueError, match="position None"):
        PartitionOffsets().skip(0, 1)


def test_commit_passes_a_tail_of_control_records():
    offsets = placed(0)
    delivery = Delivery(0, 10, 8)
    offsets.deliver(delivery)
    offsets.skip(10, 13)
    assert offsets.committable is None
    offsets.ack(delivery)
    assert offsets.committable == 13


def test_what_was_cleared_from_a_queue_is_to_be_read_again():
    offsets = placed(0)
    deliveries = [Delivery(0, 10, 10, 100), Delivery(10, 25, 10, 100), Delivery(25, 30, 5, 50)]
    for delivery in deliveries:
        offsets.deliver(delivery)
    deliveries[0].started = True
    offsets.take_back()
    assert (offsets.position, offsets.records, offsets.size) == (10, 10, 100)
    assert [d.state for d in deliveries] == [State.OPEN, State.STALE, State.STALE]
    assert offsets.ack(deliveries[0])
    assert offsets.committable == 10


def test_a_late_acknowledgement_is_not_taken_for_the_new_delivery_of_the_same_offsets():
    offsets = placed(0)
    old = Delivery(0, 10, 10)
    offsets.deliver(old)
    offsets.reset(None)
    offsets.reset(0)
    new = Delivery(0, 10, 10)
    offsets.deliver(new)
    assert offsets.ack(old) is False
    assert offsets.committable is None
    assert offsets.ack(new) is True
    assert offsets.committable == 10
