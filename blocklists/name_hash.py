"""The keyed hash under which the index finds names: for all keys of a list at once, and what it is made of.

A key (``entry.py``) is read in words of eight octets, big-endian, the rest as a word of its own. Each whole word is
absorbed (``hash ^ word``, times ``first``, folded); the rest is mixed in at the end (times ``second``). So the hash
of a key goes on from that of its parent, and a query's suffixes cost one pass over its octets: ``name_table.py`` does
that, one name at a time, and must agree with this file (a test holds them together).

Factors and start come from a secret of the machine and the index's digest. A hash that outsiders can compute would let
whoever writes a list choose names that all fall into one place of the table (Crosby and Wallace, USENIX Security 2003).
"""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

MASK: Final = (1 << 64) - 1
# Odd, half its bits set, no pattern: 2^64 divided by the golden ratio.
MIX: Final = 0x9E3779B97F4A7C15
PADDING: Final = 8  # octets that must be readable behind the last key

Hashes = npt.NDArray[np.uint64]


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


def words_of(octets: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint64]:
    """A view of octets in which place ``i`` is the big-endian word of eight octets that begins there."""
    return np.ndarray(shape=(len(octets) - 7,), dtype=">u8", buffer=octets.data, strides=(1,))


def hashes(
    octets: npt.NDArray[np.uint8], starts: npt.NDArray[np.int64], sizes: npt.NDArray[np.int64], key: HashKey
) -> Hashes:
    """The hash of each key: ``sizes`` octets from ``starts`` on; ``PADDING`` octets must follow the last."""
    words = words_of(octets)
    hashed = np.full(len(starts), key.start, dtype=np.uint64)
    first, second, mix, half = (np.uint64(number) for number in (key.first, key.second, MIX, 32))
    whole = sizes >> 3
    places, at, left = np.arange(len(starts)), starts, whole
    for _ in range(int(whole.max(initial=0))):
        absorbing = np.flatnonzero(left)
        places, at, left = places[absorbing], at[absorbing], left[absorbing]
        part = (hashed[places] ^ words[at]) * first
        hashed[places] = part ^ (part >> half)
        at, left = at + 8, left - 1
    # Shifting by 64 is undefined, so by 8 and then by the rest: nothing is left of a rest of no octets.
    rest = (words[starts + (whole << 3)] >> np.uint64(8)) >> (np.uint64(56) - ((sizes & 7) << 3).astype(np.uint64))
    mixed = (hashed ^ rest) * second
    mixed ^= mixed >> half
    mixed *= mix
    mixed ^= mixed >> half
    return mixed
