"""Random policies in a world so small that everything meets: few labels, few tenants, overlapping networks."""

from __future__ import annotations

from datetime import date, timedelta
from random import Random

from policy.model import (
    Action,
    Agency,
    AnswerKind,
    BlockAnswer,
    Bypass,
    Category,
    Holiday,
    Language,
    ListInfo,
    Network,
    Pause,
    Period,
    Policy,
    Reading,
    Regency,
    Rule,
    Schedule,
    ScheduleOverride,
    Scope,
    ScopeKind,
    Service,
    Target,
    TargetKind,
    Unit,
    UnknownClients,
    Window,
)
from tests.support.reference_policy import AddressLine, Entry, Labels

START_S = 1_767_200_400  # the turn of 2025 to 2026 in Jakarta
SPAN_S = 400 * 86_400
ZONES = ("Asia/Jakarta", "Asia/Jayapura", "Europe/London", "America/New_York")
CLIENTS = (
    "10.1.0.9",
    "10.1.1.9",
    "10.1.2.9",
    "10.2.0.9",
    "192.168.7.7",
    "203.0.113.5",
    "2001:db8::9",
    "::ffff:10.1.1.7",
)
SPECIAL = ("www.google.co.id", "www.bing.com", "m.youtube.com", "use-application-dns.net", "mask.icloud.com")
EXPRESSIONS = (r"^a\.", r"b.?\.", r"(^|\.)c\.x$", r"^[ab]+\.y$", r"A\.B", "zz")


def random_name(random: Random) -> Labels:
    if random.random() < 0.08:
        return tuple(random.choice(SPECIAL).split("."))
    depth = random.choice((0, 1, 1, 2, 2, 3))
    return (*(random.choice("abc") for _ in range(depth)), random.choice("xy"))


def random_entries(random: Random, list_ids: range) -> list[Entry]:
    entries: list[Entry] = []
    for _ in range(random.randrange(14)):
        itself, below = random.choice(((True, True), (True, True), (True, False), (False, True)))
        allow, important = random.random() < 0.15, random.random() < 0.1
        entries.append(Entry(random.choice(list_ids), random_name(random), itself, below, allow, important))
    return entries


def random_address_lines(random: Random, list_ids: range) -> list[AddressLine]:
    """Ranges around the addresses that answers hold."""
    ranges = ("203.0.113.0/24", "203.0.113.7/32", "203.0.0.0/16", "2001:db8:f::/48", "198.51.100.0/24")
    return [
        AddressLine(random.choice(list_ids), random.choice(ranges), random.random() < 0.2, random.random() < 0.15)
        for _ in range(random.randrange(5))
    ]


def random_policy(random: Random) -> Policy:
    schedules = tuple(_schedule(random, number) for number in (1, 2))
    return Policy(
        regency=Regency(
            "Contoh",
            language=random.choice((Language.ID, Language.EN)),
            unknown_clients=random.choice(tuple(UnknownClients)),
            allow_list_only=random.random() < 0.05,
        ),
        agencies=tuple(Agency(number, f"a{number}", f"Agency {number}", random.random() < 0.1) for number in (1, 2)),
        units=(
            Unit(1, "u1", "Unit 1", 1, random.random() < 0.1),
            Unit(2, "u2", "Unit 2", 1),
            Unit(3, "u3", "Unit 3", 2),
        ),
        networks=(
            Network("10.1.0.0/16", 1),
            Network("10.1.1.0/24", 1, 1),
            Network("10.1.2.0/25", 1, 2),
            Network("10.2.0.0/16", 2, random.choice((0, 3))),
            Network("2001:db8::/32", 2),
        ),
        categories=tuple(
            Category(
                number,
                f"c{number}",
                f"Category {number}",
                number < 3,
                _answer(random) if number % 2 else None,
                random.random() < 0.15,
            )
            for number in (1, 2, 3, 4)
        ),
        lists=tuple(
            ListInfo(
                number,
                f"l{number}",
                f"List {number}",
                _category_ids(random),
                random.random() < 0.3,
                observe=random.random() < 0.15,
            )
            for number in (1, 2, 3, 4)
        ),
        services=tuple(
            Service(number, f"s{number}", f"Service {number}", random.randint(1, 4), _names(random))
            for number in (1, 2, 3)
        ),
        rules=tuple(_rule(random, number) for number in range(1, random.randrange(1, 16))),
        schedules=schedules,
        holidays=(Holiday("2026-08-17", "Kemerdekaan"), Holiday("2026-03-20", "Cuti Lebaran", joint_leave=True)),
        protected=tuple(".".join(random_name(random)) for _ in range(random.choice((0, 0, 1, 2)))),
        schedule_overrides=tuple(_override(random) for _ in range(random.choice((0, 0, 1, 3)))),
        pauses=tuple(_pause(random, number) for number in range(1, random.choice((1, 1, 2, 3)))),
    )


def _category_ids(random: Random) -> tuple[int, ...]:
    return tuple(random.sample(range(1, 5), random.choice((0, 1, 1, 2))))


def _names(random: Random) -> tuple[str, ...]:
    return tuple(".".join(random_name(random)) for _ in range(random.randrange(3)))


def _answer(random: Random) -> BlockAnswer | None:
    if random.random() < 0.5:
        return None
    kind = random.choice((AnswerKind.NXDOMAIN, AnswerKind.NODATA, AnswerKind.NULL))
    return BlockAnswer(kind, random.choice((30, 60, 300)))


def _schedule(random: Random, number: int) -> Schedule:
    return Schedule(
        number,
        f"t{number}",
        f"Schedule {number}",
        random.choice(ZONES),
        _windows(random, 1),
        random.random() < 0.5,
        tuple(_period(random) for _ in range(random.choice((0, 0, 1, 2)))),
        random.random() < 0.5,
    )


def _windows(random: Random, at_least: int) -> tuple[Window, ...]:
    return tuple(
        Window(
            tuple(sorted(random.sample(range(7), random.randint(1, 7)))),
            random.randrange(0, 1440, 30),
            random.randrange(0, 1441, 30),
        )
        for _ in range(random.randint(at_least, 3))
    )


def _period(random: Random) -> Period:
    first = date(2026, 1, 1) + timedelta(days=random.randrange(400))
    last = first + timedelta(days=random.randrange(60))
    return Period("Ramadan", first.isoformat(), last.isoformat(), _windows(random, 0))


def _override(random: Random) -> ScheduleOverride:
    scope = Scope(ScopeKind.AGENCY, random.randint(1, 2)) if random.random() < 0.5 else _unit_scope(random)
    return ScheduleOverride(scope, random.randint(1, 2), random.choice(tuple(Reading)), random.randint(1, 2))


def _pause(random: Random, number: int) -> Pause:
    scope = Scope(ScopeKind.AGENCY, random.randint(1, 2)) if random.random() < 0.5 else _unit_scope(random)
    begin_s = START_S + random.randrange(SPAN_S)
    return Pause(number, scope, begin_s, begin_s + random.randrange(SPAN_S))


def _action(random: Random, target: Target) -> Action:
    if target.kind is TargetKind.SEARCH and random.random() < 0.6:
        return Action.SAFE_SEARCH
    if target.kind is TargetKind.BYPASS:
        return random.choice((Action.BLOCK, Action.BLOCK, Action.ALLOW))
    return random.choice((Action.BLOCK, Action.BLOCK, Action.ALLOW, Action.OBSERVE, Action.REDIRECT))


def _rule(random: Random, number: int) -> Rule:
    target = _target(random)
    scope = random.choice((Scope(), Scope(ScopeKind.AGENCY, random.randint(1, 2)), _unit_scope(random)))
    start_s = START_S + random.randrange(SPAN_S) if random.random() < 0.1 else None
    end_s = START_S + random.randrange(SPAN_S) if random.random() < 0.1 else None
    return Rule(
        number,
        scope,
        target,
        _action(random, target),
        answer=_answer(random),
        schedule_id=random.choice((0, 0, 0, 1, 2)),
        valid_from_s=start_s,
        valid_until_s=end_s,
        mandatory=random.random() < 0.1,
        exception=random.random() < 0.15,
        important=random.random() < 0.15,
        approver=random.choice(("", "budi", "budi")),
    )


def _unit_scope(random: Random) -> Scope:
    return Scope(ScopeKind.UNIT, random.randint(1, 3))


def _target(random: Random) -> Target:
    kind = random.choice(tuple(TargetKind))
    if kind is TargetKind.SEARCH:
        return Target(kind, random.choice(("all", "google", "bing", "youtube-strict", "youtube-moderate")))
    if kind is TargetKind.BYPASS:
        return Target(kind, random.choice(tuple(Bypass)).value)
    if kind in (TargetKind.CATEGORY, TargetKind.LIST):
        return Target(kind, f"{'c' if kind is TargetKind.CATEGORY else 'l'}{random.randint(1, 4)}")
    if kind is TargetKind.SERVICE:
        return Target(kind, f"s{random.randint(1, 3)}")
    if kind is TargetKind.REGEX:
        return Target(kind, random.choice(EXPRESSIONS))
    if kind is TargetKind.NETWORK:
        return Target(kind, random.choice(("203.0.113.0/24", "203.0.113.0/25", "203.0.0.0/16", "2001:db8:f::/48")))
    name = ".".join(random_name(random))
    return Target(kind, f"*.{name}" if kind is TargetKind.WILDCARD and random.random() < 0.5 else name)
