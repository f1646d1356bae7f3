"""The loader: exactly once, whole, and honest about what it could not read."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from querylog.embedded.store import EmbeddedStore
from querylog.loader import Loaded
from querylog.spool import SpoolWriter
from querylog.spool_format import FRAME_SIZE, HEADER_SIZE, list_segments, segment_path
from querylog.spool_reader import Position
from querylog.store import Batch, Filter, StoreError
from tests.support.querylog_samples import SEGMENT, START_US, Notices, append, client, loader, wire


@pytest.fixture
def store(tmp_path: Path) -> Iterator[EmbeddedStore]:
    opened = EmbeddedStore(tmp_path / "log", writer=True)
    yield opened
    opened.close()


def open_spool(tmp_path: Path, worker: int = 0, quota: int = 256 * SEGMENT, node: str = "n1") -> SpoolWriter:
    return SpoolWriter(tmp_path / f"spool/worker-{worker}", node, worker, SEGMENT, quota)


def sequences(store: EmbeddedStore, worker: int = 0) -> list[int]:
    rows = store.search(Filter(), limit=10_000).rows
    return sorted(row.sequence for row in rows if row.worker == worker)


def test_rows_arrive_with_their_reason_as_text(tmp_path: Path, store: EmbeddedStore) -> None:
    with open_spool(tmp_path) as spool:
        append(spool, 1, name="judi.example.com", agency=2, blocked=True, unit_id=8, transport=1, via=1)
        append(spool, 2, name="www.example.com", agency=950, rule_id=999)
        append(spool, 3, generation=6, agency=3, verdict=77, cache=99)
        append(spool, 4, name=".", client_address=bytes.fromhex("20010db8" + "0" * 22 + "01"))
        assert loader(tmp_path / "spool", store).run_once().rows == 4
    fourth, third, second, first = store.search(Filter()).rows
    assert (first.agency, first.unit, first.verdict, first.layer) == ("opd-2", "unit-8", "blocked", "lists")
    assert (first.rule, first.letter, first.rule_id) == ("rule-5", "800/5/2026", 5)
    assert (first.list, first.category, first.matched) == ("list-4", "category-3", "example.com")
    assert (first.transport, first.via, first.cache, first.rcode) == ("tcp", "alias", "none", 3)
    assert (first.client, first.node, first.name) == ("10.1.0.1", "n1", "judi.example.com")
    assert (second.agency, second.rule, second.list, second.matched) == ("#950", "#999", "", "")
    assert (third.agency, third.verdict, third.cache) == ("#3", "#77", "#99")
    assert (fourth.client, fourth.name) == ("2001:db8::1", ".")


def test_every_row_once_while_the_spool_grows_and_rotates(tmp_path: Path, store: EmbeddedStore) -> None:
    moving = loader(tmp_path / "spool", store, batch_rows=50, window_bytes=1)
    with open_spool(tmp_path) as spool:
        for number in range(500):
            append(spool, number)
            if number % 61 == 0:
                moving.run_once()
        moving.run_once()
        assert moving.run_once() == Loaded()
        assert len(list_segments(tmp_path / "spool/worker-0")) == 1  # the live one
    assert sequences(store) == list(range(1, 501))


def test_several_workers_and_a_renamed_node(tmp_path: Path, store: EmbeddedStore) -> None:
    for node in ("old", "new"):
        for worker in (0, 1, 2):
            with open_spool(tmp_path, worker, node=node) as spool:
                for number in range(40 + worker):
                    append(spool, number)
        loader(tmp_path / "spool", store).run_once()
    for worker in (0, 1, 2):
        assert sequences(store, worker) == list(range(1, 2 * (40 + worker) + 1))
    assert len(store.search(Filter(node="old"), 1000).rows) == 123
    assert store.gaps() == ()


def test_a_gap_of_the_spool_is_a_gap_of_the_store(tmp_path: Path, store: EmbeddedStore) -> None:
    moving = loader(tmp_path / "spool", store)
    with open_spool(tmp_path, quota=2 * SEGMENT) as spool:
        for number in range(200):
            append(spool, number)
        loaded = moving.run_once()
        spool.flush()
        append(spool, 200)
        loaded += moving.run_once()
        (gap,) = store.gaps()
        assert (gap.kind, gap.answers, gap.node, gap.worker) == ("quota", spool.gaps, "n1", 0)
        assert loaded.rows + loaded.gaps == spool.answers == 201
    assert store.gaps(from_us=START_US + 10**9) == ()
    assert store.gaps(until_us=START_US) == ()


def test_a_damaged_record_costs_itself_only(tmp_path: Path, store: EmbeddedStore) -> None:
    with open_spool(tmp_path) as spool:
        for number in range(100):
            append(spool, number)
    directory = tmp_path / "spool/worker-0"
    path = segment_path(directory, list_segments(directory)[1])
    data = bytearray(path.read_bytes())
    data[HEADER_SIZE + 600] ^= 0xFF
    path.write_bytes(data)
    notices = Notices()
    loaded = loader(tmp_path / "spool", store, notice=notices).run_once()
    (gap,) = store.gaps()
    assert (loaded.rows, loaded.gaps) == (99, 1)
    assert gap.kind == "damaged"
    assert gap.first_sequence == gap.last_sequence
    assert set(range(1, 101)) - set(sequences(store)) == {gap.first_sequence}
    assert gap.first_time_us == START_US + gap.first_sequence - 2
    assert gap.last_time_us == START_US + gap.first_sequence
    assert [facts["segment"] for event, facts in notices.events if "damaged" in event] == [str(path)]


@pytest.mark.parametrize("how", ["header", "removed"])
def test_a_lost_segment_is_a_gap_counted_by_sequence(tmp_path: Path, store: EmbeddedStore, how: str) -> None:
    moving = loader(tmp_path / "spool", store)
    with open_spool(tmp_path) as spool:
        append(spool, 0)
        moving.run_once()
        for number in range(1, 150):
            append(spool, number)
        directory = tmp_path / "spool/worker-0"
        path = segment_path(directory, list_segments(directory)[2])
        if how == "removed":
            path.unlink()
        else:
            path.write_bytes(b"?" + path.read_bytes()[1:])
        moving.run_once()
        (gap,) = store.gaps()
        assert gap.kind == "damaged"
        missing = sorted(set(range(1, 151)) - set(sequences(store)))
        assert missing == list(range(gap.first_sequence, gap.last_sequence + 1))
        assert len(missing) > 10
        assert path.with_suffix(".damaged").exists() == (how == "header")


def test_after_a_power_loss_no_new_row_is_skipped(tmp_path: Path, store: EmbeddedStore) -> None:
    """The loader has read, and stored, rows that the disk then lost: the writer repeats their sequences."""
    moving = loader(tmp_path / "spool", store)
    with open_spool(tmp_path) as spool:
        for number in range(20):
            append(spool, number)
        moving.run_once()
    directory = tmp_path / "spool/worker-0"
    path = segment_path(directory, list_segments(directory)[0])
    path.write_bytes(path.read_bytes()[: HEADER_SIZE + 700])
    (directory / "spool.state").unlink()
    with open_spool(tmp_path) as spool:
        for number in range(20, 40):
            append(spool, number)
        moving.run_once()
    rows = store.search(Filter(), 1000).rows
    assert sorted(row.latency_us for row in rows) == list(range(40))
    assert store.gaps() == ()


def test_a_new_spool_in_the_old_place_is_not_taken_for_loaded(tmp_path: Path, store: EmbeddedStore) -> None:
    for start in (0, 30):
        with open_spool(tmp_path) as spool:
            for number in range(start, start + 30):
                append(spool, number)
        loader(tmp_path / "spool", store).run_once()
        for path in (tmp_path / "spool/worker-0").iterdir():
            path.unlink()
    assert sorted(row.latency_us for row in store.search(Filter(), 100).rows) == list(range(60))


def test_a_record_with_impossible_sizes_is_damage(tmp_path: Path, store: EmbeddedStore) -> None:
    from zlib import crc32

    with open_spool(tmp_path) as spool:
        for number in range(3):
            append(spool, number)
        directory = tmp_path / "spool/worker-0"
        path = segment_path(directory, list_segments(directory)[0])
        data = bytearray(path.read_bytes())
        body = HEADER_SIZE + FRAME_SIZE
        size = int.from_bytes(data[HEADER_SIZE : HEADER_SIZE + 4], "little")
        data[body + 75] = 255  # name_size
        salt = int.from_bytes(data[48:52], "little")
        data[HEADER_SIZE + 4 : body] = crc32(data[body : body + size], salt).to_bytes(4, "little")
        with path.open("r+b") as file:
            file.write(data)
        assert loader(tmp_path / "spool", store).run_once() == Loaded(2, 1, 3 * ((size + 15) & ~7))
    assert store.gaps()[0].kind == "damaged"


class FailingStore:
    """Refuses the first loads, as a store that is down does."""

    def __init__(self, store: EmbeddedStore, failures: int) -> None:
        self._store = store
        self._failures = failures
        self.done = threading.Event()

    def positions(self) -> Mapping[str, Position]:
        return self._store.positions()

    def load(self, batch: Batch, positions: Mapping[str, Position]) -> None:
        if self._failures:
            self._failures -= 1
            raise StoreError("down")
        self._store.load(batch, positions)
        self.done.set()


def test_run_goes_on_when_the_store_comes_back_and_loads_the_rest_at_the_end(
    tmp_path: Path, store: EmbeddedStore
) -> None:
    failing = FailingStore(store, failures=2)
    notices = Notices()
    moving = loader(tmp_path / "spool", failing, notice=notices)  # type: ignore[arg-type] # only what the loader calls
    stop = threading.Event()
    with open_spool(tmp_path) as spool:
        append(spool, 0)
        running = threading.Thread(target=moving.run, args=(stop, 0.001))
        running.start()
        assert failing.done.wait(20)
        append(spool, 1)
        stop.set()
        running.join()
    assert sequences(store) == [1, 2]
    assert [facts["reason"] for event, facts in notices.events] == ["down", "down"]


def test_a_killed_loader_that_committed_does_not_load_again(
    tmp_path: Path, store: EmbeddedStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    with open_spool(tmp_path) as spool:
        for number in range(150):
            append(spool, number)
    with monkeypatch.context() as patch:
        patch.setattr(Path, "unlink", _interrupt)
        with pytest.raises(KeyboardInterrupt):
            loader(tmp_path / "spool", store).run_once()
    assert len(list_segments(tmp_path / "spool/worker-0")) > 3
    assert loader(tmp_path / "spool", store).run_once() == Loaded()
    assert len(list_segments(tmp_path / "spool/worker-0")) == 1
    assert sequences(store) == list(range(1, 151))


def _interrupt(path: Path, missing_ok: bool = False) -> None:
    raise KeyboardInterrupt


def test_hostile_names_and_clients_are_only_data(tmp_path: Path, store: EmbeddedStore) -> None:
    names = [b"\x05';--\\\0", b"\x03%_*\0", b"\x04\xff\xfe\0\n\0", b"\x3f" + b"\x80" * 63 + b"\0"]
    with open_spool(tmp_path) as spool:
        for name in names:
            spool.append(START_US, client(), 1, 0, 7, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 8, 0, 0, name, wire("a"))
        assert loader(tmp_path / "spool", store).run_once().rows == 4
    assert {row.name for row in store.search(Filter()).rows} == {
        "'\\;--\\\\",
        "%_*",
        "\\255\\254\\000\\010",
        "\\128" * 63,
    }
