"""What is known about one name before anybody's rules are asked: what it belongs to, and who has rules on it.

What these facts mean is told in ``candidates.py``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from policy.model import Service
from policy.view import Ground, RulesById, View

if TYPE_CHECKING:
    from blocklists.match import Match
    from blocklists.rule import ListRule

ROOT: Final = b"\x00"

# Evidence that a name is in a category, in the order in which it is preferred.
BY_NATIONAL_LIST: Final = 0
BY_LIST: Final = 1
BY_SERVICE: Final = 2


class Evidence:
    """Why a name is in a category: the list (and its rule) or the service, and how many labels of the name it names.

    ``observed``: by a list that is only observed, which is evidence for counting and for nothing else.
    """

    __slots__ = ("labels", "list_id", "list_rule", "observed", "rank", "service_id")

    def __init__(
        self,
        labels: int,
        rank: int,
        list_id: int,
        service_id: int,
        list_rule: ListRule | None = None,
        observed: bool = False,
    ) -> None:
        self.observed = observed
        self.labels = labels
        self.rank = rank
        self.list_id = list_id
        self.service_id = service_id
        self.list_rule = list_rule


class Facts:
    """What is known about one name, before anybody's rules are asked."""

    __slots__ = (
        "allowed",
        "below",
        "categories",
        "engines",
        "exact",
        "label_count",
        "listed",
        "name",
        "protected",
        "rrtype",
        "services",
    )

    def __init__(self, name: bytes, rrtype: int) -> None:
        self.name = name
        self.rrtype = rrtype
        self.label_count = 0
        self.exact: RulesById | None = None
        self.engines: tuple[int, ...] = ()  # whose own name it is
        self.below: list[tuple[int, RulesById]] = []  # (labels, rules by rule set), longest name first
        self.services: dict[int, tuple[int, Service]] = {}  # service -> (labels, service)
        self.protected = -1  # labels of the protected name, -1 where there is none
        self.listed: dict[int, Match] = {}  # by list, the entry for which the name is on it
        self.allowed: dict[int, Match] = {}  # by list, the entry by which it allows the name
        self.categories: dict[int, Evidence] = {}


def gather(view: View, matches: tuple[Match, ...], name: bytes, rrtype: int) -> Facts | None:
    """The facts about a question for a lower-case wire name, or None where nothing in the policy speaks of it."""
    ground = view.ground
    suffixes: list[bytes] = []
    offset = 0
    while name[offset]:
        suffixes.append(name[offset:])
        offset += 1 + name[offset]
    suffixes.append(ROOT)
    if not (view.has_patterns or matches or _speaks(ground, name, suffixes)):
        return None  # most names: no more is done for them than has to be
    facts = Facts(name, rrtype)
    labels = facts.label_count = len(suffixes) - 1
    for suffix in suffixes:
        rules = ground.below_rules.get(suffix)
        if rules is not None:
            facts.below.append((labels, rules))
        names = ground.known.get(suffix)
        if names is not None:
            if names.protected and facts.protected < 0:
                facts.protected = labels
            for service in names.services:
                facts.services.setdefault(service.id, (labels, service))
        labels -= 1
    facts.exact = ground.exact_rules.get(name)
    facts.engines = ground.engines.get(name, ())
    if matches:
        note_lists(facts, matches, ground)
    note_categories(facts, ground)
    return facts


def _speaks(ground: Ground, name: bytes, suffixes: list[bytes]) -> bool:
    """Whether a rule or a registration is about the name, or about all below one of its suffixes."""
    if name in ground.exact_rules or name in ground.engines:
        return True
    below_rules = ground.below_rules
    known = ground.known
    for suffix in suffixes:  # noqa: SIM110 -- a generator costs more than what it asks
        if suffix in below_rules or suffix in known:
            return True
    return False


def note_lists(facts: Facts, matches: tuple[Match, ...], ground: Ground) -> None:
    """Notes which lists the name (or address) is on, and which allow it: one opinion a list."""
    for match in matches:
        # An index can be of another generation than the policy for a moment: a list unknown here has no say.
        if match.list_id not in ground.lists:
            continue
        side = facts.allowed if match.allow else facts.listed
        known = side.get(match.list_id)
        if known is None or _goes_before(match, known):
            side[match.list_id] = match
    if facts.protected >= 0:
        facts.listed.clear()
        return
    if facts.allowed and facts.listed:
        _settle_lists(facts)


def _goes_before(match: Match, known: Match) -> bool:
    if match.rule is None and known.rule is None:
        return match.labels > known.labels
    return (match.weight, match.labels) > (known.weight, known.labels)


def _settle_lists(facts: Facts) -> None:
    """Leaves each list one opinion."""
    for list_id in list(facts.allowed):
        block = facts.listed.get(list_id)
        if block is not None:
            loser = facts.allowed if block.weight > facts.allowed[list_id].weight else facts.listed
            del loser[list_id]


def note_categories(facts: Facts, ground: Ground) -> None:
    """Notes the categories that follow from lists and services, each with its best evidence."""
    for list_id, match in facts.listed.items():
        info = ground.lists[list_id]
        rank = BY_NATIONAL_LIST if info.national else BY_LIST
        evidence = Evidence(match.labels, rank, list_id, 0, match.rule, info.observed)
        for category_id in info.category_ids:
            _note_evidence(facts.categories, category_id, evidence)
    for service_id, (labels, service) in facts.services.items():
        _note_evidence(facts.categories, service.category_id, Evidence(labels, BY_SERVICE, 0, service_id))


def _note_evidence(categories: dict[int, Evidence], category_id: int, new: Evidence) -> None:
    old = categories.get(category_id)
    if old is None or _evidence_key(new) < _evidence_key(old):
        categories[category_id] = new


def _evidence_key(evidence: Evidence) -> tuple[bool, int, int, int]:
    return (evidence.observed, -evidence.labels, evidence.rank, evidence.list_id or evidence.service_id)
