"""The gate that every edit passes before it is committed: the whole policy it would make must be sound."""

from __future__ import annotations

from dataclasses import dataclass

from admin_api.rest.problem import FieldError
from policy.model import Policy
from policy.problems import REFUSED, Part, Problem, Severity
from policy.review import review
from policy.surroundings import Surroundings

NOTHING_KNOWN = Surroundings()


@dataclass(frozen=True, slots=True)
class Verdict:
    """What an edit brings that was not there before: errors refuse it, warnings are told to whoever made it.

    ``new``: the problems themselves, notes included; ``all``: with those that were there before.
    """

    errors: tuple[FieldError, ...]
    warnings: tuple[str, ...]
    new: tuple[Problem, ...] = ()
    all: tuple[Problem, ...] = ()


def judge(before: Policy, after: Policy, surroundings: Surroundings = NOTHING_KNOWN) -> Verdict:
    """The problems that ``after`` has and ``before`` has not.

    Problems that are there already (found by a newer check, say) must not forbid all edits, the ones that mend them
    among them.
    """
    problems = review(after, surroundings)
    if not problems:
        return Verdict((), ())
    known = frozenset(review(before, surroundings))
    new = tuple(problem for problem in problems if problem not in known)
    return Verdict(
        errors=tuple(field_error(problem) for problem in new if problem.severity in REFUSED),
        warnings=tuple(str(problem) for problem in new if problem.severity is Severity.WARNING),
        new=new,
        all=tuple(problems),
    )


def field_error(problem: Problem) -> FieldError:
    """A problem of the policy as a mistake in a field. The regency has no key: there is only one."""
    place = problem.part.value if problem.part is Part.REGENCY else f"{problem.part.value} {problem.key}"
    return FieldError(field=f"{place}: {problem.field}", message=problem.message, expected=problem.remedy)
