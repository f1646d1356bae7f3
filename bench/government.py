"""A government of the size that issue 4 names, made by a seed: the same every time."""

from __future__ import annotations

from random import Random

from policy.model import (
    Action,
    Agency,
    Basis,
    Category,
    Holiday,
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
    Window,
)

AGENCIES, UNITS, NETWORKS, RULES, EXCEPTIONS, SERVICES, SCHEDULES = 60, 600, 5_000, 5_000, 200, 200, 40
CATEGORIES = 20
LISTS = 12
AT_S = 1_772_420_400.0  # Monday 2026-03-02 10:00 in Jakarta


def government() -> Policy:
    """60 agencies, 600 units, 5,000 networks, 5,000 rules, 200 exceptions, 200 services, 40 schedules, 3 pauses.

    A hundredth of the rules are on all search engines, 230 names each; 60 tenants read a schedule in their own way.
    """
    random = Random(2026)
    agencies = tuple(Agency(number, f"opd{number}", f"Dinas {number}") for number in range(1, AGENCIES + 1))
    units = tuple(
        Unit(number, f"u{number}", f"Bagian {number}", 1 + number % AGENCIES) for number in range(1, UNITS + 1)
    )
    return Policy(
        regency=Regency("Contoh"),
        agencies=agencies,
        units=units,
        networks=tuple(_network(number, units) for number in range(NETWORKS)),
        categories=tuple(
            Category(number, f"c{number}", f"Kategori {number}", number <= 11) for number in range(1, CATEGORIES + 1)
        ),
        lists=tuple(
            ListInfo(number, f"l{number}", f"Daftar {number}", (number,), number == 1) for number in range(1, LISTS + 1)
        ),
        services=tuple(_service(number) for number in range(1, SERVICES + 1)),
        rules=tuple(_rule(random, number) for number in range(1, RULES + EXCEPTIONS + 1)),
        schedules=tuple(_schedule(random, number) for number in range(1, SCHEDULES + 1)),
        holidays=tuple(Holiday(f"2026-{month:02}-01", "Libur") for month in range(1, 13)),
        protected=tuple(f"layanan{number}.go.id" for number in range(300)),
        schedule_overrides=tuple(_override(random, number) for number in range(60)),
        pauses=tuple(
            Pause(number, Scope(ScopeKind.AGENCY, number), int(AT_S) - 60, int(AT_S) + 1_740) for number in (3, 9, 27)
        ),
    )


def _override(random: Random, number: int) -> ScheduleOverride:
    """Of every second agency and of thirty units."""
    scope = Scope(ScopeKind.AGENCY, 2 * number + 2) if number < 30 else Scope(ScopeKind.UNIT, number)
    reading = random.choice((Reading.SCHEDULE, Reading.NEVER, Reading.ALWAYS))
    return ScheduleOverride(scope, random.randint(1, SCHEDULES), reading, random.randint(1, SCHEDULES))


def _network(number: int, units: tuple[Unit, ...]) -> Network:
    unit = units[number % len(units)]
    if number % 10 == 9:
        return Network(f"2001:db8:{number:x}::/48", unit.agency_id, unit.id)
    length = (24, 25, 26, 28)[number % 4]
    return Network(f"10.{number // 250}.{number % 250}.0/{length}", unit.agency_id, unit.id)


def _service(number: int) -> Service:
    names = tuple(f"layanan{number}-{part}.example" for part in range(12))
    return Service(number, f"s{number}", f"Layanan {number}", 12 + number % 9, names)


def _schedule(random: Random, number: int) -> Schedule:
    start_min = random.randrange(360, 540, 15)
    windows = (
        Window((0, 1, 2, 3), start_min, 720),
        Window((0, 1, 2, 3), 780, 960),
        Window((4,), start_min, 690),
        Window((4,), 810, 990),
    )
    ramadan = Period("Ramadan", "2026-02-18", "2026-03-19", (Window((0, 1, 2, 3, 4), 480, 900),))
    return Schedule(number, f"t{number}", f"Jadwal {number}", "Asia/Jakarta", windows, True, (ramadan,))


def _rule(random: Random, number: int) -> Rule:
    exception = number > RULES
    scope, target = _scope(random), _target(random, number)
    return Rule(
        number,
        scope,
        target,
        _action(random, target, exception),
        title=f"Aturan {number}",
        schedule_id=random.choice((0, 1 + number % SCHEDULES)),
        exception=exception,
        basis=Basis(f"800/{number}/OPD/2026", "2026-01-05", "Kepala Dinas"),
        author="sari",
        approver="budi",
    )


def _action(random: Random, target: Target, exception: bool) -> Action:
    if exception:
        return Action.ALLOW
    if target.kind is TargetKind.SEARCH:
        return Action.SAFE_SEARCH
    return random.choice((Action.BLOCK, Action.BLOCK, Action.ALLOW, Action.OBSERVE))


def _scope(random: Random) -> Scope:
    turn = random.random()
    if turn < 0.02:
        return Scope()
    if turn < 0.3:
        return Scope(ScopeKind.AGENCY, random.randint(1, AGENCIES))
    return Scope(ScopeKind.UNIT, random.randint(1, UNITS))


def _target(random: Random, number: int) -> Target:
    turn = random.random()
    if turn < 0.35:
        return Target(TargetKind.NAME, f"www{number}.situs{number % 900}.example")
    if turn < 0.7:
        return Target(TargetKind.WILDCARD, f"situs{random.randrange(900)}.example")
    if turn < 0.8:
        return Target(TargetKind.SERVICE, f"s{random.randint(1, SERVICES)}")
    if turn < 0.95:
        return Target(TargetKind.CATEGORY, f"c{random.randint(12, CATEGORIES)}")
    if turn < 0.98:
        return Target(TargetKind.NETWORK, f"203.0.{random.randrange(256)}.0/24")
    if turn < 0.99:
        return Target(TargetKind.SEARCH, "all")
    return Target(TargetKind.REGEX, rf"^iklan{number}[0-9]*\.")
