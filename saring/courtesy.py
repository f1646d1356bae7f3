"""A process that lets all others go first, for as long as it can afford to: the loader.

Whoever moves a second's rows into the store computes for some tens of milliseconds on end. On a machine whose cores are
all in use a query would wait for that, up to three milliseconds a time (measured: 99 % of answers within 2.6 ms, and
within 0.9 with this). Linux gives a thread of policy SCHED_IDLE what nobody else wants (sched(7)) and takes it away at
once; but where nothing is left over, that is next to nothing, and the spool would fill up. So whoever has not finished
after ``patience_s`` competes like everybody else until it is through with what has piled up.

Only who may come back does this: an unprivileged thread can give its policy up and not take it again, unless its limit
of nice values allows it (RLIMIT_NICE; ``LimitNICE=`` in ``deploy/systemd``).
"""

from __future__ import annotations

import contextlib
import logging
import os
import threading
from collections.abc import Callable
from pathlib import Path
from types import TracebackType

_log = logging.getLogger(__name__)

PATIENCE_S = 5.0
_THREADS = Path("/proc/self/task")

SetPolicy = Callable[[int], None]
"""Gives all threads of this process a scheduling policy."""


def set_policy(policy: int) -> None:
    """All threads that there are; those begun later take it over from the thread that begins them."""
    for thread in _THREADS.iterdir():
        with contextlib.suppress(ProcessLookupError):  # it has ended meanwhile
            os.sched_setscheduler(int(thread.name), policy, os.sched_param(0))


def may_come_back() -> bool:
    """Whether a thread of ours that has given up its policy can take it again: tried with a new one."""
    outcome: list[bool] = []

    def there_and_back() -> None:
        try:
            os.sched_setscheduler(0, os.SCHED_IDLE, os.sched_param(0))
            os.sched_setscheduler(0, os.SCHED_OTHER, os.sched_param(0))
        except OSError:
            outcome.append(False)
        else:
            outcome.append(True)

    thread = threading.Thread(target=there_and_back)
    thread.start()
    thread.join()
    return outcome == [True]


class Courtesy:
    """A context around each piece of work, for a process that may come back.

    ``wait(ended, patience_s)``: waits for the event, at most so long; whether it has come.
    """

    def __init__(
        self,
        set_policy: SetPolicy,
        patience_s: float = PATIENCE_S,
        wait: Callable[[threading.Event, float], bool] = threading.Event.wait,
    ) -> None:
        self._set_policy = set_policy
        self._patience_s = patience_s
        self._wait = wait
        self._courteous = False
        self._late = False
        self._ended = threading.Event()
        self._watch: threading.Thread | None = None

    def __enter__(self) -> Courtesy:
        self._late = False
        self._ended = threading.Event()
        self._watch = threading.Thread(target=self._hurry_if_late, args=(self._ended,), name="courtesy", daemon=True)
        self._watch.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._ended.set()
        if self._watch is not None:
            self._watch.join()
        if not self._late and not self._courteous:
            self._courteous = True
            self._set_policy(os.SCHED_IDLE)

    def _hurry_if_late(self, ended: threading.Event) -> None:
        os.sched_setscheduler(0, os.SCHED_OTHER, os.sched_param(0))  # not what it inherited: a watch must not be late
        if self._wait(ended, self._patience_s):
            return
        self._late = True
        if self._courteous:
            self._courteous = False
            self._set_policy(os.SCHED_OTHER)
            _log.info("loading takes its share of the processor: what is left over is too little")


def courtesy(may_come_back: Callable[[], bool] = may_come_back) -> contextlib.AbstractContextManager[object]:
    """That of this process: none where it could not come back."""
    return Courtesy(set_policy) if may_come_back() else contextlib.nullcontext()
