"""Everything that has a say about a name, in order of precedence: the one evaluation that decide and explain share.

The order is DESIGN 5: (1) mandatory regency rules; (2) approved exceptions, unit before agency before regency;
(3) protected names; (4) unit, (5) agency, (6) regency rules; (7) lists through categories in force; (8) the default.

**In one layer** a candidate is placed by, in turn:

1. important before not important;
2. allow before everything else (block, redirect and observe are equals here);
3. a *tie* is two candidates that are equal in both. It goes to the longer matched name, counted in labels. An
   expression names no name: it counts as no label, so any rule that names one goes before it. In a tie of addresses
   the longer prefix stands for the longer name;
4. where even the names are equally long, the more direct goes first, so that the reason reported does not depend on
   chance: a rule on the name, on the name and below, on a service, list, category, an expression; a national list
   before others and these before a service; at last the lower id.

**What a name belongs to.** A name is *on a list* where an entry of that list covers it and no allow entry of the same
list does. It is *in a category* where it is on a list or in a service of that category. Rules on lists and categories
speak of these names, in the layer of the rule's scope: this is how a conditional category comes into force. The LISTS
layer holds what is in force without any rule: the lists and services of negative categories, and allow entries of
lists that are in force (those that feed a negative category, and pure allow lists, which feed none).

**Protected names.** Downloaded lists say nothing about them in any layer: not even a mandatory rule on a category or a
list reaches a protected name through a list's entry. What people name themselves does: a mandatory rule (or an
exception) on the name, an expression, a service. Rules of layers 4 to 6 come after layer 3 and cannot win.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from dnswire.name import to_text
from policy.model import Layer, ScopeKind, Service
from policy.view import Ground, RuleInForce, RulesById, RuleSet, View

if TYPE_CHECKING:
    from blocklists.index import Match

ROOT: Final = b"\x00"

# kind_rank of the targets, rule 4 above.
RANK_NAME: Final = 0
RANK_WILDCARD: Final = 1
RANK_SERVICE: Final = 2
RANK_LIST: Final = 3
RANK_CATEGORY: Final = 4
RANK_PATTERN: Final = 5
RANK_NETWORK: Final = 6

# Evidence that a name is in a category, in the order in which it is preferred.
_BY_NATIONAL_LIST: Final = 0
_BY_LIST: Final = 1
_BY_SERVICE: Final = 2

Key = tuple[int, int, int, int, int]


class Evidence:
    """Why a name is in a category: the list or the service, and how many labels of the name it names."""

    __slots__ = ("labels", "list_id", "rank", "service_id")

    def __init__(self, labels: int, rank: int, list_id: int, service_id: int) -> None:
        self.labels = labels
        self.rank = rank
        self.list_id = list_id
        self.service_id = service_id


class Facts:
    """What is known about one name, before anybody's rules are asked."""

    __slots__ = ("allowed", "below", "categories", "exact", "label_count", "listed", "name", "protected", "services")

    def __init__(self, name: bytes) -> None:
        self.name = name
        self.label_count = 0
        self.exact: RulesById | None = None
        self.below: list[tuple[int, RulesById]] = []  # (labels, rules by rule set), longest name first
        self.services: dict[int, tuple[int, Service]] = {}  # service -> (labels, service)
        self.protected = -1  # labels of the protected name, -1 where there is none
        self.listed: dict[int, int] = {}  # list -> labels, of the lists that the name is on
        self.allowed: dict[int, int] = {}  # list -> labels, of the lists with an allow entry for it
        self.categories: dict[int, Evidence] = {}


class Candidate:
    """One thing that has a say about a name (or address), and the place of its say in its layer (``key``)."""

    __slots__ = (
        "allows",
        "category_id",
        "key",
        "labels",
        "layer",
        "list_id",
        "observes",
        "rule",
        "scope",
        "service_id",
    )

    def __init__(
        self,
        layer: Layer,
        scope: ScopeKind | None,
        rule: RuleInForce | None,
        allows: bool,
        observes: bool,
        labels: int,
        key: Key,
        list_id: int = 0,
        service_id: int = 0,
        category_id: int = 0,
    ) -> None:
        self.layer = layer
        self.scope = scope
        self.rule = rule
        self.allows = allows
        self.observes = observes
        self.labels = labels
        self.key = key
        self.list_id = list_id
        self.service_id = service_id
        self.category_id = category_id


def gather(view: View, matches: tuple[Match, ...], name: bytes) -> Facts | None:
    """The facts about a lower-case wire name, or None where nothing in the policy speaks of it."""
    ground = view.ground
    facts = Facts(name)
    known = ground.known
    below_rules = ground.below_rules
    spoken_of = view.has_patterns or bool(matches)
    suffixes: list[bytes] = []
    offset = 0
    while name[offset]:
        suffixes.append(name[offset:])
        offset += 1 + name[offset]
    suffixes.append(ROOT)
    labels = facts.label_count = len(suffixes) - 1
    for suffix in suffixes:
        rules = below_rules.get(suffix)
        if rules is not None:
            facts.below.append((labels, rules))
            spoken_of = True
        names = known.get(suffix)
        if names is not None:
            spoken_of = True
            if names.protected and facts.protected < 0:
                facts.protected = labels
            for service in names.services:
                facts.services.setdefault(service.id, (labels, service))
        labels -= 1
    facts.exact = ground.exact_rules.get(name)
    if not spoken_of and facts.exact is None:
        return None
    if matches:
        _note_lists(facts, matches, ground)
    _note_categories(facts, ground)
    return facts


def _note_lists(facts: Facts, matches: tuple[Match, ...], ground: Ground) -> None:
    for match in matches:
        # An index can be of another generation than the policy for a moment: a list unknown here has no say.
        if match.list_id not in ground.lists:
            continue
        side = facts.allowed if match.allow else facts.listed
        if match.labels > side.get(match.list_id, -1):
            side[match.list_id] = match.labels
    if facts.protected >= 0:
        facts.listed.clear()
        return
    for list_id in facts.allowed:
        facts.listed.pop(list_id, None)


def _note_categories(facts: Facts, ground: Ground) -> None:
    for list_id, labels in facts.listed.items():
        info = ground.lists[list_id]
        rank = _BY_NATIONAL_LIST if info.national else _BY_LIST
        for category_id in info.category_ids:
            _note_evidence(facts.categories, category_id, Evidence(labels, rank, list_id, 0))
    for service_id, (labels, service) in facts.services.items():
        _note_evidence(facts.categories, service.category_id, Evidence(labels, _BY_SERVICE, 0, service_id))


def _note_evidence(categories: dict[int, Evidence], category_id: int, new: Evidence) -> None:
    old = categories.get(category_id)
    if old is None or _evidence_key(new) < _evidence_key(old):
        categories[category_id] = new


def _evidence_key(evidence: Evidence) -> tuple[int, int, int]:
    return (-evidence.labels, evidence.rank, evidence.list_id or evidence.service_id)


def evaluate(view: View, facts: Facts, everything: bool) -> list[Candidate]:
    """The candidates for a name in order of precedence, layer by layer.

    With ``everything`` false it stops behind the first layer that settles the matter (observing settles nothing), which
    is all that a decision needs; the last candidate is then in that layer. The default always has the last word.
    """
    found: list[Candidate] = []
    for rule_set in view.before:
        if _add_layer(found, _of_rules(rule_set, facts)) and not everything:
            return found
    if facts.protected >= 0 and _add_layer(found, [_protection(facts)]) and not everything:
        return found
    for rule_set in view.after:
        if _add_layer(found, _of_rules(rule_set, facts)) and not everything:
            return found
    if _add_layer(found, _of_lists(view.ground, facts)) and not everything:
        return found
    found.append(_default(view))
    return found


def evaluate_address(view: View, address: bytes, everything: bool) -> list[Candidate]:
    """The same for an address in an answer (4 or 16 octets): only rules on networks speak of addresses."""
    found: list[Candidate] = []
    for rule_set in view.before + view.after:
        if rule_set.networks is None:
            continue
        layer: list[Candidate] = []
        for length, rules in rule_set.networks.find_all(address):
            layer += [_by_rule(rule_set, rule, 0, length) for rule in rules]
        if _add_layer(found, layer) and not everything:
            return found
    return found


def _add_layer(found: list[Candidate], layer: list[Candidate]) -> bool:
    """Adds a layer's candidates in order; whether one of them settles the matter."""
    if not layer:
        return False
    if len(layer) > 1:
        layer.sort(key=_key_of)
    found.extend(layer)
    for candidate in layer:  # noqa: SIM110 (hot: any() would make a generator)
        if not candidate.observes:
            return True
    return False


def _key_of(candidate: Candidate) -> Key:
    return candidate.key


def _of_rules(rule_set: RuleSet, facts: Facts) -> list[Candidate]:
    found: list[Candidate] = []
    number = rule_set.number
    labels = facts.label_count
    if facts.exact is not None:
        found += [_by_rule(rule_set, rule, labels, labels) for rule in facts.exact.get(number, ())]
    for labels, table in facts.below:
        found += [_by_rule(rule_set, rule, labels, labels) for rule in table.get(number, ())]
    if rule_set.by_service:
        for service_id, (labels, service) in facts.services.items():
            rules = rule_set.by_service.get(service_id, ())
            found += [_by_rule(rule_set, rule, labels, labels, 0, service_id, service.category_id) for rule in rules]
    if rule_set.by_list:
        for list_id, labels in facts.listed.items():
            rules = rule_set.by_list.get(list_id, ())
            found += [_by_rule(rule_set, rule, labels, labels, list_id, 0, rule.category_id) for rule in rules]
    if rule_set.by_category:
        for category_id, evidence in facts.categories.items():
            rules = rule_set.by_category.get(category_id, ())
            found += [_by_category(rule_set, rule, evidence) for rule in rules]
    if rule_set.patterns is not None:
        labels = facts.label_count
        positions = rule_set.patterns.search(to_text(facts.name))
        found += [_by_rule(rule_set, rule_set.pattern_rules[position], labels, 0) for position in positions]
    return found


def _by_category(rule_set: RuleSet, rule: RuleInForce, evidence: Evidence) -> Candidate:
    labels = evidence.labels
    return _by_rule(rule_set, rule, labels, labels, evidence.list_id, evidence.service_id, rule.category_id)


def _by_rule(
    rule_set: RuleSet,
    rule: RuleInForce,
    labels: int,
    length: int,
    list_id: int = 0,
    service_id: int = 0,
    category_id: int = 0,
) -> Candidate:
    key = (0 if rule.important else 1, 0 if rule.allows else 1, -length, rule.kind_rank, rule.rule_id)
    return Candidate(
        rule_set.layer,
        rule_set.scope,
        rule,
        rule.allows,
        rule.observes,
        labels,
        key,
        list_id,
        service_id,
        category_id,
    )


def _protection(facts: Facts) -> Candidate:
    return Candidate(Layer.PROTECTED, None, None, True, False, facts.protected, (1, 0, -facts.protected, 0, 0))


def _of_lists(ground: Ground, facts: Facts) -> list[Candidate]:
    found: list[Candidate] = []
    for list_id, labels in facts.listed.items():
        info = ground.lists[list_id]
        if info.negative_id:
            key = (1, 1, -labels, _BY_NATIONAL_LIST if info.national else _BY_LIST, list_id)
            found.append(Candidate(Layer.LISTS, None, None, False, False, labels, key, list_id, 0, info.negative_id))
    for service_id, (labels, service) in facts.services.items():
        if service.category_id in ground.negative:
            key = (1, 1, -labels, _BY_SERVICE, service_id)
            category_id = service.category_id
            found.append(Candidate(Layer.LISTS, None, None, False, False, labels, key, 0, service_id, category_id))
    for list_id, labels in facts.allowed.items():
        info = ground.lists[list_id]
        if info.relaxes:
            key = (1, 0, -labels, _BY_NATIONAL_LIST if info.national else _BY_LIST, list_id)
            found.append(Candidate(Layer.LISTS, None, None, True, False, labels, key, list_id, 0, info.negative_id))
    return found


def _default(view: View) -> Candidate:
    return Candidate(Layer.DEFAULT, view.allow_list_only, None, view.allow_list_only is None, False, 0, (1, 1, 0, 0, 0))


def matched_name(name: bytes, labels: int) -> bytes:
    """The last ``labels`` labels of a wire name; ``labels`` is at most the name's own count."""
    count = 0
    offset = 0
    while name[offset]:
        count += 1
        offset += 1 + name[offset]
    offset = 0
    while count > labels:
        offset += 1 + name[offset]
        count -= 1
    return name[offset:]
