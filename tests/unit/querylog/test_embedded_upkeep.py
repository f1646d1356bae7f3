"""Compaction and retention of the embedded store."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from querylog.embedded import compaction, manifest
from querylog.embedded.compaction import FAN_IN, FINAL_LEVEL, plan
from querylog.embedded.manifest import BLOCKED, GAP, RAW, Manifest, SegmentInfo
from querylog.embedded.store import DEFAULT_MEMORY_LIMIT_BYTES, EmbeddedStore
from querylog.embedded.writer import day_end_us, day_of
from querylog.store import Dropped, Filter, StoreError
from tests.support.querylog_samples import DAY_US, MINUTE_US, START_US
from tests.unit.querylog.test_embedded_store import Log

AFTER = START_US + 2 * DAY_US


@pytest.fixture
def log(tmp_path: Path) -> Iterator[Log]:
    opened = Log(tmp_path)
    yield opened
    opened.close()


def info(number: int, *, level: int = 0, kind: str = RAW, day: str = "2026-09-21", rows: int = 10) -> SegmentInfo:
    return SegmentInfo(f"{day}/{kind}-{number}", kind, day, rows, 100, START_US, START_US, number, level)


def everything(store: EmbeddedStore) -> list[tuple[object, ...]]:
    return sorted((row.sequence, row.time_us, row.name, row.verdict) for row in store.search(Filter(), 10_000).rows)


def test_days_and_times() -> None:
    assert day_of(0) == "1970-01-01"
    assert day_end_us("1970-01-01") == DAY_US
    assert day_of(START_US) == "2026-09-21"
    assert day_of(day_end_us("2026-09-21") - 1) == "2026-09-21"


def test_nothing_is_merged_while_files_are_few_and_the_day_goes_on() -> None:
    few = Manifest(segments=tuple(info(number) for number in range(FAN_IN - 1)))
    assert plan(few, START_US) is None
    assert plan(Manifest(), START_US) is None


def test_many_small_files_are_merged_within_their_day_kind_and_level() -> None:
    segments = [info(number) for number in range(FAN_IN)]
    segments += [info(100 + number, kind=BLOCKED) for number in range(5)]
    segments += [info(200 + number, level=1) for number in range(5)]
    wanted = plan(Manifest(segments=tuple(segments)), START_US)
    assert wanted is not None
    assert (wanted.level, wanted.kind, wanted.day) == (1, RAW, "2026-09-21")
    assert wanted.inputs == tuple(segments[:FAN_IN])


def test_a_day_that_is_over_becomes_one_file_and_stays_so() -> None:
    over = day_end_us("2026-09-21") + 15 * MINUTE_US
    segments = (info(1), info(2, level=1), info(3, level=2))
    assert plan(Manifest(segments=segments), over - 1) is None
    wanted = plan(Manifest(segments=segments), over)
    assert wanted is not None
    assert (wanted.level, wanted.inputs) == (FINAL_LEVEL, segments)
    assert plan(Manifest(segments=(info(4, level=FINAL_LEVEL),)), over) is None


def test_late_rows_do_not_rewrite_a_large_day() -> None:
    large = info(1, level=FINAL_LEVEL, rows=50_000_000)
    late = tuple(info(number, level=FINAL_LEVEL) for number in range(2, 2 + FAN_IN))
    wanted = plan(Manifest(segments=(large, *late)), AFTER)
    assert wanted is not None
    assert wanted.inputs == late


def test_compaction_changes_no_answer_and_sorts_by_agency_and_time(log: Log) -> None:
    import pyarrow.parquet as pq

    for number in range(3 * FAN_IN):
        log.add(agency=1 + number % 3, blocked=number % 5 == 0, name=f"n{number}.id")
        log.add(agency=2, time_us=START_US + number)
        log.load()
    before = everything(log.store)
    tail = log.store.tail(Filter(), 5)
    merged = 0
    while (done := log.store.maintain(AFTER)).merged_files:
        merged += done.merged_files
        assert everything(log.store) == before
    assert merged > 3 * FAN_IN
    assert log.store.tail(Filter(), 5).rows == tail.rows
    current = manifest.read(log.root / "log")
    assert sorted(segment.kind for segment in current.segments) == [BLOCKED, RAW]
    for segment in current.segments:
        table = pq.read_table(log.root / "log" / segment.path)
        keys = list(zip(table["agency"].to_pylist(), table["time_us"].to_pylist(), strict=True))
        assert keys == sorted(keys)


def test_following_goes_on_across_a_compaction(log: Log) -> None:
    log.add()
    log.load()
    page = log.store.tail(Filter(), 10)
    log.add()
    log.load()
    log.store.maintain(AFTER)
    page = log.store.tail(Filter(), 10, page.cursor)
    assert [row.sequence for row in page.rows] == [2]
    assert log.store.tail(Filter(), 10, page.cursor).rows == ()


def test_merged_files_stay_for_readers_until_the_grace_is_over(log: Log) -> None:
    log.add()
    log.load()
    log.add()
    log.load()
    old = log.files()
    assert log.store.maintain(AFTER).merged_files == 2
    assert old < log.files()
    assert log.store.maintain(AFTER + MINUTE_US - 1).removed_files == 0
    assert log.store.maintain(AFTER + MINUTE_US).removed_files == 2
    assert not old & log.files()
    assert len(everything(log.store)) == 2


def test_a_reader_with_an_old_manifest_reads_the_new_one_when_its_files_are_gone(
    log: Log, monkeypatch: pytest.MonkeyPatch
) -> None:
    log.add()
    log.load()
    log.add()
    log.load()
    reader = EmbeddedStore(log.root / "log", writer=False)
    old = manifest.read(log.root / "log")
    log.store.maintain(AFTER)
    log.store.maintain(AFTER + MINUTE_US)
    manifests = iter([old])
    current = manifest.ManifestReader.current
    monkeypatch.setattr(manifest.ManifestReader, "current", lambda self: next(manifests, None) or current(self))
    assert len(reader.search(Filter()).rows) == 2
    reader.close()


def test_retention_drops_whole_days_raw_before_blocked(log: Log) -> None:
    for day in range(4):
        log.add(time_us=START_US + day * DAY_US)
        log.add(time_us=START_US + day * DAY_US, blocked=True)
    log.load()
    day = day_end_us("2026-09-21")
    assert log.store.drop_before(day - 1, 0, AFTER) == Dropped()
    assert log.store.drop_before(day + DAY_US, day, AFTER) == Dropped(rows=3, files=3)
    assert [row.sequence for row in log.store.search(Filter()).rows] == [8, 7, 6, 5, 4]
    log.store.maintain(AFTER + MINUTE_US)
    assert not list((log.root / "log" / "2026-09-21").glob("*"))
    log.add(time_us=START_US)
    log.load()
    assert len(everything(log.store)) == 6


def test_retention_during_a_merge_wins(log: Log, monkeypatch: pytest.MonkeyPatch) -> None:
    log.add()
    log.load()
    merge = compaction.merge

    def drop_then_merge(*args: object) -> SegmentInfo:
        log.store.drop_before(AFTER, AFTER, AFTER)
        return merge(*args)  # type: ignore[arg-type] # passed through

    monkeypatch.setattr("querylog.embedded.store.merge", drop_then_merge)
    assert log.store.maintain(AFTER).merged_files == 0
    assert everything(log.store) == []
    assert manifest.read(log.root / "log").segments == ()


def test_a_merge_that_loses_rows_is_refused(log: Log) -> None:
    log.add()
    log.load()
    (segment,) = manifest.read(log.root / "log").segments
    lying = compaction.Merge((replace(segment, rows=5),), FINAL_LEVEL)
    with pytest.raises(StoreError, match="1 rows instead of 5"):
        compaction.merge(log.root / "log", lying, f"{segment.day}/raw-77.parquet", 1 << 28)
    assert log.files() == {segment.path}


def test_a_merge_larger_than_its_memory_goes_through_the_disk(log: Log) -> None:
    for number in range(60_000):
        log.add(name=f"n{number * 7919 % 60_000}.example.id", time_us=START_US + number * 7919 % 60_000)
    log.load()
    (segment,) = manifest.read(log.root / "log").segments
    wanted = compaction.Merge((segment,), FINAL_LEVEL)
    output = compaction.merge(log.root / "log", wanted, f"{segment.day}/raw-77.parquet", 24 << 20)
    assert output.rows == 60_000
    assert not list((log.root / "log" / "tmp").iterdir())


def test_a_merge_that_does_not_fit_gets_more_memory(log: Log, monkeypatch: pytest.MonkeyPatch) -> None:
    for number in range(2_000):
        log.add(time_us=START_US + number * 7919 % 2_000)
    log.load()
    limits: list[int] = []
    merge = compaction.merge

    def noted(root: Path, wanted: compaction.Merge, path: str, memory_limit_bytes: int) -> SegmentInfo:
        limits.append(memory_limit_bytes)
        return merge(root, wanted, path, memory_limit_bytes)

    monkeypatch.setattr("querylog.embedded.store.merge", noted)
    monkeypatch.setattr("querylog.embedded.store.MERGE_MEMORY_BYTES", 1 << 20)
    done = log.store.maintain(AFTER)
    assert (done.merged_rows, limits) == (2_000, [1 << 20, DEFAULT_MEMORY_LIMIT_BYTES])
    assert not list((log.root / "log" / "tmp").iterdir())


def test_gaps_are_compacted_and_dropped_too(log: Log) -> None:
    for number in range(3):
        log.add(rrtype=70_000)
        log.add(time_us=START_US + number)
        log.load()
    before = log.store.gaps()
    assert [gap.answers for gap in before] == [1, 1, 1]
    while log.store.maintain(AFTER).merged_files:
        assert log.store.gaps() == before
    kinds = [segment.kind for segment in manifest.read(log.root / "log").segments]
    assert sorted(kinds) == [GAP, RAW]
    log.store.drop_before(0, AFTER, AFTER)
    assert log.store.gaps() == ()


def test_a_full_disk_fails_the_load_and_keeps_the_old_store(log: Log, monkeypatch: pytest.MonkeyPatch) -> None:
    log.add()
    log.load()
    files = log.files()
    with monkeypatch.context() as patch:
        patch.setattr("querylog.embedded.manifest.os.fsync", _full)
        log.add()
        with pytest.raises(StoreError, match="cannot take new rows"):
            log.load()
    assert log.files() == files
    assert len(everything(log.store)) == 1
    log.load()
    assert len(everything(log.store)) == 2


def test_an_error_after_the_rename_loses_and_doubles_nothing(log: Log, monkeypatch: pytest.MonkeyPatch) -> None:
    log.add()
    with monkeypatch.context() as patch:
        patch.setattr("querylog.embedded.manifest.sync_directory", _full)
        with pytest.raises(StoreError, match="cannot be published"):
            log.load()
    assert len(everything(log.store)) == 1  # readers may see it
    log.add()
    log.load()
    assert len(everything(log.store)) == 2


def _full(where: object) -> None:
    raise OSError(28, "No space left on device")
