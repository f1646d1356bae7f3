"""From the address ranges of all lists to the file that ``address_table.py`` maps, where its format is told."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

import numpy as np
import numpy.typing as npt

from blocklists.address_table import NO_PARENT, WIDTH
from blocklists.members import member
from blocklists.merge import SetTable
from blocklists.rule import AddressKind

_KEY_SIZE: Final = 17


def build(lists: Sequence[tuple[int, Mapping[AddressKind, bytes]]]) -> bytes:
    """The file of all lists' ranges by kind, each 17 octets (``AddressEntry.packed``); empty where there are none."""
    table = SetTable()
    sets: dict[bytes, int] = {}
    for list_id, ranges in lists:
        for kind, packed in ranges.items():
            number = table.number((member(list_id, kind),))
            for start in range(0, len(packed), _KEY_SIZE):
                key = packed[start : start + _KEY_SIZE]
                known = sets.get(key)
                sets[key] = number if known is None else table.union(known, number)
    if not sets:
        return b""
    keys = sorted(sets)
    octets = np.frombuffer(b"".join(keys), dtype=np.uint8).reshape(-1, _KEY_SIZE)
    halves = np.ascontiguousarray(octets[:, :16]).view(">u8").astype("<u8")
    begins = np.cumsum([0, *map(len, table.sets)])
    members = [number for numbers in table.sets for number in numbers]
    header = np.array([len(keys), len(table.sets), len(members), 0], dtype="<u8")
    parts: list[npt.NDArray[np.generic]] = [
        header,
        np.ascontiguousarray(halves[:, 0]),
        np.ascontiguousarray(halves[:, 1]),
        np.array(_parents(keys), dtype="<u4"),
        np.fromiter(map(sets.__getitem__, keys), dtype="<u4", count=len(keys)),
        begins.astype("<u4"),
        np.array(members, dtype="<u4"),
        np.ascontiguousarray(octets[:, 16]),
    ]
    return b"".join(part.tobytes() for part in parts)


def _parents(keys: Sequence[bytes]) -> list[int]:
    """For each range, ascending, the place of the one around it."""
    found: list[int] = []
    around: list[tuple[int, int]] = []  # place and last address, the innermost at the end
    for place, key in enumerate(keys):
        first = int.from_bytes(key[:16], "big")
        while around and around[-1][1] < first:
            around.pop()
        found.append(around[-1][0] if around else NO_PARENT)
        around.append((place, first + (1 << (WIDTH - key[16])) - 1))
    return found
