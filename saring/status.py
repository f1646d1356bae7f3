"""The state of the whole program, read from files: what runs, what is in force, what waits.

Nothing here asks a process: a worker that hangs shows by the age of its statistics, and the question costs it nothing.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from saring.list_health import ListView, look
from saring.pause_view import PauseView, running_pauses
from saring.state_dir import StateDir, read_json
from snapshots import manifest as manifests
from snapshots.layout import current_target, generation_path, number_of, numbers
from snapshots.manifest import GenerationDamaged, Manifest

STALE_STATS_S = 5.0


@dataclass(frozen=True, slots=True)
class WorkerView:
    """A worker by its statistics file; ``raw`` is the whole file."""

    number: int
    pid: int
    answering: bool
    generation: int
    answers: int
    gaps: int
    age_s: float
    compiled: bool
    raw: Mapping[str, Any] = field(repr=False)

    @property
    def cache(self) -> Counter[str]:
        """The counters of its cache; 0 for what an older worker does not tell."""
        counters = self.raw.get("cache")
        return Counter(counters if isinstance(counters, dict) else {})


@dataclass(frozen=True, slots=True)
class ProcessView:
    """A process as the supervisor knows it."""

    name: str
    pid: int
    started_s: float
    restarts: int
    last_exit: str


@dataclass(frozen=True, slots=True)
class ProgramStatus:
    """Everything ``saring status`` shows. ``pid`` 0: not running. ``generation`` 0: nothing published."""

    running: bool
    pid: int
    version: str
    node: str
    started_s: float
    config: str
    dns: tuple[str, ...]
    api: str
    generation: int
    published_s: float
    revision: int
    newest_revision: int
    database_revision: int
    next_sync_s: float
    syncing: bool
    workers: tuple[WorkerView, ...]
    processes: tuple[ProcessView, ...]
    lists: tuple[ListView, ...]
    spool_size_bytes: int
    lists_size_bytes: int
    warnings: tuple[str, ...]
    pauses: tuple[PauseView, ...] = ()

    @property
    def unpublished(self) -> int:
        """Edits in the database that no generation holds yet; 0 where that is not known."""
        return max(0, self.database_revision - self.newest_revision)

    def document(self) -> dict[str, Any]:
        """As JSON."""
        value = asdict(self)
        for worker in value["workers"]:
            worker.pop("raw")
        value["unpublished"] = self.unpublished
        return value


def collect(state: StateDir, now_s: float) -> ProgramStatus:
    """The status now. Missing or damaged files count as nothing there."""
    supervisor = read_json(state.run / "supervisor.json") or {}
    pid = _int(supervisor.get("pid"))
    running = pid > 0 and is_alive(pid)
    sync = read_json(state.run / "sync.json") or {}
    generation, published_s, revision = current_generation(state.snapshots)
    workers = tuple(_workers(state, supervisor, now_s)) if running else ()
    lists = look(state, now_s)
    status = ProgramStatus(
        running=running,
        pid=pid if running else 0,
        version=str(supervisor.get("version", "")),
        node=str(supervisor.get("node", "")),
        started_s=_float(supervisor.get("started_s")),
        config=str(supervisor.get("config", "")),
        dns=tuple(str(one) for one in supervisor.get("dns", ())),
        api=str(supervisor.get("api", "")),
        generation=generation,
        published_s=published_s,
        revision=revision,
        newest_revision=newest_revision(state.snapshots),
        database_revision=_int(sync.get("database_revision")),
        next_sync_s=_float(sync.get("next_sync_s")),
        syncing=bool(sync.get("syncing")),
        workers=workers,
        processes=tuple(_processes(supervisor)) if running else (),
        lists=lists,
        spool_size_bytes=directory_size(state.spool),
        lists_size_bytes=directory_size(state.lists),
        warnings=(),
        pauses=running_pauses(state.snapshots, generation, now_s),
    )
    return _with_warnings(status)


def is_alive(pid: int) -> bool:
    """Whether a process of this number runs (a zombie does not)."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text(encoding="ascii", errors="replace")
    except OSError:
        return False
    return stat.rpartition(")")[2].split()[:1] not in ([], ["Z"])


def current_generation(root: Path) -> tuple[int, float, int]:
    """Number, time of publication and policy revision of the current generation; zeros where there is none."""
    number = number_of(current_target(root))
    manifest = _manifest(root, number)
    return (number, manifest.created_s, manifest.revision) if manifest is not None else (0, 0.0, 0)


def newest_revision(root: Path) -> int:
    """Policy revision of the generation with the highest number: what was published last, rolled back or not."""
    manifest = _manifest(root, max(numbers(root), default=0))
    return manifest.revision if manifest is not None else 0


def _manifest(root: Path, number: int) -> Manifest | None:
    try:
        return manifests.read(generation_path(root, number)) if number else None
    except GenerationDamaged:
        return None


def directory_size(root: Path) -> int:
    """Bytes that the files below ``root`` occupy on the disk (a preallocated segment counts whole)."""
    total = 0
    for directory, _, names in os.walk(root):
        for name in names:
            try:
                total += (Path(directory) / name).lstat().st_blocks * 512
            except OSError:
                continue  # loaded and unlinked just now
    return total


def _workers(state: StateDir, supervisor: Mapping[str, Any], now_s: float) -> list[WorkerView]:
    found = []
    for child in supervisor.get("children", ()):
        kind, _, number = str(child.get("name", "")).partition("-")
        if kind == "worker" and number.isdecimal():
            found.append(_worker(state, int(number), _int(child.get("pid")), now_s))
    return found


def _worker(state: StateDir, number: int, pid: int, now_s: float) -> WorkerView:
    path = state.stats_of(number)
    raw = read_json(path) or {}
    try:
        age_s = max(0.0, now_s - path.stat().st_mtime)
    except OSError:
        age_s = -1.0
    mine = _int(raw.get("pid")) == pid and pid > 0
    return WorkerView(
        number=number,
        pid=pid,
        answering=mine and 0 <= age_s <= STALE_STATS_S and is_alive(pid),
        generation=_int(raw.get("generation")),
        answers=_int(raw.get("answers")),
        gaps=_int(raw.get("gaps")),
        age_s=round(age_s, 1),
        compiled=bool(raw.get("compiled")),
        raw=raw,
    )


def _processes(supervisor: Mapping[str, Any]) -> list[ProcessView]:
    return [
        ProcessView(
            name=str(child.get("name", "")),
            pid=_int(child.get("pid")),
            started_s=_float(child.get("started_s")),
            restarts=_int(child.get("restarts")),
            last_exit=str(child.get("last_exit", "")),
        )
        for child in supervisor.get("children", ())
    ]


def stale_text(one: ListView) -> str:
    """The alarm of a list that is too old."""
    allowed = f"at most {_days(one.max_age_s)} are allowed"
    if one.age_s < 0:
        return f"list {one.code} was never fetched since it was entered; {allowed}"
    return f"list {one.code} is {_days(one.age_s)} old: its source had nothing that was let in since; {allowed}"


def _paused_text(pauses: tuple[PauseView, ...]) -> str:
    named = [f"{one.tenant} until {datetime.fromtimestamp(one.until_s).astimezone():%H:%M}" for one in pauses[:5]]
    number = "1 pause is" if len(pauses) == 1 else f"{len(pauses)} pauses are"
    return f"{number} running: {', '.join(named)}{', ...' if len(pauses) > 5 else ''}"


def _days(seconds: float) -> str:
    days = seconds / 86_400
    if days < 1:
        return f"{seconds / 3_600:.1f} hours"
    return f"{days:.0f} day{'' if days == 1 else 's'}" if days >= 10 or days == int(days) else f"{days:.1f} days"


def _with_warnings(status: ProgramStatus) -> ProgramStatus:
    warnings = []
    if status.generation == 0:
        warnings.append("nothing is published yet: DNS has no policy to answer by")
    for worker in status.workers:
        if not worker.answering:
            warnings.append(f"worker {worker.number} does not report: see the log")
        elif worker.generation != status.generation:
            warnings.append(
                f"worker {worker.number} answers by generation {worker.generation}, not {status.generation}"
            )
        if worker.gaps:
            warnings.append(f"worker {worker.number} could not log {worker.gaps} answers: is the disk full?")
    if status.unpublished:
        warnings.append(f"{status.unpublished} edits are not published yet")
    if status.generation and status.revision < status.newest_revision:
        warnings.append("an earlier generation is in force (rolled back); the next edit publishes everything anew")
    if status.pauses:
        warnings.append(_paused_text(status.pauses))
    for one in status.lists:
        if one.stale:
            warnings.append(stale_text(one))
        if one.enabled and one.trouble:
            warnings.append(f"list {one.code}: {one.trouble}")
    values = {name: getattr(status, name) for name in ProgramStatus.__slots__}
    return ProgramStatus(**{**values, "warnings": tuple(warnings)})


def _int(value: Any) -> int:
    return value if isinstance(value, int) and not isinstance(value, bool) else 0


def _float(value: Any) -> float:
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else 0.0
