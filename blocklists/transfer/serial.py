"""Serial number arithmetic (RFC 1982): zone serials count round, so that 1 can be newer than 4,294,967,295."""

from __future__ import annotations

from typing import Final

_HALF: Final = 1 << 31
_ALL: Final = (1 << 32) - 1


def is_newer(candidate: int, held: int) -> bool:
    """Whether ``candidate`` is greater than ``held`` (RFC 1982 3.2).

    Serials exactly 2^31 apart are not comparable there; here neither is newer, so that nothing moves by accident.
    """
    return 0 < (candidate - held) & _ALL < _HALF
