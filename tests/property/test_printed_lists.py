"""A list printed in a format's syntax and read again is the list."""

from __future__ import annotations

import ipaddress
import tempfile
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from blocklists.entries import read_addresses, read_rules
from blocklists.formats.rpz_address import network_of, owner_of
from blocklists.rule import Datum, Kind, ListRule, RuleAction, Trigger
from blocklists.source import Source
from dnswire.constants import RRType
from tests.support.lists import entries_in, parsed_from

LABEL = st.text(alphabet="abcxyz019-_", min_size=1, max_size=12)
TOP = st.sampled_from(["example", "test", "xn--p1ai", "co.example"])
NAME = st.builds(lambda labels, top: ".".join([*labels, top]), st.lists(LABEL, min_size=1, max_size=3), TOP)
NAMES = st.lists(NAME, min_size=1, max_size=12, unique=True)

# How a name and all below it is written, in the ways of each format; "{}" is the name.
LINES = {
    "plain": ("{}", "{}.", "  {}", "{} # why"),
    "wildcard": ("*.{}", "*.{} # why"),
    "dnsmasq": ("local=/{}/", "server=/{}/", "address=/{}/", "address=/{}/#", "address=/{}/::", "local = /.{}/ # why"),
    "unbound": (
        'local-zone: "{}" always_nxdomain',
        'local-zone: "{}." static',
        "local-zone: {} refuse",
        'local-zone: "{}" redirect',
        "  local-zone: '{}' always_null # why",
    ),
    "rpz": (
        "{0} CNAME .\n*.{0} CNAME .",
        "*.{0} 60 IN CNAME .\n{0} IN 60 CNAME .",
        "{0}.z.example. CNAME .\n*.{0}.z.example.\tA 0.0.0.0 ; why",
        "{0} CNAME lamanlabuh.aduankonten.id.\n*.{0} (\nCNAME . )",
    ),
    "ut1": ("{}",),
}
HEADS = {"rpz": "$ORIGIN z.example.\n@ SOA a b 1 2 3 4 5\n", "ut1": "#saring-folder 1\n#saring-file domains\n"}


@given(st.sampled_from(sorted(LINES)), NAMES, st.data())
@settings(deadline=None, max_examples=80)
def test_names_printed_in_a_format_are_read_as_these_names(name: str, names: list[str], data: st.DataObject) -> None:
    ways = st.sampled_from(LINES[name])
    uniform = data.draw(st.booleans())
    way = data.draw(ways)
    lines = [(way if uniform else data.draw(ways)).format(one) for one in names]
    text = HEADS.get(name, "") + "\n".join(lines) + "\n"
    with tempfile.TemporaryDirectory() as directory:
        parsed = parsed_from(Path(directory), text.encode(), Source("x", "x", format=name, rewrites=True))
        assert parsed.invalid == parsed.beyond == 0
        assert parsed.entries is not None
        assert sorted(entries_in(parsed.entries)) == sorted((one, "subtree") for one in names)


NETWORK = st.one_of(
    st.tuples(st.integers(0, 2**32 - 1), st.integers(0, 32)).map(
        lambda pair: ipaddress.ip_network((pair[0], pair[1]), strict=False)
    ),
    st.tuples(st.integers(0, 2**128 - 1), st.integers(0, 128)).map(
        lambda pair: ipaddress.ip_network((pair[0].to_bytes(16, "big"), pair[1]), strict=False)
    ),
)
TARGETS = {
    RuleAction.NODATA: "*.",
    RuleAction.DROP: "rpz-drop.",
    RuleAction.TCP_ONLY: "rpz-tcp-only.",
    RuleAction.BLOCK: ".",
    RuleAction.PASSTHRU: "rpz-passthru.",
}
LOCAL = st.lists(
    st.one_of(
        st.ip_addresses(v=4).filter(lambda one: one.packed[0] not in (0, 127)).map(lambda one: Datum(1, str(one))),
        NAME.map(lambda name: Datum(int(RRType.PTR), name)),
        st.builds(lambda number, name: Datum(int(RRType.MX), f"{number} {name}"), st.integers(0, 65535), NAME),
        st.text(alphabet="ab ;()'", max_size=20).map(lambda text: Datum(int(RRType.TXT), f'"{text}"')),
    ),
    min_size=1,
    max_size=4,
    unique=True,
)


def printed(rule: ListRule) -> str:
    """The RRs of a rule."""
    ends = {Trigger.QNAME: "", Trigger.NSDNAME: ".rpz-nsdname"}
    ends |= {Trigger.RESPONSE_IP: ".rpz-ip", Trigger.CLIENT_IP: ".rpz-client-ip", Trigger.NSIP: ".rpz-nsip"}
    owner = rule.pattern
    if rule.kind is Kind.NETWORK:
        owner = owner_of(ipaddress.ip_network(rule.pattern))
    if rule.kind is Kind.BELOW:
        owner = f"*.{owner}"
    owner += ends[rule.trigger]
    if rule.action is not RuleAction.REWRITE:
        return f"{owner} CNAME {TARGETS[rule.action]}\n"
    named = (RRType.PTR, RRType.MX)
    return "".join(f"{owner} {RRType(one.rrtype).name} {one.data}{'.' * (one.rrtype in named)}\n" for one in rule.data)


@st.composite
def rules(draw: st.DrawFn) -> ListRule:
    trigger = draw(st.sampled_from(Trigger))
    by_name = trigger in (Trigger.QNAME, Trigger.NSDNAME)
    plain = (RuleAction.BLOCK, RuleAction.PASSTHRU)  # entries, but for nameservers
    allowed = [action for action in TARGETS if trigger is Trigger.NSDNAME or action not in plain]
    action = draw(st.sampled_from([*allowed, RuleAction.REWRITE]))
    kind = draw(st.sampled_from([Kind.EXACT, Kind.BELOW])) if by_name else Kind.NETWORK
    pattern = draw(NAME) if by_name else str(draw(NETWORK))
    data = tuple(draw(LOCAL)) if action is RuleAction.REWRITE else ()
    return ListRule(kind, pattern, action, trigger, data=data)


@given(st.lists(rules(), min_size=1, max_size=6, unique_by=lambda rule: (rule.trigger, rule.kind, rule.pattern)))
@settings(deadline=None, max_examples=80)
def test_a_printed_rule_of_a_zone_is_read_as_the_rule(wanted: list[ListRule]) -> None:
    text = "".join(map(printed, wanted))
    with tempfile.TemporaryDirectory() as directory:
        parsed = parsed_from(Path(directory), text.encode(), Source("x", "x", format="rpz", rewrites=True))
        assert parsed.reasons == ()
        assert parsed.entries is not None
        found = [
            ListRule(rule.kind, rule.pattern, rule.action, rule.trigger, data=rule.data)
            for rule in read_rules(parsed.entries)
        ]
        assert read_addresses(parsed.entries) == {}
    assert sorted(found, key=repr) == sorted(wanted, key=repr)


@given(NETWORK)
@settings(max_examples=300)
def test_a_range_as_an_owner_is_the_range(network: ipaddress.IPv4Network | ipaddress.IPv6Network) -> None:
    assert network_of(owner_of(network).encode().split(b".")) == network


@given(st.lists(st.sampled_from([b"0", b"24", b"32", b"128", b"129", b"1", b"zz", b"db8", b"2001", b"x", b""])))
@settings(max_examples=300)
def test_labels_are_a_range_or_none(labels: list[bytes]) -> None:
    found = network_of(labels)
    assert found is None or network_of(owner_of(found).encode().split(b".")) == found
