"""What an RR at a name says, where it says no more than an entry can hold: the same as ``RpzRecords`` would say."""

from __future__ import annotations

from typing import Final

from blocklists.formats.rdata_text import from_wire
from blocklists.formats.rpz_record import RpzRecords
from blocklists.rule import RuleAction
from dnswire.constants import RRType

ODD: Final = 0  # not known without its owner, or no entry at all
# Owners that end in one of these are no names that somebody asks for (draft-vixie-dnsop-dns-rpz-00, 4).
TRIGGER_ENDS: Final = (b"\x06rpz-ip", b"\x0drpz-client-ip", b"\x0brpz-nsdname", b"\x08rpz-nsip")

_SIMPLE: Final = (RuleAction.BLOCK, RuleAction.PASSTHRU)
_TYPES: Final = (RRType.CNAME, RRType.A, RRType.AAAA)
_MAX_KNOWN: Final = 10_000


class Meanings:
    """RDATA to the covers of a name and of a wildcard that have it, ``ODD`` where only ``RpzRecords`` can tell.

    ``reversible`` is False once an RR was taken for an entry that another RR could give as well: which of the two an
    IXFR takes away, the entry does not tell. ``records`` decides what RDATA means.
    """

    def __init__(self, records: RpzRecords, one_cover: bool) -> None:
        self._records = records
        self._known: dict[tuple[int, bytes], tuple[int, int]] = {}
        self.reversible = not one_cover

    def of(self, rrtype: int, rdata: bytes) -> tuple[int, int]:
        """The covers for RDATA in which names are written out, in lower case."""
        known = self._known.get((rrtype, rdata))
        if known is None:
            known = self._find(rrtype, rdata)
            if len(self._known) < _MAX_KNOWN:
                self._known[rrtype, rdata] = known
        if known[0] and rrtype != RRType.CNAME:
            self.reversible = False
        return known

    def _find(self, rrtype: int, rdata: bytes) -> tuple[int, int]:
        text = from_wire(rrtype, rdata) if rrtype in _TYPES else None
        if text is None:
            return ODD, ODD
        action = self._records.action(rrtype, text, "")
        if action not in _SIMPLE:
            return ODD, ODD
        return self._records.cover(False, action), self._records.cover(True, action)
