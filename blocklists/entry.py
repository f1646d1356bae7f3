"""What one entry of a list covers, and the key under which its name is sorted and indexed.

A key is the wire name in lower case without the root's octet, read backwards: ``www.example.com`` is
``moc\\x03elpmaxe\\x07www\\x03``. It was chosen over ``dnswire.name.index_key`` because a key is one slice of a name
(no loop over labels, no escapes), and because a whole file's keys come out of one vectorised pass. A parent's key is a
prefix of its children's keys, as with ``index_key``; but a prefix can also end inside a label whose octets look like a
name, so that whoever matches by prefix must check that it ends at a label. (``name_table.py`` goes from label to
label.)
"""

from __future__ import annotations

from enum import IntFlag
from typing import Final

from dnswire.name import ROOT

SEPARATOR: Final = b"\x00"  # between keys: the one octet that no admitted name contains


class Cover(IntFlag):
    """What an entry speaks of; a union of bits. Stored in entries files and indexes: bits are never reused."""

    SELF = 1  # block the name itself
    BELOW = 2  # block every name below it
    ALLOW_SELF = 4  # the same for entries that allow
    ALLOW_BELOW = 8


EXACT: Final = int(Cover.SELF)
BELOW: Final = int(Cover.BELOW)
SUBTREE: Final = EXACT | BELOW
MAX_COVER: Final = 15

_KINDS: Final = {EXACT: "exact", BELOW: "below", SUBTREE: "subtree"}


def kind(cover: int) -> str:
    """The word for what an entry covers: ``exact``, ``below``, ``subtree``, each with ``allow`` where it allows."""
    block = _KINDS.get(cover & 3, "")
    allow = _KINDS.get(cover >> 2, "")
    return " ".join(part for part in (block, f"allow {allow}" if allow else "") if part)


def key_of(name: bytes) -> bytes:
    """The key of a wire name in lower case."""
    return name[-2::-1]


def name_of(key: bytes) -> bytes:
    """The wire name of a key."""
    return key[::-1] + ROOT
