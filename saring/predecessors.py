"""The children that the image before an upgrade left running: listened to, then sent away.

They are this process's children still, but ``asyncio`` does not know them: what is left of them is a process number and
our end of a pipe.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
from collections.abc import Callable

from saring.handover import Predecessor
from saring.supervisor import forward_to_stderr

_CHUNK_SIZE = 65_536


class Predecessors:
    """``children``: those that are left. Their standard error is passed on, or their next log line would end them."""

    def __init__(self, children: tuple[Predecessor, ...], forward: Callable[[bytes], None] = forward_to_stderr) -> None:
        self.children = list(children)
        self._forward = forward
        loop = asyncio.get_running_loop()
        for child in children:
            if child.stderr_fd >= 0:
                os.set_inheritable(child.stderr_fd, False)
                os.set_blocking(child.stderr_fd, False)
                loop.add_reader(child.stderr_fd, self._pass_on, child.stderr_fd)

    @property
    def workers(self) -> list[Predecessor]:
        """Those that answer DNS."""
        return [child for child in self.children if child.name.startswith("worker-")]

    @property
    def others(self) -> list[Predecessor]:
        """The rest."""
        return [child for child in self.children if not child.name.startswith("worker-")]

    async def end(self, child: Predecessor, stop_s: float) -> None:
        """SIGTERM, then SIGKILL after ``stop_s``. Returns when it is gone."""
        with contextlib.suppress(ProcessLookupError):
            os.kill(child.pid, signal.SIGTERM)
        gone = asyncio.create_task(asyncio.to_thread(_wait, child.pid))
        done, _ = await asyncio.wait({gone}, timeout=stop_s)
        if not done:
            with contextlib.suppress(ProcessLookupError):
                os.kill(child.pid, signal.SIGKILL)
        await gone
        self.children.remove(child)
        if child.stderr_fd >= 0:
            self._pass_on(child.stderr_fd)
            asyncio.get_running_loop().remove_reader(child.stderr_fd)
            os.close(child.stderr_fd)

    def _pass_on(self, number: int) -> None:
        try:
            chunk = os.read(number, _CHUNK_SIZE)
        except BlockingIOError:
            return
        except OSError:
            chunk = b""
        if chunk:
            self._forward(chunk)
        else:
            asyncio.get_running_loop().remove_reader(number)


def _wait(pid: int) -> None:
    with contextlib.suppress(ChildProcessError):
        os.waitpid(pid, 0)
