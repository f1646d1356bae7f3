"""Why a zone could not be brought over, in words."""

from __future__ import annotations

from enum import StrEnum
from typing import Final

from dnswire.constants import Rcode


class TransferFailure(StrEnum):
    """The kinds of failure. ``INCREMENTAL`` alone is mended by asking for the whole zone."""

    UNREACHABLE = "unreachable"
    TIMEOUT = "timeout"
    CUT = "cut"
    REFUSED = "refused"
    MALFORMED = "malformed"
    WRONG_ANSWER = "wrong_answer"
    SERIAL = "serial"
    SIGNATURE = "signature"
    TOO_LARGE = "too_large"
    ADDRESS = "address"
    KEY = "key"
    DISK = "disk"
    INCREMENTAL = "incremental"


class TransferError(Exception):
    """A zone could not be brought over; ``sentence`` says what, where, why and what to do now."""

    def __init__(self, code: TransferFailure, sentence: str) -> None:
        super().__init__(sentence)
        self.code = code
        self.sentence = sentence


_RCODES: Final = {
    Rcode.FORMERR: "FORMERR: it did not understand the query; look at its log",
    Rcode.SERVFAIL: "SERVFAIL: it cannot serve the zone now (not loaded, or itself expired); look at its log",
    Rcode.NXDOMAIN: "NXDOMAIN: it does not know the zone; check the zone's name",
    Rcode.NOTIMP: "NOTIMP: it does not do zone transfers; name its primary instead",
    Rcode.REFUSED: "REFUSED: it does not let this machine have the zone; allow its address or key there",
    9: "NOTAUTH: it is not authoritative for the zone, or does not accept the key; check zone and TSIG key",
}


def refused(where: str, rcode: int, signed: bool = True) -> TransferError:
    """The failure that a response code other than NOERROR is. ``signed`` False: a key was used, and the answer is not
    signed, so that anybody on the way may have sent it.
    """
    words = _RCODES.get(rcode, f"response code {rcode}; look at its log")
    doubt = "" if signed else " (unsigned: the primary may not know the key)"
    return TransferError(TransferFailure.REFUSED, f"{where} answered {words}{doubt}.")
