"""A transfer without sockets: messages from a list, in the place of a connection."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import cast

from blocklists.formats.harvest import Harvest
from blocklists.formats.rpz_record import RpzRecords
from blocklists.progress import Silent
from blocklists.source import Source
from blocklists.transfer.connection import Connection
from blocklists.transfer.exchange import Caps, Zone, transfer
from blocklists.transfer.failure import TransferError, TransferFailure
from blocklists.transfer.framing import Framing
from blocklists.transfer.meaning import Meanings
from blocklists.transfer.receiver import WholeZone, ZoneChanges
from blocklists.transfer.scan import Sink
from blocklists.transfer.tsig import TsigKey
from tests.support.zone_wire import ZONE

MESSAGE_ID = 7
CAPS = Caps(1 << 24, 100_000, Path())
SOURCE = Source("nasional", "rpz://192.0.2.1/rpz.test", shrink_limit=1.0, rewrites=True)


class Messages:
    """What a primary sends, whatever it is asked. Behind the last message the connection is closed."""

    def __init__(self, messages: Sequence[bytes]) -> None:
        self._messages = list(reversed(messages))
        self.sent: list[bytes] = []
        self.received_bytes = 0

    def send(self, message: bytes) -> None:
        self.sent.append(message)

    def receive(self) -> bytes:
        if not self._messages:
            raise TransferError(TransferFailure.CUT, "the messages are at their end")
        message = self._messages.pop()
        self.received_bytes += len(message) + 2
        return message

    def drain(self, _directory: Path, _limit_bytes: int) -> None:
        return

    def close(self) -> None:
        return


def receive(
    messages: Sequence[bytes],
    whole: Sink,
    changes: Sink | None = None,
    held_serial: int | None = None,
    key: TsigKey | None = None,
    now_s: float = 0.0,
) -> tuple[Framing, Meanings]:
    """Runs a transfer of these messages into the sinks."""
    meanings = Meanings(RpzRecords((), None, Harvest()), one_cover=False)
    zone = Zone(ZONE, "The primary", key, lambda: MESSAGE_ID, lambda: now_s)
    connection = cast(Connection, Messages(messages))
    framing = transfer(connection, zone, held_serial, meanings, whole, changes or whole, CAPS, Silent())
    return framing, meanings


def new_whole(directory: Path, name: str = "entries") -> WholeZone:
    """A sink of a whole zone, whose entries go to ``directory / name``."""
    return WholeZone(SOURCE, directory, directory / name)


def new_changes(base: Path, whole: WholeZone) -> ZoneChanges:
    """A sink of changes to the zone that ``whole`` received into ``base``."""
    return ZoneChanges("The primary", SOURCE, base, set(whole.records))
