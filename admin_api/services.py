"""What the program hands to the API: the doors to everything that is not HTTP or SQL.

The API never starts processes, compiles lists or touches sockets of DNS; it calls these. Blocking members (marked so)
are called in a thread.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from policy.surroundings import OwnName

if TYPE_CHECKING:
    from admin_api.database import Sessions
    from admin_api.replay_order import ReplayOrder, ReplayReport
    from blocklists.library import Library
    from blocklists.progress import Progress
    from policy.asked import Asked
    from policy.explanation import Explanation
    from querylog.store import Store


@dataclass(frozen=True, slots=True)
class Published:
    """What became of a publication: the generation that holds the edit, and what (if anything) people should know."""

    generation: int
    warning: str = ""


@dataclass(frozen=True, slots=True)
class WorkerStatus:
    """A resolver worker as its statistics file tells. ``age_s``: since it last wrote them."""

    number: int
    pid: int
    answering: bool
    generation: int
    answers: int
    gaps: int
    age_s: float
    compiled: bool = False


@dataclass(frozen=True, slots=True)
class ProcessStatus:
    """Another process of the program (loader, sync, api, ...)."""

    name: str
    pid: int
    running: bool
    restarts: int = 0
    detail: str = ""


@dataclass(frozen=True, slots=True)
class StaleList:
    """A list that is older than it may get. ``age_s`` -1: it was never fetched."""

    code: str
    age_s: float
    max_age_s: float


@dataclass(frozen=True, slots=True)
class RunningPause:
    """An agency or unit (``agency/unit``, in codes) that is let off, by the generation in force."""

    id: int
    tenant: str
    until_s: float
    author: str
    reason: str


@dataclass(frozen=True, slots=True)
class Status:
    """The program at this moment, as far as the API's process can see."""

    version: str
    node: str
    started_s: float
    generation: int  # current in the snapshots directory; 0: none
    workers: tuple[WorkerStatus, ...] = ()
    processes: tuple[ProcessStatus, ...] = ()
    spool_size_bytes: int = 0
    warnings: tuple[str, ...] = ()
    lists_size_bytes: int = 0
    stale_lists: tuple[StaleList, ...] = ()
    pauses: tuple[RunningPause, ...] = ()


@dataclass(frozen=True, slots=True)
class Limits:
    """What the API bears from its clients."""

    max_body_size_bytes: int = 256 * 1024
    max_body_depth: int = 16
    request_timeout_s: float = 30.0
    failed_auth_per_minute: int = 20  # per address; also attempts at the setup code
    tracked_addresses: int = 10_000
    concurrent_requests: int = 64


# Cancelling the call ends the work. Raises ``ReplayError``.
Replayer = Callable[["ReplayOrder", "Progress"], Awaitable["ReplayReport"]]


@dataclass(frozen=True, slots=True)
class Services:
    """Everything the API needs from the program."""

    sessions: Sessions
    publish: Callable[[], Awaitable[Published]]  # control database -> new generation; raises where it cannot
    library: Library  # blocking
    snapshots_root: Path
    store: Store  # blocking
    status: Callable[[], Status]  # blocking, short
    metrics: Callable[[], bytes]  # blocking; Prometheus text format
    sync_now: Callable[[str | None], Awaitable[None]]  # starts a sync of one list (code) or all; returns at once
    reload: Callable[[], Awaitable[None]]  # what SIGHUP does
    explain: Callable[[Asked], Awaitable[Explanation]]  # raises AskedWrong, NoGenerationError
    flush_cache: Callable[[str, str], int]  # blocking; (name, suffix or all; the name) -> the order's number
    own_names: tuple[OwnName, ...] = ()  # that no rule may block, beside what people entered
    replay: Replayer | None = None  # what a draft would have done to queries that were asked; off the event loop
    clock: Callable[[], float] = time.time
    random_bytes: Callable[[int], bytes] = secrets.token_bytes
    version: str = "0"
    limits: Limits = field(default_factory=Limits)
    metrics_need_token: bool = False  # True: /metrics needs a token with status:read
