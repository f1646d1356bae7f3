"""Adblock lines: any text parses or is counted; a rule that is written as a line and read again is the same rule."""

from __future__ import annotations

import msgspec
from hypothesis import example, given, settings
from hypothesis import strategies as st

from blocklists.entry import name_of
from blocklists.formats.adblock import Adblock
from blocklists.formats.adblock_line import Line, NameEntry, is_noise, read_line
from blocklists.formats.adblock_modifiers import TAGS
from blocklists.formats.adblock_text import write_rule
from blocklists.formats.dnsrewrite import Rewrite, read_rewrite
from blocklists.formats.harvest import Harvest, Options
from blocklists.rule import MAX_TEXT_SIZE, Kind, ListRule, RuleAction, decode, encode
from dnswire.name import labels

_WORDS = (
    "|| | ^ @@ $ * . - / \\ , ; = ~ ' \" # ! [ ] : a b example org com go.id 192.0.2.1 2001:db8::1 0.0.0.0 x.y ü рф"
    " important badfilter client= ctag= dnstype= denyallow= dnsrewrite= dnsrewrite A AAAA HTTPS device_pc NOERROR;A;"
    " NXDOMAIN REFUSED;; TXT; (?:a) [0-9]+ \\d .* { }"
)
PIECES = st.sampled_from([*_WORDS.split(), "\t", " "])
TEXTS = st.one_of(st.lists(PIECES, max_size=12).map("".join), st.text(max_size=60))

LABELS = st.from_regex(r"[a-z][a-z0-9]{0,6}", fullmatch=True)
NAMES = st.lists(LABELS, min_size=2, max_size=4).map(".".join)
WILDCARDS = st.tuples(st.sampled_from(["||", "|", ""]), NAMES, st.sampled_from(["^", ""])).map(
    lambda parts: f"{parts[0]}{parts[1].replace('.', '*.', 1)}{parts[2]}"
)
CLIENTS = st.lists(
    st.one_of(st.sampled_from(["192.0.2.7", "192.0.2.0/24", "2001:db8::/32"]), st.text("abC '\",|\\", min_size=1)),
    max_size=3,
    unique=True,
).map(tuple)
REWRITES = st.sampled_from(
    [
        "192.0.2.1",
        "2001:db8::1",
        "tujuan.example",
        "NXDOMAIN",
        "NOERROR;;",
        "SERVFAIL",
        "NOERROR;MX;10 a.example",
        "NOERROR;TXT;satu, dua \\ \" '",
        "NOERROR;HTTPS;1 . alpn=h3",
        "NOERROR;SRV;1 2 3 a.example",
        "NOERROR;PTR;a.example",
    ]
)


@st.composite
def rules(draw: st.DrawFn) -> ListRule:
    """Rules that the syntax can say."""
    kind = draw(st.sampled_from([Kind.EXACT, Kind.SUBTREE, Kind.BELOW, Kind.WILDCARD, Kind.REGEX, Kind.EVERYTHING]))
    pattern = {
        Kind.WILDCARD: WILDCARDS,
        Kind.REGEX: st.sampled_from([r"^a[0-9]+\.", r"\.b$", "x{2,3}y", "a/b", r"\D\.id$"]),
        Kind.EVERYTHING: st.just(""),
    }.get(kind, NAMES)
    allows = draw(st.booleans())
    rewrite: Rewrite | None = read_rewrite(draw(REWRITES), allows) if draw(st.booleans()) else None
    rrtypes = tuple(draw(st.lists(st.sampled_from([1, 28, 65, 65_280]), max_size=2, unique=True)))
    return ListRule(
        kind,
        draw(pattern),
        rewrite.action if rewrite is not None else RuleAction.ALLOW if allows else RuleAction.BLOCK,
        important=draw(st.booleans()),
        rewrites=rewrite is not None,
        rcode=rewrite.rcode if rewrite is not None else 0,
        data=rewrite.data if rewrite is not None else (),
        rrtypes=rrtypes,
        not_rrtypes=() if rrtypes else tuple(draw(st.lists(st.sampled_from([5, 16]), max_size=2, unique=True))),
        clients=draw(CLIENTS),
        not_clients=draw(CLIENTS),
        tags=tuple(draw(st.lists(st.sampled_from(sorted(TAGS)), max_size=2, unique=True))),
        not_tags=tuple(draw(st.lists(st.sampled_from(sorted(TAGS)), max_size=2, unique=True))),
        deny_allow=tuple(draw(st.lists(st.one_of(NAMES, LABELS), max_size=3, unique=True))),
    )


@given(rules())
@settings(max_examples=150, deadline=None)
def test_a_printed_rule_is_read_as_the_same_rule(rule: ListRule) -> None:
    line = write_rule(rule)
    found = read_line(line, 0)
    assert isinstance(found, Line), (line, found)
    said = found.said
    if isinstance(said, NameEntry):
        assert not any((rule.important, rule.rewrites, rule.clients))
        assert ".".join(label.decode() for label in labels(name_of(said.key))) == rule.pattern
        return
    assert isinstance(said, ListRule), line
    assert msgspec.structs.replace(said, text="") == rule, line


@given(st.lists(rules(), max_size=4))
@settings(max_examples=30, deadline=None)
def test_rules_are_the_same_after_a_way_through_json(several: list[ListRule]) -> None:
    assert decode(encode(several)) == tuple(several)
    assert encode(decode(encode(several))) == encode(several)


@given(st.lists(TEXTS, max_size=12))
@example(["||^"])
@example(["@@", "$", "/", "//", "||", "|", "^", "$$", "@@$", "/$", "||$important"])
@example(["||a^$client='", "||a.b^$client='x", "||a.b^$dnsrewrite=;;", "||a.b^$dnsrewrite=;"])
@example(["1.2.3.4 a.example $x", "0.0.0.0", "1.2.3.4 \x00.example"])
@settings(max_examples=250, deadline=None)
def test_any_text_parses_or_is_counted(lines: list[str]) -> None:
    raw = [line.encode("utf-8", "surrogatepass").replace(b"\n", b" ").replace(b"\r", b" ") for line in lines]
    harvest = Harvest()
    parser = Adblock().begin(Options())
    parser.parse(b"\n".join([*raw, b""]), 1, None, harvest)
    parser.finish(None, harvest)
    said = harvest.names + len(harvest.rules) + len(harvest.addresses)
    told = said + harvest.invalid + harvest.beyond + harvest.noise
    assert told >= sum(1 for line in raw if line.strip())
    assert sum(harvest.reasons.values()) == harvest.invalid + harvest.beyond
    assert decode(encode(harvest.rules)) == tuple(harvest.rules)
    assert all(len(rule.text) <= MAX_TEXT_SIZE and rule.text.isprintable() for rule in harvest.rules)


@given(TEXTS)
@settings(max_examples=150, deadline=None)
def test_the_bulk_pass_says_what_the_careful_one_says(text: str) -> None:
    inner = text.replace("\n", "").replace("\r", "")
    line = f"||{inner}^"
    stripped = line.strip()
    harvest = Harvest()
    Adblock().parse(line.encode("utf-8", "surrogatepass") + b"\n", 1, None, harvest)
    found = read_line(stripped, 1) if not is_noise(stripped) else None
    if isinstance(found, Line) and isinstance(found.said, NameEntry) and not found.cancels:
        assert harvest.keys == {found.said.cover: [found.said.key]}
    else:
        assert not harvest.keys
