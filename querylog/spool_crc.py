"""The checksum of a spool record: CRC-32 as zlib has it (polynomial 0x04C11DB7, reflected), without leaving C.

Compiled, eight octets a step by eight tables ("slicing by 8": Kounavis and Berry, "A systematic approach to building
high performance software-based CRC generators", ISCC 2005): a record of 150 octets costs 50 ns, where a call of zlib
through Python objects costs four times that. Interpreted, it is zlib. ``tests/unit/querylog/test_spool_crc.py`` holds
both to the same sums.
"""

from __future__ import annotations

import zlib

import cython

_POLYNOMIAL = 0xEDB88320
_ONES = 0xFFFFFFFF

# _TABLES[256 * k + octet]: what an octet that is k octets before the end of a step does to the sum.
if not cython.compiled:  # compiled, it is an array of C
    _TABLES = [0] * 2048


def _prepare() -> None:
    for octet in range(256):
        crc = octet
        for _ in range(8):
            crc = (crc >> 1) ^ (_POLYNOMIAL if crc & 1 else 0)
        _TABLES[octet] = crc
    for place in range(256, 2048):
        before = _TABLES[place - 256]
        _TABLES[place] = (before >> 8) ^ _TABLES[before & 255]


def checksum(octets: memoryview, start: int, size: int, seed: int) -> int:
    """The CRC-32 of the ``size`` octets from ``start`` on, begun with ``seed``.

    The caller has made sure that they are there.
    """
    if cython.compiled:
        return _by_tables(octets, start, start + size, seed)
    else:  # noqa: RET505 -- Cython leaves out the branch that is not its own
        return zlib.crc32(octets[start : start + size], seed)


def _four(octets: memoryview, at: int) -> int:
    # Low octet first. A compiler makes one load of it.
    word = octets[at + 3]
    word = (word << 8) | octets[at + 2]
    word = (word << 8) | octets[at + 1]
    return (word << 8) | octets[at]


def _by_tables(octets: memoryview, at: int, stop: int, seed: int) -> int:
    crc = seed ^ _ONES
    while at + 8 <= stop:
        low = _four(octets, at) ^ crc
        high = _four(octets, at + 4)
        crc = (
            _TABLES[1792 + (low & 255)]
            ^ _TABLES[1536 + ((low >> 8) & 255)]
            ^ _TABLES[1280 + ((low >> 16) & 255)]
            ^ _TABLES[1024 + (low >> 24)]
            ^ _TABLES[768 + (high & 255)]
            ^ _TABLES[512 + ((high >> 8) & 255)]
            ^ _TABLES[256 + ((high >> 16) & 255)]
            ^ _TABLES[high >> 24]
        )
        at += 8
    while at < stop:
        crc = (crc >> 8) ^ _TABLES[(crc ^ octets[at]) & 255]
        at += 1
    return crc ^ _ONES


_prepare()
