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

**Rules of lists** (``blocklists/rule.py``) are entries with more to say, and count as such everywhere. Inside a list
the heavier side wins (``Match.weight``: rewriting, important, all others), on a par the allow; of several entries on
one side the heaviest, then the longest, is the one that is reported and whose answer is given. Their *important* is
that of rule 1 in the LISTS layer, and nothing to people's rules: no list can outvote a person. A rule that names no
name (an expression, a client, a nameserver) counts as no label, as people's expressions do.

**Observed lists and categories.** What an observed list says against a name counts as if an observe rule had said it,
in every layer: by itself, or as the evidence of a rule on the list or on a category. Evidence by another list goes
before its. An observed category is that for the LISTS layer alone: rules on the category mean what they say. Allow
entries of an observed list hold as any list's.

**Safe search** lets nothing through and bars nothing: it says how an engine answers that is let through all the same.
Where its rule stands before what lets the name through, the name is redirected to the filtered mode; what blocks the
name, before the rule or behind it, blocks it. Else a regency that blocks YouTube and filters all search engines would
open YouTube, and an agency that filters what the regency blocks, too.

**Protected names.** Downloaded lists say nothing about them in any layer: not even a mandatory rule on a category or a
list reaches a protected name through a list's entry. What people name themselves does: a mandatory rule (or an
exception) on the name, an expression, a service. Rules of layers 4 to 6 come after layer 3 and cannot win.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from dnswire.name import to_text
from policy.facts import BY_LIST, BY_NATIONAL_LIST, BY_SERVICE, ROOT, Evidence, Facts, note_categories, note_lists
from policy.model import Layer, ScopeKind
from policy.view import Ground, ListInForce, RuleInForce, RuleSet, View

if TYPE_CHECKING:
    from blocklists.match import Match
    from blocklists.rule import ListRule

# kind_rank of the targets, rule 4 above.
RANK_NAME: Final = 0  # also search engines, and the names by which a resolver is passed by
RANK_WILDCARD: Final = 1
RANK_SERVICE: Final = 2
RANK_LIST: Final = 3
RANK_CATEGORY: Final = 4
RANK_PATTERN: Final = 5
RANK_NETWORK: Final = 6

Key = tuple[int, int, int, int, int]


class Candidate:
    """One thing that has a say about a name (or address), and the place of its say in its layer (``key``).

    ``settles``: it lets the name through or bars it, which observing and safe search do not.
    """

    __slots__ = (
        "allows",
        "category_id",
        "filters",
        "key",
        "labels",
        "layer",
        "list_id",
        "list_rule",
        "observes",
        "rule",
        "scope",
        "service_id",
        "settles",
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
        list_rule: ListRule | None = None,
    ) -> None:
        self.layer = layer
        self.scope = scope
        self.rule = rule
        self.allows = allows
        self.observes = observes
        self.filters = rule is not None and rule.filters
        self.settles = not observes and not self.filters
        self.labels = labels
        self.key = key
        self.list_id = list_id
        self.service_id = service_id
        self.category_id = category_id
        self.list_rule = list_rule


# Of an address of which nothing speaks; the default of allow-list-only scopes is about names, and was applied to them.
ADDRESS_DEFAULT: Final = Candidate(Layer.DEFAULT, None, None, True, False, 0, (1, 1, 0, 0, 0))


def evaluate(view: View, facts: Facts, everything: bool) -> list[Candidate]:
    """The candidates for a name in order of precedence, layer by layer.

    With ``everything`` false it stops behind the first layer that settles the matter, which is all that a decision
    needs; the last candidate is then in that layer. The default always has the last word.
    """
    found: list[Candidate] = []
    for rule_set in view.before:
        if _add_layer(found, _of_rules(rule_set, facts, view.ground)) and not everything:
            return found
    if facts.protected >= 0 and _add_layer(found, [_protection(facts)]) and not everything:
        return found
    for rule_set in view.after:
        if _add_layer(found, _of_rules(rule_set, facts, view.ground)) and not everything:
            return found
    if _add_layer(found, _of_lists(view.ground, facts)) and not everything:
        return found
    found.append(_default(view))
    return found


def evaluate_address(view: View, address: bytes, matches: tuple[Match, ...], everything: bool) -> list[Candidate]:
    """The same for an address in an answer (4 or 16 octets): rules on networks, and what lists say of the address.

    ``b""`` for anything else of which only lists speak, as a nameserver.
    """
    found: list[Candidate] = []
    facts = address_facts(view, matches)
    for rule_set in view.before + view.after:
        layer: list[Candidate] = []
        if rule_set.networks is not None and address:
            for length, rules in rule_set.networks.find_all(address):
                layer += [_by_rule(rule_set, rule, 0, length) for rule in rules]
        if matches:
            _add_memberships(layer, rule_set, facts, view.ground)
        if _add_layer(found, layer) and not everything:
            return found
    if matches:
        _add_layer(found, _of_lists(view.ground, facts))
    return found


def address_facts(view: View, matches: tuple[Match, ...]) -> Facts:
    """What lists say about an address (or a nameserver): it is on them, or allowed by them, as a name would be."""
    facts = Facts(ROOT, 0)
    if matches:
        note_lists(facts, matches, view.ground)
        note_categories(facts, view.ground)
    return facts


def _add_layer(found: list[Candidate], layer: list[Candidate]) -> bool:
    """Adds a layer's candidates in order; whether one of them settles the matter."""
    if not layer:
        return False
    if len(layer) > 1:
        layer.sort(key=_key_of)
    found.extend(layer)
    for candidate in layer:  # noqa: SIM110 (hot: any() would make a generator)
        if candidate.settles:
            return True
    return False


class Settled(NamedTuple):
    """What comes of candidates in order of precedence.

    ``winner``: whose word the verdict is, the one that counts aside. ``passed``: what lets the name through, the winner
    itself or, where that is safe search, what stands behind it; None where the name is barred, or where nothing speaks
    of an address. ``counted``: the one that observes and would have barred the name.
    """

    winner: Candidate | None
    passed: Candidate | None
    counted: Candidate | None


def settle(candidates: list[Candidate]) -> Settled:
    """What comes of the candidates for a name or an address."""
    first = candidates[0]
    if first.settles:  # nearly always
        return Settled(first, first if first.allows else None, None)
    observer: Candidate | None = None
    filtering: Candidate | None = None
    for candidate in candidates:
        if candidate.observes:
            observer = observer or candidate
        elif candidate.filters:
            filtering = filtering or candidate
        elif not candidate.allows:
            return Settled(candidate, None, None)
        elif filtering is not None:
            return Settled(filtering, candidate, None)
        else:
            return Settled(candidate, candidate, observer)
    return Settled(None, None, observer)


def _key_of(candidate: Candidate) -> Key:
    return candidate.key


def _of_rules(rule_set: RuleSet, facts: Facts, ground: Ground) -> list[Candidate]:
    found: list[Candidate] = []
    number = rule_set.number
    labels = facts.label_count
    if facts.exact is not None:
        found += [_by_rule(rule_set, rule, labels, labels) for rule in facts.exact.get(number, ())]
    if rule_set.by_engine:
        for engine in facts.engines:
            found += [
                _by_rule(rule_set, rule, labels, labels)
                for rule in rule_set.by_engine.get(engine, ())
                if rule.types is None or facts.rrtype in rule.types
            ]
    for labels, table in facts.below:
        found += [_by_rule(rule_set, rule, labels, labels) for rule in table.get(number, ())]
    if rule_set.by_service:
        for service_id, (labels, service) in facts.services.items():
            rules = rule_set.by_service.get(service_id, ())
            found += [_by_rule(rule_set, rule, labels, labels, 0, service_id, service.category_id) for rule in rules]
    _add_memberships(found, rule_set, facts, ground)
    if rule_set.patterns is not None:
        labels = facts.label_count
        positions = rule_set.patterns.search(to_text(facts.name))
        found += [_by_rule(rule_set, rule_set.pattern_rules[position], labels, 0) for position in positions]
    return found


def _add_memberships(found: list[Candidate], rule_set: RuleSet, facts: Facts, ground: Ground) -> None:
    """Adds the rules on the lists and categories to which the name (or address) belongs."""
    if rule_set.by_list:
        for list_id, match in facts.listed.items():
            rules = rule_set.by_list.get(list_id, ())
            labels = _named(facts, match.labels, match.rule)
            observed = ground.lists[list_id].observed
            found += [
                _by_rule(rule_set, rule, labels, match.labels, list_id, 0, rule.category_id, match.rule, observed)
                for rule in rules
            ]
    if rule_set.by_category:
        for category_id, evidence in facts.categories.items():
            rules = rule_set.by_category.get(category_id, ())
            found += [_by_category(rule_set, rule, evidence, facts) for rule in rules]


def _named(facts: Facts, labels: int, list_rule: ListRule | None) -> int:
    """How many labels are reported as matched: where a list's rule names none, the whole name has matched."""
    return facts.label_count if not labels and list_rule is not None else labels


def _by_category(rule_set: RuleSet, rule: RuleInForce, evidence: Evidence, facts: Facts) -> Candidate:
    return _by_rule(
        rule_set,
        rule,
        _named(facts, evidence.labels, evidence.list_rule),
        evidence.labels,
        evidence.list_id,
        evidence.service_id,
        rule.category_id,
        evidence.list_rule,
        evidence.observed,
    )


def _by_rule(
    rule_set: RuleSet,
    rule: RuleInForce,
    labels: int,
    length: int,
    list_id: int = 0,
    service_id: int = 0,
    category_id: int = 0,
    list_rule: ListRule | None = None,
    observed: bool = False,
) -> Candidate:
    key = (0 if rule.important else 1, 0 if rule.allows else 1, -length, rule.kind_rank, rule.rule_id)
    return Candidate(
        rule_set.layer,
        rule_set.scope,
        rule,
        rule.allows,
        rule.observes or (observed and not rule.allows),
        labels,
        key,
        list_id,
        service_id,
        category_id,
        list_rule,
    )


def _protection(facts: Facts) -> Candidate:
    return Candidate(Layer.PROTECTED, None, None, True, False, facts.protected, (1, 0, -facts.protected, 0, 0))


def _of_lists(ground: Ground, facts: Facts) -> list[Candidate]:
    found: list[Candidate] = []
    for match in facts.listed.values():
        info = ground.lists[match.list_id]
        if info.negative_id:
            found.append(_by_list(facts, match, info))
    for service_id, (labels, service) in facts.services.items():
        if service.category_id in ground.negative:
            key = (1, 1, -labels, BY_SERVICE, service_id)
            category_id = service.category_id
            observed = ground.categories[category_id].observe
            found.append(Candidate(Layer.LISTS, None, None, False, observed, labels, key, 0, service_id, category_id))
    for match in facts.allowed.values():
        info = ground.lists[match.list_id]
        if info.relaxes:
            found.append(_by_list(facts, match, info))
    return found


def _by_list(facts: Facts, match: Match, info: ListInForce) -> Candidate:
    rule = match.rule
    key = (
        0 if rule is not None and rule.important else 1,
        0 if match.allow else 1,
        -match.labels,
        BY_NATIONAL_LIST if info.national else BY_LIST,
        match.list_id,
    )
    labels = _named(facts, match.labels, rule)
    allow, list_id = match.allow, match.list_id
    observed = info.in_lists_observed and not allow
    return Candidate(Layer.LISTS, None, None, allow, observed, labels, key, list_id, 0, info.negative_id, rule)


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
