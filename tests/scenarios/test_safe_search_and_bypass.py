"""Safe search, and what clients do to get around their resolver, per scope."""

from __future__ import annotations

from dataclasses import replace

import pytest

from dnswire import name as wire
from policy.explain import ByTenant, explain
from policy.model import Action, Rule, Scope, Target, TargetKind, Verdict
from policy.safe_search import CODES, ENGINES, engines_of
from tests.support.fixtures_world import Worlds
from tests.support.plain_index import PlainIndex
from tests.support.world import HEALTH, NATIONAL_LIST, SCHOOLS, SCHOOLS_CLIENT, World, agency, sample_policy

REGENCY = Scope()


def search(number: int, scope: Scope, value: str, action: Action = Action.SAFE_SEARCH) -> Rule:
    return Rule(number, scope, Target(TargetKind.SEARCH, value), action)


def bypass(number: int, scope: Scope, value: str, action: Action = Action.BLOCK) -> Rule:
    return Rule(number, scope, Target(TargetKind.BYPASS, value), action)


def with_engines(here: World) -> World:
    for number, engine in enumerate(ENGINES):
        here.upstream.zones[engine.target] = [f"{engine.target}. 300 IN A 192.0.2.{number + 1}"]
        for name in engine.names[:2]:
            here.upstream.zones[name] = [f"{name}. 300 IN A 198.51.100.1"]
    return here


@pytest.mark.parametrize("engine", [engine for engine in ENGINES if engine.rank == 0], ids=lambda engine: engine.code)
def test_an_engines_names_lead_to_its_filtered_mode(world: Worlds, engine: object) -> None:
    here = with_engines(world(sample_policy(search(1, agency(SCHOOLS), "all"))))
    name, target = engine.names[0], engine.target  # type: ignore[attr-defined]
    said = here.ask(name, host=SCHOOLS_CLIENT)
    number = [one.target for one in ENGINES].index(target) + 1
    assert said.addresses == (target, f"192.0.2.{number}")
    assert here.ask(name).addresses == ("198.51.100.1",)
    row = here.close()[0]
    assert (row.verdict, row.rule_id) == (Verdict.REDIRECTED, 1)


def test_no_type_leads_around_it(world: Worlds) -> None:
    """HTTPS and SVCB carry addresses and targets of their own; mail of the same domain is nobody's business."""
    here = with_engines(world(sample_policy(search(1, REGENCY, "bing"))))
    here.upstream.zones["bing.com"] = ["bing.com. 300 IN MX 10 mail.bing.com."]
    assert here.ask("www.bing.com", "CNAME").answer[0].split()[-1] == "strict.bing.com"
    for rrtype in ("HTTPS", "SVCB"):
        said = here.ask("www.bing.com", rrtype)
        assert (said.rcode, said.answer, len(said.authority)) == ("NOERROR", (), 1)
    assert here.ask("bing.com", "MX").addresses == ("mail.bing.com",)
    assert here.ask("WWW.Bing.com", "AAAA").answer[0].split()[-1] == "strict.bing.com"


def test_a_nearer_allow_relaxes_it(world: Worlds) -> None:
    here = with_engines(
        world(sample_policy(search(1, REGENCY, "all"), search(2, agency(HEALTH), "google", Action.ALLOW)))
    )
    assert here.ask("www.google.com").addresses == ("198.51.100.1",)
    assert here.ask("www.google.com", host=SCHOOLS_CLIENT).addresses[0] == "forcesafesearch.google.com"
    assert here.ask("www.bing.com").addresses[0] == "strict.bing.com"


@pytest.mark.parametrize("numbers", [(1, 2), (2, 1)])
def test_the_strict_mode_of_youtube_beats_the_moderate(world: Worlds, numbers: tuple[int, int]) -> None:
    strict, moderate = numbers
    here = with_engines(
        world(sample_policy(search(strict, REGENCY, "youtube-strict"), search(moderate, REGENCY, "youtube-moderate")))
    )
    assert here.ask("www.youtube.com").addresses[0] == "restrict.youtube.com"


def test_moderate_alone(world: Worlds) -> None:
    here = with_engines(world(sample_policy(search(1, REGENCY, "youtube-moderate"))))
    assert here.ask("m.youtube.com").addresses[0] == "restrictmoderate.youtube.com"


def test_a_block_of_a_stronger_layer_goes_before(world: Worlds) -> None:
    here = with_engines(
        world(
            sample_policy(
                search(1, agency(HEALTH), "all"),
                Rule(2, REGENCY, Target(TargetKind.NAME, "www.bing.com"), Action.BLOCK, mandatory=True),
            )
        )
    )
    assert here.ask("www.bing.com").rcode == "NXDOMAIN"


BY_NAME = Target(TargetKind.NAME, "www.bing.com")
ALLOW_BING = Rule(9, agency(HEALTH), BY_NAME, Action.ALLOW)


@pytest.mark.parametrize(
    ("rules", "said"),
    [
        ((search(1, REGENCY, "all"), Rule(2, REGENCY, BY_NAME, Action.BLOCK)), "NXDOMAIN"),
        ((search(1, agency(HEALTH), "all"), Rule(2, REGENCY, BY_NAME, Action.BLOCK)), "NXDOMAIN"),
        ((search(1, REGENCY, "all"), Rule(2, REGENCY, BY_NAME, Action.OBSERVE)), "strict.bing.com"),
        ((search(1, REGENCY, "all"), ALLOW_BING), "198.51.100.1"),
        ((replace(search(1, agency(HEALTH), "bing"), important=True), ALLOW_BING), "strict.bing.com"),
        ((replace(search(1, REGENCY, "all"), mandatory=True), ALLOW_BING), "strict.bing.com"),
    ],
    ids=["block beside", "block behind", "observing", "allow before", "important before allow", "mandatory"],
)
def test_safe_search_opens_nothing_and_bars_nothing(world: Worlds, rules: tuple[Rule, ...], said: str) -> None:
    """It filters what is let through all the same; a regency that blocks YouTube and filters engines blocks YouTube."""
    policy = sample_policy(*rules)
    heard = with_engines(world(policy)).ask("www.bing.com")
    assert said in (heard.rcode, *heard.addresses)
    found = explain(policy, PlainIndex({}), ByTenant(HEALTH), wire.from_text("www.bing.com"), 1, 0)
    assert found.decision.response.startswith((said, f"CNAME {said}") if said[0].isalpha() else "what the upstream")
    assert [finding.rule_id for finding in found.findings if finding.wins and finding.rule_id] != []


def test_safe_search_opens_nothing_to_who_may_only_see_an_allow_list_or_to_what_a_list_blocks(world: Worlds) -> None:
    policy = sample_policy(search(1, REGENCY, "all"))
    only = replace(policy, regency=replace(policy.regency, allow_list_only=True))
    assert with_engines(world(only)).ask("www.bing.com").rcode == "NXDOMAIN"
    assert with_engines(world(policy, {NATIONAL_LIST: ["www.bing.com"]})).ask("www.bing.com").rcode == "NXDOMAIN"


def test_an_explanation_tells_what_lets_the_engine_through_and_what_filters_it() -> None:
    policy = sample_policy(search(1, agency(HEALTH), "bing"), Rule(2, REGENCY, BY_NAME, Action.ALLOW))
    found = explain(policy, PlainIndex({}), ByTenant(HEALTH), wire.from_text("www.bing.com"), 65, 0)
    assert [finding.outcome for finding in found.findings] == [
        "decides: lets the name through in the engine's filtered mode",
        "lets the name through, in the filtered mode that rule 1 asks for",
        "loses to rule 2: regency rules come before default",
    ]


def test_every_code_names_engines_and_no_other_does() -> None:
    assert all(engines_of(code) for code in CODES)
    assert {engine.code for engine in engines_of("all")} == {one.code for one in ENGINES} - {"youtube-moderate"}
    with pytest.raises(KeyError):
        engines_of("altavista")


def test_the_canary_name_tells_browsers_to_leave_their_own_resolver_alone(world: Worlds) -> None:
    """Mozilla: NXDOMAIN, or no addresses, switches Firefox's default DoH off."""
    here = world(sample_policy(bypass(1, agency(SCHOOLS), "canary", Action.ALLOW)))
    here.upstream.zones["use-application-dns.net"] = ["use-application-dns.net. 300 IN A 192.0.2.1"]
    assert here.ask("use-application-dns.net").rcode == "NXDOMAIN"
    assert here.upstream.asked == []
    assert here.ask("use-application-dns.net", host=SCHOOLS_CLIENT).addresses == ("192.0.2.1",)


@pytest.mark.parametrize("counting", ["wildcard", "regex"])
def test_a_rule_that_only_counts_does_not_let_the_canary_pass(world: Worlds, counting: str) -> None:
    observe = Rule(1, agency(HEALTH), Target(TargetKind(counting), "dns.net"), Action.OBSERVE)
    if counting == "wildcard":
        observe = Rule(1, agency(HEALTH), Target(TargetKind.WILDCARD, "net"), Action.OBSERVE)
    here = world(sample_policy(observe))
    here.upstream.zones["use-application-dns.net"] = ["use-application-dns.net. 300 IN A 192.0.2.1"]
    assert here.ask("use-application-dns.net").rcode == "NXDOMAIN"
    here.publish(sample_policy(observe, bypass(2, REGENCY, "canary", Action.ALLOW)))
    assert here.ask("use-application-dns.net").addresses == ("192.0.2.1",)
    assert [row.verdict for row in here.close()] == [Verdict.LOCAL, Verdict.OBSERVED]


def test_an_explanation_tells_what_becomes_of_the_canary() -> None:
    name = wire.from_text("use-application-dns.net")
    found = explain(sample_policy(), PlainIndex({}), ByTenant(HEALTH), name, 1, 0)
    assert found.decision.response.startswith("NXDOMAIN, which tells Firefox")
    allowed = sample_policy(bypass(1, REGENCY, "canary", Action.ALLOW))
    assert explain(allowed, PlainIndex({}), ByTenant(HEALTH), name, 1, 0).decision.response.startswith("what the up")


def test_an_allow_of_a_list_does_not_silence_the_canary(world: Worlds) -> None:
    here = world(sample_policy(), {NATIONAL_LIST: ["@@use-application-dns.net"]})
    assert here.ask("use-application-dns.net").rcode == "NXDOMAIN"


@pytest.mark.parametrize("name", ["mask.icloud.com", "mask-h2.icloud.com"])
def test_private_relay_per_scope(world: Worlds, name: str) -> None:
    """Apple: a negative answer makes a device warn its user and do without; it must not time out."""
    here = world(sample_policy(bypass(1, agency(HEALTH), "private_relay")))
    here.upstream.zones[name] = [f"{name}. 300 IN A 192.0.2.1"]
    for rrtype in ("A", "AAAA", "HTTPS"):
        assert here.ask(name, rrtype).rcode == "NXDOMAIN"
    assert here.ask(name, host=SCHOOLS_CLIENT).addresses == ("192.0.2.1",)
    assert here.close()[0].rule_id == 1


def test_what_would_be_filtered_or_blocked_can_be_counted_first(world: Worlds) -> None:
    counting = (search(1, REGENCY, "all", Action.OBSERVE), bypass(2, REGENCY, "private_relay", Action.OBSERVE))
    here = with_engines(world(sample_policy(*counting)))
    here.upstream.zones["mask.icloud.com"] = ["mask.icloud.com. 300 IN A 192.0.2.1"]
    assert here.ask("www.bing.com").addresses == ("198.51.100.1",)
    assert here.ask("mask.icloud.com").addresses == ("192.0.2.1",)
    assert [(row.verdict, row.rule_id) for row in here.close()] == [(Verdict.OBSERVED, 1), (Verdict.OBSERVED, 2)]


def test_ech_is_a_mark_of_the_view(world: Worlds) -> None:
    rules = (bypass(1, REGENCY, "ech"), bypass(2, agency(SCHOOLS), "ech", Action.ALLOW))
    in_force = world(sample_policy(*rules)).pipeline.in_force
    views = [in_force.resolved.tenant(number).view for number in (HEALTH, SCHOOLS)]
    assert [view.strips_ech for view in views] == [True, False]
