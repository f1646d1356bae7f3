"""The hash of ``name_hash.py`` for all keys of a list at once, by numpy."""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt

from blocklists.name_hash import MIX, HashKey

PADDING: Final = 8  # octets that must be readable behind the last key

Hashes = npt.NDArray[np.uint64]


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
