"""The signatures of a transfer: its first and its last message have one, some between may not (RFC 8945 5.3.1)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from blocklists.transfer.failure import TransferError, TransferFailure
from blocklists.transfer.tsig import (
    BADKEY,
    BADSIG,
    BADTIME,
    TsigKey,
    TsigRecord,
    digest_first,
    digest_next,
    read_tsig,
    same_mac,
    without,
)
from dnswire.errors import WireError

MAX_UNSIGNED: Final = 99
"""RFC 8945 5.3.1: a client must accept up to 99 intermediary messages without a TSIG; one more is not taken."""

_ERRORS: Final = {
    BADSIG: "says that our signature is wrong (BADSIG): the secrets differ",
    BADKEY: "does not know our TSIG key (BADKEY): compare its name and algorithm with the primary's",
    BADTIME: "says that our clock is off (BADTIME): set the time on both machines (NTP)",
}


class SignatureCheck:
    """Checks the messages of one response in their order. ``now`` gives Unix seconds."""

    def __init__(self, where: str, key: TsigKey, request_mac: bytes, now: Callable[[], float]) -> None:
        self._where = where
        self._key = key
        self._mac = request_mac
        self._now = now
        self._first = True
        self._unsigned: list[bytes] = []

    @property
    def settled(self) -> bool:
        """Whether everything up to here is signed for."""
        return not self._first and not self._unsigned

    def message(self, message: bytes, tsig_at: int | None) -> None:
        """The next message; ``tsig_at`` is where its TSIG RR begins, if it has one. Raises ``TransferError``."""
        if tsig_at is None:
            self._without(message)
            return
        try:
            record = read_tsig(message, tsig_at)
        except WireError as error:
            raise self._wrong(f"sends a damaged TSIG RR ({error})") from error
        if record.error:
            raise self._wrong(_ERRORS.get(record.error, f"reports TSIG error {record.error}"))
        if record.name != self._key.name or record.algorithm != self._key.algorithm_name:
            raise self._wrong("signs with another key or algorithm than asked with")
        bare = without(message, record)
        if not same_mac(self._expected(bare, record), record.mac):
            raise self._wrong("sends a wrong signature: the secrets differ, or its message was changed on its way")
        # After the MAC, for only a genuine time says anything (RFC 8945 5.2.3).
        if abs(self._now() - record.time_s) > record.fudge_s:
            raise self._wrong("signed at a time that is too far from ours: set the time on both machines (NTP)")
        self._mac = record.mac
        self._first = False
        self._unsigned.clear()

    def end(self) -> None:
        """The transfer is over. Raises ``TransferError`` where its last message was not signed."""
        if not self.settled:
            raise self._wrong("ends with a message that is not signed")

    def _without(self, message: bytes) -> None:
        if self._first:
            raise self._wrong("does not sign its answer: it ignores the key, or somebody on the way took it off")
        if len(self._unsigned) >= MAX_UNSIGNED:
            raise self._wrong(f"sends more than {MAX_UNSIGNED} messages in a row without signature")
        self._unsigned.append(message)

    def _expected(self, bare: bytes, record: TsigRecord) -> bytes:
        if self._first:
            return digest_first(self._key, self._mac, bare, record)
        messages = b"".join((*self._unsigned, bare))
        return digest_next(self._key, self._mac, messages, record.time_s, record.fudge_s)

    def _wrong(self, what: str) -> TransferError:
        sentence = f"{self._where} {what}. Nothing of its answer is used."
        return TransferError(TransferFailure.SIGNATURE, sentence)
