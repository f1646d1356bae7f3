"""A list's opinion of a name or an address as one number: the list, and how it covers.

``cover`` holds the bits of ``entry.Cover`` for a name, an ``AddressKind`` for an address.
"""

from __future__ import annotations

from typing import Final

_COVER_BITS: Final = 4


def member(list_id: int, cover: int) -> int:
    """That number."""
    return list_id << _COVER_BITS | cover


def list_id_of(number: int) -> int:
    """The list of a member."""
    return number >> _COVER_BITS


def cover_of(number: int) -> int:
    """How it covers."""
    return number & ((1 << _COVER_BITS) - 1)
