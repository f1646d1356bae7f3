"""How blocked names are answered, and what Saring says of itself."""

from __future__ import annotations

from dataclasses import replace

import pytest

from policy.model import Action, AnswerKind, BlockAnswer, Rule, Target, TargetKind, Verdict
from tests.support.dns import ask
from tests.support.fixtures_world import Worlds
from tests.support.world import HEALTH, HEALTH_CLIENT, NATIONAL_LIST, STRANGER, agency, sample_policy

LISTS = {NATIONAL_LIST: ["*.judi.example"]}


@pytest.mark.parametrize(
    ("kind", "rrtype", "rcode", "answer"),
    [
        (AnswerKind.NXDOMAIN, "A", "NXDOMAIN", ()),
        (AnswerKind.NODATA, "A", "NOERROR", ()),
        (AnswerKind.NULL, "A", "NOERROR", ("judi.example 45 IN A 0.0.0.0",)),
        (AnswerKind.NULL, "AAAA", "NOERROR", ("judi.example 45 IN AAAA ::",)),
        (AnswerKind.NULL, "TXT", "NOERROR", ()),
        (AnswerKind.PAGE, "A", "NOERROR", ("judi.example 45 IN A 10.0.0.9",)),
        (AnswerKind.PAGE, "AAAA", "NOERROR", ()),
        (AnswerKind.REFUSED, "A", "REFUSED", ()),
    ],
)
def test_answers_to_a_blocked_name(
    world: Worlds, kind: AnswerKind, rrtype: str, rcode: str, answer: tuple[str, ...]
) -> None:
    policy = sample_policy()
    regency = replace(policy.regency, answer=BlockAnswer(kind, ttl_s=45, address4="10.0.0.9"))
    here = world(replace(policy, regency=regency), LISTS)
    said = here.ask("judi.example", rrtype)
    assert (said.rcode, said.answer) == (rcode, answer)
    assert said.ede[0][0] == 16
    assert "TrustPositif" in said.ede[0][1]
    if not answer and kind is not AnswerKind.REFUSED:
        # RFC 2308 5: without an SOA no negative answer is cached, and a blocked client asks again and again.
        assert said.authority == ("judi.example 45 IN SOA saring. hostmaster.saring. 1 3600 600 86400 45",)


def test_an_agency_s_own_rule_is_filtered_and_a_regency_list_is_censored(world: Worlds) -> None:
    rule = Rule(1, agency(HEALTH), Target(TargetKind.NAME, "gim.example"), Action.BLOCK)
    here = world(sample_policy(rule), LISTS)
    assert here.ask("gim.example").ede[0][0] == 17
    assert here.ask("judi.example").ede[0][0] == 16


def test_observe_counts_and_lets_through(world: Worlds) -> None:
    rule = Rule(1, agency(HEALTH), Target(TargetKind.NAME, "gim.example"), Action.OBSERVE)
    here = world(sample_policy(rule), LISTS)
    here.upstream.zones["gim.example"] = ["gim.example. 300 IN A 192.0.2.1"]
    assert here.ask("gim.example").addresses == ("192.0.2.1",)
    row = here.close()[0]
    assert (row.verdict, row.rule_id) == (Verdict.OBSERVED, 1)


@pytest.mark.parametrize("qname", ["version.bind", "version.server"])
def test_version(world: Worlds, qname: str) -> None:
    assert world(sample_policy()).ask(qname, "TXT", rrclass="CH").answer == (f'{qname} 0 CH TXT "Saring 1.2.3"',)


@pytest.mark.parametrize("qname", ["hostname.bind", "id.server"])
def test_hostname(world: Worlds, qname: str) -> None:
    assert world(sample_policy()).ask(qname, "TXT", rrclass="CH").answer == (f'{qname} 0 CH TXT "dns1.contoh.go.id"',)


def test_other_names_of_class_ch_are_refused(world: Worlds) -> None:
    assert world(sample_policy()).ask("authors.bind", "TXT", rrclass="CH").rcode == "REFUSED"


def test_options_that_do_not_fill_their_opt_rr_are_formerr(world: Worlds) -> None:
    """RFC 6891 6.1.2. They were once read again while the error was being answered, which cost the answer."""
    here = world(sample_policy(), LISTS)
    message = ask("judi.example", options=[(3, b"abc")])
    assert here.heard(here.raw(message[:-4] + b"\xff" + message[-3:])).rcode == "FORMERR"
    assert len(here.close()) == 1


def test_nsid_is_told_to_those_who_ask(world: Worlds) -> None:
    # RFC 5001 2.1: "A resolver signals its desire for name server identification by sending an empty NSID option".
    here = world(sample_policy(), LISTS)
    assert here.ask("judi.example", options=[(3, b"")]).options[3] == b"dns1.contoh.go.id"
    assert 3 not in here.ask("judi.example").options


def test_whoami_tells_agency_unit_and_generation(world: Worlds) -> None:
    here = world(sample_policy())
    assert here.ask("whoami.saring", "TXT").answer == (
        'whoami.saring 0 IN TXT "agency=dinkes","unit=-","generation=1"',
    )
    assert here.ask("whoami.saring", "A").answer == ()


@pytest.mark.parametrize(
    ("qname", "rrtype", "rcode", "addresses"),
    [
        ("use-application-dns.net", "A", "NXDOMAIN", ()),
        ("localhost", "A", "NOERROR", ("127.0.0.1",)),
        ("a.localhost", "AAAA", "NOERROR", ("::1",)),
        ("localhost", "MX", "NOERROR", ()),
        ("x.invalid", "A", "NXDOMAIN", ()),
        ("abc.onion", "A", "NXDOMAIN", ()),
        ("1.0.168.192.in-addr.arpa", "PTR", "NXDOMAIN", ()),
        ("5.0.31.172.in-addr.arpa", "PTR", "NXDOMAIN", ()),
        ("1.0.0.d.f.ip6.arpa", "PTR", "NXDOMAIN", ()),
    ],
)
def test_special_names_never_leave_the_machine(
    world: Worlds, qname: str, rrtype: str, rcode: str, addresses: tuple[str, ...]
) -> None:
    here = world(sample_policy())
    said = here.ask(qname, rrtype)
    assert (said.rcode, said.addresses, here.upstream.asked) == (rcode, addresses, [])


@pytest.mark.parametrize("qname", ["8.8.8.8.in-addr.arpa", "1.0.32.172.in-addr.arpa", "mylocalhost", "onion.example"])
def test_their_neighbours_do(world: Worlds, qname: str) -> None:
    here = world(sample_policy())
    here.ask(qname, "PTR")
    assert here.upstream.asked == [(qname, 12)]


def test_a_query_that_desires_no_recursion_is_refused(world: Worlds) -> None:
    """The cache must not tell who asked what before (cache snooping)."""
    here = world(sample_policy())
    said = here.ask("good.example", rd=False)
    assert (said.rcode, said.ede[0][0]) == ("REFUSED", 18)


def test_a_failing_upstream_is_servfail_with_its_reason(world: Worlds) -> None:
    here = world(sample_policy())
    here.upstream.failing = True
    said = here.ask("good.example")
    assert (said.rcode, said.ede) == ("SERVFAIL", ((22, "no upstream answered in time"),))


def test_an_ipv6_client_is_known_too(world: Worlds) -> None:
    here = world(sample_policy())
    assert here.ask("good.example", host="2001:db8:1::7").rcode == "NXDOMAIN"
    assert here.ask("good.example", host="fe80::1%eth0").rcode == "REFUSED"
    assert here.raw(ask("good.example"), STRANGER)
    assert here.close()[0].agency_id == HEALTH


def test_memory_of_clients_is_bounded(world: Worlds, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("resolver.in_force.MAX_CLIENTS", 10)
    monkeypatch.setattr("resolver.in_force.MAX_PLANS", 10)
    here = world(sample_policy(), LISTS)
    for number in range(50):
        here.ask(f"n{number}.judi.example", host=f"10.1.{number}.1")
        assert len(here.pipeline.in_force.known) <= 10
    assert here.ask("judi.example", host=HEALTH_CLIENT).rcode == "NXDOMAIN"
