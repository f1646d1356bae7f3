"""A replay counts what deciding every row anew, at its own time, would count."""

from __future__ import annotations

import os
from collections import Counter
from dataclasses import replace
from random import Random

from dnswire.name import from_text
from policy.decide import combine, decide
from policy.model import Decision, Policy, Verdict, Via
from policy.prepare import Prepared, Tenant, prepare
from policy.replay import Asked, Effect, Replay, ReplayResult, effect_of
from policy.replay_side import Side
from policy.replay_times import spans_of
from policy.resolve import at
from tests.support.plain_index import PlainIndex
from tests.support.random_policies import SPAN_S, START_S, random_name, random_policy

ROUNDS = int(os.environ.get("SARING_REPLAY_ROUNDS", "12"))
ROWS = 100
DAY_S = 86_400

Row = tuple[float, str, str, str, int, str, str]  # time, agency, unit, name, type, via, matched


def _index(random: Random) -> PlainIndex:
    entries = {
        number: [random.choice(("", "*.", "@@")) + ".".join(random_name(random)) for _ in range(random.randrange(4))]
        for number in range(1, 5)
    }
    return PlainIndex(entries)


def _draft(random: Random, policy: Policy) -> Policy:
    """Another policy of the same world: some parts as they were, others as of somebody else's."""
    other = random_policy(random)
    parts = [name for name in ("rules", "categories", "lists", "services", "schedules", "holidays", "protected",
                               "schedule_overrides", "pauses", "agencies") if random.random() < 0.4]  # fmt: skip
    return replace(policy, **{name: getattr(other, name) for name in parts})


def _rows(random: Random, policy: Policy, from_s: float, until_s: float) -> list[Row]:
    codes = {agency.id: agency.code for agency in policy.agencies}
    tenants = [("", ""), ("gone", ""), *((code, "") for code in codes.values())]
    tenants += [(codes[unit.agency_id], unit.code) for unit in policy.units]
    rows = []
    for _ in range(ROWS):
        name = ".".join(random_name(random))
        via, matched = random.choice(
            (("question", ""),) * 6 + (("alias", ".".join(random_name(random))), ("address", ""))
        )
        rows.append(
            (random.uniform(from_s, until_s), *random.choice(tenants), name, random.choice((1, 28)), via, matched)
        )
    return rows


class Naive:
    """Every row by itself."""

    def __init__(self, prepared: Prepared, index: PlainIndex) -> None:
        self._prepared = prepared
        self._index = index
        codes = {agency.id: agency.code for agency in prepared.policy.agencies}
        self.tenants = {("", ""): Tenant(0, 0)} | {(code, ""): Tenant(number, 0) for number, code in codes.items()}
        self.tenants |= {
            (codes[unit.agency_id], unit.code): Tenant(unit.agency_id, unit.id) for unit in prepared.policy.units
        }

    def decided(self, row: Row, tenant: Tenant) -> Decision:
        at_s, _, _, name, rrtype, via, matched = row
        view = at(self._prepared, at_s).tenant(tenant.agency_id, tenant.unit_id).view
        question, target = ((from_text(text), self._index.match(from_text(text))) for text in (name, matched or name))
        found = decide(view, question[1], question[0], rrtype)
        return combine(found, decide(view, target[1], target[0], rrtype), Via.ALIAS) if via == "alias" else found


def _counted(before: Naive, after: Naive, rows: list[Row]) -> tuple[Counter[Effect], Counter[tuple[Effect, str]], int]:
    effects: Counter[Effect] = Counter()
    names: Counter[tuple[Effect, str]] = Counter()
    unknown = 0
    for row in rows:
        place = row[1], row[2]
        if row[5] == "address" or place not in before.tenants:
            unknown += 1
            continue
        was = before.decided(row, before.tenants[place])
        now = after.decided(row, after.tenants[place])
        effect = effect_of(was, now)
        effects[effect] += 1
        names[effect, row[3]] += 1
        barred = [one.verdict in (Verdict.BLOCKED, Verdict.REDIRECTED) for one in (was, now)]
        assert (effect in (Effect.BLOCKED, Effect.FREED)) == (barred[0] != barred[1])
    return effects, names, unknown


def _replayed(policies: tuple[Prepared, Prepared], indexes: tuple[PlainIndex, PlainIndex], rows: list[Row],
              from_s: float, until_s: float) -> ReplayResult:  # fmt: skip
    spans = spans_of(policies, from_s, until_s)
    counts: Counter[tuple[str, int, str, str, int, str, str]] = Counter()
    for at_s, agency, unit, name, rrtype, via, matched in rows:
        (state,) = (span.state for span in spans.spans if span.from_s <= at_s < span.until_s)
        counts[name, rrtype, agency, unit, state, via, matched] += 1
    sides = [Side(one, index, spans.instants) for one, index in zip(policies, indexes, strict=True)]
    replay = Replay(sides[0], sides[1], lambda agency, unit: (agency, unit))
    asked: list[Asked] = [(*key, count) for key, count in sorted(counts.items())]
    middle = len(asked) // 2
    replay.add(asked[:middle])
    replay.add(asked[middle:])
    return replay.result()


def test_a_replay_equals_deciding_each_row() -> None:
    random = Random(9)
    seen: Counter[Effect] = Counter()
    for _ in range(ROUNDS):
        policy = random_policy(random)
        policies = prepare(policy), prepare(_draft(random, policy))
        index = _index(random)
        indexes = index, index if random.random() < 0.5 else _index(random)
        from_s = START_S + random.randrange(SPAN_S)
        until_s = from_s + random.choice((3_600, 3 * DAY_S, 40 * DAY_S))
        rows = _rows(random, policy, from_s, until_s)
        result = _replayed(policies, indexes, rows, from_s, until_s)
        naive = Naive(policies[0], indexes[0]), Naive(policies[1], indexes[1])
        effects, names, unknown = _counted(*naive, rows)
        assert result.effects == {effect.value: effects[effect] for effect in Effect}
        assert sum(result.unknown.values()) == unknown
        assert (result.queries, sum(one.queries for one in result.tenants)) == (ROWS, ROWS - unknown)
        for effect, counted in ((Effect.BLOCKED, result.newly_blocked), (Effect.FREED, result.newly_freed)):
            wanted = {name: count for (which, name), count in names.items() if which is effect}
            assert {one.name: one.queries for one in counted.top} == wanted
            assert (counted.names, counted.queries) == (len(wanted), sum(wanted.values()))
            by_tenant: Counter[str] = Counter()
            for tallies in counted.by_tenant.values():
                by_tenant.update(tallies)
            assert by_tenant == wanted
        seen += effects
    assert all(seen[effect] for effect in Effect), f"this test never saw {[one for one in Effect if not seen[one]]}"
