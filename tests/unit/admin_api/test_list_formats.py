"""What the API accepts as a list's source is what the engine knows, and reaches it."""

from __future__ import annotations

from dataclasses import replace
from typing import get_args

import pytest
from pydantic import TypeAdapter, ValidationError

from admin_api import fields as f
from admin_api.to_policy import SourceRow
from blocklists.formats.detect import BY_NAME
from blocklists.source import AUTO, FORMAT_NAMES
from saring.list_sync import source_of


def test_the_formats_of_the_api_are_those_of_the_engine() -> None:
    assert get_args(f.ListFormat) == FORMAT_NAMES
    assert set(FORMAT_NAMES) == {AUTO, *BY_NAME}


@pytest.mark.parametrize("member", ["", "judi", "blacklists/adult", "blacklists/adult/domains"])
def test_members_are_paths_inside(member: str) -> None:
    assert TypeAdapter(f.ListMember).validate_python(member) == member


@pytest.mark.parametrize("member", ["/etc", "..", "a/../b", "a/", "x" * 201, "a\\b"])
def test_other_members_are_refused(member: str) -> None:
    with pytest.raises(ValidationError):
        TypeAdapter(f.ListMember).validate_python(member)


def test_landing_names_and_addresses_come_in_one_spelling() -> None:
    found = TypeAdapter(f.Landing).validate_python(
        ["Blokir.Contoh.Example.", "192.0.2.1", "2001:DB8:0::1", "bücher.example"]
    )
    assert found == ["blokir.contoh.example", "192.0.2.1", "2001:db8::1", "xn--bcher-kva.example"]
    with pytest.raises(ValidationError):
        TypeAdapter(f.Landing).validate_python(["a..b"])


def test_a_row_says_all_of_it_to_the_engine() -> None:
    row = SourceRow(
        list_id=1,
        code="judi",
        title="Judi",
        location="/lists",
        format="ut1",
        subdomains=None,
        national=False,
        enabled=True,
        max_size_bytes=2048,
        shrink_limit=0.3,
        min_entries=1,
        allow_private=False,
        categories=("perjudian",),
        member="judi",
        landing=("blokir.example",),
        sha256="0" * 64,
        rewrites=True,
    )
    source = source_of(row, False)
    assert (source.member, source.landing, source.sha256) == ("judi", ("blokir.example",), "0" * 64)
    assert source.rewrites
    assert source.recipe != source_of(replace(row, member="slot"), False).recipe
