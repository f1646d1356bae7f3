"""Adopting entries of the catalogue from the command line, in the control database itself, journalled like any edit."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from admin_api.catalogue.adopt import Adopter
from admin_api.catalogue.read import Catalogue
from admin_api.database import Sessions, editing, reading
from admin_api.journal import Act, advance_revision, record
from admin_api.models import Blocklist, Service
from admin_api.policy_gate import judge
from admin_api.rest.problem import Problem
from admin_api.rest.route import Editor
from admin_api.surroundings import load_surroundings
from admin_api.to_policy import load_policy
from saring.people import local_actor


class AdoptionError(Exception):
    """Nothing was entered; the text says why."""


@dataclass(frozen=True, slots=True)
class Entered:
    """What was entered: ``kind`` is service, blocklist or category."""

    kind: str
    code: str


async def adopted_codes(sessions: Sessions) -> tuple[set[str], set[str]]:
    """Codes of the services and of the lists that the database has."""
    async with reading(sessions) as session:
        services = set((await session.scalars(select(Service.code))).all())
        return services, set((await session.scalars(select(Blocklist.code))).all())


async def adopt(
    sessions: Sessions, catalogue: Catalogue, codes: Sequence[str], enable: bool, mirror: int, now_s: float
) -> list[Entered]:
    """Enters all of them or none. Raises ``AdoptionError``."""
    unknown = [code for code in codes if code not in catalogue.services and code not in catalogue.sources]
    if unknown:
        raise AdoptionError(
            f"the catalogue has no {', '.join(unknown)}; `saring catalogue services` and `sources` show what it has"
        )
    actor = local_actor()
    adopter = Adopter(catalogue, Editor(actor.login, now_s), may_make_categories=True)
    acts: list[Act] = []
    try:
        async with editing(sessions) as session:
            before = await load_policy(session)
            for code in codes:
                acts += await _one(session, adopter, catalogue, code, enable, mirror)
            session.expire_all()
            verdict = judge(before, await load_policy(session), await load_surroundings(session, now_s))
            if verdict.errors:
                raise AdoptionError("; ".join(f"{error.field}: {error.message}" for error in verdict.errors))
            revision = await advance_revision(session)
            for act in acts:
                record(session, actor, act, now_s, revision)
    except Problem as problem:
        raise AdoptionError(problem.detail) from problem
    return [Entered(act.kind, act.label) for act in acts]


async def _one(
    session: AsyncSession, adopter: Adopter, catalogue: Catalogue, code: str, enable: bool, mirror: int
) -> list[Act]:
    service = catalogue.services.get(code)
    if service is not None:
        of_service = await adopter.service(session, service)
        return [*of_service.before, of_service.act]
    of_source = await adopter.source(session, catalogue.sources[code], enable, mirror)
    return [*of_source.before, of_source.act]
