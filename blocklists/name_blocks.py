"""Gathering the names themselves: sorted keys, each without what it shares with the one before.

How a block looks is told in ``name_table.py``, how it is put into bits in ``block_bits.py``. Two passes, because the
best codes are known only when all was seen: ``NameBlocks.add`` takes the keys in order and keeps what the blocks will
hold (a name costs 25 octets of memory, its hash included), ``write`` writes it. All of it is numpy's, some ten
thousand names at a time: 10 M names take six seconds, compiled or not.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final, TypeVar

import numpy as np
import numpy.typing as npt

from blocklists.block_bits import BlockCodes, Octets, Places, pack
from blocklists.bulk_hash import PADDING, Hashes, hashes, words_of
from blocklists.name_hash import HashKey
from blocklists.name_table import BLOCK_NAMES, DOT, END, ESCAPE, GROUP_NAMES, RAW_BITS

_BEFORE: Final = 2  # keys of earlier stretches in front: the block's first, and the last
_CHUNK_NAMES: Final = 256 * BLOCK_NAMES
_MAX_SETS: Final = 1 << RAW_BITS
_MAX_SIZE: Final = (1 << 32) - 1  # where a block begins is a number of 32 bits

_Number = TypeVar("_Number", bound=np.generic)


@dataclass(frozen=True, slots=True)
class Written:
    """What ``write`` leaves for the other files: where each block begins, and the tables that decode them."""

    starts: npt.NDArray[np.uint32]
    codes: npt.NDArray[np.uint32]


class NameBlocks:
    """The names of an index on their way to disk."""

    def __init__(self, key: HashKey) -> None:
        self.names = 0
        self._key = key
        self._head = b""  # symbols of the first key of the block at hand
        self._last = b""  # symbols of the last key
        self._shared: list[Octets] = []
        self._sizes: list[Octets] = []  # of what is not shared
        self._symbols: list[Octets] = []
        self._hashes: list[Hashes] = []

    def add(self, blob: bytes, count: int) -> None:
        """The next ``count`` keys in ascending order, each followed by NUL, none twice. Raises ``ValueError`` for
        what is no key.
        """
        # What these keys may share with goes first, so that it is found as they are.
        before = self._head + b"\0" + self._last + b"\0"
        octets = np.frombuffer(bytearray(before + blob + bytes(PADDING)), dtype=np.uint8)
        ends = np.flatnonzero(octets[:-PADDING] == 0)
        if len(ends) != count + _BEFORE:
            raise ValueError(f"{len(ends) - _BEFORE} keys where {count} were promised")
        starts = np.concatenate([np.zeros(1, dtype=np.int64), ends[:-1] + 1])
        own_starts, own_ends = starts[_BEFORE:], ends[_BEFORE:]
        body = octets[len(before) :]
        if np.any((body == END) | (body == DOT)):
            raise ValueError("a key is not in lower case")
        self._hashes.append(hashes(octets, own_starts, own_ends - own_starts, self._key))
        _mark_labels(octets, own_starts, own_ends)
        shared = self._shared_with(octets, starts, count)
        self._shared.append(shared.astype(np.uint8))
        self._sizes.append((own_ends - own_starts - shared).astype(np.uint8))
        self._symbols.append(octets[_unshared(len(octets), own_starts + shared, own_ends)])
        self.names += count
        head = _BEFORE + (self.names - 1) // BLOCK_NAMES * BLOCK_NAMES - (self.names - count)
        if head >= _BEFORE:
            self._head = octets[starts[head] : ends[head]].tobytes()
        self._last = octets[starts[-1] : ends[-1]].tobytes()

    def _shared_with(self, octets: Octets, starts: Places, count: int) -> Places:
        """How many symbols each key shares with the one before, or with the block's first."""
        numbers = np.arange(self.names, self.names + count)
        with_before = np.arange(count) + (_BEFORE - 1)
        heads = numbers // BLOCK_NAMES * BLOCK_NAMES - self.names + _BEFORE
        others = np.where(numbers % GROUP_NAMES == 0, np.where(heads < _BEFORE, 0, heads), with_before)
        first = numbers % BLOCK_NAMES == 0
        shared = np.zeros(count, dtype=np.int64)
        shared[~first] = _shared(words_of(octets), starts[others[~first]], starts[_BEFORE:][~first])
        return shared

    def hashes(self) -> Hashes:
        """The hash of each key, in the keys' order. Given away: a second call has none."""
        return _joined(self._hashes, np.uint64)

    def write(self, path: Path, sets: npt.NDArray[np.uint32], advance: Callable[[int], None]) -> Written:
        """Writes the blocks; ``sets`` has the number of each key's set. ``advance`` hears how many names are done.

        Gives the names away, as ``hashes`` does.
        """
        if len(sets) and int(sets.max()) >= _MAX_SETS:
            raise ValueError(f"there are more than {_MAX_SETS} different sets of lists")
        shared, sizes, symbols = (_joined(parts, np.uint8) for parts in (self._shared, self._sizes, self._symbols))
        steps = np.diff(shared, prepend=np.uint8(0))  # modulo 256
        steps[::GROUP_NAMES] = shared[::GROUP_NAMES]
        set_symbols = np.minimum(sets, ESCAPE).astype(np.uint8)
        codes = BlockCodes.of(steps, set_symbols, sizes, symbols)
        starts: list[Places] = [np.zeros(0, dtype=np.int64)]
        written = 0
        with path.open("wb") as file:
            for names, within in _chunks(sizes):
                tokens = codes.tokens(steps[names], set_symbols[names], sets[names], sizes[names], symbols[within])
                packed, begins = pack(*tokens)
                starts.append(begins + written)
                written += file.write(packed.tobytes())
                advance(names.stop - names.start)
            file.write(bytes(PADDING))  # a decoder reads ahead
        if written > _MAX_SIZE:
            raise ValueError(f"{self.names} names take {written} bytes: more than an index can hold")
        return Written(np.concatenate(starts).astype(np.uint32), codes.tables())


def _joined(parts: list[npt.NDArray[_Number]], kind: type[_Number]) -> npt.NDArray[_Number]:
    """All parts in one array; the list is empty afterwards."""
    joined = np.concatenate([np.zeros(0, dtype=kind), *parts])
    parts.clear()
    return joined


def _mark_labels(octets: Octets, starts: Places, ends: Places) -> None:
    """Replaces the length octets of all keys: the last by ``END``, the others by ``DOT``.

    Going back from a key's end is going forward in the name, from length octet to length octet.
    """
    at = ends - 1
    mark = END
    while len(at):
        following = at - octets[at] - 1
        octets[at] = mark
        mark = DOT
        inside = following >= starts
        at, starts = following[inside], starts[inside]


def _shared(words: npt.NDArray[np.uint64], one: Places, other: Places) -> Places:
    """How many symbols the key at each place ``one`` shares with that at ``other``. No two are equal, and END is in
    none but at its end, so that they differ before the shorter one is over.
    """
    shared = np.zeros(len(one), dtype=np.int64)
    left = np.arange(len(one))
    while len(left):
        differ = words[one] ^ words[other]
        for octets in range(1, 8):
            shared[left] += differ < np.uint64(1 << (64 - 8 * octets))
        more = np.flatnonzero(differ == 0)
        shared[left[more]] += 1
        left, one, other = left[more], one[more] + 8, other[more] + 8
    return shared


def _unshared(size: int, starts: Places, ends: Places) -> npt.NDArray[np.bool_]:
    """Which of ``size`` octets are between a start and its end."""
    steps = np.zeros(size, dtype=np.int8)
    steps[starts] = 1
    steps[ends] = -1
    return np.cumsum(steps, dtype=np.int8).view(np.bool_)


def _chunks(sizes: Octets) -> Iterator[tuple[slice, slice]]:
    """Names of whole blocks, and their symbols."""
    begin = 0
    for start in range(0, len(sizes), _CHUNK_NAMES):
        names = slice(start, min(start + _CHUNK_NAMES, len(sizes)))
        end = begin + int(sizes[names].sum(dtype=np.int64))
        yield names, slice(begin, end)
        begin = end
