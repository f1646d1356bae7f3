"""What a decision reads: the rules in force of each scope, arranged by what they speak of.

Made by ``resolve.py``, read by ``candidates.py`` on the hot path, and never changed after. A **rule set** holds
the rules in force of one scope in one layer; a **view** is the sequence of rule sets that holds for a client. Rule sets
are shared between views, and views between tenants with the same rules in force. Tables by name are shared by all
views, so that the many names of which no rule speaks cost one probe a label.
"""

from __future__ import annotations

from policy.model import (
    Action,
    BlockAnswer,
    Category,
    Decision,
    Language,
    Layer,
    ListInfo,
    Rule,
    ScopeKind,
    Service,
)
from policy.networks import PrefixTable
from policy.patterns import PatternSet


class RuleInForce:
    """A rule with the questions a decision asks of it already answered.

    ``category_id``, ``list_id``, ``service_id``: of the target, 0 where it is of another kind. ``kind_rank``: how
    directly the target names a name, 0 the most (see ``candidates.py`` on ties). ``answer``: what the rule or its
    target states, None where it leaves that to others. ``redirects``: its answer leads elsewhere. ``filters``: it does
    so for what is let through only (safe search). ``types``: the only RR types of questions that it speaks of, None for
    all.
    """

    __slots__ = (
        "allows",
        "answer",
        "category_id",
        "filters",
        "important",
        "kind_rank",
        "list_id",
        "observes",
        "redirects",
        "rule",
        "rule_id",
        "service_id",
        "types",
    )

    def __init__(
        self,
        rule: Rule,
        kind_rank: int,
        category_id: int = 0,
        list_id: int = 0,
        service_id: int = 0,
        answer: BlockAnswer | None = None,
        types: frozenset[int] | None = None,
    ) -> None:
        self.rule = rule
        self.types = types
        self.rule_id = rule.id
        self.allows = rule.action is Action.ALLOW
        self.observes = rule.action is Action.OBSERVE
        self.filters = rule.action is Action.SAFE_SEARCH
        self.redirects = self.filters or rule.action is Action.REDIRECT
        # An engine's filtered mode is reached under one name, whatever answer the rule states beside.
        self.answer = answer if self.filters or rule.answer is None else rule.answer
        self.important = rule.important
        self.kind_rank = kind_rank
        self.category_id = category_id
        self.list_id = list_id
        self.service_id = service_id


RulesById = dict[int, list[RuleInForce]]
RulesByName = dict[bytes, RulesById]  # lower-case wire name -> rule set number -> rules


class RuleSet:
    """The rules in force of one scope in one layer. Those by name are in ``Ground``, under ``number``."""

    __slots__ = (
        "by_category",
        "by_engine",
        "by_list",
        "by_service",
        "ech",
        "layer",
        "networks",
        "number",
        "pattern_rules",
        "patterns",
        "scope",
    )

    def __init__(self, number: int, layer: Layer, scope: ScopeKind) -> None:
        self.number = number
        self.layer = layer
        self.scope = scope
        self.by_category: RulesById = {}
        self.by_list: RulesById = {}
        self.by_service: RulesById = {}
        self.by_engine: RulesById = {}
        self.patterns: PatternSet | None = None
        self.pattern_rules: list[RuleInForce] = []  # parallel to patterns.patterns
        self.networks: PrefixTable[list[RuleInForce]] | None = None
        self.ech: list[RuleInForce] = []  # on encrypted ClientHello


class KnownName:
    """A name that people registered outside rules: of services, or protected. It stands for all names below it too."""

    __slots__ = ("protected", "services")

    def __init__(self) -> None:
        self.protected = False
        self.services: list[Service] = []


class ListInForce:
    """A list as the LISTS layer sees it.

    ``negative_id``: the first of its categories that is negative, one that is not only observed before one that is; 0
    if none is. ``relaxes``: whether its allow entries count, which is so where the list is in force: it feeds a
    negative category, or feeds no category at all. ``observed``: its entries never block, in no layer;
    ``in_lists_observed``: they do not in the LISTS layer.
    """

    __slots__ = (
        "category_ids",
        "in_lists_observed",
        "info",
        "list_id",
        "national",
        "negative_id",
        "observed",
        "relaxes",
    )

    def __init__(self, info: ListInfo, category_ids: tuple[int, ...], negative_id: int, observed: bool) -> None:
        self.info = info
        self.observed = info.observe
        self.in_lists_observed = info.observe or observed
        self.list_id = info.id
        self.national = info.national
        self.category_ids = category_ids
        self.negative_id = negative_id
        self.relaxes = negative_id != 0 or not info.category_ids


class Ground:
    """What all views of a policy share at an instant. ``engines``: by the names of the search engines with rules."""

    __slots__ = (
        "answer",
        "below_rules",
        "categories",
        "engines",
        "exact_rules",
        "known",
        "language",
        "lists",
        "negative",
    )

    def __init__(
        self,
        known: dict[bytes, KnownName],
        lists: dict[int, ListInForce],
        categories: dict[int, Category],
        engines: dict[bytes, tuple[int, ...]],
        language: Language,
        answer: BlockAnswer,
    ) -> None:
        self.known = known
        self.lists = lists
        self.categories = categories
        self.negative = frozenset(category.id for category in categories.values() if category.negative)
        self.engines = engines
        self.language = language
        self.answer = answer
        self.exact_rules: RulesByName = {}
        self.below_rules: RulesByName = {}


class View:
    """The policy of one client: rule sets in the order of layers, and the default.

    ``number`` identifies it within a ``Resolved``. ``before`` are the rule sets of layers 1 and 2, ``after`` those of
    layers 4 to 6. ``allow_list_only``: the scope that is (the nearest to the client), None where the default allows.
    ``ech_rule``: the rule for which encrypted ClientHello is taken out of answers, None where it is left in.
    """

    __slots__ = (
        "after",
        "allow_list_only",
        "before",
        "default",
        "ech_rule",
        "ground",
        "has_networks",
        "has_patterns",
        "number",
    )

    def __init__(
        self,
        number: int,
        ground: Ground,
        before: tuple[RuleSet, ...],
        after: tuple[RuleSet, ...],
        allow_list_only: ScopeKind | None,
        default: Decision,
    ) -> None:
        self.number = number
        self.ground = ground
        self.before = before
        self.after = after
        self.allow_list_only = allow_list_only
        self.default = default
        self.has_patterns = any(rule_set.patterns is not None for rule_set in before + after)
        self.has_networks = any(rule_set.networks is not None for rule_set in before + after)
        self.ech_rule = _ech_rule(before + after)

    @property
    def strips_ech(self) -> bool:
        """Whether encrypted ClientHello is taken out of answers."""
        return self.ech_rule is not None


def _ech_rule(rule_sets: tuple[RuleSet, ...]) -> RuleInForce | None:
    """The first layer with a say settles it, in the order of one layer: important, then allow, then the lower id."""
    for rule_set in rule_sets:
        rules = [rule for rule in rule_set.ech if not rule.observes]
        if rules:
            first = min(rules, key=lambda rule: (not rule.important, not rule.allows, rule.rule_id))
            return None if first.allows else first
    return None
