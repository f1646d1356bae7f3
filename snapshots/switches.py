"""When which generation was in force: every switch of ``current``, one line each, and asking them about a past time.

Publishing leaves its time in the manifest, but going back to an earlier generation leaves none anywhere else, and an
explanation of last Tuesday needs to know. ``switches`` holds ``<Unix seconds> <generation>`` lines, oldest first. It is
no part of what workers read: where a line is lost, an explanation takes the newest generation published before.
"""

from __future__ import annotations

import bisect
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from blocklists.durable import write_atomic
from snapshots import history
from snapshots import manifest as manifests
from snapshots.layout import SWITCHES, generation_path, history_numbers, numbers
from snapshots.manifest import GenerationDamaged

MAX_SIZE_BYTES: Final = 1 << 20  # some 40,000 switches; then the older half goes


@dataclass(frozen=True, slots=True)
class Switch:
    """From ``at_s`` (Unix seconds) on, generation ``number`` was in force."""

    at_s: float
    number: int


def note(root: Path, number: int, at_s: float) -> None:
    """Adds a switch; for whoever holds the lock of publishers. Raises ``OSError``."""
    path = root / SWITCHES
    with path.open("ab") as file:
        file.write(f"{at_s:.3f} {number}\n".encode())
        size_bytes = file.tell()
    if size_bytes > MAX_SIZE_BYTES:
        lines = path.read_bytes().splitlines(keepends=True)
        write_atomic(path, b"".join(lines[len(lines) // 2 :]))


def in_force_at(root: Path, at_s: float) -> int:
    """The number of the generation that was in force at that time; 0 where none was, as far as is known."""
    noted = _noted(root)
    known = {switch.number for switch in noted}
    # Published before switches were noted, or their line was lost: their manifests tell.
    published = [Switch(_created_s(root, number), number) for number in numbers(root) if number not in known]
    before = [switch for switch in [*noted, *published] if switch.at_s <= at_s]
    if before:
        return max(before, key=lambda switch: switch.at_s).number
    return _pruned_at(root, at_s, [number for number in history_numbers(root) if number not in known])


def _noted(root: Path) -> list[Switch]:
    """The lines of the file; one that was cut short is left out."""
    try:
        content = (root / SWITCHES).read_text("ascii", errors="replace")
    except FileNotFoundError:
        return []
    found: list[Switch] = []
    for line in content.splitlines():
        time_text, _, number_text = line.partition(" ")
        try:
            found.append(Switch(float(time_text), int(number_text)))
        except ValueError:
            continue
    return found


def _created_s(root: Path, number: int) -> float:
    try:
        return manifests.read(generation_path(root, number)).created_s
    except GenerationDamaged:
        return float("inf")


def _pruned_at(root: Path, at_s: float, present: Sequence[int]) -> int:
    """The newest of the pruned generations that was published by then; numbers ascend with time."""

    def created_s(number: int) -> float:
        try:
            return history.read_manifest(root, number).created_s
        except GenerationDamaged:
            return float("-inf")

    place = bisect.bisect_right(present, at_s, key=created_s)
    return present[place - 1] if place else 0
