"""Step 7 of a query's way: whom the answer points to.

A name that passes may lead by CNAME, DNAME, HTTPS or SVCB to one that does not, or to a blocked address. Each is put
to the same decision function as the question; on cache hits too, since the policy may have changed after caching.
"""

from __future__ import annotations

from dataclasses import replace

from blocklists.index import Index
from dnswire.answer import Answer
from policy.decide import combine, decide, decide_address
from policy.model import Decision, Verdict, Via
from policy.resolve import View


def inspect(view: View, index: Index, question: Decision, answer: Answer, rrtype: int) -> Decision:
    """The decision on the whole exchange: the question's, or the first block that something in the answer earns."""
    for via, names in ((Via.ALIAS, answer.aliases), (Via.SERVICE_BINDING, answer.bindings)):
        for target in names:
            found = combine(question, _on_name(view, index, target, rrtype, via))
            if found.verdict in (Verdict.BLOCKED, Verdict.REDIRECTED):
                return found
    for address in answer.addresses:
        found = combine(question, decide_address(view, address))
        if found.verdict in (Verdict.BLOCKED, Verdict.REDIRECTED):
            return found
    return question


def _on_name(view: View, index: Index, target: bytes, rrtype: int, via: Via) -> Decision:
    return replace(decide(view, index.match(target), target, rrtype), via=via)
