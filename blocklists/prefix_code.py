"""Prefix codes of bounded length: how the index writes down octets that it meets more or less often.

Canonical Huffman codes over at most 256 symbols, no code longer than ``MAX_BITS``, so that one look into a table of
``TABLE_SIZE`` entries decodes any symbol. Bits are written lowest first: a decoder shifts them out at the bottom.
The lengths come from the package-merge algorithm (Larmore and Hirschberg, JACM 37:3, 1990), which is optimal under the
bound.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from blocklists.name_table import MAX_BITS, TABLE_SIZE

SYMBOLS: Final = 256


@dataclass(frozen=True, slots=True)
class PrefixCode:
    """``codes`` and ``bits`` by symbol (0 bits: the symbol does not occur)."""

    codes: npt.NDArray[np.uint16]
    bits: npt.NDArray[np.uint8]

    @staticmethod
    def of(counts: npt.NDArray[np.int64]) -> PrefixCode:
        """The best code for symbols that occur so often; ``counts`` has ``SYMBOLS`` numbers."""
        bits = _lengths({symbol: count for symbol, count in enumerate(counts.tolist()) if count})
        codes = np.zeros(SYMBOLS, dtype=np.uint16)
        lengths = np.zeros(SYMBOLS, dtype=np.uint8)
        code, before = 0, 0
        for length, symbol in sorted((length, symbol) for symbol, length in bits.items()):
            code <<= length - before
            codes[symbol] = _reversed(code, length)
            lengths[symbol] = length
            code, before = code + 1, length
        return PrefixCode(codes, lengths)

    def table(self) -> npt.NDArray[np.uint32]:
        """For each ``MAX_BITS`` bits, the symbol they begin with and, above it (``<< 8``), its length; 0: no code."""
        table = np.zeros(TABLE_SIZE, dtype=np.uint32)
        for symbol in np.flatnonzero(self.bits).tolist():
            length = int(self.bits[symbol])
            table[int(self.codes[symbol]) :: 1 << length] = length << 8 | symbol
        return table


def _lengths(counts: dict[int, int]) -> dict[int, int]:
    """Code lengths by symbol. Each of the ``MAX_BITS`` rounds pairs the cheapest packages of the round before."""
    if len(counts) == 1:
        return dict.fromkeys(counts, 1)
    single = sorted((count, (symbol,)) for symbol, count in counts.items())
    packages: list[tuple[int, tuple[int, ...]]] = []
    for _ in range(MAX_BITS):
        merged = sorted([*single, *packages])
        pairs = zip(merged[::2], merged[1::2], strict=False)
        packages = [(one[0] + other[0], one[1] + other[1]) for one, other in pairs]
    lengths = dict.fromkeys(counts, 0)
    for _, symbols in packages[: len(counts) - 1]:
        for symbol in symbols:
            lengths[symbol] += 1
    return lengths


def _reversed(code: int, length: int) -> int:
    return int(f"{code:0{length}b}"[::-1], 2)
