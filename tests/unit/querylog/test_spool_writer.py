"""The spool's writer: sequences without holes, room that runs out and comes back, one writer a directory."""

from __future__ import annotations

import errno
import os
import threading
from dataclasses import replace
from pathlib import Path

import pytest

from querylog.spool import SpoolLocked, SpoolWriter, row_rest
from querylog.spool_format import GapKind, list_segments, segment_path
from tests.support.querylog_samples import SEGMENT, START_US, append, client, covered, read_spool, wire

OPEN_FILES = Path("/proc/self/fd")


def open_spool(path: Path, *, quota: int = 64 * SEGMENT, worker: int = 0, node: str = "n1") -> SpoolWriter:
    return SpoolWriter(path, node, worker, segment_size_bytes=SEGMENT, quota_bytes=quota)


def test_a_row_comes_back_as_it_was_appended(tmp_path: Path) -> None:
    with open_spool(tmp_path) as spool:
        spool.append(
            START_US,
            client(9),
            1,
            2,
            3,
            4,
            5,
            6,
            0xFFFFFFFF,
            88,
            65,
            3,
            2,
            1,
            1,
            7,
            1,
            2,
            wire("www.a.id"),
            wire("a.id"),
        )
        (row,), gaps = read_spool(tmp_path)
    assert gaps == []
    assert (row.time_us, row.sequence, row.client) == (START_US, 1, client(9))
    assert (row.agency_id, row.unit_id, row.generation, row.rule_id, row.list_id, row.category_id) == (1, 2, 3, 4, 5, 6)
    assert (row.answer_digest, row.latency_us, row.rrtype, row.rcode, row.upstream) == (0xFFFFFFFF, 88, 65, 3, 2)
    assert (row.transport, row.verdict, row.layer, row.via, row.cache) == (1, 1, 7, 1, 2)
    assert (row.name, row.matched) == (wire("www.a.id"), wire("a.id"))


def test_names_of_every_size_fit(tmp_path: Path) -> None:
    longest = b"".join(b"\x3f" + b"x" * 63 for _ in range(3)) + b"\x3d" + b"y" * 61 + b"\0"
    assert len(longest) == 255
    names = [b"", b"\0", b"\x01a\0", longest]
    with open_spool(tmp_path) as spool:
        for name in names:
            for matched in names:
                spool.append(START_US, client(), 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, name, matched)
        rows, _ = read_spool(tmp_path)
    assert [(row.name, row.matched) for row in rows] == [(name, matched) for name in names for matched in names]


def test_rotation_keeps_every_row_and_flush_allocates_ahead(tmp_path: Path) -> None:
    with open_spool(tmp_path) as spool:
        for number in range(200):
            append(spool, number)
            if number % 20 == 0:
                spool.flush()
        spool.flush()
        assert len(list(tmp_path.glob("spare-*.tmp"))) == 1
        rows, gaps = read_spool(tmp_path)
        assert len(list_segments(tmp_path)) > 5
    assert [row.latency_us for row in rows] == list(range(200))
    assert covered(rows, gaps) == list(range(1, 201))
    assert not list(tmp_path.glob("spare-*.tmp"))


def test_the_next_writer_goes_on_with_the_next_sequence(tmp_path: Path) -> None:
    for start in (0, 30, 60):
        with open_spool(tmp_path) as spool:
            assert spool.answers == start
            for number in range(start, start + 30):
                append(spool, number)
    rows, _ = read_spool(tmp_path)
    assert [row.sequence for row in rows] == list(range(1, 91))
    assert [row.latency_us for row in rows] == list(range(90))


def test_a_sequence_is_not_used_twice_when_all_segments_are_gone(tmp_path: Path) -> None:
    with open_spool(tmp_path) as spool:
        for number in range(10):
            append(spool, number)
    for number in list_segments(tmp_path):
        segment_path(tmp_path, number).unlink()
    with open_spool(tmp_path) as spool:
        append(spool, 10)
        rows, _ = read_spool(tmp_path)
    assert [row.sequence for row in rows] == [11]


def test_a_closed_spool_takes_no_more_room_than_its_rows(tmp_path: Path) -> None:
    with open_spool(tmp_path) as spool:
        append(spool)
    (number,) = list_segments(tmp_path)
    assert segment_path(tmp_path, number).stat().st_size < 512


def test_start_and_stop_without_rows_leaves_no_segment(tmp_path: Path) -> None:
    for _ in range(3):
        open_spool(tmp_path).close()
    assert list_segments(tmp_path) == []


def test_two_writers_do_not_share_a_directory(tmp_path: Path) -> None:
    with open_spool(tmp_path), pytest.raises(SpoolLocked, match="another writer"):
        open_spool(tmp_path)
    open_spool(tmp_path).close()


def test_a_full_quota_counts_a_gap_and_a_free_one_records_it(tmp_path: Path) -> None:
    with open_spool(tmp_path, quota=2 * SEGMENT) as spool:
        for number in range(150):
            append(spool, number)
            spool.flush()
        assert spool.gaps > 0
        assert spool.answers == 150
        held, recorded = read_spool(tmp_path)
        assert recorded == []
        assert len(held) + spool.gaps == spool.answers
        segment_path(tmp_path, list_segments(tmp_path)[0]).unlink()  # as the loader does
        lost = spool.gaps
        spool.flush()
        append(spool, 150)
        rows, gaps = read_spool(tmp_path)
    (gap,) = gaps
    assert (gap.kind, gap.count) == (GapKind.QUOTA, lost)
    assert (gap.first_time_us, gap.last_time_us) == (START_US + 150 - lost, START_US + 149)
    assert (gap.first_sequence, gap.last_sequence) == (151 - lost, 150)
    assert rows[-1].sequence == 151


def test_a_running_gap_outlives_its_writer(tmp_path: Path) -> None:
    with open_spool(tmp_path, quota=2 * SEGMENT) as spool:
        for number in range(150):
            append(spool, number)
        lost = spool.gaps
    assert lost > 0
    with open_spool(tmp_path, quota=8 * SEGMENT) as spool:
        assert (spool.answers, spool.gaps) == (150, lost)
        append(spool, 150)
        rows, gaps = read_spool(tmp_path)
    assert [gap.count for gap in gaps] == [lost]
    assert covered(rows, gaps) == list(range(1, 152))


@pytest.mark.parametrize(
    ("code", "kind"),
    [(errno.ENOSPC, GapKind.DISK_FULL), (errno.EDQUOT, GapKind.DISK_FULL), (errno.EIO, GapKind.FAILED)],
)
def test_a_disk_that_refuses_makes_gaps_never_errors(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: int, kind: GapKind
) -> None:
    allocate = os.posix_fallocate

    def refuse(fd: int, offset: int, size: int) -> None:
        raise OSError(code, os.strerror(code))

    monkeypatch.setattr(os, "posix_fallocate", refuse)
    with open_spool(tmp_path) as spool:  # even its control file finds no room
        for number in range(5):
            append(spool, number)
        spool.flush()
        assert (spool.answers, spool.gaps) == (5, 5)
        monkeypatch.setattr(os, "posix_fallocate", allocate)
        spool.flush()
        append(spool, 5)
        rows, gaps = read_spool(tmp_path)
    assert [(gap.kind, gap.count) for gap in gaps] == [(kind, 5)]
    assert covered(rows, gaps) == list(range(1, 7))
    with open_spool(tmp_path) as spool:
        assert (spool.answers, spool.gaps) == (6, 5)


def test_without_flush_the_appending_thread_asks_the_disk_again_after_a_second(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = []
    allocate = os.posix_fallocate

    def refuse(fd: int, offset: int, size: int) -> None:
        asked.append(size)
        raise OSError(errno.ENOSPC, "full")

    with open_spool(tmp_path) as spool:
        for number in range(29):
            append(spool, number)
        monkeypatch.setattr(os, "posix_fallocate", refuse)
        for number in range(29, 129):
            append(spool, number)
        assert len(asked) == 1
        monkeypatch.setattr(os, "posix_fallocate", allocate)
        append(spool, 129, time_us=START_US + 2_000_000)
        rows, gaps = read_spool(tmp_path)
    assert covered(rows, gaps) == list(range(1, 131))
    assert rows[-1].latency_us == 129


def test_a_value_that_fits_no_field_is_a_gap_and_the_next_row_is_kept(tmp_path: Path) -> None:
    with open_spool(tmp_path) as spool:
        append(spool, 0)
        append(spool, 1, rrtype=70_000)
        append(spool, 2, name="", matched=b"x" * 300)
        append(spool, 3)
        assert (spool.answers, spool.gaps) == (4, 2)
        rows, gaps = read_spool(tmp_path)
        assert len(list_segments(tmp_path)) == 1
    assert [row.latency_us for row in rows] == [0, 3]
    assert [(gap.kind, gap.first_sequence, gap.last_sequence) for gap in gaps] == [(GapKind.FAILED, 2, 3)]


def test_a_row_whose_rest_was_kept_is_the_row_that_is_packed_anew(tmp_path: Path) -> None:
    names = wire("www.a.id"), wire("a.id")
    with open_spool(tmp_path) as spool:
        spool.append(START_US, client(9), 1, 2, 3, 4, 5, 6, 0xFFFFFFFF, 88, 65, 3, 2, 1, 1, 7, 1, 2, *names)
        rest = row_rest(3, 4, 5, 6, 0xFFFFFFFF, 88, 65, 3, 2, 1, 1, 7, 1, 2, *names)
        spool.append_again(START_US, client(9), 1, 2, rest, len(rest))
        with pytest.raises(OverflowError):
            spool.append_again(START_US, client(9), 1 << 32, 2, rest, len(rest))
        rows, gaps = read_spool(tmp_path)
    assert not gaps
    assert [replace(row, sequence=1) for row in rows] == [rows[0], rows[0]]
    assert [row.sequence for row in rows] == [1, 2]


def test_a_renamed_node_is_in_the_next_header(tmp_path: Path) -> None:
    from querylog.spool_reader import SegmentReader

    for node in ("old", "new"):
        with open_spool(tmp_path, node=node) as spool:
            append(spool)
    headers = []
    for number in list_segments(tmp_path):
        with SegmentReader(segment_path(tmp_path, number), live=False) as reader:
            headers.append(reader.header)
    assert [header.node for header in headers] == ["old", "new"]
    assert headers[0].spool_id == headers[1].spool_id
    assert headers[0].key != headers[1].key
    assert [header.first_sequence for header in headers] == [1, 2]


def test_flush_runs_beside_append(tmp_path: Path) -> None:
    stop = threading.Event()
    with SpoolWriter(tmp_path, "n1", 0, segment_size_bytes=16 * SEGMENT, quota_bytes=1024 * SEGMENT) as spool:

        def flush() -> None:
            while not stop.is_set():
                spool.flush()

        beside = threading.Thread(target=flush)
        beside.start()
        for number in range(5000):
            append(spool, number)
        stop.set()
        beside.join()
        assert spool.gaps == 0
        rows, _ = read_spool(tmp_path)
    assert [row.latency_us for row in rows] == list(range(5000))


def test_finished_segments_are_bounded_where_nobody_flushes(tmp_path: Path) -> None:
    before = len(list(OPEN_FILES.iterdir()))
    with open_spool(tmp_path, quota=4096 * SEGMENT) as spool:
        for number in range(4000):
            append(spool, number)
        assert spool.gaps == 0
        assert len(list_segments(tmp_path)) > 100
        assert len(list(OPEN_FILES.iterdir())) - before < 140  # a mapping holds a descriptor of its own


def test_a_disk_that_cannot_follow_makes_gaps(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """While a flush hangs, finished segments are held for it up to a bound; more would fill the memory."""
    hangs, go_on = threading.Event(), threading.Event()

    def hang(fd: int) -> None:
        hangs.set()
        assert go_on.wait(20)

    with open_spool(tmp_path, quota=4096 * SEGMENT) as spool:
        append(spool)
        with monkeypatch.context() as patch:
            patch.setattr(os, "fdatasync", hang)
            beside = threading.Thread(target=spool.flush)
            beside.start()
            assert hangs.wait(20)
            for number in range(1, 4000):
                append(spool, number)
            assert 0 < spool.gaps < 3000
            go_on.set()
            beside.join()
        append(spool, 4000)
        rows, gaps = read_spool(tmp_path)
        assert covered(rows, gaps) == list(range(1, 4002))


def test_flush_tells_of_a_disk_that_fails_and_still_allocates(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with open_spool(tmp_path) as spool:
        append(spool)
        with monkeypatch.context() as patch:
            patch.setattr(os, "fdatasync", _fail)
            with pytest.raises(OSError, match="Input/output"):
                spool.flush()
        assert len(list(tmp_path.glob("spare-*.tmp"))) == 1
        spool.flush()


def _fail(fd: int) -> None:
    raise OSError(errno.EIO, "Input/output error")


@pytest.mark.parametrize(
    ("node", "segment", "quota", "message"),
    [
        ("", SEGMENT, 4 * SEGMENT, "node name"),
        ("n" * 129, SEGMENT, 4 * SEGMENT, "node name"),
        ("n", 100, 4 * SEGMENT, "4096 to"),
        ("n", SEGMENT, SEGMENT, "at least 8192"),
    ],
)
def test_senseless_settings_are_refused_with_what_would_be_right(
    tmp_path: Path, node: str, segment: int, quota: int, message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        SpoolWriter(tmp_path, node, 0, segment_size_bytes=segment, quota_bytes=quota)


def test_append_after_close_is_a_programming_error(tmp_path: Path) -> None:
    spool = open_spool(tmp_path)
    spool.close()
    spool.close()
    with pytest.raises(RuntimeError, match="closed"):
        append(spool)
