"""The spool on disk: nothing lost, nothing twice, order per device, whatever the order of events and crashes."""

import os
import sqlite3
from collections import defaultdict
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from pipeline.core.outgoing import OutgoingEvent
from pipeline.errors import ConfigurationError, DependencyError, RefusedError
from pipeline.spool.forwarder import DAMAGED, sort_out
from pipeline.spool.repair import open_spool
from pipeline.spool.state import list_refused, read_state
from pipeline.spool.store import SPOOL_FILE, Limits, SpoolStore, owned

ROOMY = Limits(10_000_000, 1_000)
DEVICES = ("cam-1", "cam-2", "cam-3")


def event(number: int, size: int = 100) -> OutgoingEvent:
    return OutgoingEvent(f"e{number}", DEVICES[number % 3], f"{number} ".encode().ljust(size, b"x"))


def numbers(store: SpoolStore) -> list[int]:
    return [int(queued.event.value.split()[0]) for queued in store.oldest(1_000, 100_000_000)]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "edge"


class SpoolMachine(RuleBasedStateMachine):
    """Accept, forward with failures at any place, crash and reopen, against plain lists."""

    @initialize(data=st.data())
    def start(self, data: st.DataObject) -> None:
        from tempfile import TemporaryDirectory

        self.temporary = TemporaryDirectory(prefix="spool")
        self.folder = Path(self.temporary.name) / "edge"
        self.limits = Limits(2_000, 12)
        self.store = SpoolStore.open(self.folder, self.limits)
        self.next = 0
        self.acknowledged: set[int] = set()
        self.received: list[int] = []
        self.refused: set[int] = set()
        self.discarded: set[int] = set()

    @rule(sizes=st.lists(st.integers(10, 400), min_size=1, max_size=5))
    def accept(self, sizes: list[int]) -> None:
        events = [event(self.next + position, size) for position, size in enumerate(sizes)]
        for position, taken in enumerate(self.store.append(events, self.next)):
            if taken:
                self.acknowledged.add(self.next + position)
        self.next += len(sizes)

    @rule(data=st.data(), settled=st.booleans())
    def forward(self, data: st.DataObject, settled: bool) -> None:
        """Any outcome for each event; `settled` false is a crash between the receiver's answer and the commit."""
        batch = self.store.oldest(data.draw(st.integers(1, 6)), data.draw(st.integers(1, 1_500)))
        choices = st.sampled_from(["ok", "ok", "refused", "away"])
        outcomes = [data.draw(choices) for _ in batch]
        for queued, outcome in zip(batch, outcomes, strict=True):
            assert not queued.damaged
            if outcome == "ok":
                self.received.append(int(queued.event.value.split()[0]))
        answers = {"ok": None, "refused": RefusedError("no"), "away": DependencyError("away")}
        delivered, refused, failure = sort_out(batch, [answers[outcome] for outcome in outcomes])
        assert (failure is not None) == ("away" in outcomes)
        if settled:
            by_seq = {queued.seq: int(queued.event.value.split()[0]) for queued in batch}
            self.store.settle(delivered, refused, self.next)
            self.refused |= {by_seq[seq] for seq in refused}
        else:
            self.crash()

    @precondition(lambda self: self.refused)
    @rule(data=st.data())
    def retry(self, data: st.DataObject) -> None:
        chosen = data.draw(st.sets(st.sampled_from(sorted(self.refused)), min_size=1))
        assert self.store.retry([f"e{number}" for number in chosen], self.next) == len(chosen)
        self.refused -= chosen

    @precondition(lambda self: self.refused)
    @rule()
    def discard(self) -> None:
        assert self.store.discard(None) == len(self.refused)
        self.discarded |= self.refused
        self.refused = set()

    @rule()
    def crash(self) -> None:
        """What is on the disk is all that is left: a copy taken without closing, as kill -9 leaves it."""
        copied = self.folder.with_name(f"copy-{self.next}-{len(self.received)}-{os.urandom(3).hex()}")
        copied.mkdir()
        for path in self.folder.glob("spool.db*"):
            if not path.name.endswith("-shm"):
                (copied / path.name).write_bytes(path.read_bytes())
        self.store.close()
        self.folder = copied
        self.store = open_spool(copied, self.limits)

    @invariant()
    def nothing_is_lost_and_the_counts_agree(self) -> None:
        if not hasattr(self, "store"):
            return
        waiting = numbers(self.store)
        assert len(set(waiting)) == len(waiting)
        held = set(waiting) | self.refused
        assert set(waiting).isdisjoint(self.refused)
        assert held | set(self.received) | self.discarded >= self.acknowledged
        assert held <= self.acknowledged
        state = read_state(self.folder)
        assert state.accepted == state.delivered + state.replaced + state.discarded + state.waiting + state.refused
        assert (state.waiting, state.refused) == (len(waiting), len(self.refused))
        assert state.waiting + state.refused <= self.limits.max_events
        assert state.waiting_bytes + state.refused_bytes <= self.limits.max_bytes
        assert len(self.acknowledged) == state.accepted
        assert not state.damaged_files

    def teardown(self) -> None:
        if hasattr(self, "store"):
            while batch := self.store.oldest(100, 1_000_000):
                self.received += [int(queued.event.value.split()[0]) for queued in batch]
                self.store.settle([queued.seq for queued in batch], {}, 0)
            # By id, what arrived is what was acknowledged and not refused: once each, since an id replaces itself.
            assert set(self.received) | self.refused | self.discarded == self.acknowledged
            self.store.close()
            self.temporary.cleanup()


TestSpoolMachine = SpoolMachine.TestCase
TestSpoolMachine.settings = settings(
    max_examples=15, stateful_step_count=25, deadline=None, suppress_health_check=list(HealthCheck)
)


def test_a_device_keeps_its_order_through_failures(folder: Path) -> None:
    with SpoolStore.open(folder, ROOMY) as store:
        store.append([event(number) for number in range(12)], 0)
        arrived: dict[str, list[int]] = defaultdict(list)
        failing = {4, 6}  # a failure of cam-2 holds back what follows of cam-2, not of the others
        while batch := store.oldest(8, 10_000):
            outcomes = [
                DependencyError("away") if int(queued.event.value.split()[0]) in failing else None for queued in batch
            ]
            delivered, refused, _ = sort_out(batch, outcomes)
            failing.clear()
            for queued in batch:
                if queued.seq in delivered:
                    arrived[queued.event.device_id].append(int(queued.event.value.split()[0]))
            store.settle(delivered, refused, 1)
    assert arrived == {"cam-1": [0, 3, 6, 9], "cam-2": [1, 4, 7, 10], "cam-3": [2, 5, 8, 11]}


def test_the_same_id_again_replaces_what_waits(folder: Path) -> None:
    with SpoolStore.open(folder, ROOMY) as store:
        store.append([event(1), event(2)], 0)
        store.append([OutgoingEvent("e1", "cam-2", b"1 newer")], 1)
        assert [queued.event.value for queued in store.oldest(9, 9_999)][1:] == [b"1 newer"]
        state = read_state(folder)
        assert (state.accepted, state.replaced, state.waiting, state.waiting_bytes) == (3, 1, 2, 107)


def test_it_is_bounded_by_bytes_and_by_number(folder: Path) -> None:
    with SpoolStore.open(folder, Limits(250, 100)) as store:
        assert store.append([event(1), event(2), event(3), event(4, 50)], 0) == [True, True, False, True]
        assert store.is_full()
    with SpoolStore.open(folder, Limits(10_000, 4)) as store:
        assert store.append([event(5), event(6)], 0) == [True, False]
        (first, *_) = store.oldest(1, 1)
        store.settle([], {first.seq: "no"}, 0)
        assert store.is_full(), "what was refused counts until a person decides"
        store.discard(None)
        assert not store.is_full()


def test_a_full_disk_refuses_and_loses_nothing(folder: Path) -> None:
    with SpoolStore.open(folder, ROOMY) as store:
        store.append([event(1)], 0)
        (pages,) = store._connection.execute("PRAGMA page_count").fetchone()
        store._connection.execute(f"PRAGMA max_page_count = {pages + 4}")  # SQLite's own way to make a disk end
        assert store.append([event(2, 100_000)], 0) == [False]
        assert store.append([event(3)], 0) == [True]
        assert numbers(store) == [1, 3]


def test_every_commit_is_synced(folder: Path) -> None:
    with SpoolStore.open(folder, ROOMY) as store:
        pragma = {name: store._connection.execute(f"PRAGMA {name}").fetchone()[0] for name in ("synchronous",)}
        assert pragma["synchronous"] == 2
        assert store._connection.execute("PRAGMA journal_mode").fetchone()[0] == "wal"
    assert (folder / SPOOL_FILE).stat().st_mode & 0o777 == 0o600


def test_one_process_owns_it(folder: Path) -> None:
    with owned(folder), pytest.raises(ConfigurationError, match="in use"), owned(folder):
        pass


def test_the_state_can_be_read_beside_its_owner(folder: Path) -> None:
    with SpoolStore.open(folder, ROOMY) as store:
        store.append([event(1), event(2)], 77)
        first, second = store.oldest(5, 9_999)
        store.settle([first.seq], {second.seq: "of another shape"}, 99)
        store.note_failure("no broker", 120)
        state = read_state(folder)
        assert (state.delivered, state.refused, state.delivered_ms, state.failure) == (1, 1, 99, "no broker")
        (listed,) = list_refused(folder, 5)
        assert (listed.event_id, listed.reason, listed.accepted_ms, listed.size) == ("e2", "of another shape", 77, 100)
    with pytest.raises(DependencyError, match="no spool"):
        read_state(folder / "elsewhere")


def test_space_is_given_back(folder: Path) -> None:
    with SpoolStore.open(folder, Limits(100_000_000, 1_000)) as store:
        for start in range(0, 60, 20):
            store.append([event(start + number, 1_000_000) for number in range(20)], 0)
        full = read_state(folder).file_bytes
        while batch := store.oldest(10, 100_000_000):
            store.settle([queued.seq for queued in batch], {}, 0)
    assert read_state(folder).file_bytes < full / 2


def fill(folder: Path, count: int) -> None:
    with SpoolStore.open(folder, Limits(100_000_000, 100_000)) as store:
        store.append([event(number, 1_000) for number in range(count)], 0)
        first = store.oldest(1, 1)[0]
        store.settle([], {first.seq: "no"}, 0)


@pytest.mark.parametrize("place", ["header", "middle", "everything", "cut"])
def test_a_damaged_file_is_kept_and_what_can_be_read_carried_over(folder: Path, place: str) -> None:
    fill(folder, 400)
    path = folder / SPOOL_FILE
    content = bytearray(path.read_bytes())
    if place == "header":
        content[:100] = os.urandom(100)
    elif place == "middle":
        for page in range(40, 60):  # twenty pages in the middle of the queue
            content[page * 4096 : page * 4096 + 2048] = b"\xff" * 2048
    elif place == "everything":
        content[:] = os.urandom(len(content))
    else:
        del content[len(content) // 2 :]
    path.write_bytes(content)

    with open_spool(folder, ROOMY) as store:
        state = read_state(folder)
        (kept,) = state.damaged_files
        # Opening a file makes SQLite count it in its first page; all else is as it was found.
        assert (folder / kept / SPOOL_FILE).read_bytes()[4096:] == content[4096:]
        assert state.salvaged == state.waiting + state.refused == state.accepted
        if place == "middle":
            assert 250 < state.waiting < 399
        waiting = numbers(store)
        assert waiting == sorted(waiting)
        assert store.append([event(1_000)], 5) == [True]
        assert store.is_sound()
    with open_spool(folder, ROOMY) as again:
        assert len(read_state(folder).damaged_files) == 1
        assert numbers(again)[-1] == 1_000


def test_a_salvage_that_was_cut_short_is_finished(folder: Path) -> None:
    fill(folder, 10)
    new = folder / "other"
    fill(new, 5)
    os.replace(new / SPOOL_FILE, folder / "salvage.db")
    with open_spool(folder, ROOMY) as store:
        assert numbers(store) == [1, 2, 3, 4]
    assert not (folder / "salvage.db").exists()


def test_a_bit_that_flipped_is_found_before_it_is_sent(folder: Path) -> None:
    with SpoolStore.open(folder, ROOMY) as store:
        store.append([event(1, 20_000)], 0)
    content = bytearray((folder / SPOOL_FILE).read_bytes())
    content[content.rindex(b"xxxxxxxx")] ^= 1
    (folder / SPOOL_FILE).write_bytes(content)
    with open_spool(folder, ROOMY) as store:
        (queued,) = store.oldest(1, 1)
        assert queued.damaged
        assert "checksum" in DAMAGED


def test_a_file_of_a_later_version_is_left_alone(folder: Path) -> None:
    fill(folder, 3)
    with sqlite3.connect(folder / SPOOL_FILE) as connection:
        connection.execute("PRAGMA user_version = 9")
    connection.close()
    with pytest.raises(ConfigurationError, match="format 9"):
        open_spool(folder, ROOMY)
