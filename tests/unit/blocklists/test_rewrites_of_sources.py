"""A source may send names to addresses of its choice only where people said so."""

from __future__ import annotations

from pathlib import Path

import pytest

from blocklists.formats.harvest import Reason
from blocklists.source import Source
from tests.support.lists import parsed_from

ADBLOCK = b"||iklan.example^\n||bank.example^$dnsrewrite=203.0.113.66\n||nol.example^$dnsrewrite=0.0.0.0\n"
ZONE = b"""$ORIGIN rpz.test.
@ 60 IN SOA ns. host. 1 3600 600 86400 60
judi.example 60 IN CNAME .
bank.example 60 IN A 203.0.113.66
toko.example 60 IN CNAME tiruan.example.
"""


@pytest.mark.parametrize(
    ("form", "content", "left_aside", "kept"), [("adblock", ADBLOCK, 1, 1), ("rpz", ZONE, 2, 0)]
)
def test_rewrites_are_left_aside_and_counted(
    tmp_path: Path, form: str, content: bytes, left_aside: int, kept: int
) -> None:
    parsed = parsed_from(tmp_path, content, Source("x", "x", format=form))
    assert (dict(parsed.reasons), parsed.beyond) == ({"rewrite": left_aside}, left_aside)
    assert parsed.names == 1 + kept  # neither blocks nor allows in their place
    told = [complaint for complaint in parsed.complaints if complaint.reason is Reason.REWRITE]
    assert "bank.example" in told[0].text
    assert "rewrites = true" in told[0].reason.sentence


@pytest.mark.parametrize(("form", "content", "kept"), [("adblock", ADBLOCK, 2), ("rpz", ZONE, 2)])
def test_with_the_administrators_word_they_are_taken(tmp_path: Path, form: str, content: bytes, kept: int) -> None:
    parsed = parsed_from(tmp_path, content, Source("x", "x", format=form, rewrites=True))
    assert (parsed.names, parsed.beyond) == (1 + kept, 0)


def test_the_same_content_is_parsed_anew_where_the_word_changes() -> None:
    assert Source("x", "x").recipe != Source("x", "x", rewrites=True).recipe


@pytest.mark.parametrize("code", ["insight", "overlap", "holders", "overrides"])
def test_codes_with_a_meaning_in_the_api_are_refused(code: str) -> None:
    with pytest.raises(ValueError, match="meaning of its own"):
        Source(code, "x")
