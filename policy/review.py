"""All there is to say about a policy before it is published: what ``check`` finds, and what is sound but in vain.

``check`` asks whether the policy can be followed; it is what a publisher insists on. ``review`` asks, too, whether it
does what its authors want: against the names that must work, against letters that are demanded, and for rules that
contradict each other or can never win. It looks at thousands of rules one after another, never at all pairs.
"""

from __future__ import annotations

from policy.check import check
from policy.conflicts import conflicts
from policy.letters import check_letters
from policy.model import Policy
from policy.never_wins import never_wins
from policy.own_names import check_own_names
from policy.prepare import prepare
from policy.problems import Findings, Problem
from policy.surroundings import Surroundings

__all__ = ["Surroundings", "review"]


def review(policy: Policy, surroundings: Surroundings) -> list[Problem]:
    """Every problem of the policy, the faults first, what is only worth knowing last."""
    findings = Findings()
    findings.problems += check(policy)
    check_own_names(policy, surroundings.own_names, findings)
    check_letters(policy, surroundings.letters, findings)
    in_vain = never_wins(prepare(policy), surroundings)
    findings.problems += in_vain
    keys = frozenset(problem.key for problem in in_vain)
    findings.problems += conflicts(policy, keys, surroundings.now_s)
    return findings.problems
