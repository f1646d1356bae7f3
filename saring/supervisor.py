"""Keeps processes alive: each restarts alone, all stop in order.

It knows nothing of DNS. ``program.py`` says what to run; here is how: one task a child, a file that tells the state,
and stages for stopping. The supervisor itself does so little that there is little to fail.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import signal
import sys
from collections.abc import Awaitable, Callable, Sequence

from saring.backoff import Backoff
from saring.child import Child, ChildSpec, ChildState

_log = logging.getLogger(__name__)


class Supervisor:
    """The children of this process.

    ``record`` is told whenever a child starts or ends. ``forward`` gets their standard error, whole lines.
    """

    def __init__(
        self,
        record: Callable[[list[ChildState]], None],
        forward: Callable[[bytes], None] | None = None,
        make_backoff: Callable[[ChildSpec], Backoff] = lambda spec: Backoff(limit_s=spec.restart_within_s),
    ) -> None:
        self._record = record
        self._forward = forward or forward_to_stderr
        self._make_backoff = make_backoff
        self._children: dict[str, Child] = {}
        self._tasks: dict[str, asyncio.Task[None]] = {}

    def states(self) -> list[ChildState]:
        """All children, in the order in which they were started."""
        return [child.state for child in self._children.values()]

    def spec(self, name: str) -> ChildSpec | None:
        """What a child runs; ``None`` where there is no such child."""
        child = self._children.get(name)
        return child.spec if child is not None else None

    def start(self, spec: ChildSpec) -> None:
        """Begins to supervise ``spec``. The name must be new."""
        if spec.name in self._children:
            raise ValueError(f"there is a child {spec.name} already")
        child = Child(spec, self._forward, self._changed, self._make_backoff(spec))
        self._children[spec.name] = child
        self._tasks[spec.name] = asyncio.create_task(child.run(), name=spec.name)

    async def replace(self, spec: ChildSpec) -> None:
        """Runs ``spec`` in the place of the child of the same name, which is stopped gracefully first."""
        await self._children[spec.name].replace(spec)

    async def relieve(self, spec: ChildSpec, is_ready: Callable[[Callable[[], int]], Awaitable[bool]]) -> bool:
        """Runs ``spec`` beside the child of the same name, and stops that one when ``is_ready`` says so.

        ``is_ready`` gets what tells the new one's process number (0 while there is none). False, and the old one goes
        on, where the new one does not get ready.
        """
        name = spec.name
        old, old_task = self._children[name], self._tasks[name]
        new = Child(spec, self._forward, self._changed, self._make_backoff(spec))
        new.take_over_from(old)
        task = asyncio.create_task(new.run(), name=name)
        if not await is_ready(lambda: new.state.pid):
            await new.stop()
            await task
            return False
        self._children[name], self._tasks[name] = new, task
        self._changed()
        await old.stop()
        await old_task
        return True

    async def stop_some(self, names: Sequence[str]) -> None:
        """Stops these children for good; they can be started anew."""
        for name in names:
            if name in self._children:
                await self._stop(name)
                del self._children[name], self._tasks[name]

    def pid_of(self, name: str) -> int:
        """A child's process number; 0 where it does not run."""
        child = self._children.get(name)
        return child.state.pid if child is not None else 0

    def children(self) -> list[Child]:
        """The children themselves, in the order in which they were started."""
        return list(self._children.values())

    def kill(self, name: str) -> None:
        """Ends a child that hangs, without asking; it is started again like any that died."""
        child = self._children.get(name)
        if child is not None:
            child.signal(signal.SIGKILL)

    def signal_all(self, number: signal.Signals) -> None:
        """Sends a signal to every child."""
        for child in self._children.values():
            child.signal(number)

    async def stop(self, stages: Sequence[Sequence[str]]) -> None:
        """Stops the children stage by stage (unknown names are skipped), then whatever no stage named."""
        named = {name for stage in stages for name in stage}
        rest = [name for name in self._children if name not in named]
        for stage in [*stages, rest]:
            await asyncio.gather(*(self._stop(name) for name in stage if name in self._children))

    async def _stop(self, name: str) -> None:
        await self._children[name].stop()
        await self._tasks[name]
        _log.info("stopped", extra={"child": name})

    def _changed(self) -> None:
        try:
            self._record(self.states())
        except OSError as error:
            # A full disk hides the state from `saring status`; it must not end the supervision.
            _log.warning("the supervisor's state could not be written", extra={"error": str(error)})


def forward_to_stderr(lines: bytes) -> None:
    """Writes children's lines to our own standard error; a reader that is gone is no reason to fail."""
    with contextlib.suppress(OSError):
        os.write(sys.stderr.fileno(), lines)
