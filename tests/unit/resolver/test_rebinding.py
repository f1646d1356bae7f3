"""What counts as an address of our own networks, in whatever disguise."""

from __future__ import annotations

import ipaddress

import pytest

from dnswire.name import from_text
from resolver.rebinding import Guard

GUARD = Guard(
    allow=("kantor.example",), networks=("198.51.100.0/24", "2001:db8:ffff::/48"), nat64=("2001:db8:64::/48",)
)


def private(text: str, guard: Guard = GUARD) -> bool:
    return guard.is_private(ipaddress.ip_address(text).packed)


@pytest.mark.parametrize(
    "text",
    [
        "0.0.0.0", "0.1.2.3", "10.0.0.1", "10.255.255.255", "127.0.0.1", "127.255.255.254", "169.254.169.254",
        "172.16.0.1", "172.31.255.255", "192.168.0.1", "192.168.255.255", "255.255.255.255",
        "::", "::1", "fc00::1", "fdff:ffff::1", "fe80::1", "febf::1", "fec0::1",
        "::ffff:10.0.0.1", "::ffff:127.0.0.1", "::10.0.0.1", "::ffff:0.0.0.0",
        "64:ff9b::10.0.0.1", "64:ff9b::192.168.1.1", "64:ff9b::127.0.0.1",
        "2002:0a00:0001::1", "2002:7f00:0001::", "2002:c0a8:0101:1::1",
        "198.51.100.77", "2001:db8:ffff::1", "::ffff:198.51.100.1", "64:ff9b::198.51.100.1",
        # RFC 6052 2.2: behind 48 bits of prefix two octets stand before bits 64 to 71, two behind.
        "2001:db8:64:a00:0:100::", "2001:db8:64:c0a8:1:100::",
    ],
)  # fmt: skip
def test_private(text: str) -> None:
    assert private(text)


@pytest.mark.parametrize(
    "text",
    [
        "1.1.1.1", "9.255.255.255", "11.0.0.0", "126.255.255.255", "128.0.0.1", "169.253.255.255", "169.255.0.0",
        "172.15.255.255", "172.32.0.0", "192.167.255.255", "192.169.0.0", "198.51.101.1", "100.64.0.1", "192.0.2.1",
        "2001:db8::1", "2400:cb00::1", "2001:db8:fffe::1", "fbff::1", "ff02::1",
        "::ffff:1.1.1.1", "64:ff9b::1.1.1.1", "64:ff9b:1::10.0.0.1", "2002:0101:0101::1",
        "2001:db8:64:101:1:100::", "2001:db8:65:a00:0:100::",
    ],
)  # fmt: skip
def test_public(text: str) -> None:
    assert not private(text)


@pytest.mark.parametrize("length", [32, 40, 48, 56, 64, 96])
def test_nat64_prefixes_of_every_length(length: int) -> None:
    """RFC 6052 2.4, Table 2: 192.0.2.33 behind 2001:db8::/32, 2001:db8:100::/40, ... 2001:db8:122:344::/96."""
    table = {
        32: ("2001:db8::/32", "2001:db8:c000:221::"),
        40: ("2001:db8:100::/40", "2001:db8:1c0:2:21::"),
        48: ("2001:db8:122::/48", "2001:db8:122:c000:2:2100::"),
        56: ("2001:db8:122:300::/56", "2001:db8:122:3c0:0:221::"),
        64: ("2001:db8:122:344::/64", "2001:db8:122:344:c0:2:2100::"),
        96: ("2001:db8:122:344::/96", "2001:db8:122:344::192.0.2.33"),
    }
    prefix, address = table[length]
    assert private(address, Guard(networks=("192.0.2.33/32",), nat64=(prefix,)))
    assert not private(address, Guard(networks=("192.0.2.34/32",), nat64=(prefix,)))


@pytest.mark.parametrize("prefix", ["2001:db8::/33", "10.0.0.0/32", "2001:db8::/128"])
def test_what_is_no_nat64_prefix(prefix: str) -> None:
    with pytest.raises(ValueError, match="is no NAT64 prefix"):
        Guard(nat64=(prefix,))


def test_whom_it_guards() -> None:
    names = ["kantor.example", "a.kantor.example", "akantor.example", "example"]
    assert [GUARD.guards(from_text(name)) for name in names] == [False, False, True, True]
    assert not Guard(enabled=False).guards(from_text("example"))
