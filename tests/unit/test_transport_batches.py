"""Cutting what was read into batches, the options in the broker URL, and the message around a batch."""

from __future__ import annotations

import logging

import faust
import pytest
from aiokafka import AIOKafkaConsumer, ConsumerRecord
from faust.exceptions import ImproperlyConfigured
from faust.transport import drivers
from faust.types import TP
from hypothesis import given
from hypothesis import strategies as st
from yarl import URL

from pipeline.transport import SCHEME, BatchOptions, Transport, batch_topic, broker_url
from pipeline.transport.batch import BatchMessage, RecordBatch
from pipeline.transport.consumer import BatchConsumer, cut
from pipeline.transport.offsets import Delivery, PartitionOffsets, State
from pipeline.transport.options import options_of
from pipeline.transport.thread import Fetched


def record(offset: int, size: int, *, tombstone: bool = False) -> ConsumerRecord:
    value = None if tombstone else b"x" * size
    return ConsumerRecord("t", 0, offset, 1_000, 0, None, value, None, -1, -1 if tombstone else size, ())


@given(
    sizes=st.lists(st.tuples(st.integers(1, 3), st.integers(0, 60), st.booleans()), min_size=1, max_size=30),
    before=st.integers(0, 3),
    after=st.integers(0, 3),
    bound=st.integers(1, 100),
)
def test_pieces_cover_everything_that_was_read_and_keep_the_bound(sizes, before, after, bound):
    records, offset = [], 100 + before
    for step, size, tombstone in sizes:
        records.append(record(offset, size, tombstone=tombstone))
        offset += step
    fetched = Fetched(100, records[-1].offset + 1 + after, records)
    offsets = PartitionOffsets()
    offsets.reset(100)
    pieces = list(cut(offsets, 100, fetched, bound))
    assert [r for piece in pieces for r in piece.records] == records
    assert all(piece.records for piece in pieces)
    for piece in pieces:
        offsets.deliver(Delivery(piece.first, piece.next, len(piece.records), piece.size))
        assert piece.size == sum(len(r.value or b"") for r in piece.records)
        assert piece.size <= bound or sum(1 for r in piece.records if r.value) == 1
        assert piece.first <= piece.records[0].offset
        assert piece.records[-1].offset < piece.next
    assert offsets.position == fetched.next


def test_options_travel_in_the_broker_url():
    options = BatchOptions(max_batch_bytes=5, drain_timeout=2.5, read_committed=False)
    urls = broker_url("a:9092, b:9093", options)
    assert [(url.scheme, url.host, url.port) for url in urls] == [(SCHEME, "a", 9092), (SCHEME, "b", 9093)]
    assert options_of(urls[0]) == options
    assert not broker_url("a:9092")[0].query


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ("max_bytes=5", "unknown option 'max_bytes'"),
        ("total_bytes=much", "total_bytes='much' is not of type int"),
        ("read_committed=maybe", "read_committed='maybe' is not of type bool"),
    ],
)
def test_a_wrong_option_is_named(query, message):
    with pytest.raises(ImproperlyConfigured, match=message):
        options_of(URL(f"{SCHEME}://a:9092?{query}"))


def test_faust_finds_the_driver_by_scheme():
    assert drivers.by_url(URL(f"{SCHEME}://a:9092")) is Transport
    app = faust.App("t", broker=broker_url("a:9092", BatchOptions(total_bytes=7)))
    assert isinstance(app.transport, Transport)
    assert app.transport.options.total_bytes == 7


async def test_an_event_carries_the_batch_itself():
    app = faust.App("t", broker=broker_url("a:9092"))
    topic = batch_topic(app, "things")
    message = message_of(Delivery(0, 1))
    event = await topic.decode(message)
    assert event.value is message.value
    assert event.message is message


def message_of(delivery: Delivery) -> BatchMessage:
    batch = RecordBatch("t", 0, [record(0, 1)], 1, 1, delivery, lambda _: True)
    return BatchMessage("t", 0, 0, 0.0, 0, None, None, batch, None, 0, 1, generation_id=7)


def test_a_message_tells_when_its_batch_is_taken_and_hides_a_stale_one_from_the_stream():
    delivery = Delivery(0, 1)
    message = message_of(delivery)
    assert (message.tracked, message.generation_id) == (False, 7)
    message.tracked = True
    assert delivery.started
    delivery.state = State.STALE
    assert message.generation_id == -1


async def test_aiokafka_still_has_the_attributes_that_are_set_before_start():
    consumer = AIOKafkaConsumer(bootstrap_servers="127.0.0.1:1")
    assert all(hasattr(consumer, name) for name in ("_isolation_level", "_fetch_max_wait_ms", "_max_poll_records"))
    await consumer.stop()


class _Thread:
    """The consumer's thread for a topic that was made anew and has `latest` records already."""

    def __init__(self, latest: int) -> None:
        self.latest = latest
        self.sought: list[int] = []

    async def earliest_offsets(self, tp: TP) -> dict[TP, int]:
        return {tp: 0}

    async def highwaters(self, tp: TP) -> dict[TP, int]:
        return {tp: self.latest}

    async def seek_wait(self, partitions: dict[TP, int]) -> None:
        self.sought += partitions.values()


@pytest.mark.parametrize("latest", [0, 300, 900])
@pytest.mark.parametrize("records", [[], [record(0, 1), record(1, 1)]])
async def test_a_topic_made_anew_is_read_from_its_beginning(latest, records):
    """Read were 500 records; aiokafka then finds the offset out of range and goes back to the first there is."""
    tp = TP("t", 0)
    consumer = object.__new__(BatchConsumer)
    consumer._offsets, consumer._committed_offset, consumer._thread = {}, {tp: 500}, _Thread(latest)
    consumer.log = logging.getLogger("test")
    offsets = consumer._offsets_of(tp)
    offsets.reset(400)
    in_hand = Delivery(400, 500, 100)
    offsets.deliver(in_hand)
    assert await consumer._admit(tp, Fetched(500, len(records), records)) == []
    assert (offsets.position, consumer._thread.sought) == (0, [0])
    assert in_hand.state is State.STALE
    assert consumer._committed_offset[tp] is None
