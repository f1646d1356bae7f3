"""Whatever is appended, rotated, cut or flipped: what is read is what was written, and the rest is counted."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from querylog.spool import SpoolWriter
from querylog.spool_format import HEADER_SIZE, LENGTH, list_segments, segment_path
from tests.support.querylog_samples import SEGMENT, append, covered, read_spool

SETTINGS = settings(max_examples=60, deadline=None, derandomize=True)

steps = st.lists(
    st.one_of(
        st.tuples(st.just("append"), st.integers(1, 60)),
        st.tuples(st.just("bad"), st.just(1)),
        st.tuples(st.just("flush"), st.just(1)),
        st.tuples(st.just("unlink"), st.just(1)),
        st.tuples(st.just("crash"), st.just(1)),
        st.tuples(st.just("restart"), st.just(1)),
    ),
    max_size=25,
)


def open_spool(path: Path) -> SpoolWriter:
    return SpoolWriter(path, "n1", 0, segment_size_bytes=SEGMENT, quota_bytes=4 * SEGMENT)


class Scratch:
    """Directories of one example: a crash is a copy of what the disk holds at that moment."""

    def __init__(self) -> None:
        self._base = tempfile.TemporaryDirectory()
        self._count = 0
        self.path = self._new()

    def _new(self) -> Path:
        self._count += 1
        return Path(self._base.name) / str(self._count)

    def crash(self) -> None:
        copy = self._new()
        shutil.copytree(self.path, copy)
        self.path = copy

    def remove(self) -> None:
        self._base.cleanup()


@SETTINGS
@given(steps)
def test_answers_are_rows_and_gaps_whatever_happens(taken: list[tuple[str, int]]) -> None:
    scratch = Scratch()
    spool = open_spool(scratch.path)
    unlinked: set[int] = set()
    answers = 0
    for step, count in taken:
        if step in ("append", "bad"):
            for _ in range(count):
                append(spool, answers, rrtype=70_000 if step == "bad" else 1)
                answers += 1
        elif step == "flush":
            spool.flush()
        elif step == "unlink" and len(list_segments(scratch.path)) > 1:
            before = set(covered(*read_spool(scratch.path)))
            segment_path(scratch.path, list_segments(scratch.path)[0]).unlink()
            unlinked |= before - set(covered(*read_spool(scratch.path)))
        elif step in ("crash", "restart"):
            if step == "crash":
                scratch.crash()
            spool.close()
            spool = open_spool(scratch.path)
        held = covered(*read_spool(scratch.path))
        running = list(range(spool.answers - _pending(spool) + 1, spool.answers + 1))
        assert spool.answers == answers
        assert sorted([*unlinked, *held, *running]) == list(range(1, answers + 1))
    spool.close()
    scratch.remove()


def _pending(spool: SpoolWriter) -> int:
    pending: int = spool._gap_count
    return pending


@SETTINGS
@given(st.integers(1, 30), st.integers(0, SEGMENT), st.booleans())
def test_a_cut_segment_yields_exactly_the_sound_prefix(rows: int, cut: int, zeros: bool) -> None:
    scratch = Scratch()
    with open_spool(scratch.path) as spool:
        for number in range(rows):
            append(spool, number)
        scratch.crash()
    path = segment_path(scratch.path, list_segments(scratch.path)[0])
    data = path.read_bytes()
    path.write_bytes(data[:cut] + bytes(len(data) - cut) * zeros)
    sound = 0
    end = HEADER_SIZE
    while end + 8 <= len(data) and (size := LENGTH.unpack_from(data, end)[0]) and end + 8 + size <= cut:
        sound += 1
        end += (size + 15) & ~7
    if not (zeros and cut <= HEADER_SIZE):
        read = [row.latency_us for row in read_spool(scratch.path)[0]]
        # A cut that leaves zeros may fall into octets that were zero: then the record is whole all the same.
        assert read in (list(range(sound)), list(range(min(sound + 1, rows))))
    with open_spool(scratch.path) as spool:
        append(spool, 999)
        after, _ = read_spool(scratch.path)
    assert after[-1].latency_us == 999
    assert [row.sequence for row in after] == list(range(1, len(after) + 1))
    scratch.remove()


@SETTINGS
@given(st.integers(2, 28), st.lists(st.tuples(st.integers(HEADER_SIZE, SEGMENT - 1), st.integers(1, 255)), max_size=4))
def test_flipped_octets_cost_the_records_they_are_in(rows: int, flips: list[tuple[int, int]]) -> None:
    scratch = Scratch()
    with open_spool(scratch.path) as spool:
        for number in range(rows):
            append(spool, number)
    path = segment_path(scratch.path, list_segments(scratch.path)[0])
    data = bytearray(path.read_bytes())
    bounds = [HEADER_SIZE]
    while bounds[-1] < len(data):
        bounds.append(bounds[-1] + ((LENGTH.unpack_from(data, bounds[-1])[0] + 15) & ~7))
    hit = set()
    for offset, mask in flips:
        if offset < len(data):
            data[offset] ^= mask
            hit.add(next(index for index, bound in enumerate(bounds) if bound > offset) - 1)
    path.write_bytes(data)
    with open_spool(scratch.path) as spool:  # makes the damaged segment a finished one
        append(spool, 999)
        read = {row.latency_us for row in read_spool(scratch.path)[0]}
        assert spool.answers == rows + 1
    assert set(range(rows)) - hit <= read <= set(range(rows)) | {999}
    scratch.remove()
