"""A source may send names to addresses of its choice only where people said so."""

from __future__ import annotations

from pathlib import Path

import pytest

from blocklists.admission import Gate, Refused
from blocklists.entries import read_rules
from blocklists.formats.harvest import Reason
from blocklists.rule import RuleAction
from blocklists.source import Source
from tests.support.lists import entries_in, parsed_from

# By format: a text, and how many of its lines send names elsewhere.
LISTS = {
    "adblock": (
        b"||iklan.example^\n||bank.example^$dnsrewrite=203.0.113.66\n||nol.example^$dnsrewrite=0.0.0.0\n"
        b"203.0.113.66 toko.example\n",
        2,
    ),
    "rpz": (
        b"$ORIGIN rpz.test.\n@ 60 IN SOA ns. host. 1 3600 600 86400 60\njudi.example 60 IN CNAME .\n"
        b"bank.example 60 IN A 203.0.113.66\ntoko.example 60 IN CNAME tiruan.example.\n",
        2,
    ),
    "hosts": (b"0.0.0.0 judi.example\n203.0.113.66 bank.example toko.example\n2001:db8::1 surel.example\n", 3),
    "dnsmasq": (b"local=/judi.example/\naddress=/bank.example/toko.example/203.0.113.66\n", 2),
    "unbound": (
        b'local-zone: "judi.example" redirect\nlocal-zone: "bank.example" redirect\n'
        b'local-data: "bank.example A 203.0.113.66"\nlocal-data: "bank.example A 203.0.113.67"\n'
        b'local-data: "toko.example CNAME tiruan.example."\n',
        2,
    ),
}


def actions(entries: Path | None) -> list[RuleAction]:
    assert entries is not None
    return [rule.action for rule in read_rules(entries) if rule.leads_elsewhere]


@pytest.mark.parametrize("form", LISTS)
def test_rewrites_are_left_aside_and_counted(tmp_path: Path, form: str) -> None:
    content, left_aside = LISTS[form]
    parsed = parsed_from(tmp_path, content, Source("x", "x", format=form))
    assert (dict(parsed.reasons), parsed.beyond) == ({"rewrite": left_aside}, left_aside)
    assert actions(parsed.entries) == []
    # Neither blocks nor allows in their place:
    assert parsed.entries is not None
    assert not {"bank.example", "toko.example"} & {name for name, _ in entries_in(parsed.entries)}
    told = [complaint for complaint in parsed.complaints if complaint.reason is Reason.REWRITE]
    assert any("bank.example" in complaint.text for complaint in told)
    assert "rewrites = true" in told[0].reason.sentence


@pytest.mark.parametrize("form", LISTS)
def test_with_the_administrators_word_they_are_taken(tmp_path: Path, form: str) -> None:
    content, rewrites = LISTS[form]
    parsed = parsed_from(tmp_path, content, Source("x", "x", format=form, rewrites=True))
    assert (parsed.beyond, parsed.invalid) == (0, 0)
    assert actions(parsed.entries) == [RuleAction.REWRITE] * rewrites


@pytest.mark.parametrize("form", ["hosts", "dnsmasq", "adblock"])
def test_where_a_publisher_sends_what_he_blocks_is_a_block(tmp_path: Path, form: str) -> None:
    content, _ = LISTS[form]
    stated = Source("x", "x", format=form, landing=("203.0.113.66",))
    parsed = parsed_from(tmp_path, content, stated)
    assert parsed.entries is not None
    assert "toko.example" in {name for name, _ in entries_in(parsed.entries)}


def test_a_zone_that_sends_all_names_elsewhere_says_what_may_be_the_matter(tmp_path: Path) -> None:
    """Its publisher took another landing name: names are neither freed nor sent there, the last version stays."""
    content = b"a.example CNAME blokir.example.\nb.example CNAME blokir.example.\n"
    source = Source("nasional", "x", format="rpz")
    refused = Gate().admit(parsed_from(tmp_path, content, source), "0" * 64, source, None)
    assert isinstance(refused, Refused)
    assert "2 of them with something that blocks nothing" in refused.cause
    assert "line 1: 'a.example CNAME blokir.example.' sends a name elsewhere" in refused.cause
    assert "landing" in refused.cause


def test_rules_for_clients_with_tags_are_counted_as_for_nobody(tmp_path: Path) -> None:
    content = b"||a.example^$ctag=user_child\n||b.example^$ctag=~user_child\n"
    parsed = parsed_from(tmp_path, content, Source("x", "x", format="adblock"))
    assert dict(parsed.reasons) == {"tags": 1}
    assert "for nobody" in parsed.complaints[0].reason.sentence


def test_the_same_content_is_parsed_anew_where_the_word_changes() -> None:
    assert Source("x", "x").recipe != Source("x", "x", rewrites=True).recipe


@pytest.mark.parametrize("code", ["insight", "overlap", "holders", "overrides"])
def test_codes_with_a_meaning_in_the_api_are_refused(code: str) -> None:
    with pytest.raises(ValueError, match="meaning of its own"):
        Source(code, "x")
