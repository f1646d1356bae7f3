"""Bytes of a spool: segment header, record frame, row and gap bodies.

A segment is a preallocated file of zeros. Behind its header stand records, each aligned to 8 octets::

    length  u32   octets of the body; written last, so that a record is there as a whole or not at all
    crc     u32   CRC-32 of the body, seeded with the segment's salt
    body          ROW (80 octets, then the two names) or GAP (80 octets)

The salt is random and never leaves the machine: a client that puts the image of a record into a query name cannot know
it, so a search for the next sound record behind a damaged one never finds what a client wrote.
All integers are little-endian.
"""

from __future__ import annotations

import re
import zlib
from dataclasses import dataclass
from enum import IntEnum
from pathlib import Path
from struct import Struct
from typing import Final

MAGIC: Final = b"SARSPOOL"
VERSION: Final = 1

HEADER_SIZE: Final = 256
MAX_NODE_SIZE: Final = 128
_HEADER: Final = Struct("<8sHHIQQQQIB128s71x")  # magic version header_size worker id segment sequence time salt node
_HEADER_CRC: Final = Struct("<I")

FRAME: Final = Struct("<II")  # length, crc
LENGTH: Final = Struct("<I")
FRAME_SIZE: Final = 8

KIND_ROW: Final = 0
KIND_GAP: Final = 1

# time_us sequence client | agency unit generation rule list category digest latency | rrtype rcode upstream |
# transport verdict layer via cache name_size matched_size kind
ROW: Final = Struct("<QQ16sIIIIIIIIHHHBBBBBBBB2x")
# A row in two halves: what differs from answer to answer (up to unit), and what is the same whenever the same question
# is answered in the same way, followed by the two names.
ROW_HEAD_SIZE: Final = 40
ROW_REST: Final = Struct("<IIIIIIHHHBBBBBBBB2x")
# last_time_us last_sequence first_sequence first_time_us | gap_kind ... kind (at ROW's place)
GAP: Final = Struct("<QQQQB44xB2x")
BODY_SIZE: Final = 80
MAX_BODY_SIZE: Final = BODY_SIZE + 2 * 255
MAX_RECORD_SIZE: Final = FRAME_SIZE + MAX_BODY_SIZE + 7

DEFAULT_SEGMENT_SIZE_BYTES: Final = 16 * 1024 * 1024
MIN_SEGMENT_SIZE_BYTES: Final = 4096
MAX_SEGMENT_SIZE_BYTES: Final = 1024 * 1024 * 1024

_SEGMENT_NAME: Final = re.compile(r"(\d{12})\.seg")


class GapKind(IntEnum):
    """Why answers have no row. Stored: numbers are never reused."""

    QUOTA = 1  # the spool had its whole quota: the loader does not keep up, or the store is down
    DISK_FULL = 2
    FAILED = 3  # the system refused for another reason, or the record did not fit its fields
    DAMAGED = 4  # written, but no longer readable when it was loaded


class SegmentDamaged(ValueError):  # noqa: N818 - says what happened, as IndexDamaged does
    """A segment's header cannot be trusted."""


@dataclass(frozen=True, slots=True)
class SegmentHeader:
    """Who wrote a segment. ``spool_id`` is random, drawn once for the life of a spool directory."""

    node: str
    worker: int
    spool_id: int
    segment: int
    first_sequence: int
    created_us: int
    salt: int

    @property
    def key(self) -> str:
        """Names the writer for the loader's positions, and stays unique when a machine's image is copied."""
        return f"{self.node}/{self.worker}/{self.spool_id:016x}"


def encode_header(header: SegmentHeader) -> bytes:
    """``HEADER_SIZE`` octets. Raises ``ValueError`` for a node name over ``MAX_NODE_SIZE`` octets."""
    node = header.node.encode()
    if len(node) > MAX_NODE_SIZE:
        raise ValueError(f"node name {header.node!r} has {len(node)} octets, at most {MAX_NODE_SIZE} fit")
    body = _HEADER.pack(
        MAGIC,
        VERSION,
        HEADER_SIZE,
        header.worker,
        header.spool_id,
        header.segment,
        header.first_sequence,
        header.created_us,
        header.salt,
        len(node),
        node,
    )
    return body + _HEADER_CRC.pack(zlib.crc32(body))


def decode_header(data: bytes) -> SegmentHeader:
    """The header at the start of ``data``. Raises ``SegmentDamaged``."""
    if len(data) < HEADER_SIZE:
        raise SegmentDamaged(f"it has {len(data)} octets, its header alone has {HEADER_SIZE}")
    body = data[: _HEADER.size]
    magic, version, size, worker, spool_id, segment, sequence, created_us, salt, node_size, node = _HEADER.unpack(body)
    if magic != MAGIC:
        raise SegmentDamaged("it does not start with the spool's magic word")
    if zlib.crc32(body) != _HEADER_CRC.unpack_from(data, _HEADER.size)[0]:
        raise SegmentDamaged("its header's checksum is wrong")
    if version != VERSION or size != HEADER_SIZE:
        raise SegmentDamaged(f"it has format version {version}, this program reads version {VERSION}")
    try:
        name = node[:node_size].decode()
    except UnicodeDecodeError as error:
        raise SegmentDamaged("its node name is not UTF-8") from error
    return SegmentHeader(name, worker, spool_id, segment, sequence, created_us, salt)


def segment_path(directory: Path, number: int) -> Path:
    """Where segment ``number`` of a spool lies."""
    return directory / f"{number:012d}.seg"


def list_segments(directory: Path) -> list[int]:
    """Numbers of the segments in a spool directory, ascending; empty where there is no directory.

    All but the last are finished: the writer makes the next one visible only after its last record in the one before.
    """
    try:
        names = [entry.name for entry in directory.iterdir()]
    except (FileNotFoundError, NotADirectoryError):
        return []
    return sorted(int(found[1]) for found in map(_SEGMENT_NAME.fullmatch, names) if found)
