"""Encrypted ClientHello is taken out of HTTPS and SVCB answers, and nothing else is (RFC 9848, RFC 9460)."""

from __future__ import annotations

from dnswire.answer import Answer, parse_answer, records
from dnswire.constants import FLAG_AD, RRType
from dnswire.ech import without_ech
from policy.model import Action, Bypass, Rule, Scope, Target, TargetKind
from resolver.rebinding import Guard
from tests.support import dns_messages as say
from tests.support.dns import ask, heard
from tests.support.ech import ALPN, ECH, HINT4, HINT6, HTTPS, KEYS, RRSIG, binding, https_answer, param, signature
from tests.support.fixtures_world import Worlds
from tests.support.world import HEALTH, SCHOOLS_CLIENT, World, agency, sample_policy

FULL = binding(ALPN, HINT4, ECH, HINT6)
PLAIN = binding(ALPN, HINT4, HINT6)
SITE = "site.example"


def stripped(message: bytes) -> Answer:
    before = parse_answer(message)
    found = without_ech(before)
    assert (found.name, found.rrtype, found.rcode, found.ech) == (before.name, before.rrtype, before.rcode, False)
    return found


def contents(answer: Answer) -> list[tuple[int, bytes, int, int, bytes]]:
    return [(one.section, one.owner, one.rrtype, one.ttl_s, one.rdata) for one in records(answer)]


def test_the_parameter_goes_and_all_others_stay_in_their_order() -> None:
    found = stripped(https_answer((SITE, HTTPS, FULL)))
    assert [rdata for *_, rdata in contents(found)] == [PLAIN]
    assert found.addresses == (bytes((192, 0, 2, 1)), bytes(15) + b"\x01")


def test_an_answer_without_it_is_left_alone() -> None:
    for message in (https_answer((SITE, HTTPS, PLAIN)), https_answer(lines=["site.example. 60 IN CNAME x.example."])):
        answer = parse_answer(message)
        assert without_ech(answer) is answer


def test_every_rr_of_either_type_in_every_section() -> None:
    svcb = int(RRType.SVCB)
    message = https_answer(
        ("site.example", HTTPS, binding(priority=0, target="pool.example")),
        ("pool.example", HTTPS, FULL),
        ("pool.example", HTTPS, binding(ECH, priority=2, target="other.example")),
        additional=[("other.example", svcb, binding(ECH)), ("_dns.other.example", svcb, binding(ALPN))],
    )
    found = contents(stripped(message))
    assert [rdata for *_, rdata in found] == [
        binding(priority=0, target="pool.example"),
        PLAIN,
        binding(priority=2, target="other.example"),
        binding(),
        binding(ALPN),
    ]
    assert [section for section, *_ in found] == [0, 0, 0, 2, 2]


def test_names_that_were_compressed_into_what_moves_are_right_afterwards() -> None:
    lines = ["site.example. 60 IN CNAME cdn.site.example.", "cdn.site.example. 60 IN MX 10 mail.cdn.site.example."]
    soa = "site.example. 60 IN SOA ns.site.example. host.site.example. 1 2 3 4 5"
    message = https_answer(("cdn.site.example", HTTPS, FULL), lines=lines, authority=[soa])
    assert message.count(b"\xc0") > 4
    said, before = heard(stripped(message).message), heard(message)
    assert (said.authority, said.answer[:2]) == (before.authority, before.answer[:2])
    assert said.answer[2].startswith("cdn.site.example 300 IN HTTPS 1 . ")
    assert "ech" in before.answer[2]
    assert "ech" not in said.answer[2]


def test_signatures_of_what_was_changed_go_and_others_stay() -> None:
    """A validating client sees unsigned RRs, as it must: they are not what was signed."""
    message = https_answer(
        (SITE, HTTPS, FULL),
        (SITE, RRSIG, signature(HTTPS)),
        ("b.example", HTTPS, PLAIN),
        ("b.example", RRSIG, signature(HTTPS)),
        (SITE, RRSIG, signature(1)),
        additional=[(SITE, RRSIG, signature(28))],
        ad=True,
    )
    found = stripped(message)
    assert parse_answer(message).flags & FLAG_AD
    assert not found.flags & FLAG_AD
    assert [rdata for *_, rdata in contents(found)] == [PLAIN, PLAIN, signature(HTTPS), signature(1), signature(28)]


def test_an_rr_that_is_of_no_use_without_it_goes_with_its_signature() -> None:
    # RFC 9460 8: "the list of keys that must be understood ... in order for the RR to function correctly".
    needs = binding(param(0, b"\0\1\0\5"), ALPN, ECH)
    other = binding(param(0, b"\0\1\0\4"), ALPN, HINT4, ECH, priority=2)
    found = stripped(https_answer((SITE, HTTPS, needs), (SITE, HTTPS, other), (SITE, RRSIG, signature(HTTPS))))
    assert [rdata for *_, rdata in contents(found)] == [binding(param(0, b"\0\1\0\4"), ALPN, HINT4, priority=2)]
    alone = stripped(https_answer((SITE, HTTPS, needs), (SITE, RRSIG, signature(HTTPS))))
    assert (contents(alone), alone.ancount) == ([], 0)


def test_what_else_the_upstream_said_is_kept() -> None:
    message = https_answer((SITE, HTTPS, FULL))
    message = message[:11] + b"\1" + message[12:] + say.opt(say.ede(3, "stale"), 0)
    assert stripped(message).ede == ((3, "stale"),)


def test_an_answer_that_cannot_be_written_anew_is_answered_with_nothing() -> None:
    """Nobody can smuggle the keys through by breaking the message elsewhere."""
    broken = ("mx.example", 15, b"\0\x0a\xff\xff")
    found = stripped(https_answer((SITE, HTTPS, FULL), broken))
    assert (found.ancount, len(found.message)) == (0, found.question_end)
    # 900 RRs whose owners are one pointer each, and 200 octets each once they stand in full.
    long = ".".join(["y" * 60] * 3 + [SITE])
    many = [(f"n{number}.{long}", HTTPS, binding(ECH)) for number in range(300)]
    assert stripped(https_answer(*many)).ancount in (0, 300)


def bypassing(world: Worlds) -> World:
    strip = Rule(1, Scope(), Target(TargetKind.BYPASS, Bypass.ECH), Action.BLOCK)
    leave = Rule(2, agency(HEALTH), Target(TargetKind.BYPASS, Bypass.ECH), Action.ALLOW)
    here = world(sample_policy(strip, leave))
    here.upstream.zones[SITE] = ["site.example. 300 IN HTTPS 1 . alpn=h2 echconfig=AEX+DQBB ipv6hint=2001:db8::1"]
    return here


def test_it_goes_for_those_whose_policy_says_so_from_the_cache_too(world: Worlds) -> None:
    here = bypassing(world)
    with_keys = ("site.example 300 IN HTTPS 1 . alpn=h2 echconfig=AEX+DQBB ipv6hint=2001:db8::1",)
    without = ("site.example 300 IN HTTPS 1 . alpn=h2 ipv6hint=2001:db8::1",)
    for do in (False, True):
        for _ in range(2):
            assert here.ask(SITE, "HTTPS", host=SCHOOLS_CLIENT, do=do).answer == without
            assert here.ask(SITE, "HTTPS", do=do).answer == with_keys
    assert len(here.upstream.asked) == 2  # with DO and without
    here.now_s += 301
    here.upstream.failing = True
    assert here.ask(SITE, "HTTPS", host=SCHOOLS_CLIENT).answer == (
        "site.example 30 IN HTTPS 1 . alpn=h2 ipv6hint=2001:db8::1",
    )
    rows = here.close()
    assert rows[0].answer_digest == rows[2].answer_digest != rows[1].answer_digest


def test_private_glue_beside_it_brings_it_back_to_nobody(world: Worlds) -> None:
    strip = Rule(1, Scope(), Target(TargetKind.BYPASS, Bypass.ECH), Action.BLOCK)
    here = world(sample_policy(strip), guard=Guard())
    public = binding(ALPN, HINT4, ECH)
    glued = https_answer((SITE, HTTPS, public), additional=[("ns.example", 1, bytes((10, 0, 0, 1)))])
    here.upstream._message = lambda *_: glued  # type: ignore[method-assign]  # one answer to all
    for _ in range(2):
        response = here.raw(ask(SITE, "HTTPS"))
        assert (KEYS in response, bytes((10, 0, 0, 1)) in response, len(heard(response).answer)) == (False, False, 1)


def test_ad_is_not_claimed_for_what_was_changed(world: Worlds) -> None:
    here = bypassing(world)
    signed = https_answer((SITE, HTTPS, FULL), (SITE, RRSIG, signature(HTTPS)), ad=True)
    here.upstream._message = lambda *_: signed  # type: ignore[method-assign]  # one answer to all
    assert "ad" in here.ask(SITE, "HTTPS", do=True).flags
    said = here.ask(SITE, "HTTPS", host=SCHOOLS_CLIENT, do=True)
    assert ("ad" in said.flags, len(said.answer)) == (False, 1)


def test_case_of_the_question_and_the_id_are_the_client_s(world: Worlds) -> None:
    here = bypassing(world)
    for _ in range(2):
        said = heard(here.raw(ask("SiTe.ExAmPlE", "HTTPS", message_id=7), SCHOOLS_CLIENT))
        assert (said.id, said.question) == (7, "SiTe.ExAmPlE IN HTTPS")
        assert said.answer[0].startswith("SiTe.ExAmPlE 300 IN HTTPS")
