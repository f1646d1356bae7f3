"""Groups of upstreams, routes and records in ``saring.toml``, and what each mistake in them is told."""

from __future__ import annotations

from pathlib import Path

import pytest

from resolver.settings import LocalRecord, Route, UpstreamServer
from saring.config import load
from saring.config_problem import ConfigError
from saring.config_schema import Config
from saring.reverse_zones import reverse_zones
from saring.upstream_address import SecureServer, parse_upstream
from saring.upstream_groups import local_records, rebinding, routes, server_groups

PIN = "sha256/" + "A" * 43 + "="

EVERYTHING = f"""
[upstream]
servers = ["tls://9.9.9.9#dns.quad9.net", "https://[2620:fe::fe]/dns-query#dns.quad9.net"]
strategy = "fastest"
hedge_share = 0.1
timeout_s = 1

[[upstream.group]]
name = "inside"
servers = ["10.20.0.10", "10.20.0.11:5353"]
internal = true
strategy = "strict"
deadline_s = 2

[[upstream.group]]
name = "doh"
servers = [
    {{ url = "https://dns.example/q", addresses = ["192.0.2.1", "2001:db8::1"] }},
    {{ url = "tls://192.0.2.2:8853", pins = ["{PIN}"] }},
]

[[upstream.route]]
suffix = "Muba.go.id"
group = "inside"

[[upstream.route]]
network = "172.16.0.0/14"
group = "inside"

[[upstream.route]]
agency = "disdik"
group = "doh"

[rebinding]
allow = ["vpn.example"]
networks = ["198.51.100.0/24"]
nat64_prefixes = ["2001:db8:64::/96"]

[local]
hosts_file = "hosts"

[[local.record]]
name = "portal.muba.go.id"
type = "A"
value = ["10.20.0.5", "10.20.0.6"]
ttl_s = 60

[[local.record]]
name = "*.apps.muba.go.id"
type = "CNAME"
value = "portal.muba.go.id"
"""


def write(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "saring.toml"
    path.write_text(text, encoding="utf-8")
    return path


def problems(path: Path) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        load(path, {})
    return [str(problem) for problem in caught.value.problems]


def test_everything_at_once(tmp_path: Path) -> None:
    config = load(write(tmp_path, EVERYTHING), {}).config
    assert Config.model_validate_json(config.model_dump_json()) == config
    default, inside, doh = server_groups(config.upstream, config.dns.listen)
    assert default.servers == (
        UpstreamServer("9.9.9.9", 853, "tls", "dns.quad9.net"),
        UpstreamServer("2620:fe::fe", 443, "https", "dns.quad9.net", "/dns-query"),
    )
    assert (default.name, default.strategy, default.hedge_share, default.timeout_s) == ("default", "fastest", 0.1, 1)
    assert inside.servers == (UpstreamServer("10.20.0.10", 53), UpstreamServer("10.20.0.11", 5353))
    assert (inside.internal, inside.strategy, inside.timeout_s, inside.deadline_s) == (True, "strict", 1, 2)
    assert doh.servers == (
        UpstreamServer("192.0.2.1", 443, "https", "dns.example", "/q"),
        UpstreamServer("2001:db8::1", 443, "https", "dns.example", "/q"),
        UpstreamServer("192.0.2.2", 8853, "tls", "", "", (PIN.removeprefix("sha256/"),)),
    )
    assert (doh.internal, doh.strategy, doh.hedge_share) == (False, "fastest", 0.1)
    assert routes(config.upstream) == (
        Route("muba.go.id", "inside"),
        *(Route(f"{octet}.172.in-addr.arpa", "inside") for octet in range(16, 20)),
        Route(".", "doh", "disdik"),
    )
    assert rebinding(config.rebinding).allow == ("vpn.example",)
    assert local_records(config.local) == (
        LocalRecord("portal.muba.go.id", "A", "10.20.0.5", 60),
        LocalRecord("portal.muba.go.id", "A", "10.20.0.6", 60),
        LocalRecord("*.apps.muba.go.id", "CNAME", "portal.muba.go.id", 300),
    )


def test_the_environment_can_say_it_too() -> None:
    environ = {
        "SARING_UPSTREAM__SERVERS": "tls://9.9.9.9#dns.quad9.net,tls://149.112.112.112#dns.quad9.net",
        "SARING_UPSTREAM__GROUP": '[{name = "inside", servers = ["10.20.0.10"]}]',
    }
    upstream = load(None, environ).config.upstream
    assert [str(server) for server in upstream.servers] == environ["SARING_UPSTREAM__SERVERS"].split(",")
    assert upstream.group[0].name == "inside"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('[upstream]\nservers = ["tls://dns.quad9.net"]\n',
         "upstream.servers[0] = \"tls://dns.quad9.net\": must be a list of servers such as"),
        ('[upstream]\nservers = ["tls://dns.quad9.net"]\n',
         'would have to be looked up; say where it is: {url = "tls://'),
        ('[upstream]\nservers = ["quic://9.9.9.9"]\n', "no such transport as 'quic'; there are tls and https"),
        ('[upstream]\nservers = ["tls://9.9.9.9/x"]\n', "tls has no path"),
        ('[upstream]\nservers = ["tls://9.9.9.9:0"]\n', "0 is not a port"),
        ('[upstream]\nservers = ["https://9.9.9.9/a b"]\n', "is not a path"),
        ('[upstream]\nservers = ["tls://9.9.9.9#quad9"]\n', "'quad9' is not a name that a certificate can be for"),
        ('[upstream]\nservers = ["tls://9.9.9.9", "10.1.1.1"]\n',
         ":2: upstream.servers: has plain servers beside encrypted ones"),
        ('[upstream]\nservers = ["system", "tls://9.9.9.9"]\n', "queries would leave in clear text unseen"),
        ('[upstream]\nservers = [{url = "tls://dns.example"}]\n',
         "no addresses; 'dns.example' would have to be looked up"),
        ('[upstream]\nservers = [{addresses = ["192.0.2.1"]}]\n', "no url; say for example url = "),
        ('[upstream]\nservers = [{url = "10.1.1.1"}]\n', "write a plain one as a text"),
        ('[upstream]\nservers = [{url = "tls://9.9.9.9", addresses = ["192.0.2.1"]}]\n', "keep one of them"),
        ('[upstream]\nservers = [{url = "tls://9.9.9.9", pins = ["sha256/AAAA"]}]\n',
         "is not a pin: base64 of the SHA-256"),
        ('[upstream]\nservers = [{url = "tls://9.9.9.9", pin = []}]\n',
         "no such key as 'pin'; there are url, addresses, pins"),
        ('[upstream]\nservers = [3]\n', "neither a text nor a table"),
        ('[upstream]\nstrategy = "random"\n', 'upstream.strategy = "random": must be one of "strict"'),
        ('[upstream]\nca_file = "/nonexistent.pem"\n', 'upstream.ca_file = "/nonexistent.pem": is not a file'),
        ('[[upstream.group]]\nname = "x"\n', ":1: upstream.group[0].servers: is missing; it must be a list of servers"),
        ('[[upstream.group]]\nname = "X"\nservers = ["10.1.1.1"]\n',
         ':2: upstream.group[0].name = "X": must be a code'),
        ('[[upstream.group]]\nname = "default"\nservers = ["10.1.1.1"]\n', 'has the name "default" already'),
        ('[[upstream.group]]\nname = "x"\nservers = ["10.1.1.1"]\ninternl = true\n',
         ":4: upstream.group[0].internl: no such key; did you mean internal?"),
        ('[[upstream.group]]\nname = "x"\nservers = ["10.1.1.1", "tls://9.9.9.9"]\n',
         ":1: upstream.group[0]: has plain servers beside encrypted ones"),
        ('[[upstream.group]]\nname = "x"\nservers = ["10.1.1.1"]\n'
         '[[upstream.group]]\nname = "x"\nservers = ["10.1.1.2"]\n',
         ":5: upstream.group[1].name = \"x\": is another group's name already"),
        ('[[upstream.group]]\nname = "x"\nservers = ["127.0.0.1:5335"]\n',
         ":3: upstream.group[0].servers: names an address of dns"),
        ('[[upstream.group]]\nname = "x"\nservers = ["10.1.1.1"]\ntimeout_s = 5\n',
         ":4: upstream.group[0].timeout_s = 5.0: must not be above the group's deadline_s (4.0)"),
        ('[upstream]\ngroup = ["x"]\n', "upstream.group[0] = \"x\": must be a table with name, servers"),
        ('[[upstream.route]]\nsuffix = "a.example"\ngroup = "insde"\n'
         '[[upstream.group]]\nname = "inside"\nservers = ["10.1.1.1"]\n',
         ':3: upstream.route[0].group = "insde": is no group; did you mean inside?'),
        ('[[upstream.route]]\ngroup = "default"\n', ":1: upstream.route[0]: does not say of what it is a route"),
        ('[[upstream.route]]\ngroup = "default"\nsuffix = "a..b"\n',
         ':3: upstream.route[0].suffix = "a..b": must be a name'),
        ('[[upstream.route]]\ngroup = "default"\nnetwork = "10.0.0.1/8"\n', "must be a network such as"),
        ('[[upstream.route]]\ngroup = "default"\nnetwork = "10.0.0.0/8"\nsuffix = "x.example"\n',
         "make two routes of them"),
        ('[[upstream.route]]\ngroup = "default"\nsuffix = "x.example"\n'
         '[[upstream.route]]\ngroup = "default"\nsuffix = "X.example"\n',
         ":4: upstream.route[1]: routes x.example once more, after upstream.route[0]"),
        ('[rebinding]\nnat64_prefixes = ["2001:db8::/60"]\n', "is no NAT64 prefix"),
        ('[rebinding]\nnetworks = ["10.0.0.1/8"]\n', "host bits"),
        ('[[local.record]]\nname = "a.example"\ntype = "A"\nvalue = "10.0.0.256"\n',
         ":1: local.record[0]: has the value '10.0.0.256', which is no data of type A"),
        ('[[local.record]]\nname = "a.example"\ntype = "NS"\nvalue = "b.example"\n',
         ':3: local.record[0].type = "NS": must be one of A, AAAA'),
        ('[[local.record]]\nname = "a.example"\ntype = "CNAME"\nvalue = ["b.example", "c.example"]\n',
         "one CNAME at most"),
        ('[[local.record]]\nname = "a.example"\ntype = "A"\n',
         "local.record[0].value: is missing; it must be the data"),
    ],
)  # fmt: skip
def test_each_mistake_says_where_and_what_would_be_right(tmp_path: Path, text: str, said: str) -> None:
    (problem,) = problems(write(tmp_path, text))
    assert said in problem


@pytest.mark.parametrize(
    ("text", "server"),
    [
        ("tls://9.9.9.9", SecureServer("tls", ("9.9.9.9",), 853, "9.9.9.9")),
        ("tls://[2620:fe::fe]:8853#Dns.Quad9.NET.", SecureServer("tls", ("2620:fe::fe",), 8853, "dns.quad9.net")),
        ("https://9.9.9.9#dns.quad9.net", SecureServer("https", ("9.9.9.9",), 443, "dns.quad9.net", "/dns-query")),
        ("https://9.9.9.9:8443/a/b{?dns}#d.example", SecureServer("https", ("9.9.9.9",), 8443, "d.example", "/a/b")),
    ],
)
def test_urls(text: str, server: SecureServer) -> None:
    assert parse_upstream(text) == server
    assert parse_upstream(server.plain()) == server


def test_a_pin_with_a_name_asks_for_both_and_with_a_bare_address_for_itself_alone() -> None:
    bare = parse_upstream({"url": "tls://192.0.2.1", "pins": [PIN]})
    named = parse_upstream({"url": "tls://192.0.2.1#d.example", "pins": [PIN]})
    assert isinstance(bare, SecureServer)
    assert isinstance(named, SecureServer)
    assert (bare.name, named.name) == ("", "d.example")
    assert parse_upstream(bare.plain()) == bare
    assert parse_upstream(named.plain()) == named


@pytest.mark.parametrize(
    ("network", "zones"),
    [
        ("10.0.0.0/8", ("10.in-addr.arpa",)),
        ("10.20.0.0/16", ("20.10.in-addr.arpa",)),
        ("10.20.4.0/23", ("4.20.10.in-addr.arpa", "5.20.10.in-addr.arpa")),
        ("10.20.4.1/32", ("1.4.20.10.in-addr.arpa",)),
        ("fd00::/8", ("d.f.ip6.arpa",)),
        ("fd00::/10", ("0.d.f.ip6.arpa", "1.d.f.ip6.arpa", "2.d.f.ip6.arpa", "3.d.f.ip6.arpa")),
    ],
)  # fmt: skip
def test_reverse_zones(network: str, zones: tuple[str, ...]) -> None:
    assert reverse_zones(network) == zones


@pytest.mark.parametrize("network", ["0.0.0.0/0", "10.0.0.0/28", "10.0.0.1/8", "muba.go.id"])
def test_what_has_no_reverse_zone(network: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        reverse_zones(network)
