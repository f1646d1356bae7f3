"""Unpredictable numbers for IDs, ports and the case of names, bought from the kernel by the block.

RFC 5452 9.2: IDs must be unpredictable. ``os.urandom`` is; one call costs 0.6 us here, one draw from a block 0.05.
"""

from __future__ import annotations

from array import array
from collections.abc import Callable
from typing import Final

_BLOCK_SIZE: Final = 1_024


class Draws:
    """32 random bits a draw, or octets. ``random_bytes(size)`` is ``os.urandom``, or a test's own.

    Made after the fork: two workers that shared a block would draw the same IDs.
    """

    __slots__ = ("_block", "_left", "_octets", "_offset", "_random_bytes")

    def __init__(self, random_bytes: Callable[[int], bytes]) -> None:
        self._random_bytes = random_bytes
        self._block: array[int] = array("I")
        self._left = 0
        self._octets = b""
        self._offset = 0

    def bits32(self) -> int:
        """Between 0 and 2**32 - 1."""
        if not self._left:
            self._block = array("I", self._random_bytes(_BLOCK_SIZE))
            self._left = len(self._block)
        self._left -= 1
        return self._block[self._left]

    def octets(self, size: int) -> bytes:
        """``size`` octets (256 at most), none of them given out before."""
        end = self._offset + size
        if end > len(self._octets):
            self._octets = self._random_bytes(_BLOCK_SIZE)
            self._offset = 0
            end = size
        drawn = self._octets[self._offset : end]
        self._offset = end
        return drawn
