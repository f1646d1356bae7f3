"""Adblock rules against cases taken from the syntax's public documentation (AdGuard, "DNS filtering rules syntax").

Each case is a list, and what it makes of queries. Its words are ours, its meanings that page's. Cases that the page
leaves open, or where Saring decides otherwise, say so.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from blocklists.asker import Client
from tests.support.adblock import Filter, filtering

Query = tuple[str, ...]  # name, type (A where it is left out)
Case = tuple[tuple[str, ...], dict[Query, str]]

BASIC: list[Case] = [
    (("||example.org^",), {("example.org",): "block", ("www.example.org",): "block", ("testexample.org",): "pass"}),
    (("||example.org^", "@@||example.org^"), {("example.org",): "pass", ("www.example.org",): "pass"}),
    (("||org^", "@@||example.org^"), {("www.example.org",): "pass", ("other.org",): "block"}),
    (("example.org",), {("example.org",): "block", ("www.example.org",): "pass"}),
    (("0.0.0.0 example.org",), {("example.org",): "block", ("www.example.org",): "pass"}),
    (("127.0.0.1 example.org example.info",), {("example.org",): "block", ("example.info",): "block"}),
    (("127.0.0.1 example.net # why",), {("example.net",): "block", ("why",): "pass"}),
    (("1.2.3.4 example.org",), {("example.org",): "01020304", ("www.example.org",): "pass"}),
    (("! ||example.org^", "# example.org"), {("example.org",): "pass"}),
    (("example.net # a comment behind",), {("example.net",): "block"}),
    (("/example.*/",), {("an-example-of.org",): "block", ("sample.org",): "pass"}),
    (("/example.*/", "@@/example.*/$important"), {("example.org",): "pass"}),
]
SPECIAL: list[Case] = [
    (("||example.org",), {("example.org",): "block", ("test.example.org",): "block", ("testexample.org",): "pass"}),
    (("ample.org|",), {("example.org",): "block", ("example.org.com",): "pass"}),
    (("|example",), {("example.org",): "block", ("test.example",): "pass"}),
    (
        ("||ads*.example.org^",),
        {("ads1.example.org",): "block", ("ads.example.org",): "block", ("example.org",): "pass"},
    ),
    (("||a*c.example^",), {("abc.example",): "block", ("a.b.c.example",): "block", ("ab.example",): "pass"}),
    (("*.example.org^",), {("www.example.org",): "block", ("example.org",): "pass"}),
    (("*iklan*",), {("x.iklan-kita.example",): "block", ("example",): "pass"}),
    (("|example.org^",), {("example.org",): "block", ("www.example.org",): "pass"}),
    (("||EXAMPLE.org^",), {("example.org",): "block", ("EXAMPLE.ORG",): "block"}),
    (("||bücher.example^",), {("xn--bcher-kva.example",): "block"}),
    # Oddities of real lists: a trailing dot is the root's, a scheme is the beginning of the name.
    (("||example.org.^",), {("example.org",): "block", ("www.example.org",): "block"}),
    (("://example.org^",), {("example.org",): "block", ("www.example.org",): "pass"}),
    (("||example.org^|",), {("www.example.org",): "block", ("example.org.id",): "pass"}),
    (("-banner728x90.",), {("a-banner728x90.example",): "block", ("banner.example",): "pass"}),
    # Ours: what could be left of a cut name is no pattern.
    ((".example.org",), {("www.example.org",): "pass"}),
    (("org",), {("example.org",): "pass"}),
]
IMPORTANT: list[Case] = [
    (("||example.org^$important", "@@||example.org^"), {("example.org",): "block", ("a.example.org",): "block"}),
    (("||example.org^$important", "@@||example.org^$important"), {("example.org",): "pass"}),
    (("||example.org^", "@@||example.org^$important"), {("example.org",): "pass"}),
    (("||example.org^$important", "@@||www.example.org^"), {("www.example.org",): "block"}),
    (("||example.org^", "@@|www.example.org^"), {("www.example.org",): "pass", ("a.www.example.org",): "block"}),
]
BADFILTER: list[Case] = [
    (("||example.com^", "||example.com^$badfilter"), {("example.com",): "pass"}),
    (("||example.com", "||example.com$badfilter"), {("example.com",): "pass"}),
    (("||example.org^$badfilter", "||example.org^", "||www.example.org^"), {
        ("example.org",): "pass", ("www.example.org",): "block"}),
    (("||example.org^", "@@||example.org^", "@@||example.org^$badfilter"), {("example.org",): "block"}),
    (("||example.org^$important", "||example.org^$badfilter"), {("example.org",): "block"}),
    (("||example.org^$important", "||example.org^$badfilter,important"), {("example.org",): "pass"}),
    (("||example.org^$dnstype=A|AAAA", "||example.org^$badfilter,dnstype=A|AAAA"), {("example.org",): "pass"}),
    (("/iklan/", "/iklan/$badfilter"), {("iklan.example",): "pass"}),
]  # fmt: skip
DNSTYPE: list[Case] = [
    (("||example.org^$dnstype=AAAA",), {
        ("example.org", "AAAA"): "block", ("example.org", "A"): "pass", ("www.example.org", "AAAA"): "block"}),
    (("||example.org^$dnstype=~A|~CNAME",), {
        ("example.org", "A"): "pass", ("example.org", "CNAME"): "pass", ("example.org", "MX"): "block"}),
    (("||example.org^$dnstype=~A|AAAA",), {
        ("example.org", "AAAA"): "block", ("example.org", "A"): "pass", ("example.org", "MX"): "pass"}),
    (("||example.org^$dnstype=aaaa|https",), {("example.org", "AAAA"): "block", ("example.org", "HTTPS"): "block"}),
    (("||example.org^", "@@||example.org^$dnstype=A"), {
        ("example.org", "A"): "pass", ("example.org", "AAAA"): "block"}),
    (("||example.org^$dnstype=NOTYPE",), {("example.org", "A"): "pass"}),
    (("||canon.example.com^$dnstype=~CNAME",), {
        ("canon.example.com", "CNAME"): "pass", ("canon.example.com", "A"): "block"}),
]  # fmt: skip
DENYALLOW: list[Case] = [
    (("*$denyallow=com|net",), {("a.com",): "pass", ("b.a.net",): "pass", ("example.org",): "block"}),
    (("||example.org^", "@@*$denyallow=com|org"), {("example.org",): "block"}),
    (("||example.net^", "@@*$denyallow=com|org"), {("example.net",): "pass"}),
    (("||example.org^$denyallow=sub.example.org",), {
        ("example.org",): "block", ("a.example.org",): "block", ("sub.example.org",): "pass",
        ("a.sub.example.org",): "pass"}),
    (("/.*/", "@@||com^", "@@||net^"), {("example.com",): "pass", ("example.org",): "block"}),
]  # fmt: skip
DNSREWRITE: list[Case] = [
    (("||example.com^$dnsrewrite=1.2.3.4",), {
        ("example.com", "A"): "01020304", ("www.example.com", "A"): "01020304", ("example.com", "AAAA"): "NOERROR"}),
    (("||example.com^$dnsrewrite=abcd::1234",), {
        ("example.com", "AAAA"): "abcd0000000000000000000000001234", ("example.com", "A"): "NOERROR"}),
    (("||example.com^$dnsrewrite=example.net",), {("example.com", "A"): "CNAME example.net"}),
    (("||example.com^$dnsrewrite=REFUSED",), {("example.com",): "REFUSED"}),
    (("||example.com^$dnsrewrite=NXDOMAIN",), {("example.com",): "NXDOMAIN"}),
    (("||example.com^$dnsrewrite=SERVFAIL",), {("example.com",): "SERVFAIL"}),
    (("||example.com^$dnsrewrite=refused",), {("example.com",): "CNAME refused"}),  # keywords are in capitals
    (("||example.com^$dnsrewrite=NOERROR;A;1.2.3.4",), {("example.com",): "01020304"}),
    (("||example.com^$dnsrewrite=NOERROR;AAAA;abcd::1234",), {
        ("example.com", "AAAA"): "abcd0000000000000000000000001234"}),
    (("||example.com^$dnsrewrite=NOERROR;CNAME;example.net",), {("example.com",): "CNAME example.net"}),
    (("||example.com^$dnsrewrite=REFUSED;;",), {("example.com",): "REFUSED"}),
    (("||example.com^$dnsrewrite=NOERROR;;",), {("example.com",): "NOERROR"}),
    (("||4.3.2.1.in-addr.arpa^$dnsrewrite=NOERROR;PTR;example.net.",), {
        ("4.3.2.1.in-addr.arpa", "PTR"): "076578616d706c65036e657400"}),
    (("||example.com^$dnsrewrite=NOERROR;MX;32 example.mail",), {
        ("example.com", "MX"): "0020076578616d706c65046d61696c00", ("example.com", "A"): "NOERROR"}),
    (("||example.com^$dnsrewrite=NOERROR;TXT;hello_world",), {
        ("example.com", "TXT"): "0b68656c6c6f5f776f726c64"}),
    (("||_svctype._tcp.example.com^$dnsrewrite=NOERROR;SRV;10 60 8080 example.com",), {
        ("_svctype._tcp.example.com", "SRV"): "000a003c1f90076578616d706c6503636f6d00"}),
    (("||example.com^$dnsrewrite=NOERROR;HTTPS;32 example.com alpn=h3",), {
        ("example.com", "HTTPS"): "0020076578616d706c6503636f6d0000010003026833"}),
    (("||example.com^$dnsrewrite=NOERROR;SVCB;32 example.com ipv4hint=127.0.0.1",), {
        ("example.com", "SVCB"): "0020076578616d706c6503636f6d00000400047f000001"}),
    # Several: response codes first, then CNAME, all else together.
    (("||example.com^$dnsrewrite=NOERROR;A;1.2.3.4", "||example.com^$dnsrewrite=NOERROR;A;1.2.3.5"), {
        ("example.com",): "01020304 01020305"}),
    (("||example.com^$dnsrewrite=NOERROR;A;1.2.3.4", "||example.com^$dnsrewrite=NOERROR;AAAA;::1"), {
        ("example.com", "A"): "01020304", ("example.com", "AAAA"): "00" * 15 + "01"}),
    (("||example.com^$dnsrewrite=1.2.3.4", "||example.com^$dnsrewrite=example.net"), {
        ("example.com",): "CNAME example.net"}),
    (("||example.com^$dnsrewrite=example.net", "||example.com^$dnsrewrite=REFUSED"), {("example.com",): "REFUSED"}),
    # Before all other rules of the list, exceptions of the plain kind and important ones among them.
    (("||example.com^$dnsrewrite=1.2.3.4", "||example.com^"), {("example.com",): "01020304"}),
    (("||example.com^$dnsrewrite=1.2.3.4", "@@||example.com^"), {("example.com",): "01020304"}),
    (("||example.com^$dnsrewrite=1.2.3.4", "@@||example.com^$important"), {("example.com",): "01020304"}),
    # Exceptions of its own kind.
    (("||example.com^$dnsrewrite=1.2.3.4", "||example.com^$dnsrewrite=1.2.3.5", "@@||example.com^$dnsrewrite"), {
        ("example.com",): "pass"}),
    (("||example.com^$dnsrewrite=1.2.3.4", "||example.com^$dnsrewrite=1.2.3.5",
      "@@||example.com^$dnsrewrite=1.2.3.4"), {("example.com",): "01020305"}),
    (("||example.com^$dnsrewrite=1.2.3.4", "||example.com^", "@@||example.com^$dnsrewrite"), {
        ("example.com",): "block"}),
    # With conditions.
    (("$dnstype=AAAA,denyallow=example.org,dnsrewrite=NOERROR;;",), {
        ("example.com", "AAAA"): "NOERROR", ("example.com", "A"): "pass", ("www.example.org", "AAAA"): "pass"}),
    # Not rules: a value of the wrong kind, a type that cannot be written.
    (("||example.com^$dnsrewrite=NOERROR;A;example.net",), {("example.com",): "pass"}),
    (("||example.com^$dnsrewrite=NOERROR;SOA;x",), {("example.com",): "pass"}),
    (("||example.com^$dnsrewrite",), {("example.com",): "pass"}),
]  # fmt: skip
FOREIGN: list[Case] = [
    (("||example.org^$third-party",), {("example.org",): "pass"}),  # unknown modifiers void the rule
    (("||example.org^$important,popup",), {("example.org",): "pass"}),
    (("example.org##.ad", "example.org#@#.ad", "example.org#?#.ad"), {("example.org",): "pass"}),
    (("||example.org/ads",), {("example.org",): "pass"}),
    (("||example.org:8080^",), {("example.org",): "pass"}),
    (("/(?!a)b/",), {("b.example",): "pass"}),  # RE2 has no look-around
]
CASES = BASIC + SPECIAL + IMPORTANT + BADFILTER + DNSTYPE + DENYALLOW + DNSREWRITE + FOREIGN


@pytest.mark.parametrize(("lines", "queries"), CASES, ids=[" ".join(lines) for lines, _ in CASES])
def test_a_list_says_what_the_documentation_says(
    lines: tuple[str, ...], queries: dict[Query, str], tmp_path: Path
) -> None:
    with filtering(tmp_path, lines) as filtered:
        assert {query: filtered.says(*query) for query in queries} == queries


FRANK = Client(b"\x7f\0\0\1", ("Frank's laptop",))
SIBLINGS = Client(b"\xc0\xa8\0\5", ("Mary's, John's, and Boris's laptops",))
KIDS, MOM = Client(names=("kids",)), Client(names=("Mom",))
CLIENTS: list[tuple[tuple[str, ...], dict[str, str]]] = [
    (("||org^", "@@||*^$client=127.0.0.1"), {"frank": "pass", "siblings": "block"}),
    ((r"||example.org^$client='Frank\'s laptop'",), {"frank": "block", "siblings": "pass"}),
    ((r"||example.org^$client=~'Mary\'s\, John\'s\, and Boris\'s laptops'",), {"siblings": "pass", "frank": "block"}),
    (("||example.org^$client=~Mom|~Dad|Kids",), {"kids": "block", "mom": "pass", "frank": "pass"}),
    (("||example.org^$client=192.168.0.0/24",), {"siblings": "block", "frank": "pass"}),
    (('||example.org^$client="Kids"',), {"kids": "block", "mom": "pass"}),
    (("||example.org^$ctag=device_pc|device_phone",), {"pc": "block", "tv": "pass", "frank": "pass"}),
    (("||example.org^$ctag=~device_tv",), {"pc": "block", "tv": "pass", "frank": "block"}),
    (("||example.org^$ctag=device_toaster",), {"pc": "pass"}),
    (("||example.org^$client=Kids,dnsrewrite=1.2.3.4",), {"kids": "01020304", "mom": "pass"}),
]
WHO = {
    "frank": FRANK,
    "siblings": SIBLINGS,
    "kids": KIDS,
    "mom": MOM,
    "pc": Client(tags=("device_pc", "os_linux")),
    "tv": Client(tags=("device_tv",)),
}


@pytest.mark.parametrize(("lines", "clients"), CLIENTS, ids=[" ".join(lines) for lines, _ in CLIENTS])
def test_a_rule_is_for_the_clients_that_it_names(
    lines: tuple[str, ...], clients: dict[str, str], tmp_path: Path
) -> None:
    with filtering(tmp_path, lines) as filtered:
        assert {who: filtered.says("example.org", "A", WHO[who]) for who in clients} == clients


ADDRESSES: list[tuple[str, dict[str, str]]] = [
    ("198.51.100.7", {"198.51.100.7": "block", "198.51.100.8": "pass"}),
    ("||198.51.100.7^", {"198.51.100.7": "block", "198.51.100.70": "pass"}),
    ("||198.51.100.*", {"198.51.100.255": "block", "198.51.101.0": "pass"}),
    ("198.51.100.0/25", {"198.51.100.127": "block", "198.51.100.128": "pass"}),
    ("2001:db8::1", {"2001:db8::1": "block", "2001:db8::2": "pass"}),
    (r"/^198\.51\.100\.(1[0-9]|2[0-5])$/", {"198.51.100.19": "block", "198.51.100.26": "pass"}),
    (r"/^198\.51\.100\.7:(80|443)$/", {"198.51.100.7": "pass"}),  # a resolver sees no ports
    ("/.*/", {"198.51.100.7": "pass"}),  # speaks of names
]


@pytest.mark.parametrize(("line", "addresses"), ADDRESSES)
def test_a_rule_on_an_address_is_about_answers(line: str, addresses: dict[str, str], tmp_path: Path) -> None:
    with filtering(tmp_path, [line]) as filtered:
        assert {address: filtered.says_of_address(address) for address in addresses} == addresses
        assert filtered.says("198.51.100.7.example") == ("block" if line == "/.*/" else "pass")


def test_the_rule_and_its_line_are_the_reason(tmp_path: Path) -> None:
    with filtering(tmp_path, ["! a comment", "||example.org^$important"]) as filtered:
        rule = filtered.decide("www.example.org").list_rule
        assert rule is not None
        assert (rule.line, rule.text) == (2, "||example.org^$important")


def _says(filtered: Filter, *names: str) -> list[str]:
    return [filtered.says(name) for name in names]


def test_badfilter_reaches_what_stood_in_another_chunk(tmp_path: Path) -> None:
    many = [f"||n{number}.example^" for number in range(80_000)]
    with filtering(tmp_path, ["||void.example^", *many, "||void.example^$badfilter"]) as filtered:
        assert _says(filtered, "void.example", "n0.example", "n79999.example") == ["pass", "block", "block"]
