"""The shapes of a rule: what is sent, what is shown, and what can be told wrong from the rule alone."""

from __future__ import annotations

from typing import Annotated, Self

from pydantic import Field, StringConstraints, ValidationInfo, field_validator, model_validator

from admin_api import fields as f
from admin_api.features.tenant_query import TenantQuery
from admin_api.finding_schemas import Finding
from admin_api.rest.resource import Stamped
from admin_api.schemas import Answer, Basis, Id, Instant, Strict
from policy.bypass import COUNTED as COUNTED_BYPASSES
from policy.model import Action, AnswerKind, Bypass, ScopeKind, TargetKind
from policy.patterns import Pattern
from policy.safe_search import CODES as SEARCH_CODES

CODED_TARGETS = frozenset({TargetKind.CATEGORY, TargetKind.LIST, TargetKind.SERVICE})
CHOSEN_TARGETS = {TargetKind.SEARCH: SEARCH_CODES, TargetKind.BYPASS: tuple(way.value for way in Bypass)}
# Of the other kinds of target every action but safe search can be asked.
ACTIONS_OF = {
    TargetKind.SEARCH: frozenset({Action.SAFE_SEARCH, Action.ALLOW, Action.OBSERVE}),
    TargetKind.BYPASS: frozenset({Action.BLOCK, Action.ALLOW, Action.OBSERVE}),
}


def canonical_target(kind: TargetKind, value: str) -> str:
    """A target's value in its one canonical spelling. Raises ValueError saying what is wrong with it."""
    if kind in (TargetKind.NAME, TargetKind.WILDCARD):
        # A wildcard covers its name and all below, so "*.x" can only mean x.
        return f.canonical_name(value.removeprefix("*.") if kind is TargetKind.WILDCARD else value)
    if kind is TargetKind.NETWORK:
        return f.canonical_cidr(value)
    if kind is TargetKind.REGEX:
        Pattern(value)
    choices = CHOSEN_TARGETS.get(kind)
    if choices is not None and value not in choices:
        raise ValueError(f"is none of {', '.join(choices)}")
    return value


class RuleScope(Strict):
    """Whose rule it is."""

    kind: ScopeKind
    id: Id | None = None
    """The agency's or unit's; none for the regency."""

    @model_validator(mode="after")
    def _names_somebody(self) -> Self:
        if (self.kind is ScopeKind.REGENCY) != (self.id is None):
            raise ValueError("id is given exactly when kind is agency or unit")
        return self


class RuleTarget(Strict):
    """What the rule speaks of."""

    kind: TargetKind
    value: Annotated[str, StringConstraints(pattern=f.PRINTABLE, min_length=1, max_length=1004)]
    """category, list, service: its code; name, wildcard (with all below): a name; regex: RE2; network: CIDR; search:
    a search engine, or all; bypass: a way around the resolver (canary, private_relay, ech)."""

    @field_validator("value")
    @classmethod
    def _fits_its_kind(cls, value: str, info: ValidationInfo) -> str:
        kind = info.data.get("kind")
        return canonical_target(kind, value) if isinstance(kind, TargetKind) else value


class RuleInput(Strict):
    """A rule."""

    code: f.Code | None = None
    """What import documents call it; for good where given."""
    title: f.Title
    scope: RuleScope
    target: RuleTarget
    action: Action
    answer: Answer | None = None
    """For block and redirect; null: the category's, else the regency's."""
    schedule: f.Code | None = None
    """The code of the schedule in which it holds; null: always."""
    valid_from: Instant | None = None
    valid_until: Instant | None = None
    """Exclusive."""
    mandatory: bool = False
    """Regency rules only: no exception relaxes it. To let something through for a while, ask for an exception."""
    important: bool = False
    """Wins over other rules of its layer."""
    basis: Basis = Basis()

    @model_validator(mode="after")
    def _makes_sense(self) -> Self:
        if self.mandatory and self.scope.kind is not ScopeKind.REGENCY:
            raise ValueError("mandatory is for rules of the regency")
        if self.valid_from and self.valid_until and self.valid_from >= self.valid_until:
            raise ValueError("valid_until must be later than valid_from")
        possible = ACTIONS_OF.get(self.target.kind)
        if possible is None and self.action is Action.SAFE_SEARCH:
            raise ValueError("action safe_search is for targets of kind search")
        if possible is not None and self.action not in possible:
            raise ValueError(f"with a target of kind {self.target.kind}, action is {' or '.join(sorted(possible))}")
        counted = self.action is Action.OBSERVE and self.target.kind is TargetKind.BYPASS
        if counted and self.target.value not in COUNTED_BYPASSES:
            raise ValueError(f"of the ways around the resolver, {', '.join(sorted(COUNTED_BYPASSES))} can be observed")
        if self.action not in (Action.BLOCK, Action.REDIRECT) and self.answer is not None:
            raise ValueError("answer is for rules that block or redirect")
        redirects = self.answer is not None and self.answer.kind in (AnswerKind.REDIRECT, AnswerKind.PAGE)
        if self.action is Action.REDIRECT and not redirects:
            raise ValueError("a redirect rule needs an answer of kind redirect or page")
        return self


class RuleOutput(RuleInput, Stamped):
    """A rule as stored."""

    exception: bool
    """It belongs to an approved exception: it is there as long as that, and edited nowhere."""
    author: str
    """Of an exception's: who asked for it."""
    approver: str
    """Of an exception's: who approved it."""


class SavedRule(RuleOutput):
    """A rule just saved."""

    findings: list[Finding]
    """What there is to say about it, and about others because of it: rules that can never win, contradictions."""


class RuleQuery(TenantQuery):
    """Which rules."""

    action: Action | None = None
    exception: Annotated[bool, Field(strict=False)] | None = None
