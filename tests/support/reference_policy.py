"""The order of DESIGN 5 as a slow, obvious reference: everything that has a say is gathered, then sorted once.

Written from the design and the decisions recorded in ``policy/candidates.py`` (what a tie is, what a category holds,
what protection means), sharing no code with the data path but the facts of ``policy/model.py``. Names are tuples of
label texts, most significant last, as people read them.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from ipaddress import ip_address, ip_network
from zoneinfo import ZoneInfo

from policy.model import (
    Action,
    AnswerKind,
    BlockAnswer,
    Policy,
    Reading,
    Rule,
    Schedule,
    Scope,
    ScopeKind,
    Target,
    TargetKind,
    UnknownClients,
)

Labels = tuple[str, ...]

# Engines of which random policies speak: code, name, and the name under which the filtered mode is reached.
SEARCH = (
    ("google", "www.google.co.id", "forcesafesearch.google.com"),
    ("bing", "www.bing.com", "strict.bing.com"),
    ("youtube-strict", "m.youtube.com", "restrict.youtube.com"),
    ("youtube-moderate", "m.youtube.com", "restrictmoderate.youtube.com"),
)
BYPASS = {
    "canary": ("use-application-dns.net",),
    "private_relay": ("mask.icloud.com", "mask-h2.icloud.com"),
}


@dataclass(frozen=True)
class Entry:
    """One line of a list. ``below``: the names below it too; ``itself``: the name itself."""

    list_id: int
    name: Labels
    itself: bool = True
    below: bool = True
    allow: bool = False
    important: bool = False


@dataclass(frozen=True)
class AddressLine:
    """One line of a list that names a range of addresses."""

    list_id: int
    network: str
    allow: bool = False
    important: bool = False


@dataclass(frozen=True)
class Covering:
    """A line that covers what is asked about; ``length``: of its name in labels, or of its prefix in bits."""

    list_id: int
    matched: Labels
    length: int
    allow: bool
    important: bool


@dataclass(frozen=True)
class Who:
    agency_id: int
    unit_id: int
    admitted: bool


@dataclass(frozen=True)
class Outcome:
    """What is compared: names in capitals as in the model's enumerations."""

    verdict: str
    layer: int
    rule_id: int = 0
    list_id: int = 0
    category_id: int = 0
    matched: Labels | None = None
    answer: BlockAnswer | None = None
    ede: int = -1


@dataclass(frozen=True)
class Say:
    """Something that has a say: in which layer, and all that places it there."""

    layer: int
    scope_turn: int  # within exceptions: unit 0, agency 1, regency 2
    important: bool
    action: Action
    length: int
    directness: int
    number: int
    matched: Labels
    rule: Rule | None = None
    list_id: int = 0
    category_id: int = 0
    observed: bool = False  # by a list or category that is only observed
    answer: BlockAnswer | None = None  # what the target states

    @property
    def only_counts(self) -> bool:
        return self.action is Action.OBSERVE or (self.observed and self.action is not Action.ALLOW)

    @property
    def place(self) -> tuple[int, ...]:
        allow_first = 0 if self.action is Action.ALLOW else 1
        important_first = 0 if self.important else 1
        return (self.layer, self.scope_turn, important_first, allow_first, -self.length, self.directness, self.number)


def who_is(policy: Policy, address_text: str) -> Who:
    address = ip_address(address_text)
    if address.version == 6 and address.ipv4_mapped is not None:
        address = address.ipv4_mapped
    best = None
    for network in policy.networks:
        ranges = ip_network(network.cidr)
        if ranges.version == address.version and address in ranges and (best is None or ranges.prefixlen > best[0]):
            best = (ranges.prefixlen, network)
    if best is not None:
        return Who(best[1].agency_id, best[1].unit_id, True)
    private = any(
        ip_network(text).version == address.version and address in ip_network(text)
        for text in (
            "10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16",
            "::1/128", "fc00::/7", "fe80::/10",
        )
    )  # fmt: skip
    unknown = policy.regency.unknown_clients
    return Who(0, 0, unknown is UnknownClients.REGENCY or (unknown is UnknownClients.PRIVATE_ONLY and private))


def is_at_or_below(name: Labels, parent: Labels) -> bool:
    return len(parent) <= len(name) and name[len(name) - len(parent) :] == parent


def wall_clock_open(schedule: Schedule, policy: Policy, at_s: float) -> bool:
    holidays = {
        date.fromisoformat(holiday.date)
        for holiday in policy.holidays
        if schedule.skip_holidays and (schedule.skip_joint_leave or not holiday.joint_leave)
    }
    local = datetime.fromtimestamp(at_s, ZoneInfo(schedule.zone)).replace(tzinfo=None)
    for days_ago in (0, 1):
        day = local.date() - timedelta(days=days_ago)
        if day in holidays:
            continue
        periods = [
            period
            for period in schedule.periods
            if date.fromisoformat(period.from_date) <= day <= date.fromisoformat(period.until_date)
        ]
        for window in periods[0].windows if periods else schedule.windows:
            if day.weekday() not in window.days:
                continue
            midnight = datetime(day.year, day.month, day.day)
            start = midnight + timedelta(minutes=window.start_min)
            end = midnight + timedelta(minutes=window.end_min)
            if end <= start:
                end += timedelta(days=1)
            if start <= local < end:
                return True
    return False


def reading(policy: Policy, who: Who, schedule_id: int) -> tuple[Reading, int]:
    """How the client's unit, or else his agency, reads a schedule."""
    for kind, number in ((ScopeKind.UNIT, who.unit_id), (ScopeKind.AGENCY, who.agency_id)):
        for override in policy.schedule_overrides:
            if number and override.scope == Scope(kind, number) and override.schedule_id == schedule_id:
                return override.reading, override.other_id
    return Reading.SCHEDULE, schedule_id


def is_paused(policy: Policy, who: Who, at_s: float) -> bool:
    mine = {Scope(ScopeKind.UNIT, who.unit_id)} if who.unit_id else set()
    mine |= {Scope(ScopeKind.AGENCY, who.agency_id)} if who.agency_id else set()
    return any(pause.scope in mine and pause.from_s <= at_s < pause.until_s for pause in policy.pauses)


def in_force(rule: Rule, policy: Policy, who: Who, at_s: float) -> bool:
    rests = layer_of(rule) in (4, 5, 6) and rule.action not in (Action.ALLOW, Action.OBSERVE)
    if rests and is_paused(policy, who, at_s):
        return False
    if rule.valid_from_s is not None and at_s < rule.valid_from_s:
        return False
    if rule.valid_until_s is not None and at_s >= rule.valid_until_s:
        return False
    if is_exception(rule) and not rule.approver:
        return False
    if not rule.schedule_id:
        return True
    how, schedule_id = reading(policy, who, rule.schedule_id)
    if how is not Reading.SCHEDULE:
        return how is Reading.ALWAYS
    schedule = next(schedule for schedule in policy.schedules if schedule.id == schedule_id)
    return wall_clock_open(schedule, policy, at_s)


def is_mandatory(rule: Rule) -> bool:
    return rule.mandatory and rule.scope.kind is ScopeKind.REGENCY


def is_exception(rule: Rule) -> bool:
    return rule.exception and not is_mandatory(rule)


def concerns(rule: Rule, who: Who) -> bool:
    if rule.scope.kind is ScopeKind.REGENCY:
        return True
    if rule.scope.kind is ScopeKind.AGENCY:
        return rule.scope.id == who.agency_id
    return rule.scope.id == who.unit_id


def layer_of(rule: Rule) -> int:
    if is_mandatory(rule):
        return 1
    if is_exception(rule):
        return 2
    return {ScopeKind.UNIT: 4, ScopeKind.AGENCY: 5, ScopeKind.REGENCY: 6}[rule.scope.kind]


def scope_turn(rule: Rule) -> int:
    if not is_exception(rule):
        return 0
    return {ScopeKind.UNIT: 0, ScopeKind.AGENCY: 1, ScopeKind.REGENCY: 2}[rule.scope.kind]


class World:
    """One policy, with the lists' lines, asked about one name."""

    def __init__(self, policy: Policy, entries: list[Entry], name: Labels, rrtype: int) -> None:
        self.policy = policy
        self.rrtype = rrtype
        self.name = name
        self.covering = [
            Covering(entry.list_id, entry.name, len(entry.name), entry.allow, entry.important)
            for entry in entries
            if self._covers(entry)
        ]
        guards = [guard for guard in map(split, policy.protected) if is_at_or_below(name, guard)]
        self.guard = max(guards, key=len) if guards else None

    def _covers(self, entry: Entry) -> bool:
        if entry.name == self.name:
            return entry.itself
        return entry.below and is_at_or_below(self.name, entry.name)

    def opinion(self, list_id: int) -> Covering | None:
        """What the list says: its strongest line, an allow before a block that is as strong. None: nothing."""
        mine = [one for one in self.covering if one.list_id == list_id and (one.allow or self.guard is None)]
        if not mine:
            return None
        weight = max(one.important for one in mine)
        allow = any(one.allow for one in mine if one.important == weight)
        return max((one for one in mine if one.allow == allow), key=lambda one: (one.important, one.length))

    def on_list(self, list_id: int) -> Covering | None:
        """The line that puts the name on the list; None where it is not on it."""
        said = self.opinion(list_id)
        return None if said is None or said.allow else said

    def in_service(self, code: str) -> Labels | None:
        service = next(service for service in self.policy.services if service.code == code)
        names = [split(text) for text in service.names if is_at_or_below(self.name, split(text))]
        return max(names, key=len, default=None)

    def in_category(self, category_id: int) -> tuple[Labels, int, int] | None:
        """(name, list, length) of the best evidence that the name is in the category; list 0: it is a service."""
        evidence: list[tuple[tuple[bool, int, int, int], Labels, int]] = []
        for info in self.policy.lists:
            listed = self.on_list(info.id)
            if category_id in info.category_ids and listed is not None:
                place = (info.observe, -listed.length, 0 if info.national else 1, info.id)
                evidence.append((place, listed.matched, info.id))
        for service in self.policy.services:
            served = self.in_service(service.code)
            if service.category_id == category_id and served is not None:
                evidence.append(((False, -len(served), 2, service.id), served, 0))
        if not evidence:
            return None
        place, matched, list_id = min(evidence)
        return matched, list_id, -place[1]

    def special_say(self, rule: Rule) -> Say | None:
        """A rule on a search engine, or on a way around the resolver."""
        place, answer = 0, None
        if rule.target.kind is TargetKind.SEARCH:
            if self.rrtype not in (1, 5, 28, 64, 65, 255):  # A, CNAME, AAAA, SVCB, HTTPS, ANY
                return None
            found = [one for one in SEARCH if rule.target.value in (one[0], "all") and ".".join(self.name) == one[1]]
            found = [one for one in found if rule.target.value != "all" or one[0] != "youtube-moderate"]
            if not found:
                return None
            place = 1 if found[0][0] == "youtube-moderate" else 0
            if rule.action is Action.SAFE_SEARCH:
                answer = BlockAnswer(AnswerKind.REDIRECT, 300, name=found[0][2])
        elif ".".join(self.name) not in BYPASS.get(rule.target.value, ()):
            return None
        elif rule.action is Action.BLOCK:
            answer = BlockAnswer(AnswerKind.NXDOMAIN, 60)
        length = len(self.name)
        return Say(
            layer_of(rule), scope_turn(rule), rule.important, rule.action, length, place, rule.id, self.name, rule,
            answer=answer,
        )  # fmt: skip

    def rule_say(self, rule: Rule) -> Say | None:
        kind, value = rule.target.kind, rule.target.value
        if kind in (TargetKind.SEARCH, TargetKind.BYPASS):
            return self.special_say(rule)
        list_id = category_id = length = 0
        matched: Labels | None = None
        if kind is TargetKind.NAME:
            matched = self.name if split(value) == self.name else None
        elif kind is TargetKind.WILDCARD:
            base = split(value.removeprefix("*."))
            matched = base if is_at_or_below(self.name, base) else None
        elif kind is TargetKind.REGEX:
            matched = self.name if re.search(value, ".".join(self.name), re.IGNORECASE) else None
        elif kind is TargetKind.SERVICE:
            matched = self.in_service(value)
            category_id = next(service.category_id for service in self.policy.services if service.code == value)
        elif kind is TargetKind.LIST:
            info = next(info for info in self.policy.lists if info.code == value)
            listed, list_id = self.on_list(info.id), info.id
            matched, length = (listed.matched, listed.length) if listed is not None else (None, 0)
            category_id = info.category_ids[0] if info.category_ids else 0
        elif kind is TargetKind.CATEGORY:
            category_id = next(category.id for category in self.policy.categories if category.code == value)
            found = self.in_category(category_id)
            if found is not None:
                matched, list_id, length = found
        if matched is None:
            return None
        order = ("name", "wildcard", "service", "list", "category", "regex")
        if kind not in (TargetKind.LIST, TargetKind.CATEGORY):
            length = 0 if kind is TargetKind.REGEX else len(matched)
        return Say(
            layer_of(rule), scope_turn(rule), rule.important, rule.action, length, order.index(kind.value), rule.id,
            matched, rule, list_id, category_id, any(info.id == list_id and info.observe for info in self.policy.lists),
        )  # fmt: skip

    def list_says(self) -> list[Say]:
        negative = {category.id: category.observe for category in self.policy.categories if category.negative}
        says: list[Say] = []
        for info in self.policy.lists:
            fed = [category_id for category_id in info.category_ids if category_id in negative]
            feeds = next(iter([one for one in fed if not negative[one]] or fed), 0)
            observed = info.observe or (feeds != 0 and negative[feeds])
            directness = 0 if info.national else 1
            said = self.opinion(info.id)
            if said is None or not (feeds or (said.allow and not info.category_ids)):
                continue
            action = Action.ALLOW if said.allow else Action.BLOCK
            says.append(
                Say(
                    7, 0, said.important, action, said.length, directness, info.id, said.matched, None, info.id, feeds,
                    observed,
                )
            )  # fmt: skip
        for service in self.policy.services:
            served = self.in_service(service.code)
            if served is not None and service.category_id in negative:
                says.append(
                    Say(
                        7, 0, False, Action.BLOCK, len(served), 2, service.id, served, None, 0, service.category_id,
                        negative[service.category_id],
                    )
                )  # fmt: skip
        return says


def split(text: str) -> Labels:
    return tuple(text.lower().removesuffix(".").split("."))


def strips_ech(policy: Policy, who: Who, at_s: float) -> bool:
    """Whether the first layer with a rule in force on encrypted ClientHello blocks it."""
    rules = [
        rule
        for rule in policy.rules
        if rule.target == Target(TargetKind.BYPASS, "ech")
        and concerns(rule, who)
        and in_force(rule, policy, who, at_s)
        and rule.action is not Action.OBSERVE
    ]
    blocks = [rule.action is not Action.ALLOW for rule in rules]
    places = [
        (layer_of(rule), scope_turn(rule), not rule.important, block, rule.id)
        for rule, block in zip(rules, blocks, strict=True)
    ]
    return bool(places) and min(places)[3]


def decide(policy: Policy, entries: list[Entry], who: Who, name: Labels, at_s: float, rrtype: int = 1) -> Outcome:
    """The outcome for a client that is admitted."""
    world = World(policy, entries, name, rrtype)
    says = world.list_says()
    for rule in policy.rules:
        if rule.target.kind is TargetKind.NETWORK or not concerns(rule, who) or not in_force(rule, policy, who, at_s):
            continue
        say = world.rule_say(rule)
        if say is not None:
            says.append(say)
    if world.guard is not None:
        says.append(Say(3, 0, False, Action.ALLOW, 0, 0, 0, world.guard))
    return _settle(policy, who, says, has_default=True)


def decide_address(
    policy: Policy, who: Who, address_text: str, at_s: float, lines: list[AddressLine] | None = None
) -> Outcome:
    address = ip_address(address_text)
    world = World(policy, [], (), 0)
    world.guard = None
    world.covering = [
        Covering(line.list_id, (), ip_network(line.network).prefixlen, line.allow, line.important)
        for line in lines or []
        if address.version == ip_network(line.network).version and address in ip_network(line.network)
    ]
    says = world.list_says() if world.covering else []
    for rule in policy.rules:
        if not concerns(rule, who) or not in_force(rule, policy, who, at_s):
            continue
        if rule.target.kind in (TargetKind.LIST, TargetKind.CATEGORY):
            say = world.rule_say(rule)
            says += [say] if say is not None else []
        if rule.target.kind is not TargetKind.NETWORK:
            continue
        ranges = ip_network(rule.target.value)
        if ranges.version == address.version and address in ranges:
            says.append(
                Say(
                    layer_of(rule),
                    scope_turn(rule),
                    rule.important,
                    rule.action,
                    ranges.prefixlen,
                    6,  # behind all that names a name, a service, a list, a category or an expression
                    rule.id,
                    (),
                    rule,
                )
            )
    return _settle(policy, who, says, has_default=False)


def _settle(policy: Policy, who: Who, says: list[Say], has_default: bool) -> Outcome:
    """Safe search and what only counts let through and bar nothing; they speak up where the name passes behind them."""
    says.sort(key=lambda say: say.place)
    decisive = next((say for say in says if not say.only_counts and say.action is not Action.SAFE_SEARCH), None)
    before = says if decisive is None else says[: says.index(decisive)]
    default_passes = not (has_default and _only(policy, who))
    passes = decisive.action is Action.ALLOW if decisive is not None else default_passes
    filters = [say for say in before if say.action is Action.SAFE_SEARCH]
    if passes and filters:
        return _barred(policy, filters[0])
    if passes and before:
        seen = before[0]
        return Outcome("OBSERVED", *_reason(seen))
    if decisive is None:
        if passes:
            return Outcome("ALLOWED", 8)
        asked_itself = _only(policy, who) in ("unit", "agency")
        return Outcome("BLOCKED", 8, answer=policy.regency.answer, ede=17 if asked_itself else 15)
    if passes:
        return Outcome("ALLOWED", *_reason(decisive))
    return _barred(policy, decisive)


def _barred(policy: Policy, say: Say) -> Outcome:
    verdict = "REDIRECTED" if say.action in (Action.REDIRECT, Action.SAFE_SEARCH) else "BLOCKED"
    return Outcome(verdict, *_reason(say), answer=_answer(policy, say), ede=_ede(policy, say))


def _reason(say: Say) -> tuple[int, int, int, int, Labels | None]:
    return say.layer, _id(say), say.list_id, say.category_id, say.matched or None


def _id(say: Say) -> int:
    return say.rule.id if say.rule is not None else 0


def _only(policy: Policy, who: Who) -> str:
    """Which scope, the nearest first, lets through only what is allowed; "" where none does."""
    if any(unit.allow_list_only for unit in policy.units if unit.id == who.unit_id):
        return "unit"
    if any(agency.allow_list_only for agency in policy.agencies if agency.id == who.agency_id):
        return "agency"
    return "regency" if policy.regency.allow_list_only else ""


def _answer(policy: Policy, say: Say) -> BlockAnswer:
    if say.rule is not None and say.rule.answer is not None and say.action is not Action.SAFE_SEARCH:
        return say.rule.answer
    if say.answer is not None:
        return say.answer
    for category in policy.categories:
        if category.id == say.category_id and category.answer is not None:
            return category.answer
    return policy.regency.answer


def _ede(policy: Policy, say: Say) -> int:
    if say.rule is not None and say.rule.scope.kind is not ScopeKind.REGENCY:
        return 17
    return 16 if any(info.national for info in policy.lists if info.id == say.list_id) else 15
