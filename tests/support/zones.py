"""Zones on their way into a library, in a test's hand: a clock, a gate, nights on which they are synced."""

from __future__ import annotations

from pathlib import Path

from blocklists.admission import Gate
from blocklists.library import Library
from blocklists.outcome import Outcome
from blocklists.progress import Silent
from blocklists.source import Source
from blocklists.transfer.apart import Visit, visit_here
from blocklists.transfer.zone_sync import sync_zone
from tests.support.lists import entries_in

CODE = "nasional"


class ZoneWorld:
    """One list that is a zone, and its library. ``now_s`` is the test's clock for what the library notes."""

    def __init__(self, directory: Path, location: str, **options: object) -> None:
        self.library = Library(directory / "lists")
        self.now_s = 1_800_000_000.0
        self.gate = Gate()
        self.source = source_of(location, **options)

    async def night(self, accept: str | None = None, visit: Visit = visit_here) -> Outcome:
        """Syncs once, a second later than before."""
        self.now_s += 1
        return await sync_zone(self.source, self.library, self.gate, Silent(), self.now_s, accept, visit=visit)

    def names(self) -> dict[str, str]:
        """Name to kind of all entries in force."""
        state = self.library.state(CODE)
        return dict(entries_in(self.library.entries_path(CODE, state.version))) if state.version else {}

    @property
    def serial(self) -> int:
        """Of the version in force."""
        current = self.library.state(CODE).current
        assert current is not None
        assert current.zone is not None
        return current.zone.serial


def source_of(location: str, **options: object) -> Source:
    """A zone's source that may be on loopback and may shrink; ``options`` as in ``Source``."""
    values: dict[str, object] = {"allow_private": True, "shrink_limit": 1.0, "timeout_s": 20.0} | options
    return Source(CODE, location, **values)  # type: ignore[arg-type]  # a test's options are those of Source
