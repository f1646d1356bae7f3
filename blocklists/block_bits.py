"""Blocks of names as bits: which codes fit the names best, and how codes are put together (see ``name_table.py``).

What it saves, in octets a name, on 10 M synthetic names and on 0.47 M real ones: no length octets 1.0 and 1.2; codes
by the symbol before 1.4 and 0.8; differences of shared symbols 0.1 and 0.1.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from blocklists.name_table import BLOCK_GROUPS, ESCAPE, GROUP_NAMES, LONG, RAW_BITS, SYMBOLS_AT, TABLE_SIZE
from blocklists.prefix_code import SYMBOLS, PrefixCode

# The most frequent symbols have a code each for what follows them, the others one together. More would save a
# hundredth of an octet; the tables of these are what a core's first cache holds.
_OWN_CODES: Final = 40
_LONG_SIZE: Final = 3
_PART: Final = 1 << 17
_WORD_BITS: Final = np.uint64(32)
_LOW_WORD: Final = np.uint64(0xFFFFFFFF)

Octets = npt.NDArray[np.uint8]
Places = npt.NDArray[np.int64]
Numbers = npt.NDArray[np.uint64]


@dataclass(frozen=True, slots=True)
class _Flat:
    """Codes by ``context << 8 | symbol``."""

    codes: npt.NDArray[np.uint16]
    bits: npt.NDArray[np.uint8]
    tables: npt.NDArray[np.uint32]

    @staticmethod
    def of(counts: npt.NDArray[np.int64]) -> _Flat:
        parts = [PrefixCode.of(row) for row in counts.reshape(-1, SYMBOLS)]
        return _Flat(
            np.concatenate([part.codes for part in parts]),
            np.concatenate([part.bits for part in parts]),
            np.concatenate([part.table() for part in parts]),
        )


@dataclass(frozen=True, slots=True)
class BlockCodes:
    """The codes of one index. ``contexts``: by symbol, the number of the code for what follows it; 0 is for what comes
    first.
    """

    shared: _Flat
    sets: _Flat
    symbols: _Flat
    contexts: Octets

    @staticmethod
    def of(shared: Octets, sets: Octets, sizes: Octets, symbols: Octets) -> BlockCodes:
        """The best codes for these names: ``sizes`` says how many of ``symbols`` are each name's."""
        contexts = _contexts(symbols)
        counts = np.zeros((int(contexts.max()) + 1) * SYMBOLS, dtype=np.int64)
        for part, part_sizes in _parts(symbols, sizes):
            counts += np.bincount(_in_context(part, part_sizes, contexts), minlength=len(counts))
        return BlockCodes(_Flat.of(_counted(shared)), _Flat.of(_counted(sets)), _Flat.of(counts), contexts)

    def tables(self) -> npt.NDArray[np.uint32]:
        """All decoding tables in the order of ``name_table.py``; those of symbols say which table comes next."""
        following = SYMBOLS_AT + self.contexts.astype(np.uint32) * TABLE_SIZE
        symbols = self.symbols.tables
        return np.concatenate([self.shared.tables, self.sets.tables, symbols | following[symbols & 255] << 16])

    def tokens(
        self, shared: Octets, set_symbols: Octets, sets: npt.NDArray[np.uint32], sizes: Octets, symbols: Octets
    ) -> tuple[Numbers, Places, Places]:
        """Bit strings below 32 bits in their order, their lengths, and which of them begin a group.

        For each name: what it shares and its set together, the set's number where that is escaped, its symbols.
        """
        escaped = set_symbols == ESCAPE
        counts = sizes.astype(np.int64) + 1 + escaped
        first = np.cumsum(counts) - counts
        raw = first[escaped] + 1
        values = np.empty(int(counts.sum()), dtype=np.uint64)
        bits = np.empty(len(values), dtype=np.int64)
        of_symbols = np.ones(len(values), dtype=np.bool_)
        of_symbols[first] = False
        of_symbols[raw] = False
        shared_bits = self.shared.bits[shared]
        bits[first] = shared_bits + self.sets.bits[set_symbols]
        values[first] = self.shared.codes[shared] | self.sets.codes[set_symbols].astype(np.uint64) << shared_bits
        bits[raw] = RAW_BITS
        values[raw] = sets[escaped]
        places = _in_context(symbols, sizes, self.contexts)
        bits[of_symbols] = self.symbols.bits[places]
        values[of_symbols] = self.symbols.codes[places]
        return values, bits, first[::GROUP_NAMES]


def _counted(symbols: Octets) -> npt.NDArray[np.int64]:
    counts = np.zeros(SYMBOLS, dtype=np.int64)
    for start in range(0, len(symbols), _PART):  # bincount makes eight octets of each
        counts += np.bincount(symbols[start : start + _PART], minlength=SYMBOLS)
    return counts


def _contexts(symbols: Octets) -> Octets:
    counts = _counted(symbols)
    frequent = np.argsort(-counts, kind="stable")[:_OWN_CODES]
    contexts = np.full(SYMBOLS, len(frequent) + 1, dtype=np.uint8)
    contexts[frequent] = np.arange(1, len(frequent) + 1)
    return contexts


def _parts(symbols: Octets, sizes: Octets, names: int = 1 << 13) -> Iterable[tuple[Octets, Octets]]:
    """The symbols of so many names at a time: what fits into a cache is counted faster, and in bounded memory."""
    begin = 0
    for start in range(0, len(sizes), names):
        part = sizes[start : start + names]
        end = begin + int(part.sum(dtype=np.int64))
        yield symbols[begin:end], part
        begin = end


def _in_context(symbols: Octets, sizes: Octets, contexts: Octets) -> Places:
    """``context << 8 | symbol`` of each symbol."""
    before = np.zeros(len(symbols), dtype=np.int64)
    before[1:] = contexts[symbols[:-1]]
    ends = np.cumsum(sizes, dtype=np.int64)
    before[ends[:-1]] = 0
    return before << 8 | symbols


def pack(values: Numbers, bits: Places, heads: Places) -> tuple[Octets, Places]:
    """The tokens as octets, bits lowest first, and at which octet each block begins. ``heads``: the groups' first."""
    sizes = (np.add.reduceat(bits, heads) + 7) >> 3
    header = _header(sizes)
    at_octet = np.cumsum(header.sizes + np.add.reduceat(sizes, np.arange(0, len(sizes), BLOCK_GROUPS)))
    total = int(at_octet[-1])
    begins = np.concatenate([np.zeros(1, dtype=np.int64), at_octet[:-1]])
    # A group begins behind those before it, and behind the headers up to its own block's.
    groups = np.cumsum(sizes) - sizes + np.repeat(np.cumsum(header.sizes), BLOCK_GROUPS)[: len(sizes)]
    at = np.cumsum(bits) - bits
    at += np.repeat(8 * groups - at[heads], np.diff(heads, append=len(at)))
    words = at >> 5
    shifted = values << (at & 31).astype(np.uint64)
    first = np.flatnonzero(np.diff(words, prepend=-1))  # token in its word
    # No two tokens have a bit in common, so that adding them is joining them.
    joined = np.add.reduceat(shifted, first)
    packed = np.zeros(total // 4 + 3, dtype="<u4")
    packed[words[first]] += (joined & _LOW_WORD).astype(np.uint32)
    packed[words[first] + 1] += (joined >> _WORD_BITS).astype(np.uint32)
    octets = packed.view(np.uint8)[:total]
    octets[np.repeat(begins, header.sizes) + header.within] = header.octets
    return octets, begins


@dataclass(frozen=True, slots=True)
class _Header:
    """The headers of blocks: the size of each, all their octets, and the place of each octet in its header."""

    sizes: Places
    octets: Octets
    within: Places


def _header(groups: Places) -> _Header:
    told = BLOCK_GROUPS - 1
    sizes = np.zeros((-(-len(groups) // BLOCK_GROUPS), BLOCK_GROUPS), dtype=np.int64)
    sizes.ravel()[: len(groups)] = groups
    sizes = sizes[:, :told]
    long = sizes >= LONG
    header_sizes = told + _LONG_SIZE * np.count_nonzero(long, axis=1)
    begins = np.cumsum(header_sizes) - header_sizes
    octets = np.zeros(int(header_sizes.sum()), dtype=np.uint8)
    octets[begins[:, None] + np.arange(told)] = np.minimum(sizes, LONG)
    blocks, places = np.nonzero(long)
    behind = begins[blocks] + told + _LONG_SIZE * (np.cumsum(long, axis=1)[blocks, places] - 1)
    for octet in range(_LONG_SIZE):
        octets[behind + octet] = sizes[blocks, places] >> (8 * octet) & 255
    return _Header(header_sizes, octets, np.arange(len(octets)) - np.repeat(begins, header_sizes))
