"""Two lanes, one meaning: what the fast lane answers, the pipeline alone would have answered with the same octets.

Two worlds get the same queries at the same instants. One has only the pipeline; in the other the fast lane is asked
first. Responses, rows of the log, counters and the cache's counters must be equal to the last octet, through edges of
schedules, new generations, expiry, flushes, failing upstreams and rate limits. ``SARING_FUZZ_FACTOR`` multiplies.
"""

from __future__ import annotations

import ipaddress
import os
import random
from dataclasses import replace

import pytest

from blocklists.formats.adblock_line import Line, read_line
from blocklists.rule import Kind, ListRule, RuleAction, Trigger
from blocklists.rules_index import RulesIndex
from dnswire.constants import RRType
from dnswire.name import from_text
from policy.model import Action, AnswerKind, BlockAnswer, Bypass, Policy, Rule, Schedule, Target, TargetKind, Window
from querylog.record import Transport
from resolver.fast_lane import FastLane
from resolver.ready_table import ReadyTable
from resolver.rebinding import Guard
from resolver.sources import NO_LIMITS, SourceLimits
from tests.support import dns_messages as say
from tests.support.dns import ask
from tests.support.fixtures_world import Worlds
from tests.support.mutation import mutations
from tests.support.world import (
    HEALTH,
    HEALTH_CLIENT,
    MONDAY_10,
    NATIONAL_LIST,
    SCHOOLS,
    SCHOOLS_CLIENT,
    SOCIAL_LIST,
    STRANGER,
    Upstream,
    World,
    agency,
    sample_policy,
)

FACTOR = int(os.environ.get("SARING_FUZZ_FACTOR", "1"))
LISTS = {NATIONAL_LIST: ["*.judi.example", "slot.example"], SOCIAL_LIST: ["*.sosial.example"]}
CLIENTS = (HEALTH_CLIENT, SCHOOLS_CLIENT, STRANGER, "2001:db8:1::5", f"::ffff:{HEALTH_CLIENT}", "10.1.9.9")
TYPES = ("A", "AAAA", "HTTPS", "TXT", "MX", "ANY")
LONG = ".".join(("x" * 60, "y" * 60, "z" * 60, "w" * 50, "example"))

ZONES = {
    "www.kantor.example": ["www.kantor.example. 300 IN A 192.0.2.1", "www.kantor.example. 20 IN A 192.0.2.2"],
    "lewat.example": ["lewat.example. 60 IN CNAME meja.judi.example.", "meja.judi.example. 60 IN A 192.0.2.3"],
    "alias.example": ["alias.example. 9 IN CNAME www.kantor.example.", "www.kantor.example. 300 IN A 192.0.2.1"],
    "banyak.example": [f"banyak.example. 120 IN A 198.51.100.{number}" for number in range(40)],
    "nol.example": ["nol.example. 0 IN A 192.0.2.4"],
    "amati.example": ["amati.example. 600 IN A 192.0.2.5"],
    "sosial.example": ["sosial.example. 86400 IN A 192.0.2.6"],
    "tujuan.example": ["tujuan.example. 30 IN A 192.0.2.7"],
    LONG: [f"{LONG}. 100 IN A 192.0.2.8"],
    "berkerabat.example": ["berkerabat.example. 200 IN A 192.0.2.10"],
    "dalam.example": ["dalam.example. 200 IN A 10.9.9.9"],
    "kunci.example": ["kunci.example. 90 IN HTTPS 1 . alpn=h2 echconfig=AEX+DQBB", "kunci.example. 7 IN A 192.0.2.9"],
}
# What comes with an answer unasked: a nameserver, and its address, which clients must not get.
GLUED = from_text("berkerabat.example")
SERVER = say.rr("example", RRType.NS, 300, from_text("ns.example"))
PRIVATE_GLUE = say.a("ns.example", "10.0.0.53")
KNOWN_NAMES = frozenset(from_text(name) for name in ZONES)
KNOWN_TYPES = frozenset(RRType)
NAMES = (
    *ZONES,
    "judi.example",
    "a.judi.example",
    "slot.example",
    "alih.example",
    "halaman.example",
    "tolak.example",
    "hening.example",
    "hanya-tcp.example",
    "tidak-ada.example",
    "localhost",
    "whoami.saring",
    "use-application-dns.net",
    "1.0.0.10.in-addr.arpa",
    ".",
)


def policy(office: Window) -> Policy:
    """Every verdict: lists, rules of each answer, a redirection, observing, a schedule whose edges come soon."""
    page = BlockAnswer(AnswerKind.PAGE, ttl_s=45, address4="10.0.0.9")
    rules = (
        Rule(1, agency(HEALTH), Target(TargetKind.NAME, "amati.example"), Action.OBSERVE),
        Rule(2, agency(HEALTH), Target(TargetKind.NAME, "halaman.example"), Action.BLOCK, answer=page),
        Rule(
            3,
            agency(SCHOOLS),
            Target(TargetKind.NAME, "tolak.example"),
            Action.BLOCK,
            answer=BlockAnswer(AnswerKind.REFUSED),
        ),
        Rule(
            4,
            agency(HEALTH),
            Target(TargetKind.NAME, "alih.example"),
            Action.REDIRECT,
            answer=BlockAnswer(AnswerKind.REDIRECT, name="tujuan.example"),
        ),
        Rule(5, agency(HEALTH), Target(TargetKind.CATEGORY, "media_sosial"), Action.BLOCK, schedule_id=1),
        Rule(6, agency(HEALTH), Target(TargetKind.BYPASS, Bypass.ECH), Action.BLOCK, schedule_id=1),
    )
    return sample_policy(*rules, schedules=[Schedule(1, "kantor", "Jam kantor", windows=(office,))])


def listed(line: str) -> ListRule:
    found = read_line(line, 1)
    assert isinstance(found, Line)
    assert isinstance(found.said, ListRule)
    return found.said


def rules_of_lists() -> RulesIndex:
    return RulesIndex(
        [
            (
                NATIONAL_LIST,
                [
                    listed("||amati.example^$dnstype=TXT"),
                    ListRule(Kind.EXACT, "hening.example", RuleAction.DROP, Trigger.QNAME),
                    ListRule(Kind.EXACT, "hanya-tcp.example", RuleAction.TCP_ONLY, Trigger.QNAME),
                ],
            )
        ]
    )


class AnyUpstream(Upstream):
    """One that has an answer to every octet a client can think of: names of ``zones``, and no other names."""

    def _message(self, name: bytes, rrtype: int, do: bool, cd: bool) -> bytes:
        if name == GLUED and rrtype == RRType.A:
            asked = say.question("berkerabat.example")
            return say.response(
                asked, answer=(say.a("berkerabat.example"),), authority=(SERVER,), additional=(PRIVATE_GLUE,)
            )
        if rrtype in KNOWN_TYPES and name in KNOWN_NAMES:
            return super()._message(name, rrtype, do, cd)
        asked = name + rrtype.to_bytes(2, "big") + b"\0\1"
        return say.response(asked, rcode=3, authority=(say.soa("example."),))


class Lanes:
    """The two worlds. ``fast`` counts what the fast lane answered, ``late`` what came after its question's turn."""

    def __init__(self, world: Worlds, limits: SourceLimits = NO_LIMITS, with_rules: bool = False) -> None:
        self.office = Window((0,), 8 * 60, 10 * 60 + 1)
        rules = rules_of_lists() if with_rules else None
        self.alone, self.both = (
            world(policy(self.office), LISTS, rules=rules, limits=limits, guard=Guard(), now_s=MONDAY_10)
            for _ in range(2)
        )
        self.lane = FastLane(self.both.pipeline)
        for here in self.worlds:
            here.upstream = AnyUpstream()
            here.upstream.zones.update(ZONES)
            here.pipeline._upstreams = (here.upstream,)
        self.fast = self.late = 0

    @property
    def worlds(self) -> tuple[World, World]:
        return self.alone, self.both

    def put(self, message: bytes, host: str) -> None:
        """The same query to both: the same octets must come back."""
        expected = self.alone.raw(message, host)
        answered = self.lane.reply(message, source(host))
        if answered:
            self.fast += 1
        else:
            answered = self.both.raw(message, host)
        assert answered.hex() == expected.hex(), f"{message.hex()} from {host}, after {self.fast} fast answers"

    def put_late(self, message: bytes, host: str) -> None:
        """The same, while upstreams need a moment: what they answer is sent on its own."""
        for here in self.worlds:
            here.upstream.instant = False
        self.put(message, host)
        said = []
        for here in self.worlds:
            here.sent.clear()
            here.upstream.land()
            here.upstream.instant = True
            said.append(list(here.sent))
        self.late += len(said[0])
        assert said[0] == said[1]

    def pass_time(self, span_s: float) -> None:
        said = [here.wait(span_s) for here in self.worlds]
        assert said[0] == said[1]

    def publish(self) -> None:
        self.office = replace(self.office, end_min=self.office.end_min + 1)
        for here in self.worlds:
            here.publish(policy(self.office), LISTS)

    def settle(self) -> None:
        """What was counted and logged is the same."""
        document = [here.stats.document(here.pipeline.in_force.policy) for here in self.worlds]
        assert document[1].pop("fast") == self.fast
        assert document[0].pop("fast") == 0
        assert document[0] == document[1]
        assert self.alone.cache.counters() == self.both.cache.counters()
        keys = self.alone.cache.keys()
        assert keys == self.both.cache.keys()
        for key in keys:
            one, other = (here.cache.peek(key) for here in self.worlds)
            assert one is not None
            assert other is not None
            assert (one.freq, one.stored_s, one.refresh_s) == (other.freq, other.stored_s, other.refresh_s)
        rows = [here.close() for here in self.worlds]
        assert rows[0] == rows[1]
        assert self.lane.faults == 0


def source(host: str) -> bytes:
    address = ipaddress.ip_address(host)
    return address.packed if address.version == 6 else b"\0" * 10 + b"\xff\xff" + address.packed


def any_query(chance: random.Random) -> bytes:
    name = chance.choice(NAMES)
    if chance.random() < 0.5:
        name = "".join(chance.choice((letter.upper(), letter.lower())) for letter in name)
    options = chance.choice(((), (), (), ((10, b"12345678"),), ((3, b""),), ((12, b"\0" * 9),)))
    return ask(
        name,
        "A" if chance.random() < 0.6 else chance.choice(TYPES),
        message_id=chance.getrandbits(16),
        rd=chance.random() > 0.03,
        cd=chance.random() < 0.1,
        ad=chance.random() < 0.2,
        edns=chance.random() < 0.7,
        do=chance.random() < 0.2,
        udp_size=chance.choice((0, 100, 512, 513, 700, 1232, 4096, 65_535)),
        options=options if chance.random() < 0.2 else (),
        rrclass="CH" if chance.random() < 0.02 else "IN",
    )


def something_happens(chance: random.Random, lanes: Lanes) -> None:
    kind = chance.randrange(8)
    if kind < 5:
        lanes.pass_time(chance.choice((0.001, 0.4, 1.0, 3.7, 11.0, 29.5, 61.0)))
    elif kind == 5:
        lanes.publish()
    elif kind == 6:
        flushed = chance.choice((b"\x07kantor\x07example\x00", b"\x07example\x00"))
        assert len({here.cache.flush_suffix(flushed) for here in lanes.worlds}) == 1
        if chance.random() < 0.3:
            assert len({here.cache.flush_all() for here in lanes.worlds}) == 1
    else:
        for here in lanes.worlds:
            here.upstream.failing = not here.upstream.failing


@pytest.mark.parametrize(
    ("seed", "limits", "with_rules"),
    [
        (1, NO_LIMITS, False),
        (2, NO_LIMITS, True),
        (3, SourceLimits(client_qps=20, prefix_qps=30, burst_s=3, slip=3), False),
    ],
)
def test_the_same_queries_get_the_same_octets_rows_and_counters(
    world: Worlds, seed: int, limits: SourceLimits, with_rules: bool
) -> None:
    chance = random.Random(seed)
    lanes = Lanes(world, limits, with_rules)
    count = 2_500 * FACTOR
    for _ in range(count):
        put = lanes.put_late if chance.random() < 0.1 else lanes.put
        put(any_query(chance), chance.choice(CLIENTS[: chance.choice((1, 2, len(CLIENTS)))]))
        if chance.random() < 0.04:
            something_happens(chance, lanes)
    assert lanes.fast > count // 40
    assert lanes.late > count // 200
    lanes.settle()


def test_mutated_queries(world: Worlds) -> None:
    """What is not an ordinary question must not be taken for one: the fast lane knows everything that it resembles."""
    lanes = Lanes(world)
    chance = random.Random(5)
    seeds = [
        ask(name, "A", edns=edns, do=do, cd=cd)
        for name in ("www.kantor.example", "judi.example", "alias.example")
        for edns, do, cd in ((False, False, False), (True, False, False), (True, True, True))
    ]
    for message in seeds * 3:
        lanes.put(message, HEALTH_CLIENT)
    assert lanes.fast >= len(seeds)
    known = lanes.fast
    for message in mutations(seeds, 4_000 * FACTOR, seed=6):
        lanes.put(message, HEALTH_CLIENT)
        if chance.random() < 0.3:
            lanes.put(chance.choice(seeds), HEALTH_CLIENT)
    assert lanes.fast > known + 500
    lanes.settle()


def test_every_octet_of_a_known_query_changed(world: Worlds) -> None:
    lanes = Lanes(world)
    for known in (ask("www.kantor.example", do=True), ask("judi.example", edns=False)):
        for _ in range(3):
            lanes.put(known, HEALTH_CLIENT)
        for position in range(len(known)):
            for octet in (0, 1, 2, 0x20, 0x3F, 0x40, 0x41, 0x7F, 0x80, 0xC0, 0xFF, known[position] ^ 0x20):
                changed = known[:position] + bytes((octet,)) + known[position + 1 :]
                lanes.put(changed, HEALTH_CLIENT)
            lanes.put(known[:position], HEALTH_CLIENT)
        lanes.put(known + b"\0", HEALTH_CLIENT)
    lanes.settle()


def test_a_taught_response_does_not_outlive_its_answer(world: Worlds) -> None:
    """Flushed, expired, replaced, evicted: the pipeline is asked, and teaches anew."""
    lanes = Lanes(world)
    query = ask("www.kantor.example")

    def fast(message: bytes = query) -> bool:
        before = lanes.fast
        lanes.put(message, HEALTH_CLIENT)
        return lanes.fast > before

    assert [fast() for _ in range(4)] == [False, False, True, True]
    for here in lanes.worlds:
        here.cache.flush_all()
    assert [fast() for _ in range(3)] == [False, False, True]
    lanes.pass_time(20)
    assert [fast() for _ in range(3)] == [False, False, True]
    lanes.publish()
    assert [fast() for _ in range(2)] == [False, True]  # the answer is cached, and the view is a new one
    lanes.settle()


def test_private_glue_is_taught_to_nobody(world: Worlds) -> None:
    lanes = Lanes(world)
    query = ask("berkerabat.example")
    for _ in range(4):
        lanes.put(query, HEALTH_CLIENT)
    assert lanes.fast == 2
    response = lanes.lane.reply(query, source(HEALTH_CLIENT))
    assert response
    assert PRIVATE_GLUE[-4:] not in response


def test_nothing_is_taught_over_tcp_or_to_strangers(world: Worlds) -> None:
    lanes = Lanes(world)
    query = ask("www.kantor.example")
    for _ in range(3):
        lanes.both.raw(query, HEALTH_CLIENT, Transport.TCP)
        lanes.both.raw(query, STRANGER)
    assert not lanes.lane.reply(query, source(HEALTH_CLIENT))
    assert not lanes.lane.reply(query, source(STRANGER))


def test_what_is_taught_is_bounded(world: Worlds) -> None:
    lanes = Lanes(world)
    table = lanes.both.pipeline.in_force.ready = ReadyTable(20_000)
    for number in range(200):
        for _ in range(3):
            lanes.put(ask(f"n{number}.judi.example"), HEALTH_CLIENT)
        assert table.size_bytes <= 20_000
    # Now and then the hand makes a hole in front of one that was just taught; it is taught again.
    assert lanes.fast > 180
    lanes.settle()
