"""The facts of an explanation: plain, nested, ready for JSON (``msgspec.json.encode``) and for a tree on a terminal."""

from __future__ import annotations

from dataclasses import dataclass

from policy.model import Action, BlockAnswer, Layer, TargetKind, Verdict


@dataclass(frozen=True, slots=True)
class ClientFacts:
    """Who asked. ``path``: whose rules hold, the nearest first: ``("unit igd", "agency rsud", "regency ...")``."""

    address: str  # "" where the tenant was given instead
    network: str  # the longest registered range that holds the address
    agency_id: int
    agency: str  # code
    agency_name: str
    unit_id: int
    unit: str
    unit_name: str
    admitted: bool
    path: tuple[str, ...]
    allow_list_only: str  # the scope that is ("unit"), "" where none
    view: int
    paused_until_s: int | None = None  # let off until then; None: not at this instant
    strips_ech: bool = False  # whether encrypted ClientHello is taken out of the answers he gets


@dataclass(frozen=True, slots=True)
class ScheduleState:
    """A rule's schedule at the instant: ``state`` reads ``open until 2026-11-24 16:00:00 WIB``."""

    code: str
    title: str
    open: bool
    changes_s: int | None  # None: not within a year
    state: str


@dataclass(frozen=True, slots=True)
class Letter:
    """The official letter behind a rule, and who entered and approved it."""

    number: str
    date: str
    signer: str
    note: str
    author: str
    approver: str


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that matches the name, and what became of it.

    ``outcome``: one sentence; ``wins``: it made the verdict; ``counted``: it observed what it would have blocked.
    ``source``: what it is, such as ``rule 7 of agency rsud``, ``list trustpositif``, ``protected name``, ``default``.
    """

    layer: Layer
    layer_name: str
    source: str
    wins: bool
    counted: bool
    outcome: str
    action: Action
    matched: str = ""
    inheritance: str = ""  # "own", or "inherited from agency rsud"
    rule_id: int = 0
    title: str = ""
    target_kind: TargetKind | None = None
    target: str = ""
    important: bool = False
    list_id: int = 0
    list_code: str = ""
    list_title: str = ""
    list_version: str = ""
    list_line: int = 0  # of the list's rule, where it is no plain entry
    list_text: str = ""
    national: bool = False
    category_id: int = 0
    category: str = ""
    service: str = ""
    letter: Letter | None = None
    schedule: ScheduleState | None = None
    valid_from_s: int | None = None
    valid_until_s: int | None = None


@dataclass(frozen=True, slots=True)
class VerdictFacts:
    """The decision in words. ``answer``: what is given instead of the upstream's; ``response`` tells it in one line."""

    verdict: Verdict
    verdict_name: str
    layer: Layer
    layer_name: str
    rule_id: int
    list_id: int
    category_id: int
    matched: str
    ede: int
    ede_text: str
    answer: BlockAnswer | None
    response: str


@dataclass(frozen=True, slots=True)
class Explanation:
    """Everything that has a say about a name for a client at an instant, winners and losers, in order of precedence."""

    name: str
    rrtype: int
    at_s: float
    at: str  # ISO 8601 in the regency's zone
    valid_until_s: float | None  # None: nothing changes by itself
    revision: int
    client: ClientFacts
    decision: VerdictFacts
    findings: tuple[Finding, ...]
