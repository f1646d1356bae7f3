"""The verdict on a name or an address, for one view.

The order of layers and the meaning of a *tie* in a layer are told in ``candidates.py``; here the first candidate that
settles the matter becomes a ``Decision``. **Observe** never wins. Where the name is let through all the same, and an
observe rule stood before the allow (so that, were it a block, it would have blocked), the verdict is OBSERVED with that
rule's reason; an observe rule behind an allow would not have blocked and is not counted. **Safe search** before the
allow makes it REDIRECTED, counted or not.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from blocklists.rule import RuleAction
from policy import reason
from policy.candidates import Candidate, evaluate, evaluate_address, matched_name, settle
from policy.facts import gather
from policy.model import BlockAnswer, Decision, Ede, Layer, ScopeKind, Verdict, Via
from policy.view import Ground, RuleInForce, View

if TYPE_CHECKING:
    from blocklists.match import Match

# No rule speaks of the address. The default of allow-list-only scopes is about names, and was applied to them.
_ADDRESS_ALLOWED: Final = Decision(Verdict.ALLOWED, Layer.DEFAULT, via=Via.ADDRESS, allow_layer=Layer.DEFAULT)


def decide(view: View, matches: tuple[Match, ...], name: bytes, rrtype: int) -> Decision:
    """The verdict on a question for ``name`` (lower-case wire form) with the index's ``matches`` for it.

    ``rrtype`` is part of the question; what lists' rules make of it is in ``matches`` already (``Index.ask``).
    """
    facts = gather(view, matches, name, rrtype)
    if facts is None:
        return view.default
    return conclude(view, evaluate(view, facts, False), name)


def decide_address(view: View, address: bytes, matches: tuple[Match, ...] = ()) -> Decision:
    """The verdict on an address (4 or 16 octets, else ``ValueError``) found in an answer; its ``via`` is ADDRESS.

    ``matches``: what lists say of it (``RulesIndex.match_address``). For a nameserver, of which only lists speak,
    ``address`` is ``b""`` and ``matches`` are those of ``match_server``.
    """
    if not matches and not view.has_networks:
        return _ADDRESS_ALLOWED
    candidates = evaluate_address(view, address, matches, False)
    return conclude(view, candidates, b"") if candidates else _ADDRESS_ALLOWED


def combine(question: Decision, target: Decision, via: Via | None = None) -> Decision:
    """What holds for a question when an alias target, address or service binding in its answer got its own decision.

    An explicit allow of the question (any layer but the default) is overridden only by a block of a stronger layer:
    who allows a site by name means its content network too, but not what a mandatory rule forbids. The same order
    tells whether an observe rule on the target would have blocked. Where the target's decision wins, it carries
    ``via`` (None: the one it has).
    """
    if question.verdict is not Verdict.ALLOWED and question.verdict is not Verdict.OBSERVED:
        return question
    if question.allow_layer is not Layer.DEFAULT and target.layer >= question.allow_layer:
        return question
    if target.verdict is Verdict.BLOCKED or target.verdict is Verdict.REDIRECTED:
        return target if via is None or via is target.via else _found_via(target, via)
    if target.verdict is Verdict.OBSERVED and question.verdict is Verdict.ALLOWED:
        return _observed_via(question, target, via)
    return question


def conclude(view: View, candidates: list[Candidate], name: bytes) -> Decision:
    """The decision of candidates in order of precedence; ``name`` is ``b""`` for an address."""
    winner, passed, counted = settle(candidates)
    if winner is not None and not winner.allows:
        return _barred(view, winner, name)
    # Only an address is let through by nothing: names end with the default.
    layer = passed.layer if passed is not None else Layer.DEFAULT
    if counted is not None:
        return _let_through(counted, Verdict.OBSERVED, layer, name)
    if passed is None:
        return _ADDRESS_ALLOWED
    return view.default if layer is Layer.DEFAULT else _let_through(passed, Verdict.ALLOWED, layer, name)


def default_decision(ground: Ground, allow_list_only: ScopeKind | None) -> Decision:
    """The decision on names of which nothing speaks."""
    if allow_list_only is None:
        return Decision(Verdict.ALLOWED, Layer.DEFAULT, allow_layer=Layer.DEFAULT)
    ede = reason.code(allow_list_only, False)
    return Decision(
        Verdict.BLOCKED,
        Layer.DEFAULT,
        answer=ground.answer,
        ede=ede,
        ede_text=reason.default_text(ede, ground.language),
    )


def _let_through(candidate: Candidate, verdict: Verdict, allow_layer: Layer, name: bytes) -> Decision:
    return Decision(
        verdict,
        candidate.layer,
        candidate.rule.rule_id if candidate.rule is not None else 0,
        candidate.list_id,
        candidate.category_id,
        matched_name(name, candidate.labels) if name else b"",
        None,
        Ede.NONE,
        "",
        Via.QUESTION if name else Via.ADDRESS,
        allow_layer,
        candidate.list_rule,
    )


def _barred(view: View, candidate: Candidate, name: bytes) -> Decision:
    if candidate.layer is Layer.DEFAULT:
        return view.default
    ground = view.ground
    asked = candidate.rule
    rule = asked.rule if asked is not None else None
    category = ground.categories.get(candidate.category_id)
    listed = ground.lists[candidate.list_id].info if candidate.list_id else None
    # An answer that a person states goes before the list's, the list's before the category's.
    list_rule = candidate.list_rule if asked is None or _leaves_answer(asked) else None
    redirected = asked is not None and asked.redirects
    redirected = redirected or (list_rule is not None and list_rule.action is RuleAction.REWRITE)
    ede = reason.code(candidate.scope, listed is not None and listed.national)
    answer: BlockAnswer | None = asked.answer if asked is not None else None
    if answer is None and category is not None:
        answer = category.answer
    return Decision(
        Verdict.REDIRECTED if redirected else Verdict.BLOCKED,
        candidate.layer,
        rule.id if rule is not None else 0,
        candidate.list_id,
        candidate.category_id,
        matched_name(name, candidate.labels) if name else b"",
        answer if answer is not None else ground.answer,
        ede,
        reason.text(ede, ground.language, rule, category, listed, redirected),
        Via.QUESTION if name else Via.ADDRESS,
        Layer.NONE,
        list_rule,
    )


def _leaves_answer(asked: RuleInForce) -> bool:
    return not asked.redirects and asked.answer is None


def _found_via(target: Decision, via: Via) -> Decision:
    return Decision(
        target.verdict,
        target.layer,
        target.rule_id,
        target.list_id,
        target.category_id,
        target.matched,
        target.answer,
        target.ede,
        target.ede_text,
        via,
        target.allow_layer,
        target.list_rule,
    )


def _observed_via(question: Decision, target: Decision, via: Via | None) -> Decision:
    """The target's reason, but the question's allow: further targets are still weighed against that."""
    return Decision(
        Verdict.OBSERVED,
        target.layer,
        target.rule_id,
        target.list_id,
        target.category_id,
        target.matched,
        None,
        Ede.NONE,
        "",
        target.via if via is None else via,
        question.allow_layer,
        target.list_rule,
    )
