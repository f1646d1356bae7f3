"""The catalogue's own soundness: what it holds can be adopted, and does not take down what it should not."""

from __future__ import annotations

import tomllib
from collections import Counter
from pathlib import Path

import pytest

from admin_api.catalogue.read import Catalogue, catalogue
from admin_api.fields import canonical_name
from admin_api.seed_document import parse_document
from blocklists.source import Source
from dnswire.name import from_text, parents

SAMPLE = Path(__file__).resolve().parents[3] / "examples" / "muba" / "regency.toml"
# Names that half the web, or the work of whole offices, hangs on: no service may hold one of them, or a parent.
SHARED = (
    *("go.id", "ac.id", "sch.id", "mil.id", "desa.id", "co.id", "or.id", "id", "com", "net", "org", "io", "me"),
    *("accounts.google.com", "www.google.com", "docs.google.com", "mail.google.com", "fonts.googleapis.com"),
    *("www.gstatic.com", "login.microsoftonline.com", "login.live.com", "outlook.office.com", "www.office.com"),
    *("appleid.apple.com", "gateway.icloud.com", "windowsupdate.com", "update.microsoft.com", "github.com"),
    *("cloudfront.net", "akamaized.net", "akamaihd.net", "edgesuite.net", "fastly.net", "cloudflare.com"),
    *("amazonaws.com", "azureedge.net", "windows.net", "pages.dev", "workers.dev", "github.io", "blogspot.com"),
    *("letsencrypt.org", "pki.goog", "digicert.com", "wikipedia.org", "qq.com"),
)


@pytest.fixture(scope="module")
def found() -> Catalogue:
    return catalogue()


def test_it_is_as_large_as_promised_and_knows_what_is_used_here(found: Catalogue) -> None:
    assert len(found.services) >= 100
    assert {
        *("shopee", "tokopedia", "lazada", "bukalapak", "bigo-live", "vidio", "kwai", "snackvideo", "mobile-legends"),
        *(
            "free-fire",
            "tiktok",
            "whatsapp",
            "nordvpn",
            "cloudflare-dns",
            "chatgpt",
            "bittorrent",
            "indodax",
            "anydesk",
        ),
    } <= found.services.keys()
    assert {"trustpositif", "hagezi-tif", "ut1-adult", "oisd-big", "stevenblack", "adguard-dns-filter", "urlhaus"} <= (
        found.sources.keys()
    )


def test_every_category_exists_and_has_something_in_it(found: Catalogue) -> None:
    used = {service.category for service in found.services.values()}
    used |= {category for source in found.sources.values() for category in source.categories}
    assert used == found.categories.keys()


def test_services_are_conditional_so_that_adopting_one_blocks_nothing(found: Catalogue) -> None:
    negative = {code for code, category in found.categories.items() if category.negative}
    assert not [code for code, service in found.services.items() if service.category in negative]


def test_categories_are_those_of_the_sample_where_both_have_them(found: Catalogue) -> None:
    sample = parse_document(tomllib.loads(SAMPLE.read_text(encoding="utf-8")))
    for category in sample.categories:
        own = found.categories[category.code]
        assert own.negative == category.negative, category.code


def test_every_name_is_valid_canonical_and_in_one_service_only(found: Catalogue) -> None:
    names = Counter(name for service in found.services.values() for name in service.names)
    assert [name for name, count in names.items() if count > 1] == []
    assert [name for name in names if canonical_name(name) != name] == []
    assert [name for name in names if "." not in name] == []


def test_a_name_below_another_of_its_own_service_would_be_in_vain(found: Catalogue) -> None:
    for service in found.services.values():
        own = {from_text(name) for name in service.names}
        for name in own:
            assert not own & set(list(parents(name))[1:]), service.code


def test_no_service_blocks_a_protected_or_a_shared_name(found: Catalogue) -> None:
    sample = parse_document(tomllib.loads(SAMPLE.read_text(encoding="utf-8")))
    kept = {parent for name in (*sample.protected, *SHARED) for parent in parents(from_text(name))}
    for service in found.services.values():
        assert not kept & {from_text(name) for name in service.names}, service.code


def test_no_code_is_that_of_a_service_and_of_a_list(found: Catalogue) -> None:
    assert not found.services.keys() & found.sources.keys()


def test_every_source_can_be_fetched_says_its_licence_and_is_no_ones_twice(found: Catalogue) -> None:
    locations = Counter((source.location, source.member) for source in found.sources.values())
    assert max(locations.values()) == 1
    for source in found.sources.values():
        for location in (source.location, *source.mirrors):
            assert location.startswith("https://"), source.code
            Source(source.code, location, source.format, member=source.member, min_entries=source.min_entries)
        assert source.licence
        assert source.homepage.startswith("https://")
