"""Step 7 of a query's way: whom the answer points to.

A name that passes may lead by CNAME, DNAME, HTTPS or SVCB to one that does not, or to a blocked address. Each is put
to the same decision function as the question; on cache hits too, since the policy may have changed after caching.
"""

from __future__ import annotations

from blocklists.index import Index
from dnswire.answer import Answer
from policy.decide import combine, decide, decide_address
from policy.model import Decision, Verdict, Via
from policy.view import View


def inspect(view: View, index: Index, question: Decision, answer: Answer, rrtype: int) -> Decision:
    """The decision on the whole exchange: the question's, or the first block that something in the answer earns."""
    decision = question
    for target in answer.aliases:
        decision = combine(decision, decide(view, index.match(target), target, rrtype), Via.ALIAS)
        if bars(decision):
            return decision
    for target in answer.bindings:
        decision = combine(decision, decide(view, index.match(target), target, rrtype), Via.SERVICE_BINDING)
        if bars(decision):
            return decision
    for address in answer.addresses:
        decision = combine(decision, decide_address(view, address), Via.ADDRESS)
        if bars(decision):
            return decision
    return decision


def bars(decision: Decision) -> bool:
    """Whether the decision keeps the upstream's answer from the client."""
    return decision.verdict is Verdict.BLOCKED or decision.verdict is Verdict.REDIRECTED
