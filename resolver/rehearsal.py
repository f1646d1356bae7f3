"""One query through the real pipeline, with nothing left behind: what a client would be sent, and what be logged.

Policy, instant and client are of the caller's choice; cache, log and counters are the rehearsal's own. What comes out
is what a worker would have sent, to the octet, since it is the worker's code. Upstreams are asked by whoever rehearses:
``Outcome.wanted`` says what, ``Rehearsal.land`` takes their answer.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from dnswire.answer import Answer
from querylog.record import LogRecord, Transport
from querylog.spool import SpoolWriter
from resolver.admission import Admission
from resolver.cache import Cache
from resolver.in_force import InForce
from resolver.local import Identity
from resolver.pipeline import Pipeline
from resolver.sources import NO_LIMITS, Sources
from resolver.stats import Stats
from resolver.upstream.failure import UpstreamFailure
from resolver.zone_pressure import ZonePressure

_CACHE_SIZE_BYTES: Final = 1 << 20
_TTL_MAX_S: Final = 86_400
_PRESSURE: Final = 256

# The host of a client that is known by his tenant alone: no socket has such an address.
ANY_CLIENT: Final = "any"

_Done = Callable[[Answer | UpstreamFailure, int], None]


@dataclass(frozen=True, slots=True)
class Wanted:
    """What an upstream group, by its number, is to be asked. ``name``: lower-case wire form."""

    group: int
    name: bytes
    rrtype: int
    rrclass: int
    do: bool
    cd: bool


@dataclass(frozen=True, slots=True)
class Outcome:
    """``response``: empty where none is sent, None while ``wanted`` is waited for. ``row``: what would be logged."""

    response: bytes | None
    wanted: Wanted | None
    row: LogRecord | None


class Rehearsal:
    """A pipeline of its own for one query. ``now_s``: the instant (Unix seconds); times do not pass."""

    def __init__(
        self, in_force: InForce, now_s: float, allow_from: Sequence[str] = (), identity: Identity | None = None
    ) -> None:
        self._askers = _Askers()
        self._sent: list[bytes] = []
        self._witness = Witness()
        self._pipeline = Pipeline(
            in_force,
            Admission(allow_from),
            Cache(_CACHE_SIZE_BYTES, 0, _TTL_MAX_S, _TTL_MAX_S),
            self._askers,
            self._witness,
            Stats(),
            identity or Identity("", ""),
            lambda: now_s,
            _never,
            Sources(NO_LIMITS),
            ZonePressure(_PRESSURE),
        )

    def ask(self, message: bytes, host: str, transport: Transport = Transport.UDP) -> Outcome:
        """What becomes of a query of the client at a textual address, or of ``InForce.stand_in``'s."""
        response = self._pipeline.answer(message, host, transport, self, None)
        return self._outcome(response)

    def land(self, said: Answer | UpstreamFailure, upstream: int = 0) -> Outcome:
        """What becomes of it with the answer to what was wanted, from the upstream of that number."""
        done = self._askers.done
        if done is None:
            raise RuntimeError("no upstream is waited for")
        self._askers.wanted = self._askers.done = None
        done(said, upstream)
        return self._outcome(self._sent.pop() if self._sent else b"" if self._askers.wanted is None else None)

    def send(self, response: bytes, address: object) -> None:
        """Where late responses arrive (``turn.Sender``)."""
        self._sent.append(response)

    def _outcome(self, response: bytes | None) -> Outcome:
        rows = self._witness.rows
        return Outcome(response, self._askers.wanted, rows[-1] if rows else None)


class _Never:
    """A call that does not come: a rehearsal's clock stands."""

    def cancel(self) -> None:
        """Takes it back."""


def _never(delay_s: float, call: Callable[[], None]) -> _Never:
    return _Never()


class _Askers(Sequence["_Asker"]):
    """All groups of upstreams; remembers what the last one was asked."""

    def __init__(self) -> None:
        self.wanted: Wanted | None = None
        self.done: _Done | None = None

    def __getitem__(self, number: int) -> _Asker:  # type: ignore[override]  # nobody slices groups
        return _Asker(self, number)

    def __len__(self) -> int:
        return 1


class _Asker:
    def __init__(self, askers: _Askers, group: int) -> None:
        self._askers = askers
        self._group = group

    def start(self, asked: bytes, do: bool, cd: bool, done: _Done) -> bool:
        """Notes the question; ``Rehearsal.land`` answers it."""
        rrtype, rrclass = struct.unpack(">HH", asked[-4:])
        self._askers.wanted = Wanted(self._group, asked[:-4], rrtype, rrclass, do, cd)
        self._askers.done = done
        return False


class Witness(SpoolWriter):
    """A spool that keeps its rows in memory and touches no disk."""

    def __init__(self) -> None:
        self.rows: list[LogRecord] = []

    def append(self, time_us: int, *fields: Any) -> None:
        """As ``SpoolWriter.append``, whose fields stand in the order of the record's but for the sequence."""
        self.rows.append(LogRecord(time_us, len(self.rows) + 1, *fields))
