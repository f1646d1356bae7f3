"""Why an answer passes or not: everything it leads to, each with its own decision and what becomes of that.

The same walk as ``inspection.inspect``, which stops at the first block; here it goes to the end.
"""

from __future__ import annotations

import ipaddress
from typing import Final

from blocklists.rules_index import RulesIndex
from dnswire.answer import Answer
from dnswire.constants import RRType
from dnswire.name import to_text
from policy.decide import combine
from policy.explain import Explainer, Reasoned
from policy.explanation import HopFacts
from policy.findings import verdict_facts
from policy.model import Decision, Layer, Verdict, Via
from policy.why import LAYER_NAMES
from resolver.inspection import Hop, bars, hops

VIA_NAMES: Final = {
    Via.QUESTION: "question",
    Via.ALIAS: "alias",
    Via.ADDRESS: "address",
    Via.SERVICE_BINDING: "service binding",
    Via.NAMESERVER: "nameserver",
    Via.REBINDING: "rebinding",
}


def explain_hops(
    explainer: Explainer, rules: RulesIndex | None, question: Decision, answer: Answer, rrtype: int
) -> tuple[Decision, tuple[HopFacts, ...]]:
    """The decision on the whole exchange, and each hop. ``question``: the decision on the name itself."""
    decision = question
    found: list[HopFacts] = []
    for hop in hops(answer, rules):
        own, findings = _reasoned(explainer, hop, rrtype)
        combined = combine(decision, own, hop.via)
        found.append(
            HopFacts(
                via=hop.via,
                via_name=VIA_NAMES[hop.via],
                subject=to_text(hop.name) if hop.name else str(ipaddress.ip_address(hop.addresses[0])),
                addresses=tuple(str(ipaddress.ip_address(address)) for address in hop.addresses if hop.name),
                decision=verdict_facts(own, hop.name),
                bars=bars(combined) and not bars(decision),
                outcome=_outcome(decision, own, combined),
                findings=findings,
            )
        )
        decision = combined
    return decision, tuple(found)


def _reasoned(explainer: Explainer, hop: Hop, rrtype: int) -> Reasoned:
    if hop.via is Via.ALIAS:
        return explainer.name(hop.name, rrtype, RRType.CNAME)
    if hop.via is Via.SERVICE_BINDING:
        return explainer.name(hop.name, rrtype, rrtype)
    if hop.via is Via.ADDRESS:
        return explainer.address(hop.addresses[0])
    return explainer.server(hop.name, hop.addresses)


def _outcome(before: Decision, own: Decision, combined: Decision) -> str:
    """What the decision on a hop does to the exchange."""
    if bars(before):
        return "not asked any more: what came before it bars the answer"
    if combined is not before:
        if bars(combined):
            return "bars the answer"
        return "counted: it would have barred the answer"
    if own.verdict is Verdict.ALLOWED:
        return "passes"
    if before.verdict is Verdict.OBSERVED and own.verdict is Verdict.OBSERVED and before.allow_layer is Layer.DEFAULT:
        return "would have barred the answer too; what is counted already stands"
    return (
        f"does not count: the question is let through by {LAYER_NAMES[before.allow_layer]}, "
        f"which only a stronger layer than {LAYER_NAMES[own.layer]} overrides"
    )
