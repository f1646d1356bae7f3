"""Lines that hold a name between two fixed texts, as configuration files do: ``local=/`` name ``/``.

A chunk whose lines all have one frame loses it by two replacements; mixed ones are sorted line by line. What has no
known frame, or a name in it that the bulk pass does not vouch for, goes to the format's own careful reading.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from blocklists.formats.bulk import names_of
from blocklists.formats.harvest import Harvest


@dataclass(frozen=True, slots=True)
class Frame:
    """What stands before and behind a name; neither is empty."""

    before: bytes
    behind: bytes


# A line and its number, read with care.
Careful = Callable[[int, bytes], None]


def take_framed(chunk: bytes, first_line: int, frames: Mapping[Frame, int], harvest: Harvest, careful: Careful) -> None:
    """Adds the names of framed lines with their frame's cover; gives all other lines, in order, to ``careful``."""
    lines: list[bytes] = []
    odd: list[int] = []
    frame = _common(chunk, frames)
    if frame is not None:
        bare = (b"\n" + chunk).replace(b"\n" + frame.before, b"\n").replace(frame.behind + b"\n", b"\n")[1:]
        _take(bare, frames[frame], range(chunk.count(b"\n")), harvest, odd)
    else:
        lines = chunk[:-1].split(b"\n")
        _sort(lines, frames, harvest, odd)
    if odd:
        lines = lines or chunk[:-1].split(b"\n")
        for number in sorted(odd):
            careful(first_line + number, lines[number])


def _common(chunk: bytes, frames: Mapping[Frame, int]) -> Frame | None:
    """The frame of all lines, if they have one."""
    count = chunk.count(b"\n")
    begun = b"\n" + chunk
    for frame in frames:
        if not chunk.startswith(frame.before):
            continue
        if begun.count(b"\n" + frame.before) != count or chunk.count(frame.behind + b"\n") != count:
            continue
        # The two texts of a line must not share octets, and something must be between them.
        if all(part not in chunk for part in _emptied(frame)):
            return frame
    return None


def _emptied(frame: Frame) -> list[bytes]:
    """What a line of the frame looks like with nothing in it: the texts one behind the other, and overlapping."""
    overlaps = range(1, min(len(frame.before), len(frame.behind)) + 1)
    shared = [size for size in overlaps if frame.before.endswith(frame.behind[:size])]
    return [frame.before + frame.behind[size:] + b"\n" for size in (0, *shared)]


def _sort(lines: list[bytes], frames: Mapping[Frame, int], harvest: Harvest, odd: list[int]) -> None:
    by_length = [(frame.before, frame.behind, len(frame.before), len(frame.behind), frame) for frame in frames]
    names: dict[Frame, list[bytes]] = {frame: [] for frame in frames}
    numbers: dict[Frame, list[int]] = {frame: [] for frame in frames}
    for number, line in enumerate(lines):
        for before, behind, head, tail, frame in by_length:
            if line.startswith(before) and line.endswith(behind) and len(line) > head + tail:
                names[frame].append(line[head:-tail])
                numbers[frame].append(number)
                break
        else:
            if line:
                odd.append(number)
    for frame, found in names.items():
        if found:
            _take(b"\n".join(found) + b"\n", frames[frame], numbers[frame], harvest, odd)


def _take(text: bytes, cover: int, numbers: range | list[int], harvest: Harvest, odd: list[int]) -> None:
    names = names_of(text)
    harvest.add(cover, names.blob, names.count)
    odd.extend(numbers[token.line] for token in names.odd)
