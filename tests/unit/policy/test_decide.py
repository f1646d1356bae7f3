"""What a decision carries: answer, EDE, the matched name; addresses; combining along an answer."""

from __future__ import annotations

from dataclasses import replace
from ipaddress import ip_address

import pytest

from policy.decide import combine, decide_address
from policy.model import (
    Action,
    AnswerKind,
    Basis,
    BlockAnswer,
    Decision,
    Ede,
    Language,
    Layer,
    Regency,
    Verdict,
    Via,
)
from policy.resolve import resolve
from tests.support.deciding import (
    IGD,
    IGD_SCOPE,
    NATIONAL,
    PRIVATE,
    REGENCY_SCOPE,
    RSUD,
    RSUD_SCOPE,
    SOCIAL_LIST,
    ask,
    government,
    rule,
)

WWW = "www.contoh.example"
LETTER = Basis("045/12/DKI", "2026-01-05", "Bupati")


def test_a_national_list_is_censored_in_indonesian() -> None:
    decision = ask(government(), WWW, {NATIONAL: ["*.contoh.example"]})
    assert (decision.ede, decision.ede_text) == (Ede.CENSORED, "Diblokir: perjudian (TrustPositif)")
    assert decision.matched == b"\x06contoh\x07example\x00"


def test_another_list_is_blocked_in_english() -> None:
    policy = government(regency=Regency("Contoh", language=Language.EN))
    decision = ask(policy, WWW, {PRIVATE: [WWW]})
    assert (decision.ede, decision.ede_text) == (Ede.BLOCKED, "Blocked: perjudian (Daftar judi)")


def test_a_regency_rule_is_blocked_with_its_letter_and_censored_where_it_rests_on_the_national_list() -> None:
    social = ask(government(rule(1, REGENCY_SCOPE, "category:media_sosial", basis=LETTER)), "tiktok.com")
    assert (social.ede, social.ede_text) == (Ede.BLOCKED, "Diblokir: media sosial, surat 045/12/DKI")
    gambling = government(rule(1, REGENCY_SCOPE, "category:perjudian", mandatory=True))
    assert ask(gambling, WWW, {NATIONAL: [WWW]}).ede is Ede.CENSORED
    assert ask(gambling, WWW, {PRIVATE: [WWW]}).ede is Ede.BLOCKED


@pytest.mark.parametrize("scope", [RSUD_SCOPE, IGD_SCOPE])
def test_what_agency_or_unit_asked_for_is_filtered(scope: object) -> None:
    policy = government(rule(1, scope, "list:sosial", title="Tanpa medsos", basis=LETTER))  # type: ignore[arg-type]  # parametrized
    decision = ask(policy, WWW, {SOCIAL_LIST: [WWW]})
    assert (decision.ede, decision.ede_text) == (
        Ede.FILTERED,
        "Disaring: media sosial (Daftar sosial), surat 045/12/DKI",
    )
    by_name = ask(government(rule(1, scope, "name:" + WWW, title="Tanpa medsos")), WWW)  # type: ignore[arg-type]  # parametrized
    assert by_name.ede_text == "Disaring: Tanpa medsos"


def test_the_default_of_an_allow_list_only_scope_says_so() -> None:
    decision = ask(government(regency=Regency("Contoh", allow_list_only=True)), WWW)
    assert (decision.ede, decision.ede_text) == (Ede.BLOCKED, "Diblokir: di luar daftar izin")
    assert decision.answer == BlockAnswer()


def test_ede_texts_are_bounded_whole_characters_and_keep_the_letter() -> None:
    letter = Basis("800/017/" + "é" * 10)
    policy = government(rule(1, RSUD_SCOPE, "name:" + WWW, title="é" * 300 + "\n", basis=letter))
    text = ask(policy, WWW).ede_text
    assert len(text.encode()) <= 120
    assert text.endswith("…, surat 800/017/" + "é" * 10)
    endless = government(rule(1, RSUD_SCOPE, "name:" + WWW, title="a\nb\0", basis=Basis("9" * 500)))
    text = ask(endless, WWW).ede_text
    assert len(text.encode()) <= 120
    assert text.startswith("Disaring: a b , surat 999")


def test_the_answer_is_the_rules_else_the_categorys_else_the_regencys() -> None:
    own = BlockAnswer(AnswerKind.REFUSED)
    regency = Regency("Contoh", answer=BlockAnswer(AnswerKind.NULL))
    ruled = government(rule(1, RSUD_SCOPE, "category:media_sosial", answer=own), regency=regency)
    assert ask(ruled, "tiktok.com").answer is own
    plain = government(
        rule(1, RSUD_SCOPE, "category:media_sosial"), rule(2, RSUD_SCOPE, "name:" + WWW), regency=regency
    )
    assert ask(plain, "tiktok.com").answer == BlockAnswer(AnswerKind.NODATA)
    assert ask(plain, WWW).answer == regency.answer


def test_a_redirect_carries_its_target() -> None:
    answer = BlockAnswer(AnswerKind.REDIRECT, 300, name="baru.example")
    decision = ask(government(rule(1, REGENCY_SCOPE, "name:" + WWW, Action.REDIRECT, answer=answer)), WWW)
    assert (decision.verdict, decision.answer) == (Verdict.REDIRECTED, answer)
    assert decision.ede_text == "Dialihkan: aturan 1"


def test_an_allowed_name_carries_the_reason_and_no_answer() -> None:
    decision = ask(government(rule(7, RSUD_SCOPE, "wildcard:contoh.example", Action.ALLOW)), WWW)
    assert decision == Decision(
        Verdict.ALLOWED, Layer.AGENCY, 7, matched=b"\x06contoh\x07example\x00", allow_layer=Layer.AGENCY
    )


def test_lists_unknown_to_the_policy_have_no_say() -> None:
    assert ask(government(), WWW, {99: ["*.example"]}).verdict is Verdict.ALLOWED


@pytest.mark.parametrize("name", [".", "a." * 126 + "a", "\\000\\255.example", "*.example"])
def test_odd_names_are_decided_on_like_others(name: str) -> None:
    everything = government(rule(1, REGENCY_SCOPE, "wildcard:."), rule(2, REGENCY_SCOPE, "regex:zzz"))
    decision = ask(everything, name, {NATIONAL: ["lain.example"]})
    assert (decision.verdict, decision.rule_id, decision.matched) == (Verdict.BLOCKED, 1, b"\x00")


def test_expressions_see_lower_case_text_without_the_trailing_dot() -> None:
    policy = government(rule(1, REGENCY_SCOPE, r"regex:^WWW\.contoh\.example$"))
    assert ask(policy, "WwW.Contoh.Example.").rule_id == 1
    assert ask(policy, "www.contoh.example.id").rule_id == 0


def address(policy_rules: tuple[object, ...], text: str, unit: int = IGD) -> Decision:
    view = resolve(government(*policy_rules), 0).tenant(RSUD, unit).view  # type: ignore[arg-type]  # rules
    return decide_address(view, ip_address(text).packed)


def test_addresses_by_longest_prefix_layer_by_layer() -> None:
    rules = (
        rule(1, REGENCY_SCOPE, "network:203.0.113.0/24"),
        rule(2, REGENCY_SCOPE, "network:203.0.113.0/28", Action.REDIRECT),
        rule(3, IGD_SCOPE, "network:203.0.113.128/25", Action.ALLOW),
        rule(4, REGENCY_SCOPE, "network:198.51.100.0/24", Action.OBSERVE),
    )
    assert address(rules, "203.0.113.77").rule_id == 1
    assert address(rules, "203.0.113.7").rule_id == 2
    assert address(rules, "::ffff:203.0.113.7").verdict is Verdict.REDIRECTED
    assert address(rules, "203.0.113.200").verdict is Verdict.ALLOWED
    assert address(rules, "203.0.113.200", unit=0).verdict is Verdict.BLOCKED
    observed = address(rules, "198.51.100.9")
    assert (observed.verdict, observed.rule_id, observed.allow_layer) == (Verdict.OBSERVED, 4, Layer.DEFAULT)
    assert address(rules, "192.0.2.1") == Decision(
        Verdict.ALLOWED, Layer.DEFAULT, via=Via.ADDRESS, allow_layer=Layer.DEFAULT
    )
    blocked = address(rules, "203.0.113.77")
    assert (blocked.via, blocked.matched, blocked.ede) == (Via.ADDRESS, b"", Ede.BLOCKED)


def test_addresses_of_an_allow_list_only_scope_are_not_blocked_by_its_default() -> None:
    view = resolve(government(regency=Regency("Contoh", allow_list_only=True)), 0).tenant(0).view
    assert decide_address(view, b"\xcb\x00\x71\x01").verdict is Verdict.ALLOWED


def allowed(layer: Layer) -> Decision:
    return Decision(Verdict.ALLOWED, layer, allow_layer=layer)


def blocked(layer: Layer) -> Decision:
    return Decision(Verdict.BLOCKED, layer, rule_id=9, answer=BlockAnswer())


def test_a_default_allow_is_overridden_by_any_block_of_a_target() -> None:
    for layer in (Layer.MANDATORY, Layer.REGENCY, Layer.LISTS, Layer.DEFAULT):
        found = combine(allowed(Layer.DEFAULT), blocked(layer), Via.ALIAS)
        assert found == replace(blocked(layer), via=Via.ALIAS)


@pytest.mark.parametrize(
    "layer", [Layer.EXCEPTION, Layer.PROTECTED, Layer.UNIT, Layer.AGENCY, Layer.REGENCY, Layer.LISTS]
)
def test_an_explicit_allow_is_overridden_only_by_a_stronger_layer(layer: Layer) -> None:
    question = allowed(layer)
    assert combine(question, blocked(layer)) is question
    assert combine(question, blocked(Layer.DEFAULT)) is question
    assert combine(question, blocked(Layer.MANDATORY)).verdict is Verdict.BLOCKED


def test_a_blocked_question_stays_as_it_is() -> None:
    for verdict in (Verdict.BLOCKED, Verdict.REDIRECTED, Verdict.REFUSED, Verdict.LOCAL):
        question = Decision(verdict, Layer.LISTS)
        assert combine(question, blocked(Layer.MANDATORY)) is question


def test_an_observed_question_is_weighed_by_what_let_it_through() -> None:
    question = Decision(Verdict.OBSERVED, Layer.UNIT, 4, allow_layer=Layer.DEFAULT)
    assert combine(question, blocked(Layer.LISTS)).verdict is Verdict.BLOCKED
    relaxed = Decision(Verdict.OBSERVED, Layer.UNIT, 4, allow_layer=Layer.AGENCY)
    assert combine(relaxed, blocked(Layer.LISTS)) is relaxed


def test_an_observed_target_is_counted_for_the_question_and_further_targets_still_block() -> None:
    target = Decision(Verdict.OBSERVED, Layer.REGENCY, 5, allow_layer=Layer.DEFAULT)
    found = combine(allowed(Layer.DEFAULT), target, Via.SERVICE_BINDING)
    assert (found.verdict, found.rule_id, found.via) == (Verdict.OBSERVED, 5, Via.SERVICE_BINDING)
    assert combine(found, blocked(Layer.LISTS)).verdict is Verdict.BLOCKED
    assert combine(allowed(Layer.AGENCY), target).verdict is Verdict.ALLOWED


def test_combine_keeps_the_targets_own_via_unless_told() -> None:
    target = replace(blocked(Layer.LISTS), via=Via.ADDRESS)
    assert combine(allowed(Layer.DEFAULT), target) is target
