"""Ways around a filter: questions, and what the Internet says to them; left alone each leads to a forbidden address."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from ipaddress import ip_address

from dnswire import name as wire
from dnswire.constants import RRType
from policy.model import Action, AnswerKind, BlockAnswer, Policy, Rule, Target, TargetKind
from tests.support import dns_messages as say
from tests.support.world import HEALTH, SCHOOLS_CLIENT, Upstream, agency, sample_policy

BAD = "terlarang.example"
FORBIDDEN = tuple(ip_address(text).packed for text in ("198.51.100.66", "2001:db8:bad::66"))
TO_BAD4, TO_BAD6 = FORBIDDEN
TTL_S = 300


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


def leaks(response: bytes) -> bool:
    """Whether a forbidden address is in it."""
    return any(address in response for address in FORBIDDEN)


def policies(trick: Trick) -> tuple[Policy, Policy]:
    """Before the rule and with it."""
    return sample_policy(), sample_policy(trick.rule or BY_LIST)


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
