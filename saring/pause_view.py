"""Who is let off at this moment, by the generation in force."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import msgspec

from policy.model import Agency, Pause, ScopeKind, Unit
from snapshots.layout import POLICY, generation_path


@dataclass(frozen=True, slots=True)
class PauseView:
    """A pause that is running. ``tenant``: ``agency`` or ``agency/unit``, in codes."""

    id: int
    tenant: str
    until_s: float
    author: str
    reason: str


@dataclass(frozen=True, slots=True)
class _Policy:
    """Of a policy, no more than is needed: the rest of the document is skipped over."""

    agencies: tuple[Agency, ...] = ()
    units: tuple[Unit, ...] = ()
    pauses: tuple[Pause, ...] = ()


@dataclass(frozen=True, slots=True)
class _Document:
    policy: _Policy


def running_pauses(snapshots: Path, generation: int, now_s: float) -> tuple[PauseView, ...]:
    """Those that have begun and not ended; none where the generation cannot be read."""
    if generation == 0:
        return ()
    try:
        document = msgspec.json.decode((generation_path(snapshots, generation) / POLICY).read_bytes(), type=_Document)
    except (OSError, msgspec.DecodeError):
        return ()
    policy = document.policy
    agencies = {agency.id: agency.code for agency in policy.agencies}
    units = {unit.id: f"{agencies.get(unit.agency_id, '?')}/{unit.code}" for unit in policy.units}
    return tuple(
        PauseView(
            pause.id,
            (units if pause.scope.kind is ScopeKind.UNIT else agencies).get(pause.scope.id, "?"),
            pause.until_s,
            pause.author,
            pause.reason,
        )
        for pause in policy.pauses
        if pause.from_s <= now_s < pause.until_s
    )
