"""What a transfer brings: the whole zone's entries, or the changes to them; and the RRs that are more than entries."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Final

from blocklists.formats.harvest import MAX_RULES, Harvest, Reason
from blocklists.formats.rdata_text import from_wire
from blocklists.formats.rpz_record import LOCAL_TYPES, RpzRecords
from blocklists.progress import Progress
from blocklists.runs import Runs
from blocklists.section_files import SectionFiles
from blocklists.source import Source
from blocklists.transfer.apply import apply_delta
from blocklists.transfer.delta import Delta
from blocklists.transfer.framing import Place
from blocklists.transfer.records import ZoneRecord
from dnswire.name import ROOT, to_text

# Sorting a run holds the interpreter's lock, and with it the thread that receives (``drain.py``): 0.15 s.
_RUN_KEYS: Final = 250_000


def interpret(records: Iterable[ZoneRecord], source: Source, harvest: Harvest) -> None:
    """Puts what RRs mean into ``harvest``; in ascending order, so that the same RRs give the same rules."""
    meaning = RpzRecords(source.landing, source.subdomains, harvest)
    for record in sorted(records):
        data: str | None = ""
        if record.rrtype in LOCAL_TYPES:
            data = from_wire(record.rrtype, record.rdata)
        if data is None:
            harvest.reject(0, to_text(record.owner + ROOT).encode(), Reason.RDATA)
        else:
            meaning.take(record.owner, record.rrtype, data)
    meaning.finish()


class WholeZone:
    """The sink of a whole zone: entries in sorted runs on disk, the other RRs in memory up to a limit."""

    def __init__(self, source: Source, directory: Path, entries: Path) -> None:
        self._source = source
        self._directory = directory
        self._entries = entries
        self._runs = Runs(directory, _RUN_KEYS)
        self.records: set[ZoneRecord] = set()
        self.harvest = Harvest(source.rewrites)
        self.complete = True  # all RRs are in ``records`` or entries: changes to them can be told apart

    def entry(self, _place: Place, key: bytes, cover: int) -> None:
        """See ``Sink``."""
        self._runs.add(key, cover)

    def record(self, _place: Place, record: ZoneRecord) -> None:
        """See ``Sink``."""
        if len(self.records) < 2 * MAX_RULES:
            self.records.add(record)
        elif record.owner and record not in self.records:
            self.complete = False
            self.harvest.reject(0, to_text(record.owner + ROOT).encode(), Reason.TOO_MANY_RULES)

    def outside(self, _place: Place, owner: bytes) -> None:
        """See ``Sink``."""
        self.harvest.reject(0, to_text(owner).encode(), Reason.OUT_OF_ZONE)

    def finish(self, progress: Progress) -> int:
        """Writes the entries file, if there is an entry; returns how many there are."""
        harvest = self.harvest
        interpret(self.records, self._source, harvest)
        for cover, key in _keys(harvest):
            self._runs.add(key, cover)
        files = SectionFiles(self._directory)
        try:
            progress.start(f"sort {self._source.code}", self._runs.taken)
            self._runs.merge_into(files, progress)
            progress.done()
            return files.join(self._entries, harvest.rules, harvest.addresses)
        finally:
            files.close()


class ZoneChanges:
    """The sink of an IXFR's deltas; ``records`` are the RRs held beside ``base``, an entries file."""

    def __init__(self, where: str, source: Source, base: Path, records: set[ZoneRecord]) -> None:
        self._source = source
        self._base = base
        self._before = frozenset(records)
        self._delta = Delta(where, records)
        self.harvest = Harvest(source.rewrites)

    @property
    def records(self) -> set[ZoneRecord]:
        """The RRs beside the entries, afterwards."""
        return self._delta.records

    @property
    def counts(self) -> tuple[int, int]:
        """RRs that came and RRs that went."""
        return self._delta.come, self._delta.gone

    def entry(self, place: Place, key: bytes, cover: int) -> None:
        """See ``Sink``."""
        self._delta.entry(place, key, cover)

    def record(self, place: Place, record: ZoneRecord) -> None:
        """See ``Sink``."""
        self._delta.record(place, record)

    def outside(self, place: Place, owner: bytes) -> None:
        """See ``Sink``: there is nothing to change."""

    def finish(self, directory: Path, entries: Path) -> int:
        """Writes the entries file, changed; returns how many entries it has. Raises ``TransferError`` where the
        changes do not fit what is held.
        """
        before = Harvest(self._source.rewrites)
        interpret(self._before, self._source, before)
        interpret(self._delta.records, self._source, self.harvest)
        # RRs that are kept as such can be entries as well: those change with them.
        old, new = set(_keys(before)), set(_keys(self.harvest))
        for place, keys in ((Place.GONE, old - new), (Place.COME, new - old)):
            for cover, key in keys:
                self._delta.entry(place, key, cover)
        return apply_delta(self._base, self._delta, directory, entries, self.harvest.rules, self.harvest.addresses)


def _keys(harvest: Harvest) -> Iterable[tuple[int, bytes]]:
    for cover, blobs in harvest.keys.items():
        for blob in blobs:
            for key in blob.split(b"\0"):
                yield cover, key
