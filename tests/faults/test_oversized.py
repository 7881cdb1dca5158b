"""Records that are small in Kafka and large unpacked: rejected whole, and the partition goes on."""

import uuid

from pipeline.edges.kafka import producer
from schemas.topics import INFERENCES, REJECTS
from tests.faults.arena import Arena
from tests.faults.mix import Sent

BYTES = 20 * 1024 * 1024


def test_a_compressed_giant_is_rejected_and_its_reject_is_published_without_it(arena: Arena) -> None:
    key = uuid.uuid4().hex.encode()
    before = arena.observer.ends(REJECTS.name)
    arena.base = arena.observer.ends()
    arena.gaps = False
    arena.workers.ensure()

    async def send() -> None:
        client = producer(arena.settings, compression_type="gzip", max_request_size=2 * BYTES)
        await client.start()
        try:
            await client.send_and_wait(INFERENCES.name, b'{"comment": "' + b"0" * BYTES + b'"}', key=key)
        finally:
            await client.stop()

    arena.background.run(send())
    arena.load.send(Sent(b"not json", key))
    arena.settle()
    published = {record.key: record for record in arena.observer.log(REJECTS.name, before)}
    giant = published[None]
    headers = dict(giant.headers)
    assert headers["reject.reason"] == b"too_large"
    assert headers["reject.omitted_bytes"] == str(BYTES + 15).encode()
    assert not giant.value
    assert published[key].value == b"not json"
    place = (int(headers["reject.partition"]), int(headers["reject.offset"]))
    (kept,) = arena.sql.query(
        "SELECT length(value) FROM rejects "
        "WHERE topic = {t:String} AND (partition, offset) = {p:Tuple(UInt32, UInt64)}",
        parameters={"t": INFERENCES.name, "p": place},
    ).result_rows
    assert kept == (BYTES + 15,)
