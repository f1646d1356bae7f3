"""What stands beside the names in an index: rules by every trigger and condition, address ranges, and their storage."""

from __future__ import annotations

from collections.abc import Iterable
from ipaddress import IPv6Address, ip_address, ip_network
from pathlib import Path
from random import Random

import pytest
import re2

from blocklists.address_table import AddressTable
from blocklists.address_table_writer import build
from blocklists.asker import ANYBODY, Client
from blocklists.compiler import ListInput, compile_index
from blocklists.entries import EntriesDamaged, read_addresses, read_rules, read_sections, write_entries
from blocklists.entry import SUBTREE, key_of
from blocklists.expressions import ExpressionError, ExpressionSet, check, of_wildcard, program_size
from blocklists.index import Index, IndexDamaged
from blocklists.match import Match
from blocklists.progress import Silent
from blocklists.rule import AddressEntry, AddressKind, Datum, Kind, ListRule, RuleAction, Trigger, decode
from blocklists.rules_index import RulesIndex
from dnswire.constants import RRType
from dnswire.name import from_text

A, AAAA = int(RRType.A), int(RRType.AAAA)


def matching(index: RulesIndex, name: str, rrtype: int = A, client: Client | None = None) -> list[tuple[int, str]]:
    """(labels, pattern) of the rules that match."""
    asker = index.asker(client or Client())
    return [(match.labels, match.rule.pattern) for match in index.match(from_text(name), rrtype, asker) if match.rule]


def rules(*found: ListRule) -> RulesIndex:
    return RulesIndex([(1, found)])


@pytest.mark.parametrize(
    ("kind", "covered", "not_covered"),
    [
        (Kind.EXACT, ["a.example"], ["b.a.example", "example", "aa.example"]),
        (Kind.SUBTREE, ["a.example", "c.b.a.example"], ["example", "ba.example"]),
        (Kind.BELOW, ["b.a.example", "c.b.a.example"], ["a.example", "example"]),
    ],
)
def test_names_of_rules_cover_what_entries_cover(kind: Kind, covered: list[str], not_covered: list[str]) -> None:
    index = rules(ListRule(kind, "a.example"))
    assert [matching(index, name) for name in covered] == [[(2, "a.example")]] * len(covered)
    assert [matching(index, name) for name in not_covered] == [[]] * len(not_covered)


def test_the_longest_names_come_first_and_rules_that_name_none_last() -> None:
    index = rules(
        ListRule(Kind.EVERYTHING, ""),
        ListRule(Kind.REGEX, "^www"),
        ListRule(Kind.SUBTREE, "example"),
        ListRule(Kind.EXACT, "www.a.example"),
        ListRule(Kind.SUBTREE, "a.example"),
    )
    assert matching(index, "www.a.example") == [
        (3, "www.a.example"),
        (2, "a.example"),
        (1, "example"),
        (0, "^www"),
        (0, ""),
    ]


def test_entries_and_rules_are_told_together() -> None:
    index = rules(ListRule(Kind.SUBTREE, "a.example", important=True))
    entries = (Match(3, 2, False), Match(1, 2, True))
    found = index.match(from_text("www.a.example"), A, ANYBODY, entries)
    assert [(match.labels, match.list_id) for match in found] == [(3, 2), (2, 1), (1, 2)]
    assert index.match(from_text("b.example"), A, ANYBODY, entries) is entries


def test_no_list_cares_who_asks() -> None:
    index = rules(ListRule(Kind.EXACT, "a.example"))
    assert index.asker(Client(b"\x0a\0\0\1", ("dinkes",))) is ANYBODY
    assert not index.about_clients


def test_clients_by_address_range_code_and_name() -> None:
    index = rules(ListRule(Kind.EXACT, "a.example", clients=("192.0.2.0/24", "2001:db8::1", "Dinas Kesehatan")))
    asked = {
        "in the range": Client(b"\xc0\0\2\x63"),
        "mapped": Client(IPv6Address("::ffff:192.0.2.99").packed),
        "by name": Client(b"\x0a\0\0\1", ("dinkes", "dinas kesehatan")),
        "another": Client(b"\x0a\0\0\1", ("disdik",)),
        "IPv6": Client(IPv6Address("2001:db8::1").packed),
        "nobody": Client(),
    }
    assert {who for who, client in asked.items() if matching(index, "a.example", A, client)} == {
        "in the range",
        "mapped",
        "by name",
        "IPv6",
    }
    # Of whom the same holds are equal: they may share what was worked out for one of them.
    assert index.asker(asked["in the range"]) == index.asker(asked["by name"])
    assert index.asker(asked["another"]) == index.asker(asked["nobody"]) != index.asker(asked["IPv6"])


def test_a_client_that_a_list_names_is_matched_for_every_name() -> None:
    index = rules(
        ListRule(Kind.NETWORK, "192.0.2.0/24", RuleAction.DROP, Trigger.CLIENT_IP),
        ListRule(Kind.NETWORK, "192.0.2.9/32", RuleAction.PASSTHRU, Trigger.CLIENT_IP),
    )
    inside, passed, outside = (Client(ip_address(text).packed) for text in ("192.0.2.1", "192.0.2.9", "198.51.100.1"))
    assert matching(index, "any.example", A, inside) == [(0, "192.0.2.0/24")]
    assert matching(index, "any.example", A, passed) == [(0, "192.0.2.9/32"), (0, "192.0.2.0/24")]
    assert matching(index, "any.example", A, outside) == []
    assert index.match_address(b"\xc0\0\2\1", ANYBODY) == ()  # of clients, not of answers


def test_addresses_in_answers_by_range_and_by_type() -> None:
    index = rules(
        ListRule(Kind.NETWORK, "192.0.2.0/24", RuleAction.NODATA, Trigger.RESPONSE_IP),
        ListRule(Kind.NETWORK, "192.0.2.7/32", RuleAction.BLOCK, Trigger.RESPONSE_IP),
        ListRule(Kind.NETWORK, "2001:db8::/32", RuleAction.BLOCK, Trigger.RESPONSE_IP, rrtypes=(A,)),
        ListRule(Kind.REGEX, r"^192\.0\.2\.7$", RuleAction.BLOCK, Trigger.RESPONSE_IP),
    )
    found = index.match_address(b"\xc0\0\2\7", ANYBODY)
    assert [match.labels for match in found] == [32, 24, 0]
    assert len(index.match_address(IPv6Address("::ffff:192.0.2.8").packed, ANYBODY)) == 1
    assert index.match_address(IPv6Address("2001:db8::1").packed, ANYBODY) == ()  # AAAA, and the rule is for A
    assert matching(index, "192.0.2.7") == []


def test_nameservers_by_name_and_address() -> None:
    index = rules(
        ListRule(Kind.BELOW, "jahat.example", RuleAction.NXDOMAIN, Trigger.NSDNAME),
        ListRule(Kind.NETWORK, "203.0.113.0/24", RuleAction.NODATA, Trigger.NSIP),
    )
    assert index.about_servers
    server = from_text("ns.jahat.example")
    assert [match.rule.action for match in index.match_server(server, [], ANYBODY) if match.rule] == ["nxdomain"]
    assert index.match_server(from_text("jahat.example"), [], ANYBODY) == ()
    assert len(index.match_server(from_text("ns.lain.example"), [b"\xcb\0\x71\5"], ANYBODY)) == 1
    assert matching(index, "ns.jahat.example") == []


def test_tcp_only_is_met_over_tcp() -> None:
    index = rules(ListRule(Kind.EXACT, "a.example", RuleAction.TCP_ONLY), ListRule(Kind.EXACT, "b.example"))
    over_udp, over_tcp = index.asker(Client()), index.asker(Client(), over_tcp=True)
    assert over_udp != over_tcp
    assert len(index.match(from_text("a.example"), A, over_udp)) == 1
    assert index.match(from_text("a.example"), A, over_tcp) == ()
    assert len(index.match(from_text("b.example"), A, over_tcp)) == 1
    assert rules(ListRule(Kind.EXACT, "b.example")).asker(Client(), over_tcp=True) is ANYBODY


@pytest.mark.parametrize(
    ("target", "name", "action", "data"),
    [
        ("*.taman.example", "a.b.example", RuleAction.REWRITE, (Datum(5, "a.b.example.taman.example"),)),
        ("taman.example", "a.b.example", RuleAction.REWRITE, (Datum(5, "taman.example"),)),
        ("*.taman.example", "x" * 60 + "." + ".".join(["y" * 60] * 3) + ".b.example", RuleAction.NXDOMAIN, ()),
    ],
)
def test_a_wildcarded_target_takes_the_queried_name(
    target: str, name: str, action: RuleAction, data: tuple[Datum, ...]
) -> None:
    index = rules(ListRule(Kind.BELOW, "b.example", RuleAction.REWRITE, data=(Datum(5, target),)))
    match = index.match(from_text(name), A, ANYBODY)[0]
    assert match.rule is not None
    assert (match.rule.action, match.rule.data) == (action, data)


def test_local_data_is_of_the_longest_name() -> None:
    index = rules(
        ListRule(Kind.EXACT, "a.example", RuleAction.REWRITE, data=(Datum(1, "192.0.2.1"),)),
        ListRule(Kind.EXACT, "a.example", RuleAction.REWRITE, data=(Datum(1, "192.0.2.2"),)),
        ListRule(Kind.SUBTREE, "example", RuleAction.REWRITE, data=(Datum(1, "192.0.2.3"),)),
    )
    found = [match.rule.data for match in index.match(from_text("a.example"), A, ANYBODY) if match.rule]
    assert found == [(Datum(1, "192.0.2.1"), Datum(1, "192.0.2.2"))]


def test_lists_do_not_undo_each_others_rewrites() -> None:
    rewrite = ListRule(Kind.EXACT, "a.example", RuleAction.REWRITE, rewrites=True, data=(Datum(1, "192.0.2.1"),))
    undo = ListRule(Kind.EXACT, "a.example", RuleAction.ALLOW, rewrites=True)
    name = from_text("a.example")
    assert RulesIndex([(1, [rewrite, undo])]).match(name, A, ANYBODY) == ()
    assert [match.list_id for match in RulesIndex([(1, [rewrite]), (2, [undo])]).match(name, A, ANYBODY)] == [1]


def test_what_this_version_cannot_use_is_skipped_and_counted() -> None:
    index = rules(
        ListRule(Kind.REGEX, "("),
        ListRule(Kind.EXACT, "a..b"),
        ListRule(Kind.NETWORK, "x", trigger=Trigger.RESPONSE_IP),
        ListRule(Kind.NETWORK, "192.0.2.0/24"),
        ListRule(Kind.WILDCARD, "a^b"),
        ListRule(Kind.EXACT, "gut.example"),
    )
    assert index.skipped == 5
    assert matching(index, "gut.example") == [(2, "gut.example")]


# Expressions


def test_one_set_says_what_each_expression_says() -> None:
    random = Random(4)
    # Among them such as make an automaton explode: a set that runs out of memory must not report "no match".
    texts = [f"({c}|b)*{c}(a|b){{{count}}}x" for c in "ac" for count in range(4, 12)] + [
        f"a.{{{count}}}b" for count in range(24)
    ]
    together = ExpressionSet(texts)
    singly = [re2.compile(text) for text in texts]
    for _ in range(400):
        name = "".join(random.choice("abcx.") for _ in range(random.randint(1, 120)))
        assert together.search(name.encode()) == [at for at, one in enumerate(singly) if one.search(name)]


@pytest.mark.parametrize("text", ["", "(", "(?=a)", r"(a)\1", "a{1001}", "x" * 2000, "ü", "((a{300}){300})"])
def test_an_expression_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(ExpressionError):
        check(text)


def test_many_large_expressions_go_into_several_sets() -> None:
    texts = [f"n{number}(a|b|c){{500}}x" for number in range(40)]
    assert sum(map(program_size, texts)) > 20_000
    assert ExpressionSet(texts).search(b"n7" + b"abc" * 166 + b"abx.example") == [7]


@pytest.mark.parametrize(
    ("wildcard", "expression"),
    [("||a*.b^", r"(?:^|\.)a.*\.b$"), ("|a.", r"^a\."), ("a-b|", "a-b$"), ("a**b", "a.*b")],
)
def test_wildcards_as_expressions(wildcard: str, expression: str) -> None:
    assert of_wildcard(wildcard) == expression


# Address ranges


def entry(kind: AddressKind, text: str) -> AddressEntry:
    return AddressEntry(kind, ip_network(text))


def packed(entries: Iterable[AddressEntry]) -> dict[AddressKind, bytes]:
    by_kind: dict[AddressKind, set[bytes]] = {}
    for one in entries:
        by_kind.setdefault(one.kind, set()).add(one.packed)
    return {kind: b"".join(sorted(keys)) for kind, keys in by_kind.items()}


def test_the_table_finds_what_a_plain_search_finds(tmp_path: Path) -> None:
    for seed in range(25):
        random = Random(seed)
        lists = {number: [_random_entry(random) for _ in range(random.randrange(1, 30))] for number in (1, 2, 3)}
        path = tmp_path / "table"
        path.write_bytes(build([(number, packed(entries)) for number, entries in lists.items()]))
        table = AddressTable(path)
        for _ in range(60):
            address = _near(random, random.choice(lists[random.randrange(1, 4)]))
            expected = {
                (number, one.kind) for number, entries in lists.items() for one in entries if _holds(one, address)
            }
            found = table.find(address.packed)
            assert {(row.list_id, row.kind) for row in found} == expected
            assert [row.length for row in found] == sorted((row.length for row in found), reverse=True)
        table.close()


def _random_entry(random: Random) -> AddressEntry:
    kind = random.choice(list(AddressKind))
    if random.random() < 0.7:
        return AddressEntry(kind, ip_network((random.choice((0, 2**32 - 1, 0x0A010203)), random.randint(0, 32)), False))
    value = random.choice((random.getrandbits(128), 0xFFFF << 32 | 0x0A010203, 0, 2**128 - 1))
    return AddressEntry(kind, ip_network((IPv6Address(value), random.randint(0, 128)), False))


def _near(random: Random, one: AddressEntry) -> IPv6Address:
    first = int.from_bytes(one.packed[:16], "big")
    value = first + random.choice((0, -1, 1, (1 << (128 - one.packed[16])) - 1, 1 << (128 - one.packed[16])))
    return IPv6Address(min(max(value, 0), 2**128 - 1))


def _holds(one: AddressEntry, address: IPv6Address) -> bool:
    shift = 128 - one.packed[16]
    return int(address) >> shift == int.from_bytes(one.packed[:16], "big") >> shift


# Storage


RULE = ListRule(Kind.REGEX, "^iklan", important=True, line=7, text="/^iklan/$important")
RANGE = entry(AddressKind.RESPONSE_BLOCK, "192.0.2.0/24")


def _written(path: Path) -> Path:
    write_entries(path, {SUBTREE: [key_of(from_text("a.example")).decode("latin-1")]}, (RULE,), (RANGE, RANGE))
    return path


def test_an_entries_file_holds_names_rules_and_ranges(tmp_path: Path) -> None:
    path = tmp_path / "entries"
    assert write_entries(path, {}, (RULE,), (RANGE, RANGE)) == 2
    assert read_sections(path) == []
    assert read_rules(path) == (RULE,)
    assert read_addresses(path) == {AddressKind.RESPONSE_BLOCK: RANGE.packed}
    assert [section.count for section in read_sections(_written(path))] == [1]


def test_a_cut_entries_file_is_found_out(tmp_path: Path) -> None:
    path = _written(tmp_path / "entries")
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(EntriesDamaged):
        read_rules(path)


def test_an_index_has_rules_only_where_a_list_does(tmp_path: Path) -> None:
    plain = tmp_path / "plain"
    write_entries(plain, {SUBTREE: [key_of(from_text("a.example")).decode("latin-1")]})
    with_rules = ListInput(2, "b", _written(tmp_path / "entries"))
    alone = Index.open(compile_index([ListInput(1, "a", plain)], tmp_path, Silent()).path)
    both = Index.open(compile_index([ListInput(1, "a", plain), with_rules], tmp_path, Silent()).path)
    assert (alone.rules, alone.asker(Client())) == (None, ANYBODY)
    name = from_text("iklan.a.example")
    assert alone.ask(name, A) == alone.match(name) == (Match(2, 1, False),)
    assert both.ask(name, A) == (*both.match(name), Match(0, 2, False, RULE))
    assert both.rules is not None
    assert both.rules.match_address(b"\xc0\0\2\1", ANYBODY) == (Match(24, 2, False),)
    alone.close()
    both.close()


@pytest.mark.parametrize("file", ["rules.json", "addresses.bin"])
def test_damage_beside_the_names_is_found_when_the_index_is_opened(file: str, tmp_path: Path) -> None:
    path = compile_index([ListInput(2, "b", _written(tmp_path / "entries"))], tmp_path, Silent()).path
    content = bytearray((path / file).read_bytes())
    content[len(content) // 2] ^= 1
    (path / file).write_bytes(content)
    with pytest.raises(IndexDamaged):
        Index.open(path)
    (path / file).write_bytes(content[:-3])
    with pytest.raises(IndexDamaged):
        Index.open(path, verify=False)
    (path / file).unlink()
    with pytest.raises(IndexDamaged):
        Index.open(path)


def test_json_that_holds_no_rules_is_refused() -> None:
    for content in (b"[{}]", b'[{"kind":"exact","pattern":"a","sonst":1}]', b'[{"kind":"x","pattern":"a"}]', b"nichts"):
        with pytest.raises(ValueError, match=r".+"):
            decode(content)
