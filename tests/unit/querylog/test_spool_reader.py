"""Reading a spool that is live, torn or damaged."""

from __future__ import annotations

from pathlib import Path

import pytest

from querylog.spool import SpoolWriter
from querylog.spool_format import (
    FRAME_SIZE,
    HEADER_SIZE,
    LENGTH,
    SegmentDamaged,
    SegmentHeader,
    decode_header,
    encode_header,
    list_segments,
    segment_path,
)
from querylog.spool_reader import SpoolReader
from tests.support.querylog_samples import SEGMENT, append, read_spool

HEADER = SegmentHeader("n1", 3, 77, 5, 1000, 123, 99)


def write_rows(path: Path, count: int) -> list[Path]:
    with SpoolWriter(path, "n1", 0, segment_size_bytes=SEGMENT, quota_bytes=64 * SEGMENT) as spool:
        for number in range(count):
            append(spool, number)
    return [segment_path(path, number) for number in list_segments(path)]


def flip(path: Path, offset: int) -> None:
    data = bytearray(path.read_bytes())
    data[offset] ^= 0x10
    path.write_bytes(data)


def test_a_header_comes_back() -> None:
    assert decode_header(encode_header(HEADER)) == HEADER
    assert len(encode_header(HEADER)) == HEADER_SIZE
    assert HEADER.key == "n1/3/000000000000004d"


@pytest.mark.parametrize("offset", [0, 9, 20, 60, 184])
def test_a_damaged_header_is_refused(offset: int) -> None:
    data = bytearray(encode_header(HEADER))
    data[offset] ^= 1
    with pytest.raises(SegmentDamaged):
        decode_header(bytes(data))


def test_a_short_header_is_refused() -> None:
    with pytest.raises(SegmentDamaged, match="octets"):
        decode_header(encode_header(HEADER)[:-1])


def test_a_reader_sees_rows_as_they_are_appended_and_goes_on_from_a_position(tmp_path: Path) -> None:
    position = None
    seen = []
    with SpoolWriter(tmp_path, "n1", 0, segment_size_bytes=SEGMENT, quota_bytes=64 * SEGMENT) as spool:
        for number in range(120):
            append(spool, number)
            if number % 7 == 0:
                new = list(SpoolReader(tmp_path).records(position))
                position = new[-1][0]
                seen += [row.latency_us for _, row in new]
                assert seen[-1] == number
    seen += [row.latency_us for _, row in SpoolReader(tmp_path).records(position)]
    assert seen == list(range(120))


def test_an_uncommitted_record_is_not_there(tmp_path: Path) -> None:
    with SpoolWriter(tmp_path, "n1", 0, segment_size_bytes=SEGMENT, quota_bytes=64 * SEGMENT) as spool:
        append(spool, 0)
        append(spool, 1)
        (number,) = list_segments(tmp_path)
        path = segment_path(tmp_path, number)
        with path.open("r+b") as file:  # body and checksum are written, the length is not
            file.seek(HEADER_SIZE)
            size = LENGTH.unpack(file.read(4))[0]
            file.seek(HEADER_SIZE + ((size + 15) & ~7))
            file.write(bytes(4))
        rows, _ = read_spool(tmp_path)
        assert [row.latency_us for row in rows] == [0]


def test_a_damaged_record_in_a_live_segment_is_passed_only_when_a_sound_one_follows(tmp_path: Path) -> None:
    with SpoolWriter(tmp_path, "n1", 0, segment_size_bytes=SEGMENT, quota_bytes=64 * SEGMENT) as spool:
        append(spool, 0)
        path = segment_path(tmp_path, list_segments(tmp_path)[0])
        with path.open("r+b") as file:
            file.seek(HEADER_SIZE + FRAME_SIZE + 4)
            file.write(b"\xff")
        assert read_spool(tmp_path) == ([], [])
        append(spool, 1)
        rows, _ = read_spool(tmp_path)
        assert [row.sequence for row in rows] == [2]


def test_windows_smaller_than_the_damage_still_find_what_follows(tmp_path: Path) -> None:
    paths = write_rows(tmp_path, 60)
    data = bytearray(paths[0].read_bytes())
    data[HEADER_SIZE + 200 : HEADER_SIZE + 2200] = b"\xaa" * 2000
    paths[0].write_bytes(data)
    whole = [row.sequence for _, row in SpoolReader(tmp_path).records()]
    pieces = [row.sequence for _, row in SpoolReader(tmp_path, window_bytes=1).records()]
    assert whole == pieces
    assert whole[0] == 1
    assert whole[-1] == 60
    assert 60 - 25 < len(whole) < 60 - 10


def test_a_record_inside_a_name_is_never_taken_for_one(tmp_path: Path) -> None:
    """A client may send the image of a record as a name; it does not know the salt of the checksum."""
    paths = write_rows(tmp_path / "a", 1)
    image = paths[0].read_bytes()[HEADER_SIZE:][:200]
    target = tmp_path / "b"
    with SpoolWriter(target, "n1", 0, segment_size_bytes=SEGMENT, quota_bytes=64 * SEGMENT) as spool:
        append(spool, 0, name="x", matched=image)
        append(spool, 1)
    path = segment_path(target, list_segments(target)[0])
    flip(path, HEADER_SIZE + FRAME_SIZE)
    rows, _ = read_spool(target)
    assert [row.sequence for row in rows] == [2]


def test_the_next_writer_leaves_a_hole_for_damage_behind_the_last_flush(tmp_path: Path) -> None:
    paths = write_rows(tmp_path, 10)
    data = paths[-1].read_bytes()
    paths[-1].write_bytes(data[: len(data) // 2])  # what was flushed is gone: not kill -9, a failing disk
    with SpoolWriter(tmp_path, "n1", 0, segment_size_bytes=SEGMENT, quota_bytes=64 * SEGMENT) as spool:
        assert spool.answers == 10
        append(spool, 10)
        rows, _ = read_spool(tmp_path)
    assert rows[-1].sequence == 11


def test_the_next_writer_counts_on_behind_an_empty_page(tmp_path: Path) -> None:
    """A power loss may keep a later page and lose an earlier one."""
    paths = write_rows(tmp_path, 20)
    (tmp_path / "spool.state").unlink()
    data = bytearray(paths[-1].read_bytes())
    data[HEADER_SIZE + 128 : HEADER_SIZE + 1128] = bytes(1000)
    paths[-1].write_bytes(data)
    with SpoolWriter(tmp_path, "n1", 0, segment_size_bytes=SEGMENT, quota_bytes=64 * SEGMENT) as spool:
        append(spool, 20)
        rows, _ = read_spool(tmp_path)
    assert [row.sequence for row in rows][-3:] == [19, 20, 21]


def test_no_directory_has_no_records(tmp_path: Path) -> None:
    assert list(SpoolReader(tmp_path / "none").records()) == []
