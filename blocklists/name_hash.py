"""The keyed hash under which the index finds names, and what it is made of.

A key (``entry.py``) is read in words of eight octets, big-endian, the rest as a word of its own. Each whole word is
absorbed (``hash ^ word``, times ``first``, folded); the rest is mixed in at the end (times ``second``). So the hash
of a key goes on from that of its parent, and a query's suffixes cost one pass over its octets: ``name_table.py`` does
that, one name at a time. ``bulk_hash.py`` does it for all keys of a list at once, and must agree (a test holds them
together).

Factors and start come from a secret of the machine and the index's digest. A hash that outsiders can compute would let
whoever writes a list choose names that all fall into one place of the table (Crosby and Wallace, USENIX Security 2003).
"""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import dataclass
from typing import Final

MASK: Final = (1 << 64) - 1
# Odd, half its bits set, no pattern: 2^64 divided by the golden ratio.
MIX: Final = 0x9E3779B97F4A7C15


@dataclass(frozen=True, slots=True)
class HashKey:
    """What the hash depends on, besides the name: three numbers of 64 bits, the factors odd."""

    start: int
    first: int
    second: int

    @staticmethod
    def of(seed: bytes) -> HashKey:
        """The key that a seed stands for."""
        digest = hashlib.sha256(seed).digest()
        start, first, second = (int.from_bytes(digest[at : at + 8], "little") for at in (0, 8, 16))
        return HashKey(start, first | 1, second | 1)


def seed_of(secret: bytes, purpose: str) -> bytes:
    """The seed of one table; without the secret it is anybody's guess."""
    return hmac.digest(secret, purpose.encode(), "sha256")
