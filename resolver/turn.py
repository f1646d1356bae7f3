"""One query on its way through the pipeline: all that its steps hand on, frozen at the time of asking.

A turn that waits for an upstream keeps the policy that was in force when it began, so that no answer ever mixes two
generations.
"""

from __future__ import annotations

from typing import Protocol

from dnswire.answer import Answer
from dnswire.query import Query
from resolver.cache import Entry
from resolver.in_force import InForce, Known, Plan
from resolver.upstream.failure import UpstreamFailure


class Sender(Protocol):
    """Where a response that comes later goes: a UDP port, or the adapter of a TCP connection."""

    def send(self, response: bytes, address: object) -> None:
        """Sends ``response`` to ``address``; drops it where that is no longer possible."""


class Resumer(Protocol):
    """Takes a turn further once its upstream has answered."""

    def resume(self, turn: Turn, outcome: Answer | UpstreamFailure, upstream: int) -> None:
        """Ends ``turn`` with what upstream number ``upstream`` said, or with why nobody did."""

    def hurry(self, turn: Turn) -> None:
        """Answers the client with ``turn.stale`` now; the upstream's answer is still waited for, for the cache."""


class Patience(Protocol):
    """A call that comes later and may be taken back, as the event loop's ``call_later`` returns it."""

    def cancel(self) -> None:
        """Takes the call back."""


class Turn:
    """One query, its client and where its answer goes. Times are wall-clock seconds.

    ``stale``: what is known of old, to be used where upstreams fail or take longer than ``patience``. ``answered``: the
    client has got it. ``again``: it was asked before, so that the fast lane may be taught the response; ``entry`` the
    cached answer that it rests on. ``pressing``: what it counts for in ``zone_pressure.py`` while it waits.
    ``echo``: EDNS options that the client is owed: a cookie (``cookies.py``), a forwarder's subnet
    (``identification.py``).
    """

    __slots__ = (
        "address",
        "again",
        "answered",
        "began_s",
        "cache_state",
        "echo",
        "entry",
        "in_force",
        "key",
        "known",
        "now_s",
        "patience",
        "plan",
        "pressing",
        "query",
        "resumer",
        "sender",
        "stale",
        "transport",
        "upstream",
    )

    def __init__(
        self,
        query: Query,
        known: Known,
        in_force: InForce,
        transport: int,
        now_s: float,
        sender: Sender,
        address: object,
        plan: Plan,
    ) -> None:
        self.query = query
        self.known = known
        self.in_force = in_force
        self.transport = transport
        self.began_s = now_s
        self.now_s = now_s
        self.sender = sender
        self.address = address
        self.plan = plan
        self.key = b""
        self.cache_state = 0
        self.echo = b""
        self.upstream = 0
        self.resumer: Resumer | None = None
        self.stale: Answer | None = None
        self.patience: Patience | None = None
        self.answered = False
        self.again = False
        self.entry: Entry | None = None
        self.pressing: tuple[bytes, bytes] | None = None

    def done(self, outcome: Answer | UpstreamFailure, upstream: int) -> None:
        """The upstream's word, or why there is none; called once by the upstream group."""
        if self.patience is not None:
            self.patience.cancel()
            self.patience = None
        resumer = self.resumer
        if resumer is not None:
            self.resumer = None
            resumer.resume(self, outcome, upstream)

    def for_client(self) -> Turn:
        """A turn that answers the client while this one goes on waiting, for the cache alone.

        What the client gets changes a turn: its plan where the old answer is blocked, its key where it is redirected.
        With one turn for both, what upstreams say at last would be taken for what a redirection asked for, and sent.
        """
        turn = Turn(
            self.query,
            self.known,
            self.in_force,
            self.transport,
            self.began_s,
            self.sender,
            self.address,
            self.plan,
        )
        turn.key = self.key
        turn.echo = self.echo
        self.answered = True
        return turn

    def hurry(self) -> None:
        """``patience`` is over."""
        self.patience = None
        if self.resumer is not None and not self.answered:
            self.resumer.hurry(self)
