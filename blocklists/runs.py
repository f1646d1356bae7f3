"""A whole zone's entries on their way to disk: sorted runs, and one merge at the end.

Memory is bounded by the size of a run (``RUN_KEYS`` keys, some 150 MB), not by the zone. An owner and its wildcard,
which primaries send one behind the other, become one key with both covers before they are counted.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from itertools import compress, islice
from operator import ne
from pathlib import Path
from typing import Final

from blocklists.entries import Section, read_keys
from blocklists.key_sort import distinct_sorted
from blocklists.progress import Progress
from blocklists.section_files import SectionFiles

RUN_KEYS: Final = 1_500_000


class Runs:
    """Takes keys in any order, each with a cover; ``merge_into`` gives each key once, with the union of its covers."""

    def __init__(self, directory: Path, run_keys: int = RUN_KEYS) -> None:
        self._directory = directory
        self._run_keys = run_keys
        self._keys: dict[int, list[bytes]] = {}  # each a key, or a blob of several with one NUL between
        self._held = 0
        self._last = b""
        self._last_cover = 0
        self._runs: list[Section] = []
        self.taken = 0  # keys so far, one that comes again counted again

    def add(self, key: bytes, cover: int) -> None:
        """Takes a key."""
        if key == self._last:
            self._last_cover |= cover
            return
        if self._last_cover:
            self._put()
        self._last = key
        self._last_cover = cover

    def add_blob(self, cover: int, blob: bytes, count: int) -> None:
        """Takes ``count`` keys at once, one NUL between them."""
        self.taken += count
        self._keys.setdefault(cover, []).append(blob)
        self._held += count
        if self._held >= self._run_keys:
            self._spill()

    def _put(self) -> None:
        self.taken += 1
        keys = self._keys.get(self._last_cover)
        if keys is None:
            keys = self._keys[self._last_cover] = []
        keys.append(self._last)
        self._held += 1
        if self._held >= self._run_keys:
            self._spill()

    def _spill(self) -> None:
        for cover in sorted(self._keys):
            keys = self._keys.pop(cover)
            # Each key once in a run: the merge, which sees a run chunk by chunk, relies on it.
            content, count = distinct_sorted(b"\0".join(keys))
            keys.clear()
            path = self._directory / f"run-{len(self._runs)}"
            size_bytes = path.write_bytes(content)
            self._runs.append(Section(path, cover, count, 0, size_bytes))
        self._held = 0

    def merge_into(
        self, files: SectionFiles, progress: Progress, void: Mapping[int, AbstractSet[bytes]] | None = None
    ) -> None:
        """Merges all runs; they are removed. Nothing can be added afterwards. ``void``: keys by the cover with which
        they were added that are left out.
        """
        if self._last_cover:
            self._put()
            self._last_cover = 0
        self._spill()
        streams = [_Stream(run) for run in self._runs]
        while streams := [stream for stream in streams if stream.fill()]:
            last = min(stream.keys[-1] for stream in streams)
            parts: dict[int, list[bytes]] = {}
            for stream in streams:
                taken = stream.take(last)
                progress.advance(len(taken))
                voided = void.get(stream.cover) if void else None
                parts.setdefault(stream.cover, []).extend(
                    [key for key in taken if key not in voided] if voided else taken
                )
            for cover, keys in _united({cover: _distinct(keys) for cover, keys in parts.items()}).items():
                files.write(cover, keys)
        for run in self._runs:
            run.path.unlink()


class _Stream:
    """One run on its way: the chunk at hand and where in it the merge stands."""

    def __init__(self, run: Section) -> None:
        self._chunks: Iterator[Sequence[bytes]] = read_keys(run)
        self.cover = run.cover
        self.keys: Sequence[bytes] = ()
        self._at = 0

    def fill(self) -> bool:
        """Makes sure that there is a key at hand; False at the end."""
        while self._at >= len(self.keys):
            chunk = next(self._chunks, None)
            if chunk is None:
                return False
            self.keys = chunk
            self._at = 0
        return True

    def take(self, last: bytes) -> Sequence[bytes]:
        """The keys at hand up to ``last``, which it may hold."""
        start = self._at
        self._at = bisect_right(self.keys, last, start)
        return self.keys[start : self._at]


def _distinct(keys: list[bytes]) -> list[bytes]:
    keys.sort()  # a few ascending runs, one behind the other: merged, not sorted anew
    found = list(compress(keys, map(ne, keys, islice(keys, 1, None))))
    found.extend(keys[-1:])
    return found


def _united(parts: dict[int, list[bytes]]) -> dict[int, list[bytes]]:
    """A key in several parts moves into that of the union of their covers. Parts are sorted, and stay so."""
    if len(parts) < 2:
        return parts
    biggest = max(parts, key=lambda cover: len(parts[cover]))
    covers: dict[bytes, int] = {}
    shared: set[bytes] = set()
    for cover, keys in parts.items():
        if cover == biggest:
            continue
        for key in keys:
            known = covers.get(key)
            if known is not None:
                shared.add(key)
            covers[key] = cover if known is None else known | cover
    both = covers.keys() & parts[biggest]
    shared |= both
    if not shared:
        return parts
    left = {cover: [key for key in keys if key not in shared] for cover, keys in parts.items()}
    for key in shared:
        cover = covers[key] | (biggest if key in both else 0)
        left.setdefault(cover, []).append(key)
    return {cover: sorted(keys) for cover, keys in left.items() if keys}
