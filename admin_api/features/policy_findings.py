"""The whole policy reviewed: everything that is wrong with it, in vain, or worth knowing."""

from __future__ import annotations

import asyncio
from collections import Counter
from typing import Annotated

from pydantic import BaseModel, Field

from admin_api.database import reading
from admin_api.finding_schemas import Finding, findings_of
from admin_api.rest.auth import Scope
from admin_api.rest.route import API, Call, Parameters, Reply, Route
from admin_api.surroundings import load_surroundings
from admin_api.to_policy import load_policy
from policy.problems import Part, Severity
from policy.review import review


class FindingsQuery(Parameters):
    """Which findings."""

    severity: Severity | None = None
    part: Part | None = None
    key: Annotated[str, Field(min_length=1, max_length=1100)] | None = None
    """Of one rule, agency, list ..."""


class FindingsOutput(BaseModel):
    """What there is to say about the policy as it is entered, at this moment."""

    revision: int
    counts: dict[Severity, int]
    """Of all findings, whatever was asked for."""
    items: list[Finding]


async def findings(call: Call) -> Reply:
    """Reviews the policy as committed."""
    query = call.query_as(FindingsQuery)
    services = call.services
    async with reading(services.sessions) as session:
        policy = await load_policy(session)
        surroundings = await load_surroundings(session, call.now_s(), services.own_names, services.library)
    problems = await asyncio.to_thread(review, policy, surroundings)
    wanted = [
        problem
        for problem in problems
        if query.severity in (None, problem.severity)
        and query.part in (None, problem.part)
        and query.key in (None, problem.key)
    ]
    counts = Counter(problem.severity for problem in problems)
    shown = {severity: counts[severity] for severity in Severity}
    return Reply(FindingsOutput(revision=policy.revision, counts=shown, items=findings_of(wanted)))


ROUTES = (
    Route("GET", f"{API}/policy/findings", "policy", "Review the policy", findings, Scope.POLICY_READ,
          "list_policy_findings", response=FindingsOutput, query_schema=FindingsQuery),
)  # fmt: skip
