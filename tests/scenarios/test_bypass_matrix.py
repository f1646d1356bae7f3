"""Nobody slips through: every trick of DESIGN 5's last point, by every way an answer can come to a client.

A row of ``TRICKS`` is a question and what the Internet says to it; left alone it leads to one of ``FORBIDDEN``. A
column of the matrix is where the answer comes from (upstream, cache, what has expired) and which lane brings it. No
forbidden address may reach the client, by the first answer or by any later one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from ipaddress import ip_address

import pytest

from dnswire import name as wire
from dnswire.constants import RRType
from policy.model import Action, AnswerKind, BlockAnswer, Policy, Rule, Target, TargetKind
from querylog.record import Transport
from resolver.fast_lane import FastLane
from tests.support import dns_messages as say
from tests.support.dns import ask
from tests.support.fixtures_world import Worlds
from tests.support.world import (
    HEALTH,
    HEALTH_CLIENT,
    SCHOOLS_CLIENT,
    SOCIAL_LIST,
    STRANGER,
    Upstream,
    World,
    agency,
    sample_policy,
)

BAD = "terlarang.example"
FORBIDDEN = tuple(ip_address(text).packed for text in ("198.51.100.66", "2001:db8:bad::66"))
TO_BAD4, TO_BAD6 = FORBIDDEN
TTL_S = 300
UDP, TCP = int(Transport.UDP), int(Transport.TCP)


def rr(owner: str, rrtype: RRType, rdata: bytes) -> bytes:
    return say.rr(owner, rrtype, TTL_S, rdata)


def a(owner: str) -> bytes:
    return rr(owner, RRType.A, TO_BAD4)


def aaaa(owner: str) -> bytes:
    return rr(owner, RRType.AAAA, TO_BAD6)


def cname(owner: str, target: str) -> bytes:
    return rr(owner, RRType.CNAME, wire.from_text(target))


def dname(owner: str, target: str) -> bytes:
    return rr(owner, RRType.DNAME, wire.from_text(target))


def binding(owner: str, target: str, *params: tuple[int, bytes], rrtype: RRType = RRType.HTTPS) -> bytes:
    """An HTTPS or SVCB RR of priority 1 (RFC 9460): parameters 4 and 6 are the address hints."""
    packed = b"".join(
        key.to_bytes(2, "big") + len(value).to_bytes(2, "big") + value for key, value in ((1, b"\x02h2"), *params)
    )
    return rr(owner, rrtype, b"\0\1" + wire.from_text(target) + packed)


def alias(owner: str, target: str) -> bytes:
    """An HTTPS RR in alias mode: priority 0."""
    return rr(owner, RRType.HTTPS, b"\0\0" + wire.from_text(target))


@dataclass(frozen=True)
class Trick:
    """A question, and what upstreams say to it. ``rule``: what forbids it, blocking ``BAD`` by its list if none."""

    qname: str
    rrtype: str = "A"
    said: Sequence[bytes] = ()
    rule: Rule | None = None
    query: dict[str, object] = field(default_factory=dict)
    reveals: bool = True  # whether it leads to the address while nothing forbids it; if not, it would be no trick


HEALTHS = agency(HEALTH)
BY_LIST = Rule(1, HEALTHS, Target(TargetKind.CATEGORY, "media_sosial"), Action.BLOCK)


def forbid(kind: TargetKind, value: str) -> Rule:
    return Rule(1, HEALTHS, Target(kind, value), Action.BLOCK)


def ecs(address: str) -> tuple[int, bytes]:
    packed = ip_address(address).packed
    return 8, b"\0\1\x20\0" + packed


REDIRECT = Rule(
    1,
    HEALTHS,
    Target(TargetKind.NAME, "lama.example"),
    Action.REDIRECT,
    answer=BlockAnswer(AnswerKind.REDIRECT, name="baru.example"),
)
SAFE = Rule(1, HEALTHS, Target(TargetKind.SEARCH, "bing"), Action.SAFE_SEARCH)
NETWORK4 = forbid(TargetKind.NETWORK, "198.51.100.64/28")
NETWORK6 = forbid(TargetKind.NETWORK, "2001:db8:bad::/48")
HINT4, HINT6 = (4, TO_BAD4), (6, TO_BAD6)
ESCAPED = r"t\101rlar\097ng.example"  # presentation form of BAD with escapes (RFC 1035 5.1)
PUNY = "xn--bcher-kva.example"

TRICKS = {
    "plainly": Trick(BAD, said=[a(BAD)]),
    "upper case": Trick(BAD.upper(), said=[a(BAD)]),
    "0x20": Trick("tErLaRaNg.ExAmPlE", said=[a("tErLaRaNg.ExAmPlE")]),
    "trailing dot": Trick(BAD + ".", said=[a(BAD)]),
    "escapes": Trick(wire.to_text(wire.from_text(ESCAPED)), said=[a(BAD)]),
    "punycode of a rule's umlaut": Trick(PUNY, said=[a(PUNY)], rule=forbid(TargetKind.NAME, PUNY)),
    "punycode in upper case": Trick(PUNY.upper(), said=[a(PUNY)], rule=forbid(TargetKind.NAME, PUNY)),
    "a name below": Trick(f"a.b.{BAD}", said=[a(f"a.b.{BAD}")]),
    "AAAA": Trick(BAD, "AAAA", [aaaa(BAD)]),
    "ANY": Trick(BAD, "ANY", [a(BAD), aaaa(BAD)], reveals=False),
    "HTTPS with hints": Trick(BAD, "HTTPS", [binding(BAD, ".", HINT4, HINT6)]),
    "SVCB with hints": Trick(BAD, "SVCB", [binding(BAD, ".", HINT4, rrtype=RRType.SVCB)]),
    "TXT": Trick(BAD, "TXT", [rr(BAD, RRType.TXT, b"\x04" + TO_BAD4)]),
    "CD": Trick(BAD, said=[a(BAD)], query={"cd": True}),
    "DO": Trick(BAD, said=[a(BAD)], query={"do": True}),
    "CD and DO": Trick(BAD, said=[a(BAD)], query={"cd": True, "do": True}),
    "AD": Trick(BAD, said=[a(BAD)], query={"ad": True}),
    "no EDNS": Trick(BAD, said=[a(BAD)], query={"edns": False}),
    "a small buffer": Trick(BAD, said=[a(BAD)], query={"udp_size": 512}),
    "ECS of an agency that may": Trick(BAD, said=[a(BAD)], query={"options": [ecs(SCHOOLS_CLIENT)]}),
    "ECS with nothing in it": Trick(BAD, said=[a(BAD)], query={"options": [(8, b"\0\0\0\0")]}),
    "CNAME": Trick("cdn.example", said=[cname("cdn.example", BAD), a(BAD)]),
    "CNAME in upper case": Trick("cdn.example", said=[cname("cdn.example", BAD.upper()), a(BAD.upper())]),
    "CNAME, and CD": Trick("cdn.example", said=[cname("cdn.example", BAD), a(BAD)], query={"cd": True, "do": True}),
    "CNAME chain": Trick(
        "satu.example", said=[cname("satu.example", "dua.example"), cname("dua.example", f"x.{BAD}"), a(f"x.{BAD}")]
    ),
    "CNAME chain through it": Trick(
        "satu.example", said=[cname("satu.example", BAD), cname(BAD, "tiga.example"), a("tiga.example")]
    ),
    "CNAME chain out of order": Trick(
        "satu.example", said=[a(BAD), cname("dua.example", BAD), cname("satu.example", "dua.example")]
    ),
    "DNAME and its CNAME": Trick(
        "x.lain.example",
        said=[dname("lain.example", BAD), cname("x.lain.example", f"x.{BAD}"), a(f"x.{BAD}")],
    ),
    "DNAME without its CNAME": Trick("x.lain.example", said=[dname("lain.example", BAD), a(f"x.{BAD}")]),
    "HTTPS target": Trick("toko.example", "HTTPS", [binding("toko.example", BAD, HINT4)]),
    "HTTPS target below": Trick("toko.example", "HTTPS", [binding("toko.example", f"cdn.{BAD}", HINT6)]),
    "HTTPS target in upper case": Trick("toko.example", "HTTPS", [binding("toko.example", BAD.upper(), HINT4)]),
    "HTTPS alias": Trick("toko.example", "HTTPS", [alias("toko.example", BAD), binding(BAD, ".", HINT4)]),
    "SVCB target": Trick("toko.example", "SVCB", [binding("toko.example", BAD, HINT4, rrtype=RRType.SVCB)]),
    "CNAME to HTTPS": Trick("toko.example", "HTTPS", [cname("toko.example", BAD), binding(BAD, ".", HINT4)]),
    "second of two HTTPS": Trick(
        "toko.example", "HTTPS", [binding("toko.example", "."), binding("toko.example", BAD, HINT4)]
    ),
    "address of a network": Trick("baik.example", said=[a("baik.example")], rule=NETWORK4),
    "IPv6 address of a network": Trick("baik.example", "AAAA", [aaaa("baik.example")], rule=NETWORK6),
    "HTTPS hint of a network": Trick("baik.example", "HTTPS", [binding("baik.example", ".", HINT4)], rule=NETWORK4),
    "HTTPS IPv6 hint of a network": Trick(
        "baik.example", "HTTPS", [binding("baik.example", ".", HINT6)], rule=NETWORK6
    ),
    "SVCB hint of a network": Trick(
        "baik.example", "SVCB", [binding("baik.example", ".", HINT4, rrtype=RRType.SVCB)], rule=NETWORK4
    ),
    "second hint of a network": Trick(
        "baik.example", "HTTPS", [binding("baik.example", ".", (4, bytes((192, 0, 2, 1)) + TO_BAD4))], rule=NETWORK4
    ),
    "CNAME to a network": Trick(
        "baik.example", said=[cname("baik.example", "lagi.example"), a("lagi.example")], rule=NETWORK4
    ),
    "redirect, by A": Trick("lama.example", said=[a("lama.example")], rule=REDIRECT),
    "CNAME to a redirected name": Trick(
        "cdn.example", said=[cname("cdn.example", "lama.example"), a("lama.example")], rule=REDIRECT
    ),
    "redirect, by AAAA": Trick("lama.example", "AAAA", [aaaa("lama.example")], rule=REDIRECT),
    "redirect, by HTTPS": Trick("lama.example", "HTTPS", [binding("lama.example", ".", HINT4)], rule=REDIRECT),
    "redirect, by SVCB": Trick(
        "lama.example", "SVCB", [binding("lama.example", ".", HINT6, rrtype=RRType.SVCB)], rule=REDIRECT
    ),
    "redirect, by ANY": Trick("lama.example", "ANY", [a("lama.example")], rule=REDIRECT, reveals=False),
    "redirect, by TXT": Trick(
        "lama.example", "TXT", [rr("lama.example", RRType.TXT, b"\x04" + TO_BAD4)], rule=REDIRECT
    ),
    "safe search, by A": Trick("www.bing.com", said=[a("www.bing.com")], rule=SAFE),
    "safe search, by AAAA": Trick("WWW.Bing.com", "AAAA", [aaaa("www.bing.com")], rule=SAFE),
    "safe search, by HTTPS": Trick("www.bing.com", "HTTPS", [binding("www.bing.com", ".", HINT4)], rule=SAFE),
    "safe search, by SVCB": Trick(
        "www.bing.com", "SVCB", [binding("www.bing.com", ".", HINT4, rrtype=RRType.SVCB)], rule=SAFE
    ),
    "safe search, by ANY": Trick("www.bing.com", "ANY", [a("www.bing.com")], rule=SAFE, reveals=False),
}

# Where the answer comes from: (what happened before the forbidden question is put).
UNCACHED = "uncached"
OLDER = "cached before the rule"
OTHERS = "cached by an agency that may"
STALE = "expired, upstreams dead"
OTHERS_STALE = "expired, cached by an agency that may, upstreams slow"
STATES = (UNCACHED, OLDER, OTHERS, STALE, OTHERS_STALE)
WAYS = (("UDP, pipeline", UDP, False), ("UDP, fast lane", UDP, True), ("TCP", TCP, False))


class Internet(Upstream):
    """Says the trick's records to the trick's question, whatever its type and case, and NXDOMAIN to any other."""

    def __init__(self, trick: Trick) -> None:
        super().__init__()
        self._name = wire.lower(wire.from_text(trick.qname))
        self._said = tuple(trick.said)

    def _message(self, name: bytes, rrtype: int, do: bool, cd: bool) -> bytes:
        question = name + rrtype.to_bytes(2, "big") + b"\0\1"
        if name == self._name:
            return say.response(question, answer=self._said)
        return say.response(question, rcode=3, authority=(say.soa("example"),))


class Client:
    """One way to one world, and all that came back by it."""

    def __init__(self, here: World, trick: Trick, transport: int, fast: bool) -> None:
        self._here = here
        self._trick = trick
        self._transport = Transport(transport)
        self._lane = FastLane(here.pipeline) if fast else None
        self.by_lane = 0

    def ask(self, host: str) -> bytes:
        message = ask(self._trick.qname, self._trick.rrtype, **self._trick.query)  # type: ignore[arg-type]  # as they are
        if self._lane is not None:
            response = self._lane.reply(message, ip_address(f"::ffff:{host}").packed)
            if response:
                self.by_lane += 1
                return response
        return self._here.raw(message, host, self._transport)


def leaks(response: bytes) -> bool:
    return any(address in response for address in FORBIDDEN)


def policies(trick: Trick) -> tuple[Policy, Policy]:
    """Before the rule and with it."""
    return sample_policy(), sample_policy(trick.rule or BY_LIST)


def prepared(world: Worlds, trick: Trick, state: str) -> World:
    before, after = policies(trick)
    here = world(before if state in (OLDER, STALE) else after, {SOCIAL_LIST: [f"*.{BAD}"]})
    here.upstreams[0] = here.upstream = Internet(trick)
    return here


def put_into_cache(here: World, client: Client, trick: Trick, state: str) -> None:
    """Leaves the forbidden answer in the cache, and with the fast lane, as often as that takes to learn it."""
    host = SCHOOLS_CLIENT if state in (OTHERS, OTHERS_STALE) else HEALTH_CLIENT
    told = [client.ask(host) for _ in range(3)]
    assert [leaks(response) for response in told] == [trick.reveals] * 3, "this is no trick: nothing could leak"
    if state in (STALE, OTHERS_STALE):
        here.wait(TTL_S + 1)
    if state in (OLDER, STALE):
        here.publish(policies(trick)[1], {SOCIAL_LIST: [f"*.{BAD}"]})
    here.upstream.failing = state == STALE
    here.upstream.instant = state != OTHERS_STALE


@pytest.mark.parametrize("state", STATES)
@pytest.mark.parametrize(("transport", "fast"), [way[1:] for way in WAYS], ids=[way[0] for way in WAYS])
def test_nobody_slips_through(world: Worlds, transport: int, fast: bool, state: str) -> None:
    leaked = []
    learnt = 0
    for title, trick in TRICKS.items():
        here = prepared(world, trick, state)
        client = Client(here, trick, transport, fast)
        if state != UNCACHED:
            put_into_cache(here, client, trick, state)
        told = []
        for _ in range(3):
            told.append(client.ask(HEALTH_CLIENT))
            told.append(here.wait(1.9))  # longer than a client waits before it gets what is known of old
        here.sent.clear()
        here.upstream.land()
        told.extend(here.sent)
        learnt += client.by_lane
        assert any(told), title
        if any(map(leaks, told)):
            leaked.append(title)
    assert leaked == []
    assert bool(learnt) == fast


def test_a_stranger_gets_nothing_by_naming_another(world: Worlds) -> None:
    """ECS is a claim: only a forwarder of ours, known by its socket, is believed."""
    trick = Trick(BAD, said=[a(BAD)], query={"options": [ecs(SCHOOLS_CLIENT)]})
    for state in (UNCACHED, OTHERS):
        for _, transport, fast in WAYS:
            here = prepared(world, trick, state)
            client = Client(here, trick, transport, fast)
            if state != UNCACHED:
                put_into_cache(here, client, trick, state)
            told = [client.ask(STRANGER) for _ in range(2)]
            assert [(here.heard(response).rcode, leaks(response)) for response in told] == [("REFUSED", False)] * 2


def test_a_late_answer_is_not_taken_for_what_the_old_one_was_redirected_to(world: Worlds) -> None:
    """The client waited, got the old answer's redirection, and its target is asked for: two questions under way."""
    trick = TRICKS["CNAME to a redirected name"]
    here = prepared(world, trick, OTHERS_STALE)
    client = Client(here, trick, UDP, False)
    put_into_cache(here, client, trick, OTHERS_STALE)
    assert client.ask(HEALTH_CLIENT) == b""
    here.wait(1.9)
    assert here.upstream.asked[-1] == ("baru.example", RRType.A)
    here.upstream.land()
    assert [leaks(response) for response in here.sent] == [False]
    here.upstream.instant = True
    assert not leaks(here.raw(ask("baru.example"), SCHOOLS_CLIENT))
