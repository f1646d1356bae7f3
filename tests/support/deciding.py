"""A small government to decide in: two agencies, a unit, a negative and a conditional category, lists, a service."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from dnswire import name as wire
from policy.decide import decide
from policy.model import (
    Action,
    Agency,
    AnswerKind,
    BlockAnswer,
    Category,
    Decision,
    ListInfo,
    Network,
    Policy,
    Regency,
    Rule,
    Schedule,
    Scope,
    ScopeKind,
    Service,
    Target,
    TargetKind,
    Unit,
)
from policy.resolve import resolve
from tests.support.plain_index import PlainIndex

RSUD, DISDIK, IGD = 1, 2, 1
REGENCY_SCOPE = Scope()
RSUD_SCOPE = Scope(ScopeKind.AGENCY, RSUD)
IGD_SCOPE = Scope(ScopeKind.UNIT, IGD)

GAMBLING, SOCIAL = 1, 2
NATIONAL, PRIVATE, SOCIAL_LIST, PURE_ALLOW = 1, 2, 3, 4

# Monday 2026-03-02 10:00 in Jakarta.
MONDAY_10_S = 1772420400


def government(
    *rules: Rule, protected: Sequence[str] = (), schedules: Sequence[Schedule] = (), **changes: Any
) -> Policy:
    """The sample policy with these rules; ``changes`` replace fields of the policy."""
    policy = Policy(
        regency=Regency("Contoh"),
        agencies=(Agency(RSUD, "rsud", "Rumah Sakit"), Agency(DISDIK, "disdik", "Pendidikan")),
        units=(Unit(IGD, "igd", "Gawat Darurat", RSUD),),
        networks=(Network("10.1.0.0/16", RSUD), Network("10.1.1.0/24", RSUD, IGD), Network("10.2.0.0/16", DISDIK)),
        categories=(
            Category(GAMBLING, "perjudian", "Perjudian", True),
            Category(SOCIAL, "media_sosial", "Media sosial", False, BlockAnswer(AnswerKind.NODATA)),
        ),
        lists=(
            ListInfo(NATIONAL, "trustpositif", "TrustPositif", (GAMBLING,), True, "v7"),
            ListInfo(PRIVATE, "judi", "Daftar judi", (GAMBLING,), False, "v3"),
            ListInfo(SOCIAL_LIST, "sosial", "Daftar sosial", (SOCIAL,)),
            ListInfo(PURE_ALLOW, "izin", "Daftar izin", ()),
        ),
        services=(Service(1, "tiktok", "TikTok", SOCIAL, ("tiktok.com", "tiktokcdn.com")),),
        rules=rules,
        schedules=tuple(schedules),
        protected=tuple(protected),
    )
    return replace(policy, **changes)


def rule(number: int, scope: Scope, target: str, action: Action = Action.BLOCK, **more: Any) -> Rule:
    """A rule; ``target`` is written ``kind:value``."""
    kind, _, value = target.partition(":")
    if more.get("exception"):
        more.setdefault("approver", "budi")
    return Rule(number, scope, Target(TargetKind(kind), value), action, **more)


def ask(
    policy: Policy,
    name: str,
    lists: Mapping[int, Sequence[str]] | None = None,
    agency: int = RSUD,
    unit: int = IGD,
    at_s: float = MONDAY_10_S,
) -> Decision:
    """The decision on a name for a client of that unit. ``lists``: see ``PlainIndex``."""
    view = resolve(policy, at_s).tenant(agency, unit).view
    wire_name = wire.from_text(name).lower()
    return decide(view, PlainIndex(lists or {}).match(wire_name), wire_name, 1)
