"""The difference of two policies: no fact is left out, and each is told in words."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import fields, is_dataclass, replace
from enum import Enum
from random import Random
from typing import Any, get_args, get_type_hints

import pytest

from policy.difference import COUNTED, KEYS, ChangeKind, difference
from policy.difference_words import PART_NAMES, in_words
from policy.fact_words import LABELS, Codes
from policy.model import (
    Action,
    Agency,
    AnswerKind,
    Basis,
    BlockAnswer,
    Category,
    Device,
    Forwarder,
    Holiday,
    Identification,
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
    Window,
)
from tests.support.random_policies import random_policy

ANSWER = BlockAnswer(AnswerKind.PAGE, 30, "10.0.0.9", "fd00::9")
WINDOW = Window((0, 1, 2, 3), 450, 720)
FULL = Policy(
    regency=Regency("Contoh", answer=ANSWER, admin_networks=("10.9.0.0/24",)),
    agencies=(Agency(1, "dinkes", "Dinas Kesehatan"), Agency(2, "disdik", "Dinas Pendidikan")),
    units=(Unit(1, "igd", "IGD", 1), Unit(2, "lab", "Laboratorium", 2)),
    networks=(Network("10.0.1.0/24", 1, 1),),
    categories=(Category(1, "medsos", "Media sosial", answer=ANSWER), Category(2, "gim", "Gim")),
    lists=(ListInfo(1, "trustpositif", "TrustPositif", (1,), True, "3.abc"),),
    services=(Service(1, "tiktok", "TikTok", 1, ("tiktok.com",)),),
    rules=(
        Rule(
            1,
            Scope(),
            Target(TargetKind.CATEGORY, "medsos"),
            Action.BLOCK,
            "Blokir media sosial",
            ANSWER,
            1,
            1_795_478_400,
            1_800_000_000,
            basis=Basis("800/1/2026", "2026-01-05", "Bupati", "lampiran"),
            author="sari",
            approver="budi",
        ),
    ),
    schedules=(
        Schedule(
            1, "jam-kerja", "Jam kerja", windows=(WINDOW,), periods=(Period("Ramadan", "2027-02-08", "2027-03-09"),)
        ),
        Schedule(2, "jam-kerja-ramadan", "Jam kerja Ramadan"),
    ),
    holidays=(Holiday("2026-08-17", "Kemerdekaan"),),
    protected=("go.id",),
    schedule_overrides=(ScheduleOverride(Scope(ScopeKind.UNIT, 1), 1, Reading.SCHEDULE, 2),),
    forwarders=(Forwarder(1, "10.0.1.1/32", "Router", (1,), (Identification.MAC,)),),
    devices=(Device(Identification.MAC, "02:00:00:00:00:01", 1, 1),),
    pauses=(Pause(1, Scope(ScopeKind.AGENCY, 1), 1_795_478_400, 1_795_480_200, "sari", "rapat"),),
)


def _types(kind: Any) -> Iterator[type]:
    """Every dataclass that a type speaks of, itself included."""
    if is_dataclass(kind) and isinstance(kind, type):
        yield kind
        for hint in get_type_hints(kind).values():
            yield from _types(hint)
    for argument in get_args(kind):
        yield from _types(argument)


FACTS = sorted(set(_types(Policy)) - {Policy}, key=lambda kind: kind.__name__)


def _other(value: Any) -> Any:
    """Another value of the same kind."""
    if isinstance(value, bool):
        return not value
    if isinstance(value, Enum):
        return next(member for member in type(value) if member is not value)
    if isinstance(value, str):
        return f"{value}x"
    if isinstance(value, int):
        return value + 1
    if isinstance(value, tuple):
        return (_other(value[0]), *value[1:]) if value else ("x",)
    if value is None:
        return ANSWER
    return replace(value, **{fields(value)[0].name: _other(getattr(value, fields(value)[0].name))})


def test_every_part_of_a_policy_is_compared_and_has_a_name() -> None:
    assert set(KEYS) | COUNTED == {field.name for field in fields(Policy)}
    assert set(KEYS) == set(PART_NAMES)
    empty = [part for part in KEYS if not getattr(FULL, part)]
    assert not empty, f"the policy of this test has none of {empty}"


@pytest.mark.parametrize("fact", FACTS, ids=lambda fact: fact.__name__)
def test_every_field_has_a_name_in_both_languages_and_every_identifier_a_code(fact: type) -> None:
    names = [field.name for field in fields(fact)]
    assert not set(names) - set(LABELS)
    known = Codes(FULL).by_field
    assert not [name for name in names if name.endswith(("_id", "_ids")) and name not in known]


@pytest.mark.parametrize("part", KEYS)
def test_every_field_of_every_part_is_noticed(part: str) -> None:
    content = getattr(FULL, part)
    thing = content[0] if isinstance(content, tuple) else content
    if isinstance(thing, str):
        changes = difference(FULL, replace(FULL, **{part: (_other(thing),)}))
        assert {change.kind for change in changes} == {ChangeKind.ADDED, ChangeKind.REMOVED}
        return
    for field in fields(thing):
        changed = replace(thing, **{field.name: _other(getattr(thing, field.name))})
        after = replace(FULL, **{part: (changed, *content[1:]) if isinstance(content, tuple) else changed})
        found = difference(FULL, after)
        told = in_words(found, FULL, after, Language.ID)
        if KEYS[part](changed) != KEYS[part](thing):
            gone = {KEYS[part](thing): ChangeKind.REMOVED, KEYS[part](changed): ChangeKind.ADDED}
            # The next thing may have that key already, and is then what is there twice.
            assert {change.key[: len(KEYS[part](thing))]: change.kind for change in found}.items() >= gone.items() or (
                len(found) >= 2
            )
            continue
        assert [(change.kind, change.part, change.fields) for change in found] == [
            (ChangeKind.CHANGED, part, (field.name,))
        ]
        assert told[0].text.startswith(PART_NAMES[part][0])
        assert f"{LABELS[field.name][0]} " in told[0].text
        assert told[0].fields[0].before != told[0].fields[0].after


def test_a_change_is_told_in_codes_and_words() -> None:
    rule = replace(FULL.rules[0], schedule_id=2, valid_until_s=None)
    service = replace(FULL.services[0], names=("tiktok.com", "tiktokv.com"), category_id=2)
    after = replace(FULL, rules=(rule,), services=(service,), protected=(), networks=(Network("10.2.0.0/24", 2, 2),))
    changes = difference(FULL, after)
    assert [one.text for one in in_words(changes, FULL, after, Language.EN)] == [
        "Network 10.0.1.0/24 removed: agency dinkes; unit dinkes/igd",
        "Network 10.2.0.0/24 added: agency disdik; unit disdik/lab",
        "Service tiktok: category medsos -> gim; names +tiktokv.com",
        "Protected name go.id removed",
        "Rule 'Blokir media sosial' (regency): schedule jam-kerja -> jam-kerja-ramadan; "
        "valid until 2027-01-15 15:00 WIB -> -",
    ]
    assert [one.text for one in in_words(changes, FULL, after)][-1] == (
        "Aturan 'Blokir media sosial' (kabupaten): jadwal jam-kerja -> jam-kerja-ramadan; "
        "berlaku sampai 2027-01-15 15:00 WIB -> -"
    )


def test_a_long_list_of_names_is_told_shortened() -> None:
    service = replace(FULL.services[0], names=tuple(f"a{number}.example" for number in range(20)))
    after = replace(FULL, services=(service,))
    (told,) = in_words(difference(FULL, after), FULL, after, Language.EN)
    assert told.text.endswith("+a7.example, +(12 ...), -tiktok.com")
    assert told.fields[0].after.endswith("a19.example")


def test_an_added_rule_is_told_with_all_that_it_says() -> None:
    (told,) = in_words(difference(replace(FULL, rules=()), FULL), FULL, FULL, Language.EN)
    assert told.text == (
        "Rule 'Blokir media sosial' (regency) added: target category medsos; action block; "
        "answer page 10.0.0.9 fd00::9, TTL 30 s; schedule jam-kerja; valid from 2026-11-24 07:00 WIB; "
        "valid until 2027-01-15 15:00 WIB; letter 800/1/2026, 2026-01-05, Bupati, (lampiran); written by sari; "
        "approved by budi"
    )


def _applied(policy: Policy, other: Policy) -> Policy:
    """``policy`` with the difference to ``other`` carried out."""
    parts: dict[str, dict[Any, Any]] = {}
    for part, key in KEYS.items():
        content = getattr(policy, part)
        parts[part] = {key(thing): thing for thing in content} if isinstance(content, tuple) else {(): content}
    for change in difference(policy, other):
        if change.after is None:
            del parts[change.part][change.key]
        else:
            parts[change.part][change.key] = change.after
    content = {part: tuple(things[key] for key in sorted(things)) for part, things in parts.items()}
    return Policy(**{**content, "regency": content["regency"][0]}, revision=other.revision)


def _sorted(policy: Policy) -> Policy:
    """In the order of keys, each of which is there once."""
    content = {
        part: {KEYS[part](thing): thing for thing in getattr(policy, part)} for part in KEYS if part != "regency"
    }
    return replace(policy, **{part: tuple(things[key] for key in sorted(things)) for part, things in content.items()})


def test_the_difference_carried_out_gives_the_other_policy() -> None:
    random = Random(4)
    policies = [_sorted(random_policy(random)) for _ in range(60)] + [FULL]
    for one, other in itertools.pairwise(policies):
        assert _applied(one, other) == other
        assert difference(one, one) == ()
        assert all(words.text for words in in_words(difference(one, other), one, other))
