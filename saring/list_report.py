"""All that is known of a list in one place, for the command line: its row, its health, its insight."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from admin_api.to_policy import SourceRow
from blocklists.formats.harvest import Reason
from blocklists.insight import ListShare
from blocklists.insight_file import Insight, ListHits, read_insight
from blocklists.library import Library
from blocklists.state import Version
from saring.control import Control
from saring.list_health import ListView, look, watch
from saring.state_dir import StateDir


@dataclass(frozen=True, slots=True)
class ListReport:
    """One list. ``share`` and ``hits`` are None where no sync has computed them yet."""

    row: SourceRow
    health: ListView
    share: ListShare | None
    hits: ListHits | None
    version: Version | None

    @property
    def serial(self) -> int | None:
        """Of a transferred zone, what is served."""
        return self.version.zone.serial if self.version is not None and self.version.zone is not None else None

    def document(self) -> dict[str, Any]:
        """As JSON."""
        health = asdict(self.health)
        refusal = health.pop("refusal")
        return {
            **health,
            "code": self.row.code,
            "title": self.row.title,
            "location": self.row.location,
            "format": self.row.format,
            "categories": list(self.row.categories),
            "national": self.row.national,
            "refusal": refusal["sentence"] if refusal else "",
            "refused": refusal,
            "insight": _insight(self.share, self.hits),
            "unread": _unread(self.version),
            "serial": self.serial,
            "rewrites": self.row.rewrites,
        }


def _insight(share: ListShare | None, hits: ListHits | None) -> dict[str, Any] | None:
    if share is None:
        return None
    counted = {"hits": hits.hits, "hit_names": hits.hit_names, "never_hit": hits.never_hit} if hits else {}
    return {
        "names": share.names,
        "unique": share.unique,
        "contribution": share.contribution,
        "shadowed": share.shadowed,
        "shadowed_examples": [asdict(one) for one in share.examples],
        **counted,
    }


def _unread(version: Version | None) -> dict[str, Any] | None:
    """What of the version in force is no entry."""
    if version is None:
        return None
    return {
        "invalid": version.invalid,
        "beyond": version.beyond,
        "reasons": dict(version.reasons),
        "first": [asdict(one) | {"sentence": Reason(one.reason).sentence} for one in version.complaints],
    }


async def load_reports(control: Control, state: StateDir, now_s: float) -> list[ListReport]:
    """Of all lists of the control database, in its order."""
    rows = await control.sources()
    if state.run.is_dir():
        watch(state, rows)
    health = {one.code: one for one in look(state, now_s)}
    insight = read_insight(state.lists)
    return [_report(row, health[row.code], insight, control.library) for row in rows if row.code in health]


def _report(row: SourceRow, health: ListView, insight: Insight, library: Library) -> ListReport:
    version = library.state(row.code).current
    return ListReport(row, health, insight.share(row.code), insight.hits_of(row.code), version)
