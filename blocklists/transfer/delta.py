"""The changes of an IXFR, several deltas as one: what each name's entry must have had, and what it has afterwards.

RFC 1995 4 has them applied in order. Here they are put together first, in memory that grows with the changes only, and
applied to the stored entries in one pass (``apply.py``). An RR that is taken away and was not there, or that comes and
is there already, means that the primary's zone is not the one held: then the whole zone is fetched.
"""

from __future__ import annotations

from typing import Final

from blocklists.transfer.failure import TransferError, TransferFailure
from blocklists.transfer.framing import Place
from blocklists.transfer.records import ZoneRecord

_NEEDS: Final = 8  # bits 8 to 11: covers that the held entry must have; 4 to 7: those that are settled; 0 to 3: result
_SETTLED: Final = 4
MAX_CHANGES: Final = 2_000_000  # names; beyond, the whole zone takes less memory


class Delta:
    """Takes the RRs of an IXFR in their order. ``records`` are the RRs held beside the entries; they are changed."""

    def __init__(self, where: str, records: set[ZoneRecord]) -> None:
        self._where = where
        self._changes: dict[bytes, int] = {}
        self.records = records
        self.gone = 0
        self.come = 0

    def __len__(self) -> int:
        return len(self._changes)

    def entry(self, place: Place, key: bytes, cover: int) -> None:
        """An entry that goes or comes; ``cover`` is one bit."""
        change = self._changes.get(key)
        if change is None:
            change = 0
            if len(self._changes) >= MAX_CHANGES:
                raise self._mismatch(f"sends changes of more than {MAX_CHANGES:,} names")
        settled = change & cover << _SETTLED
        if place is Place.GONE:
            self.gone += 1
            if not settled:
                change |= cover << _NEEDS
            elif not change & cover:
                raise self._mismatch("takes away a name twice")
            change &= ~cover
        else:
            self.come += 1
            if settled and change & cover:
                raise self._mismatch("adds a name twice")
            change |= cover
        self._changes[key] = change | cover << _SETTLED

    def record(self, place: Place, record: ZoneRecord) -> None:
        """Any other RR that goes or comes."""
        if place is Place.GONE:
            self.gone += 1
            if record not in self.records:
                raise self._mismatch("takes away an RR that is not held")
            self.records.discard(record)
        else:
            self.come += 1
            self.records.add(record)

    def changed(self) -> list[bytes]:
        """The keys that change, ascending."""
        return sorted(self._changes)

    def result(self, key: bytes, held: int) -> int:
        """The cover of a key afterwards, that had ``held`` (0: no entry). Raises ``TransferError``."""
        change = self._changes[key]
        needs = change >> _NEEDS
        settled = change >> _SETTLED & 0xF
        if needs & ~held:
            raise self._mismatch("takes away a name that is not held")
        if settled & ~needs & held:
            raise self._mismatch("adds a name that is held already")
        return held & ~settled | change & 0xF

    def _mismatch(self, what: str) -> TransferError:
        return TransferError(TransferFailure.INCREMENTAL, f"{self._where} {what}.")
