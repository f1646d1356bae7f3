"""RRs of a zone that are more than "this name is blocked", as they came: few beside the entries, kept with a version.

They are kept as RRs and not as the rules made of them, because an IXFR names what is gone as RRs, and because several
RRs can make one rule.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Final, NamedTuple

import msgspec

from blocklists.durable import write_atomic
from dnswire import name as wire
from dnswire.constants import RRType
from dnswire.errors import WireError

# RFC 3597 4: names in the RDATA of these types may be compressed; octets before the name, and names.
_COMPRESSED: Final = {
    RRType.NS: (0, 1),
    RRType.CNAME: (0, 1),
    RRType.PTR: (0, 1),
    RRType.DNAME: (0, 1),
    RRType.MX: (2, 1),
    RRType.SRV: (6, 1),
    17: (0, 2),  # RP
    18: (2, 1),  # AFSDB
    21: (2, 1),  # RT
    36: (2, 1),  # KX
}


class ZoneRecord(NamedTuple):
    """One RR. ``owner``: its labels before the zone's name, lower case, wire form without the root's octet."""

    owner: bytes
    rrtype: int
    rdata: bytes


class RecordsDamaged(ValueError):  # noqa: N818 -- names the fact, as IndexDamaged does
    """A file of records does not hold what was written."""


_DECODER: Final = msgspec.msgpack.Decoder(list[ZoneRecord])


def write_records(path: Path, records: Iterable[ZoneRecord]) -> bytes:
    """Writes the records, sorted, so that the same ones give the same file; returns its content."""
    content = msgspec.msgpack.encode(sorted(records))
    write_atomic(path, content)
    return content


def read_records(path: Path) -> set[ZoneRecord]:
    """The records of a file. Raises ``RecordsDamaged``, also where there is no file."""
    try:
        return set(_DECODER.decode(path.read_bytes()))
    except (OSError, msgspec.DecodeError) as error:
        raise RecordsDamaged(f"{path}: {error}") from error


def plain_rdata(message: bytes, offset: int, size: int, rrtype: int) -> bytes:
    """RDATA with the names in it written out. Raises ``WireError``."""
    layout = _COMPRESSED.get(rrtype)
    if layout is None:
        return message[offset : offset + size]
    before, names = layout
    parts = [message[offset : offset + before]]
    at = offset + before
    for _ in range(names):
        found, at = wire.read(message, at)
        parts.append(found.lower())
    if at != offset + size:
        raise WireError("RDATA of a wrong size", offset)
    return b"".join(parts)
