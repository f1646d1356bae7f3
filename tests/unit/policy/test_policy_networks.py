"""Ranges and longest prefixes."""

from __future__ import annotations

from ipaddress import ip_address, ip_network
from random import Random

import pytest

from policy.model import Network
from policy.networks import NetworkSyntaxError, Prefix, PrefixTable, has_host_bits, is_private, parse, unmapped
from policy.overlaps import overlaps


def packed(text: str) -> bytes:
    return ip_address(text).packed


def test_reads_ranges_and_single_addresses() -> None:
    assert parse("10.20.0.0/16") == Prefix(32, 16, 0x0A14)
    assert parse("0.0.0.0/0") == Prefix(32, 0, 0)
    assert parse("10.0.0.1") == Prefix(32, 32, 0x0A000001)
    assert parse("2001:db8::/32") == Prefix(128, 32, 0x20010DB8)


def test_a_mapped_range_is_the_ipv4_range() -> None:
    assert parse("::ffff:10.20.0.0/112") == parse("10.20.0.0/16")
    assert parse("::ffff:10.20.0.1") == parse("10.20.0.1")
    assert parse("::/90").bits == 128


@pytest.mark.parametrize(
    "text",
    ["", "x", "10.0.0.0/33", "10.0.0.0/", "10.0.0.0/-1", "10.0.0/8", "::/129", "10.0.0.0/0x8", "1.2.3.4/²", "a\0"],
)
def test_what_is_no_range_says_so(text: str) -> None:
    with pytest.raises(NetworkSyntaxError):
        parse(text)


def test_host_bits_are_told_and_dropped() -> None:
    assert has_host_bits("10.20.0.5/16")
    assert not has_host_bits("10.20.0.0/16")
    assert not has_host_bits("10.20.0.5")
    assert parse("10.20.0.5/16") == parse("10.20.0.0/16")


def test_longest_prefix_wins_in_both_families() -> None:
    table = PrefixTable(
        [(parse(text), text) for text in ("10.0.0.0/8", "10.1.0.0/16", "10.1.2.3", "::/0", "2001:db8::/32")]
    )
    assert table.find(packed("10.1.2.3")) == "10.1.2.3"
    assert table.find(packed("10.1.2.4")) == "10.1.0.0/16"
    assert table.find(packed("::ffff:10.9.9.9")) == "10.0.0.0/8"
    assert table.find(packed("11.0.0.1")) is None
    assert table.find(packed("2001:db8::1")) == "2001:db8::/32"
    assert table.find(packed("2001:db9::1")) == "::/0"
    assert table.find_all(packed("10.1.2.3")) == [(32, "10.1.2.3"), (16, "10.1.0.0/16"), (8, "10.0.0.0/8")]


def test_of_equal_prefixes_the_first_stands() -> None:
    table = PrefixTable([(parse("10.0.0.0/8"), 1), (parse("10.9.9.9/8"), 2)])
    assert table.find(packed("10.0.0.1")) == 1
    assert table.size == 1


def test_random_tables_equal_a_linear_search() -> None:
    random = Random(7)
    texts = [
        f"10.{random.randrange(4)}.{random.randrange(4)}.0/{random.choice((8, 12, 16, 22, 24, 25, 32))}"
        for _ in range(60)
    ]
    ranges = {ip_network(text, strict=False) for text in texts}
    table = PrefixTable([(parse(str(each)), each) for each in ranges])
    for _ in range(500):
        address = ip_address(f"10.{random.randrange(5)}.{random.randrange(5)}.{random.randrange(256)}")
        holding = [each for each in ranges if address in each]
        expected = max(holding, key=lambda each: each.prefixlen, default=None)
        assert table.find(address.packed) == expected


def test_an_address_has_four_or_sixteen_octets() -> None:
    with pytest.raises(ValueError, match="4 or 16 octets, not 5"):
        unmapped(b"12345")


@pytest.mark.parametrize(
    "text", ["10.0.0.1", "172.31.0.1", "192.168.1.1", "100.64.0.1", "127.0.0.1", "fd00::1", "fe80::1", "::1"]
)
def test_private_addresses(text: str) -> None:
    assert is_private(packed(text))


@pytest.mark.parametrize("text", ["8.8.8.8", "172.32.0.1", "100.128.0.1", "2001:db8::1", "::ffff:8.8.8.8", "::2"])
def test_public_addresses(text: str) -> None:
    assert not is_private(packed(text))


def test_overlaps_name_the_narrowest_range_around_and_what_it_loses() -> None:
    agency = Network("10.20.0.0/16", 1)
    unit = Network("10.20.4.0/24", 1, 7)
    other = Network("10.20.4.128/26", 2)
    apart = Network("2001:db8::/32", 1)
    hole = Network("2001:db8:7::/48", 2)
    found = overlaps((other, hole, agency, Network("nonsense", 3), apart, unit, Network("10.20.0.0/16", 3)))
    assert [(one.inner.cidr, one.inner.agency_id, one.outer.cidr) for one in found] == [
        ("10.20.0.0/16", 3, "10.20.0.0/16"),
        ("10.20.4.0/24", 1, "10.20.0.0/16"),
        ("10.20.4.128/26", 2, "10.20.4.0/24"),
        ("2001:db8:7::/48", 2, "2001:db8::/32"),
    ]
    assert [one.addresses for one in found] == ["65536 addresses", "256 addresses", "64 addresses", "a /48"]
    assert [one.same_range for one in found] == [True, False, False, False]
    [nested] = overlaps((agency, unit))
    assert nested.nested
    assert not nested.same_tenant
