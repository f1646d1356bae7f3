"""What a transfer is: the order of its SOAs, without sockets and without a clock.

A transfer is a sequence of RRs that SOAs divide (RFC 5936 2.2, RFC 1995 4). Whoever reads the RRs hands each SOA to
``Framing.soa`` and puts all others where ``Framing.place`` says.

    AXFR, or AXFR as an answer to IXFR:  SOA(new) RR... SOA(new)
    IXFR:                                SOA(new) [SOA(old) gone... SOA(next) come...]... SOA(new)
    IXFR, nothing new:                   SOA(current)
"""

from __future__ import annotations

from enum import IntEnum

from blocklists.transfer.failure import TransferError, TransferFailure
from blocklists.transfer.serial import is_newer
from blocklists.transfer.soa import Soa


class Place(IntEnum):
    """Where the RRs between SOAs belong."""

    NOWHERE = 0  # before the first SOA, or behind the last: an RR here is an error
    UNDECIDED = 1  # behind the first SOA: what comes next tells AXFR from IXFR
    WHOLE = 2  # an RR of the zone
    GONE = 3  # an RR that the zone no longer has
    COME = 4  # an RR that the zone has now


class Framing:
    """One transfer. ``held_serial`` is None where the whole zone was asked for (AXFR), else the IXFR's.

    Wrong order raises ``TransferError``; with code ``INCREMENTAL`` where asking for the whole zone can mend it.
    """

    def __init__(self, where: str, held_serial: int | None) -> None:
        self._where = where
        self._held = held_serial
        self._delta_serial = 0  # the serial that the delta at hand begins or ends with
        self.place = Place.NOWHERE
        self.first: Soa | None = None
        self.deltas = 0
        self.records = 0  # RRs so far, SOAs among them; whoever reads them counts
        self.done = False
        self.up_to_date = False
        self.whole = False  # the whole zone comes, whatever was asked for

    def soa(self, soa: Soa) -> None:
        """The zone's next SOA."""
        if self.done:
            raise self._error("sends more behind the transfer's end")
        if self.first is None:
            self._begin(soa)
        elif self.place is Place.UNDECIDED:
            self._second(self.first, soa)
        elif self.place is Place.WHOLE:
            self._end_whole(self.first, soa)
        elif self.place is Place.GONE:
            self._turn(soa)
        else:
            self._end_delta(self.first, soa)

    def record(self) -> None:
        """An RR where ``place`` is not yet decided, or where none may be: it decides, or is an error."""
        if self.place is Place.UNDECIDED:
            # RFC 1995 4: a second RR that is no SOA begins the entire zone, in place of a difference.
            self.place = Place.WHOLE
            self.whole = True
        elif self.place is Place.NOWHERE:
            raise self._error("sends more behind the transfer's end" if self.done else "does not begin with an SOA")

    def message_ended(self) -> None:
        """A message is over: what only its end can tell."""
        held = self._held
        if self.place is not Place.UNDECIDED or held is None or self.first is None:
            return
        # RFC 1995 2: the server's SOA alone, where it has nothing newer than ours. A newer one alone begins a transfer
        # with one RR a message.
        if not is_newer(self.first.serial, held):
            self.up_to_date = self.first.serial == held
            self._finish()
            if not self.up_to_date:
                raise went_back(self._where, self.first.serial, held)

    def _begin(self, soa: Soa) -> None:
        self.first = soa
        self.place = Place.UNDECIDED

    def _second(self, first: Soa, soa: Soa) -> None:
        if soa.serial == first.serial and (self._held is None or soa.serial != self._held):
            self.whole = True  # a zone of nothing but its SOA
            self._finish()
        elif self._held is None:
            raise self._changed(first, soa)
        elif soa.serial == self._held and is_newer(first.serial, self._held):
            self._delta_serial = soa.serial
            self.place = Place.GONE
        else:
            raise self._gap(f"offers changes from serial {soa.serial} on, not from {self._held}")

    def _end_whole(self, first: Soa, soa: Soa) -> None:
        if soa.serial != first.serial:
            raise self._changed(first, soa)
        self._finish()

    def _turn(self, soa: Soa) -> None:
        if not is_newer(soa.serial, self._delta_serial):
            raise self._gap(f"sends changes from serial {self._delta_serial} back to {soa.serial}")
        self._delta_serial = soa.serial
        self.deltas += 1
        self.place = Place.COME

    def _end_delta(self, first: Soa, soa: Soa) -> None:
        if soa.serial != self._delta_serial:
            raise self._gap(f"leaves out the changes between the serials {self._delta_serial} and {soa.serial}")
        if soa.serial == first.serial:
            self._finish()
        else:
            self.place = Place.GONE

    def _finish(self) -> None:
        self.done = True
        self.place = Place.NOWHERE

    def _changed(self, first: Soa, soa: Soa) -> TransferError:
        sentence = (
            f"{self._where} ended the transfer with serial {soa.serial}, begun with {first.serial}: the zone changed"
            " meanwhile, or the primary is broken. It is discarded and tried again."
        )
        return TransferError(TransferFailure.SERIAL, sentence)

    def _gap(self, what: str) -> TransferError:
        return TransferError(TransferFailure.INCREMENTAL, f"{self._where} {what}.")

    def _error(self, what: str) -> TransferError:
        return TransferError(TransferFailure.WRONG_ANSWER, f"{self._where} {what}. The transfer is discarded.")


def went_back(where: str, serial: int, held: int) -> TransferError:
    """The primary's serial is older than the one held (RFC 1982): a secondary does not go back."""
    sentence = (
        f"{where} has serial {serial}, which is older than {held}, the one held here (RFC 1982). Raise the serial"
        f" above {held} at the primary; otherwise the zone is taken anew once the one held has expired."
    )
    return TransferError(TransferFailure.SERIAL, sentence)
