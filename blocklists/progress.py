"""How long work tells what it is doing; the command line shows it as a bar."""

from __future__ import annotations

from typing import Protocol


class Progress(Protocol):
    """One piece of work at a time: ``start``, any number of ``advance``, ``done``. Calls may come from a worker
    thread.
    """

    def start(self, label: str, total: int) -> None:
        """Work on ``label`` begins; ``total`` units, 0 where unknown."""
        ...

    def advance(self, units: int) -> None:
        """So many more units are done."""
        ...

    def done(self) -> None:
        """The work begun last is over, successful or not."""
        ...


class Silent:
    """Progress that nobody watches."""

    def start(self, label: str, total: int) -> None:
        """Ignored."""

    def advance(self, units: int) -> None:
        """Ignored."""

    def done(self) -> None:
        """Ignored."""


class Board(Protocol):
    """Several pieces of work at a time, each watched by a ``Progress`` of its own."""

    def line(self, title: str) -> Progress:
        """A progress for one after another of ``title``'s pieces of work (a list's fetch, then its parsing)."""
        ...


class SilentBoard:
    """A board that nobody watches."""

    def line(self, title: str) -> Progress:
        """Nobody's."""
        return Silent()
