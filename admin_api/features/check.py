"""Why? What a client would get for a name or an address, at any time, and everything that has a say about it."""

from __future__ import annotations

import ipaddress
from dataclasses import replace
from http import HTTPStatus
from typing import Annotated, Self

from pydantic import BaseModel, Field, model_validator

from admin_api import fields as f
from admin_api.models import AgencyRow
from admin_api.rest.auth import Scope
from admin_api.rest.problem import FieldError, Problem, invalid
from admin_api.rest.route import API, Call, Parameters, Reply, Route
from admin_api.schemas import Address, QueryInstant, RRTypeNumber
from dnswire import name as dns
from dnswire.constants import RRType
from policy.asked import Asked, AskedWrong
from policy.explanation import Explanation
from snapshots.generation import NoGenerationError

MAX_GENERATION = 10**10 - 1


class CheckQuery(Parameters):
    """What to explain: for a client's address, or for an agency (and unit), or for the regency as a whole."""

    name: f.NameOrAddress
    """A name; or an address, as it stands in an upstream's answer."""
    type: RRTypeNumber = RRType.A.value
    """A mnemonic (AAAA) or a number."""
    client: Address | None = None
    agency: f.Code | None = None
    unit: f.Code | None = None
    """Of that agency."""
    at: QueryInstant | None = None
    """At that instant; a past one by the policy that was in force then. Default: now."""
    generation: Annotated[int, Field(ge=1, le=MAX_GENERATION)] | None = None
    """By this generation's policy."""
    resolve: bool = False
    """Ask the upstreams, and explain what their answer leads to."""
    lines: bool = False
    """Look up the line of every list's entry, however long the list."""

    @model_validator(mode="after")
    def _says_who_once(self) -> Self:
        if self.client is not None and self.agency is not None:
            raise ValueError("give client or agency, not both")
        if self.unit is not None and self.agency is None:
            raise ValueError("unit needs its agency")
        return self


class CheckOutput(BaseModel):
    """The explanation."""

    generation: int
    explanation: Annotated[Explanation, Field(description="The decision, its reasons, and what lost against it.")]


async def check(call: Call) -> Reply:
    """The decision, and the response, by the code that makes both for clients."""
    asked = await _asked(call, call.query_as(CheckQuery))
    try:
        explanation = await call.services.explain(asked)
    except NoGenerationError:
        detail = "no generation is published yet; there is nothing to check against"
        raise Problem(HTTPStatus.SERVICE_UNAVAILABLE, detail) from None
    except AskedWrong as wrong:
        value = getattr(asked, wrong.field)
        raise invalid(FieldError(field=wrong.field, message=str(wrong), value=value)) from None
    explanation = _own_only(call, explanation)
    number = explanation.of_generation.number if explanation.of_generation is not None else 0
    return Reply(CheckOutput(generation=number, explanation=explanation))


async def _asked(call: Call, query: CheckQuery) -> Asked:
    code = query.agency
    if code is None and query.client is None and call.principal.agency_id is not None:
        code = await _own_code(call, call.principal.agency_id)
    asked = Asked(
        rrtype=query.type,
        client=ipaddress.ip_address(query.client).packed if query.client is not None else b"",
        agency=code or "",
        unit=query.unit or "",
        at_s=query.at.timestamp() if query.at is not None else None,
        generation=query.generation or 0,
        resolve=query.resolve,
        lines=query.lines,
    )
    try:
        return replace(asked, address=ipaddress.ip_address(query.name).packed)
    except ValueError:
        return replace(asked, name=dns.from_text(query.name).lower())


async def _own_code(call: Call, agency_id: int) -> str | None:
    async with call.services.sessions() as session:
        row = await session.get(AgencyRow, agency_id)
    return row.code if row else None


def _own_only(call: Call, explanation: Explanation) -> Explanation:
    """The explanation as the token may see it: of its own agency, and not whose another's address is."""
    own = call.principal.agency_id
    if own is None:
        return explanation
    if explanation.client.agency_id != own:
        raise Problem(HTTPStatus.FORBIDDEN, "the token sees only its own agency's decisions")
    owner = explanation.owner
    return explanation if owner is None or owner.agency_id == own else replace(explanation, owner=None)


ROUTES = (
    Route("GET", f"{API}/check", "check", "Explain a decision", check, Scope.POLICY_READ, "check",
          response=CheckOutput, query_schema=CheckQuery, for_agencies=True),
)  # fmt: skip
