"""How each list is: what is served, how old it is, what the last try came to. Read from files alone, like all status.

The control database knows which lists should be there and how old they may get. Whoever has it open anyway (the
scheduler, a sync) writes that down (``watch``), so that nobody needs the database to raise an alarm.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from saring.state_dir import StateDir, read_json, write_json

if TYPE_CHECKING:
    from admin_api.to_policy import SourceRow

DEFAULT_MAX_AGE_S = 3 * 86_400
HELD = frozenset({"protected", "must_resolve"})


@dataclass(frozen=True, slots=True)
class RefusalView:
    """The update that the gate refused last. ``held``: it would block a name that must not be blocked."""

    code: str
    at_s: float
    sentence: str
    cause: str
    line: int
    sha256: str
    final: bool
    held: bool


@dataclass(frozen=True, slots=True)
class ListView:
    """A list as the library knows it.

    ``enabled``: it is watched over. ``result`` of the last try: ``good``, ``refused``, ``failed``, ``never``.
    ``good_s``: the last time the source had what is served, or something that was let in; ``age_s`` since then (-1:
    never). ``stale``: older than ``max_age_s``.
    """

    code: str
    enabled: bool
    entries: int
    version: int
    fetched_s: float
    checked_s: float
    changed_s: float
    good_s: float
    age_s: float
    max_age_s: float
    stale: bool
    result: str
    last_error: str
    refusal: RefusalView | None
    size_bytes: int

    @property
    def trouble(self) -> str:
        """What went wrong at the last try; empty where nothing did."""
        return self.last_error or (self.refusal.sentence if self.refusal else "")


def watch(state: StateDir, rows: Iterable[SourceRow]) -> None:
    """Writes down which lists there should be."""
    lists = {row.code: {"enabled": row.enabled, "max_age_s": row.max_age_s, "since_s": row.created_s} for row in rows}
    if (read_json(_path(state)) or {}).get("lists") != lists:
        write_json(_path(state), {"lists": lists})


def look(state: StateDir, now_s: float) -> tuple[ListView, ...]:
    """All lists, by code. Where nobody has written down which there should be: those of the library."""
    written = (read_json(_path(state)) or {}).get("lists")
    known = {path.parent.name: path for path in state.lists.glob("*/state.json")}
    # A list that was deleted stays in the library for a while; it is nobody's trouble any more.
    codes = sorted(written) if isinstance(written, dict) else sorted(known)
    watched = written if isinstance(written, dict) else {}
    return tuple(_view(code, state.lists / code, watched.get(code), now_s) for code in codes)


def _path(state: StateDir) -> Path:
    return state.run / "lists.json"


def _view(code: str, directory: Path, watched: Any, now_s: float) -> ListView:
    raw = read_json(directory / "state.json") or {}
    watched = watched if isinstance(watched, dict) else {}
    enabled = bool(watched.get("enabled", True))
    max_age_s = number(watched.get("max_age_s")) or DEFAULT_MAX_AGE_S
    refusal = _refusal(raw.get("refusal"))
    last_error = str(raw.get("last_error") or "")
    good_s = _good_s(raw, refusal is None and not last_error)
    # A list that never came counts from the day it was entered.
    age_s = max(0.0, now_s - good_s) if good_s else -1.0
    begun_s = good_s or number(watched.get("since_s"))
    return ListView(
        code=code,
        enabled=enabled,
        entries=int(number(raw.get("entries"))),
        version=int(number(raw.get("version"))),
        fetched_s=number(raw.get("fetched_s")),
        checked_s=number(raw.get("checked_s")),
        changed_s=number(raw.get("changed_s")),
        good_s=good_s,
        age_s=round(age_s, 1),
        max_age_s=max_age_s,
        stale=enabled and begun_s > 0 and now_s - begun_s > max_age_s,
        result=_result(raw, refusal, last_error),
        last_error=last_error,
        refusal=refusal,
        size_bytes=_size(directory),
    )


def _good_s(raw: Mapping[str, Any], went_well: bool) -> float:
    # States written before there was good_s: the last answer, where it was let in, else the version's own time.
    return number(raw.get("good_s")) or number(raw.get("fetched_s" if went_well else "changed_s"))


def _result(raw: Mapping[str, Any], refusal: RefusalView | None, last_error: str) -> str:
    if last_error:
        return "failed"
    if refusal is not None:
        return "refused"
    return "good" if number(raw.get("checked_s")) else "never"


def _refusal(raw: Any) -> RefusalView | None:
    if not isinstance(raw, dict):
        return None
    code = str(raw.get("code", ""))
    return RefusalView(
        code=code,
        at_s=number(raw.get("at_s")),
        sentence=str(raw.get("sentence", "")),
        cause=str(raw.get("cause", "")),
        line=int(number(raw.get("line"))),
        sha256=str(raw.get("sha256", "")),
        final=bool(raw.get("final")),
        held=code in HELD,
    )


def _size(directory: Path) -> int:
    # By hand, as everything here: a list is a dozen files, and the library's modules are a quarter second of imports.
    total = 0
    for path in directory.glob("versions/*/*"):
        try:
            total += path.lstat().st_size
        except OSError:
            continue
    return total


def number(value: Any) -> float:
    """A number from a file; 0 for what is none."""
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else 0.0
