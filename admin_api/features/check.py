"""Why? What a client would get for a name at an instant, and everything that has a say about it."""

from __future__ import annotations

import ipaddress
from http import HTTPStatus
from typing import Annotated, Self

from pydantic import BaseModel, Field, model_validator

from admin_api import fields as f
from admin_api.current_generation import CurrentGeneration
from admin_api.models import AgencyRow
from admin_api.rest.auth import Scope
from admin_api.rest.problem import FieldError, Problem, invalid
from admin_api.rest.route import API, Call, Parameters, Reply, Route
from admin_api.schemas import Address, QueryInstant, RRTypeNumber
from dnswire import name as dns
from dnswire.constants import RRType
from policy.explain import ByAddress, ByTenant, Who
from policy.explanation import Explanation
from policy.model import Policy
from snapshots.generation import NoGenerationError


class CheckQuery(Parameters):
    """What to explain: for a client's address, or for an agency (and unit), or for the regency as a whole."""

    name: f.DnsName
    type: RRTypeNumber = RRType.A.value
    """A mnemonic (AAAA) or a number."""
    client: Address | None = None
    agency: f.Code | None = None
    unit: f.Code | None = None
    """Of that agency."""
    at: QueryInstant | None = None
    """By the policy in force now, at that instant (schedules, validity); default: now."""

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


class Checker:
    """Answers checks from the current generation."""

    def __init__(self, current: CurrentGeneration) -> None:
        self._current = current

    async def check(self, call: Call) -> Reply:
        """The decision by the code that makes it for the workers."""
        query = call.query_as(CheckQuery)
        at_s = query.at.timestamp() if query.at else call.now_s()
        try:
            policy = await self._current.policy()
            who = await self._who(call, query, policy)
            name = dns.from_text(query.name)
            number, explanation = await self._current.explain(who, name, query.type, at_s)
        except NoGenerationError:
            detail = "no generation is published yet; there is nothing to check against"
            raise Problem(HTTPStatus.SERVICE_UNAVAILABLE, detail) from None
        except KeyError:
            raise Problem(HTTPStatus.CONFLICT, "the policy changed while it was asked; ask again") from None
        _refuse_foreign(call, explanation)
        return Reply(CheckOutput(generation=number, explanation=explanation))

    async def _who(self, call: Call, query: CheckQuery, policy: Policy) -> Who:
        if query.client is not None:
            return ByAddress(ipaddress.ip_address(query.client).packed)
        code = query.agency
        if code is None and call.principal.agency_id is not None:
            code = await _own_code(call, call.principal.agency_id)
        if code is None:
            return ByTenant(0)
        agency = next((agency for agency in policy.agencies if agency.code == code), None)
        if agency is None:
            raise invalid(FieldError(field="agency", message="there is no such agency in force", value=code))
        if query.unit is None:
            return ByTenant(agency.id)
        units = (unit for unit in policy.units if unit.agency_id == agency.id and unit.code == query.unit)
        unit = next(units, None)
        if unit is None:
            raise invalid(FieldError(field="unit", message=f"{code} has no such unit in force", value=query.unit))
        return ByTenant(agency.id, unit.id)


async def _own_code(call: Call, agency_id: int) -> str | None:
    async with call.services.sessions() as session:
        row = await session.get(AgencyRow, agency_id)
    return row.code if row else None


def _refuse_foreign(call: Call, explanation: Explanation) -> None:
    own = call.principal.agency_id
    if own is not None and explanation.client.agency_id != own:
        raise Problem(HTTPStatus.FORBIDDEN, "the token sees only its own agency's decisions")


def check_routes(current: CurrentGeneration) -> tuple[Route, ...]:
    """The route, over the generation that the API holds open."""
    return (
        Route("GET", f"{API}/check", "check", "Explain a decision", Checker(current).check, Scope.POLICY_READ, "check",
              response=CheckOutput, query_schema=CheckQuery, for_agencies=True, errors=(HTTPStatus.CONFLICT,)),
    )  # fmt: skip
