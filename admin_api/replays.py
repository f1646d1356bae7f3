"""Replays as jobs of the API's process: one runs at a time, a few wait, the last ones are remembered.

They are not kept over a restart: a replay can be done again, and a draft that was looked at yesterday must be.
"""

from __future__ import annotations

import asyncio
import logging
from collections import OrderedDict
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

from admin_api.drafts import Draft
from admin_api.replay_order import ReplayError, ReplayOrder, ReplayReport
from admin_api.services import Replayer

MAX_WAITING: Final = 4
KEPT: Final = 20

log = logging.getLogger("admin_api.replays")


class ReplayState(StrEnum):
    """What a replay is about."""

    WAITING = "waiting"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    PUBLISHED = "published"


class BusyError(Exception):
    """As many replays as can wait are waiting."""


@dataclass(slots=True)
class Job:
    """One replay. ``revision``: of the database, on which the draft was rehearsed. It is its own ``Progress``."""

    id: str
    login: str
    agency_id: int | None
    agency: str
    created_s: float
    revision: int
    draft: Draft
    order: ReplayOrder
    notes: tuple[str, ...] = ()
    state: ReplayState = ReplayState.WAITING
    label: str = ""
    total: int = 0
    completed: int = 0
    error: str = ""
    report: ReplayReport | None = None
    task: asyncio.Task[None] | None = field(default=None, repr=False)

    def start(self, label: str, total: int) -> None:
        """A piece of work begins."""
        self.label, self.total, self.completed = label, total, 0

    def advance(self, units: int) -> None:
        """So many queries more."""
        self.completed += units

    def done(self) -> None:
        """The piece of work is over."""


class Replays:
    """All replays that this process knows."""

    def __init__(self) -> None:
        self._jobs: OrderedDict[str, Job] = OrderedDict()
        self._turn = asyncio.Lock()

    def begin(self, job: Job, replay: Replayer) -> None:
        """Starts a job as soon as it is its turn. Raises ``BusyError``."""
        if sum(one.state is ReplayState.WAITING for one in self._jobs.values()) >= MAX_WAITING:
            raise BusyError
        self._jobs[job.id] = job
        job.task = asyncio.create_task(self._run(job, replay))
        ended = [one.id for one in self._jobs.values() if one.state not in (ReplayState.WAITING, ReplayState.RUNNING)]
        for number in ended[: max(0, len(self._jobs) - KEPT)]:
            del self._jobs[number]

    def all(self) -> list[Job]:
        """Every job, the newest first."""
        return list(reversed(self._jobs.values()))

    def find(self, number: str) -> Job | None:
        """The job of that identifier."""
        return self._jobs.get(number)

    async def cancel(self, job: Job) -> None:
        """Ends a job, if it has not ended, and forgets it."""
        self._jobs.pop(job.id, None)
        if job.task is not None:
            job.task.cancel()
            await asyncio.wait([job.task])  # not awaited itself: our own cancellation would be taken for its

    async def close(self) -> None:
        """Ends all of them."""
        for job in self.all():
            await self.cancel(job)

    async def _run(self, job: Job, replay: Replayer) -> None:
        async with self._turn:
            job.state = ReplayState.RUNNING
            try:
                job.report = await replay(job.order, job)
                job.state = ReplayState.DONE
            except ReplayError as error:
                job.state, job.error = ReplayState.FAILED, str(error)
            except Exception:
                log.exception("a replay failed", extra={"replay": job.id})
                job.state, job.error = ReplayState.FAILED, "the replay ended with a fault; the log says which"
