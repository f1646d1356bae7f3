"""One row of the query log, as facts."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum


class Transport(IntEnum):
    """How the query came. Stored: numbers are never reused."""

    UDP = 0
    TCP = 1
    DOT = 2
    DOH = 3
    INTERNAL = 4


# In the place of a response code: none was sent, because a list or a rule asks to drop such queries.
NO_RESPONSE = 0xFFFF


class CacheState(IntEnum):
    """Where the answer came from. Stored: numbers are never reused."""

    NONE = 0  # blocked, local, refused: no upstream truth involved
    HIT = 1
    MISS = 2
    STALE = 3
    COALESCED = 4


@dataclass(frozen=True, slots=True)
class LogRecord:
    """One answered query. Identifiers are those of snapshot generation ``generation``; 0 means none.

    ``client`` is 16 bytes: IPv6, or IPv4 mapped into ``::ffff:0:0/96``. Names are wire form, lower case, root included;
    ``name`` is ``b""`` where the question could not be parsed; ``matched`` is ``b""`` where no name matched.
    ``sequence`` counts a worker's answers without holes: a hole in the store is a gap record's span.
    """

    time_us: int
    sequence: int
    client: bytes
    agency_id: int
    unit_id: int
    generation: int
    rule_id: int
    list_id: int
    category_id: int
    answer_digest: int  # CRC-32 of the answer sections as sent, 0 where empty
    latency_us: int
    rrtype: int
    rcode: int
    upstream: int  # number of the upstream server in the configuration, from 1; 0 none
    transport: int
    verdict: int
    layer: int
    via: int
    cache: int
    name: bytes
    matched: bytes
