"""The record-batch transport against a real broker, one worker in this process."""

from __future__ import annotations

import asyncio
import logging
from pathlib import Path

import faust
import pytest
from aiokafka import TopicPartition
from aiokafka.admin import RecordsToDelete
from faust.types import TP

from pipeline.transport import BatchOptions, batch_topic
from pipeline.transport.consumer import BatchConsumer
from tests.integration.transport_support import Broker, Collector, running, until


@pytest.fixture
def broker(environment: dict[str, str], tmp_path: Path) -> Broker:
    return Broker(environment, tmp_path)


async def test_records_arrive_whole(broker: Broker):
    topic = await broker.topic(2)
    async with broker.producer() as producer:
        await producer.send_and_wait(topic, b"v", key=b"k", headers=[("h", b"1")], timestamp_ms=5_000, partition=0)
        await producer.send_and_wait(topic, None, key=b"k", partition=0)
        await producer.send_and_wait(topic, b"", partition=1)
    app = broker.app()
    agent = Collector(app, topic)
    async with running(app):
        await until(lambda: len(agent.records) == 3)
        await until(lambda: broker.all_committed(app.conf.id, topic, 2))
    first, tombstone = (r for r in agent.records if r.partition == 0)
    assert (first.key, first.value, first.headers, first.timestamp) == (b"k", b"v", (("h", b"1"),), 5_000)
    assert (tombstone.key, tombstone.value) == (b"k", None)
    assert {b.next_offset for b in agent.batches if b.partition == 1} == {1}


async def test_one_record_does_not_wait_for_more(broker: Broker):
    topic = await broker.topic(3)
    app = broker.app()
    agent = Collector(app, topic)
    async with running(app), broker.producer() as producer:
        for number in range(5):
            await producer.send_and_wait(topic, b"%010d" % number)
            await until(lambda: len(agent.batches) == number + 1)  # noqa: B023
    assert [len(batch) for batch in agent.batches] == [1] * 5


@pytest.mark.parametrize("read_committed", [True, False])
async def test_commit_passes_aborted_transactions_and_control_records(broker: Broker, read_committed: bool):
    topic = await broker.topic(2)
    async with broker.producer(transactional_id=f"id-{topic}") as producer:

        async def transaction(values: range, partition: int, *, abort: bool) -> None:
            await producer.begin_transaction()
            for number in values:
                await producer.send(topic, b"%010d" % number, partition=partition)
            await (producer.abort_transaction() if abort else producer.commit_transaction())

        await transaction(range(5), 0, abort=False)
        await transaction(range(100, 105), 0, abort=True)
        await transaction(range(5, 8), 0, abort=False)
        await transaction(range(105, 109), 0, abort=True)
        await transaction(range(109, 112), 1, abort=True)
    app = broker.app(options=BatchOptions(read_committed=read_committed))
    agent = Collector(app, topic)
    async with running(app):
        await until(lambda: broker.all_committed(app.conf.id, topic, 2))
    assert sorted(agent.numbers) == list(range(8)) + ([] if read_committed else list(range(100, 112)))
    assert await broker.ends(topic, 2) == {0: 21, 1: 4}


async def test_batches_are_bounded_in_records_and_bytes(broker: Broker):
    topic = await broker.topic()
    await broker.produce(topic, 300)
    await broker.produce(topic, 10, size=2**20)
    app = broker.app(options=BatchOptions(max_batch_bytes=3 * 2**20), broker_max_poll_records=100)
    agent = Collector(app, topic)
    async with running(app):
        await until(lambda: broker.all_committed(app.conf.id, topic))
    assert agent.offsets() == list(range(310))
    assert max(len(batch) for batch in agent.batches) == 100
    assert max(batch.size for batch in agent.batches) <= 3 * 2**20
    assert max(len(batch) for batch in agent.batches if batch.first_offset > 300) > 1


async def test_commit_stays_at_the_first_batch_that_is_not_acknowledged(broker: Broker):
    topic = await broker.topic(2)
    await broker.produce(topic, 1_000, 2)
    app = broker.app(broker_max_poll_records=100)
    agent = Collector(app, topic, hold=True)
    async with running(app):
        await until(lambda: len(agent.records) == 1_000)
        parts = [[b for b in agent.batches if b.partition == p] for p in (0, 1)]
        for batch in [*parts[0][1:], *parts[1][:2], *parts[1][:1:-1]]:
            assert batch.ack()
        await until(lambda: broker.committed(app.conf.id, topic))
        assert await broker.committed(app.conf.id, topic) == {1: 500}
        assert parts[0][0].ack()
        assert not parts[0][0].ack()
        await until(lambda: broker.all_committed(app.conf.id, topic, 2))


async def test_an_agent_that_waits_is_not_fed_and_stays_in_the_group(broker: Broker):
    topic = await broker.topic(2)
    await broker.produce(topic, 10_000, 2)
    app = broker.app(
        options=BatchOptions(partition_records=1_000), broker_max_poll_records=300, broker_max_poll_interval=9.0
    )
    agent = Collector(app, topic, hold=True)
    async with running(app):
        await until(lambda: len(agent.records) >= 2_000)
        generation = app.consumer_generation_id
        idle: list[float] = []
        for _ in range(100):
            await asyncio.sleep(0.1)
            idle.append(app.consumer._thread._consumer._subscription.fetcher_idle_time)
        assert len(agent.records) <= 2 * 1_300
        assert max(idle) < 9
        assert app.consumer_generation_id == generation
        agent.ack_all()
        await until(lambda: broker.all_committed(app.conf.id, topic, 2))
    assert sorted(agent.numbers) == list(range(10_000))


async def test_bytes_in_flight_are_bounded_over_all_partitions(broker: Broker):
    topic = await broker.topic(4)
    await broker.produce(topic, 400, 4, size=100_000)
    app = broker.app(options=BatchOptions(total_bytes=5_000_000, max_batch_bytes=500_000), broker_max_poll_records=10)
    agent = Collector(app, topic, hold=True)
    async with running(app):
        await until(lambda: sum(b.size for b in agent.batches) >= 5_000_000)
        await asyncio.sleep(0.5)
        assert sum(b.size for b in agent.batches) < 6_000_000
        agent.ack_all()
        await until(lambda: broker.all_committed(app.conf.id, topic, 4))
    assert sorted(agent.numbers) == list(range(400))


async def test_a_seek_reads_from_exactly_there_and_makes_what_is_in_flight_stale(broker: Broker):
    topic = await broker.topic()
    await broker.produce(topic, 1_000)
    app = broker.app(broker_max_poll_records=100)
    agent = Collector(app, topic, hold=True)
    async with running(app):
        await until(lambda: len(agent.records) == 1_000)
        before = list(agent.batches)
        (tp,) = app.consumer.assignment()
        await app.consumer.seek(tp, 137)
        assert not any(batch.active for batch in before)
        assert not any(batch.ack() for batch in before)
        await until(lambda: len(agent.records) == 1_000 + 863)
        assert agent.offsets()[1_000:] == list(range(137, 1_000))
        await asyncio.sleep(0.5)
        assert not await broker.committed(app.conf.id, topic)
        agent.ack_all()
        await until(lambda: broker.all_committed(app.conf.id, topic))
        for offset in (0, 999):
            count = len(agent.records)
            await app.consumer.seek(tp, offset)
            await until(lambda: len(agent.records) == count + 1_000 - offset)  # noqa: B023
            assert agent.offsets()[count] == offset


async def test_a_read_that_got_lost_is_read_again(broker: Broker, monkeypatch):
    """Faust drops what it read when a rebalance or a failure comes between; no offset may be passed by that."""
    topic = await broker.topic()
    await broker.produce(topic, 1_000)
    app = broker.app(broker_max_poll_records=50)
    agent = Collector(app, topic)
    read = BatchConsumer._getmany
    count = 0

    async def forgetful(*args, **options):
        nonlocal count
        found = await read(*args, **options)
        count += bool(found)
        return {} if count % 3 == 1 else found

    monkeypatch.setattr(BatchConsumer, "_getmany", forgetful)
    async with running(app):
        await until(lambda: broker.all_committed(app.conf.id, topic))
    assert agent.offsets() == list(range(1_000))
    assert count > 20


class SlowAgent:
    """An agent that waits with its first batch in hand and the others in its queue."""

    def __init__(self, app: faust.App, topic: str) -> None:
        self.seen: list[int] = []
        self.go = asyncio.Event()

        @app.agent(batch_topic(app, topic))
        async def slow(batches):
            async for batch in batches:
                await self.go.wait()
                self.seen.extend(record.offset for record in batch)
                batch.ack()


async def test_batches_from_before_a_seek_do_not_reach_the_agent(broker: Broker):
    topic = await broker.topic()
    await broker.produce(topic, 1_000)
    app = broker.app(broker_max_poll_records=100)
    agent = SlowAgent(app, topic)
    async with running(app):
        await until(lambda: sum(offsets.records for offsets in app.consumer._offsets.values()) == 1_000)
        await app.consumer.seek(TP(topic, 0), 537)
        agent.go.set()
        await until(lambda: broker.all_committed(app.conf.id, topic))
    assert agent.seen == [*range(100), *range(537, 1_000)]


async def test_batches_that_faust_clears_from_a_queue_are_read_again(broker: Broker):
    topic = await broker.topic()
    await broker.produce(topic, 1_000)
    app = broker.app(broker_max_poll_records=100)
    agent = SlowAgent(app, topic)
    async with running(app):
        await until(lambda: sum(offsets.records for offsets in app.consumer._offsets.values()) == 1_000)
        app.flow_control.resume()
        app.consumer.resume_flow()
        agent.go.set()
        await until(lambda: broker.all_committed(app.conf.id, topic))
    assert agent.seen == list(range(1_000))


async def test_reading_goes_on_where_records_were_deleted(broker: Broker, caplog):
    topic = await broker.topic()
    await broker.produce(topic, 3_000)
    app = broker.app(options=BatchOptions(partition_records=500), broker_max_poll_records=100)
    agent = Collector(app, topic, hold=True)
    async with running(app):
        await until(lambda: len(agent.records) >= 500)
        read = len(agent.records)
        async with broker.admin() as admin:
            await admin.delete_records({TopicPartition(topic, 0): RecordsToDelete(before_offset=2_500)})
        # What aiokafka fetched ahead is dropped, so that it has to ask the broker for a deleted offset.
        app.consumer._thread.seek(TP(topic, 0), read)
        agent.ack_all()
        await until(lambda: broker.all_committed(app.conf.id, topic))
    assert agent.offsets() == [*range(read), *range(2_500, 3_000)]


async def test_what_a_failed_agent_held_is_delivered_again(broker: Broker, caplog):
    topic = await broker.topic()
    await broker.produce(topic, 500)
    app = broker.app(broker_max_poll_records=100)
    seen: list[int] = []
    failures = [1]

    @app.agent(batch_topic(app, topic))
    async def fragile(batches):
        async for batch in batches:
            if len(seen) > 150 and failures:
                failures.pop()
                raise RuntimeError("a bug")
            seen.extend(record.offset for record in batch)
            batch.ack()

    async with running(app):
        await until(lambda: broker.all_committed(app.conf.id, topic))
    assert sorted(seen) == list(range(500))
    assert not failures


async def test_batches_of_a_revoked_partition_are_given_up_after_a_bounded_wait(broker: Broker):
    topic = await broker.topic(2)
    await broker.produce(topic, 1_000, 2)
    group, options = f"group-{topic}", BatchOptions(drain_timeout=1.0)
    apps = [broker.app(group, options, broker_max_poll_records=100) for _ in range(2)]
    agents = [Collector(app, topic, hold=True) for app in apps]
    async with running(apps[0]):
        await until(lambda: len(agents[0].records) == 1_000)
        before = list(agents[0].batches)
        assert before[0].ack()
        async with running(apps[1]):
            await until(lambda: len(agents[0].records) + len(agents[1].records) == 1_000 + 900)
            assert agents[1].records
            assert not any(batch.active or batch.ack() for batch in before)
            assert await broker.committed(group, topic) == {before[0].partition: 100}
            agents[0].ack_all()
            agents[1].ack_all()
            await until(lambda: broker.all_committed(group, topic, 2))


async def test_batches_in_hand_are_finished_and_committed_before_a_partition_is_given_up(broker: Broker):
    topic = await broker.topic(2)
    await broker.produce(topic, 1_000, 2)
    group = f"group-{topic}"
    apps = [broker.app(group, broker_max_poll_records=100, broker_commit_interval=60.0) for _ in range(2)]
    agents = [Collector(app, topic, hold=True) for app in apps]
    async with running(apps[0]):
        await until(lambda: len(agents[0].records) == 1_000)

        async def finish_late() -> None:
            await until(lambda: apps[0].rebalancing)
            await asyncio.sleep(1.5)
            assert apps[0].rebalancing
            agents[0].ack_all()

        late = asyncio.create_task(finish_late())
        async with running(apps[1]):
            await late
            await until(lambda: broker.all_committed(group, topic, 2))
            await until(lambda: not (apps[0].rebalancing or apps[1].rebalancing))
            await broker.produce(topic, 100, 2)
            await until(lambda: len(agents[0].records) + len(agents[1].records) == 1_100)
            assert len(agents[1].records) == 50
            agents[1].ack_all()


async def test_a_batch_that_is_not_finished_is_reported_once(broker: Broker, caplog):
    topic = await broker.topic()
    await broker.produce(topic, 10)
    app = broker.app(stream_processing_timeout=1.0, broker_commit_livelock_soft_timeout=1.0)
    agent = Collector(app, topic, hold=True)
    with caplog.at_level(logging.WARNING):
        async with running(app):
            await until(lambda: "not done after" in caplog.text)
            await asyncio.sleep(1.5)
            agent.ack_all()
    assert caplog.text.count("offsets 0 to 10 not done after") == 1
    assert "stopped processing" not in caplog.text
    assert "Has not committed" not in caplog.text


async def test_tables_and_agents_by_record_work_beside_batches(broker: Broker):
    batches, records = await broker.topic(2), await broker.topic(2)
    await broker.produce(batches, 100, 2)
    await broker.produce(records, 100, 2)
    group = f"group-{records}"
    for total in (100, 200):
        app = broker.app(group, topic_partitions=2, topic_replication_factor=1)
        agent = Collector(app, batches)
        counts = app.Table(f"counts-{records}", default=int, partitions=2)

        @app.agent(app.topic(records, key_serializer="raw", value_serializer="raw"))
        async def count(stream, counts=counts):
            async for event in stream.events():
                counts[event.message.partition] += 1

        async with running(app):
            await until(lambda: broker.all_committed(group, batches, 2))
            await until(lambda: sum(counts.values()) == total, what=f"{total} counted")  # noqa: B023
            await until(lambda: broker.all_committed(group, records, 2))
        assert len(agent.records) == 100
        await broker.produce(batches, 100, 2)
        await broker.produce(records, 100, 2)


async def test_a_topic_is_read_in_one_way_only(broker: Broker):
    topic = await broker.topic()
    app = broker.app()
    Collector(app, topic)

    @app.agent(app.topic(topic, value_serializer="raw"))
    async def by_record(stream):
        async for _ in stream:
            pass

    async with running(app):
        await until(lambda: app.consumer.crashed or app.crashed)
