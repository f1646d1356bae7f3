"""Fetching what is asked for often before it expires, so that nobody waits for it.

The client gets the cached answer at once; this goes on behind his back, at most ``MAX_UNDER_WAY`` at a time: a cache
full of short-lived names must not turn into a flood on upstreams.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from dnswire.answer import Answer
from resolver.cache import Cache
from resolver.upstream.failure import UpstreamFailure

MAX_UNDER_WAY: Final = 64


class Refreshes:
    """The fetches under way of one worker."""

    __slots__ = ("cache", "clock", "under_way")

    def __init__(self, cache: Cache, clock: Callable[[], float]) -> None:
        self.cache = cache
        self.clock = clock
        self.under_way = 0

    def begin(self, key: bytes) -> Refresh | None:
        """A fetch of what ``key`` stands for, to be handed to the upstreams; None where enough are under way."""
        if self.under_way >= MAX_UNDER_WAY:
            return None
        self.under_way += 1
        return Refresh(self, key)


class Refresh:
    """One fetch under way."""

    __slots__ = ("_key", "_refreshes")

    def __init__(self, refreshes: Refreshes, key: bytes) -> None:
        self._refreshes = refreshes
        self._key = key

    def done(self, outcome: Answer | UpstreamFailure, upstream: int) -> None:
        """The upstream's word. A failure leaves what is cached; it serves to its end, and stale beyond."""
        refreshes = self._refreshes
        refreshes.under_way -= 1
        if isinstance(outcome, UpstreamFailure):
            refreshes.cache.postpone(self._key, refreshes.clock())
        else:
            refreshes.cache.put(self._key, outcome, refreshes.clock())
