"""The sample regency is what ``make run`` shows first: it must be whole."""

from __future__ import annotations

import tomllib
from collections import Counter
from pathlib import Path

import pytest

from admin_api.database import open_database, sessions_of
from admin_api.migrations import upgrade
from admin_api.seed import import_regency
from admin_api.seed_document import Document, parse_document
from admin_api.to_policy import load_policy
from policy.check import check
from policy.model import TargetKind
from tests.support.admin import NOW_S

SAMPLE = Path(__file__).resolve().parents[3] / "examples" / "muba"

NEGATIVE = [
    "pornografi",
    "perjudian",
    "penipuan",
    "radikalisme",
    "sara",
    "kekerasan",
    "narkoba",
    "hki",
    "hoaks",
    "malware",
    "phishing",
]
CONDITIONAL = [
    "media_sosial",
    "streaming",
    "gim",
    "belanja",
    "kencan",
    "proxy_vpn",
    "doh",
    "iklan",
    "pelacak",
]
RESERVED = (".example", ".test", ".invalid")


@pytest.fixture(scope="module")
def document() -> Document:
    with (SAMPLE / "regency.toml").open("rb") as file:
        return parse_document(tomllib.load(file))


def test_all_categories_of_the_design_are_there(document: Document) -> None:
    kinds = {category.code: category.negative for category in document.categories}
    assert [code for code, negative in kinds.items() if negative] == NEGATIVE
    assert [code for code, negative in kinds.items() if not negative] == CONDITIONAL


def test_every_negative_category_has_a_starter_list(document: Document) -> None:
    fed = Counter(category for entry in document.lists for category in entry.categories)
    assert not [code for code in NEGATIVE if not fed[code]]


def test_starter_lists_are_there_and_name_no_real_site(document: Document) -> None:
    for entry in document.lists:
        text = (SAMPLE / entry.location).read_text(encoding="utf-8")
        words = [word for line in text.splitlines() if not line.startswith("#") for word in line.split()]
        names = [word for word in words if word not in {"0.0.0.0", "127.0.0.1", "localhost"}]
        assert names, entry.location
        assert not [name for name in names if not name.endswith(RESERVED)], entry.location


def test_every_agency_can_be_tried_from_loopback(document: Document) -> None:
    for agency in document.agencies:
        assert any(network.startswith("127.") for network in agency.networks), agency.code
        for unit in agency.unit:
            assert any(network.startswith("127.") for network in unit.networks), unit.code


def test_every_rule_names_its_letter(document: Document) -> None:
    for rule in document.rules:
        assert rule.basis is not None, rule.code
        assert rule.basis.number, rule.code
        assert rule.basis.signer, rule.code


async def test_the_sample_shows_each_thing_and_nobody_need_be_warned(tmp_path: Path) -> None:
    with (SAMPLE / "regency.toml").open("rb") as file:
        raw = tomllib.load(file)
    engine = open_database(f"sqlite:///{tmp_path}/saring.db")
    await upgrade(engine)
    async with sessions_of(engine).begin() as session:
        report = await import_regency(session, raw, now_s=NOW_S)
        policy = await load_policy(session)
    await engine.dispose()
    assert report.warnings == ()
    assert check(policy) == []
    parts = (policy.forwarders, policy.devices, policy.schedule_overrides, policy.regency.admin_networks)
    assert all(parts)
    assert {rule.target.kind for rule in policy.rules} >= {TargetKind.SEARCH, TargetKind.BYPASS}
    assert any(info.observe for info in policy.lists)
    assert any(day.joint_leave for day in policy.holidays)
    assert [period.title for schedule in policy.schedules for period in schedule.periods] == ["Ramadan 1448 H"]
