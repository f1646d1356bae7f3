"""From the control database to the facts that policy is made of (``policy/model.py``), and to the lists' sources."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TypeVar

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from admin_api.database import Sessions, current_revision, reading
from admin_api.fields import DAYS
from admin_api.models import (
    AgencyRow,
    Blocklist,
    Category,
    DeviceRow,
    ForwarderRow,
    HolidayRow,
    NetworkRow,
    PauseRow,
    ProtectedName,
    RegencyRow,
    RuleRow,
    ScheduleOverrideRow,
    ScheduleRow,
    Service,
    UnitRow,
)
from admin_api.models.base import Edited
from admin_api.models.catalog import DEFAULT_MAX_AGE_S
from admin_api.schedule_schemas import WindowColumns, days_of_bits
from admin_api.schemas import block_answer_of, letter_of
from blocklists.transfer.tsig import ALGORITHMS
from policy import model as facts

RowT = TypeVar("RowT", bound=Edited)


@dataclass(frozen=True, slots=True)
class SourceRow:
    """A blocklist as the sync job needs it: where it comes from and what it may not do."""

    list_id: int
    code: str
    title: str
    location: str
    format: str
    subdomains: bool | None
    national: bool
    enabled: bool
    max_size_bytes: int
    shrink_limit: float
    min_entries: int
    allow_private: bool
    categories: tuple[str, ...]
    max_age_s: int = DEFAULT_MAX_AGE_S
    member: str = ""
    landing: tuple[str, ...] = ()
    sha256: str = ""
    rewrites: bool = False
    created_s: int = 0
    tsig_name: str = ""
    tsig_algorithm: str = ALGORITHMS[0]
    tsig_secret: str = field(default="", repr=False)
    tsig_secret_file: str = ""


async def read_policy(sessions: Sessions) -> facts.Policy:
    """The policy as committed, all of it at one revision."""
    async with reading(sessions) as session:
        return await load_policy(session)


async def load_policy(session: AsyncSession) -> facts.Policy:
    """The policy as this session sees it, at ``Policy.revision``.

    ``ListInfo.version`` stays empty: the database does not know what is compiled; the publisher fills it in. A disabled
    list is left out, so that it stops at once and not when the index is next compiled; where a rule speaks of it, it
    stays, so that the rule does, but feeds no category.
    """
    regency = (await session.execute(select(RegencyRow))).scalar_one()
    rules = await _all(session, RuleRow)
    ruled = {row.blocklist_id for row in rules}
    return facts.Policy(
        regency=_regency(regency),
        agencies=tuple(
            facts.Agency(row.id, row.code, row.name, row.allow_list_only) for row in await _all(session, AgencyRow)
        ),
        units=tuple(
            facts.Unit(row.id, row.code, row.name, row.agency_id, row.allow_list_only)
            for row in await _all(session, UnitRow)
        ),
        networks=tuple(
            facts.Network(row.cidr, row.agency_id, row.unit_id or 0) for row in await _all(session, NetworkRow)
        ),
        categories=tuple(
            facts.Category(row.id, row.code, row.title, row.negative, block_answer_of(row), row.observe)
            for row in await _all(session, Category)
        ),
        lists=tuple(_list(row) for row in await _all(session, Blocklist) if row.enabled or row.id in ruled),
        services=tuple(
            facts.Service(row.id, row.code, row.title, row.category_id, tuple(entry.name for entry in row.names))
            for row in await _all(session, Service)
        ),
        rules=tuple(rule_of(row) for row in rules),
        schedules=tuple(_schedule(row) for row in await _all(session, ScheduleRow)),
        holidays=tuple(facts.Holiday(row.date, row.title, row.joint_leave) for row in await _all(session, HolidayRow)),
        protected=tuple(row.name for row in await _all(session, ProtectedName)),
        schedule_overrides=tuple(_override(row) for row in await _all(session, ScheduleOverrideRow)),
        forwarders=tuple(_forwarder(row) for row in await _all(session, ForwarderRow)),
        devices=tuple(
            facts.Device(facts.Identification(row.kind), row.value, row.agency_id, row.unit_id or 0)
            for row in await _all(session, DeviceRow)
        ),
        pauses=tuple(pause_of(row) for row in await lasting_pauses(session)),
        revision=await current_revision(session),
    )


async def load_sources(session: AsyncSession) -> list[SourceRow]:
    """All blocklists, the disabled ones included."""
    return [
        SourceRow(
            list_id=row.id,
            code=row.code,
            title=row.title,
            location=row.location,
            format=row.format,
            subdomains=row.subdomains,
            national=row.national,
            enabled=row.enabled,
            max_size_bytes=row.max_size_bytes,
            shrink_limit=row.shrink_limit,
            min_entries=row.min_entries,
            allow_private=row.allow_private,
            categories=tuple(category.code for category in row.categories),
            max_age_s=row.max_age_s,
            member=row.member,
            landing=tuple(row.landing.split()),
            sha256=row.sha256,
            rewrites=row.rewrites,
            tsig_name=row.tsig_name,
            tsig_algorithm=row.tsig_algorithm,
            tsig_secret=row.tsig_secret,
            tsig_secret_file=row.tsig_secret_file,
            created_s=row.created_s,
        )
        for row in await _all(session, Blocklist)
    ]


def target_of(row: RuleRow) -> facts.Target:
    """What a rule speaks of; categories, lists and services by their code."""
    named = row.category or row.blocklist or row.service
    return facts.Target(facts.TargetKind(row.target_kind), named.code if named else row.target_text or "")


def rule_of(row: RuleRow) -> facts.Rule:
    """A rule's row as policy speaks of it."""
    return facts.Rule(
        id=row.id,
        scope=scope_of(row),
        target=target_of(row),
        action=facts.Action(row.action),
        title=row.title,
        answer=block_answer_of(row),
        schedule_id=row.schedule_id or 0,
        valid_from_s=row.valid_from_s,
        valid_until_s=row.valid_until_s,
        mandatory=row.mandatory,
        exception=row.exception,
        important=row.important,
        basis=letter_of(row),
        author=row.author,
        approver=row.approver,
    )


def scope_of(row: RuleRow | ScheduleOverrideRow | PauseRow) -> facts.Scope:
    """Whose it is."""
    if row.unit_id is not None:
        return facts.Scope(facts.ScopeKind.UNIT, row.unit_id)
    if row.agency_id is not None:
        return facts.Scope(facts.ScopeKind.AGENCY, row.agency_id)
    return facts.Scope()


async def lasting_pauses(session: AsyncSession) -> Sequence[PauseRow]:
    """Pauses that nobody ended and that are not known to have passed."""
    return (await session.scalars(select(PauseRow).where(PauseRow.ended_s.is_(None)).order_by(PauseRow.id))).all()


def pause_of(row: PauseRow) -> facts.Pause:
    """A pause's row as policy speaks of it."""
    return facts.Pause(row.id, scope_of(row), row.from_s, row.until_s, row.author, row.reason)


def _regency(row: RegencyRow) -> facts.Regency:
    return facts.Regency(
        name=row.name,
        zone=row.zone,
        language=facts.Language(row.language),
        answer=block_answer_of(row) or facts.BlockAnswer(),
        unknown_clients=facts.UnknownClients(row.unknown_clients),
        allow_list_only=row.allow_list_only,
        admin_networks=tuple(row.admin_networks),
    )


def _list(row: Blocklist) -> facts.ListInfo:
    feeds = tuple(category.id for category in row.categories) if row.enabled else ()
    return facts.ListInfo(row.id, row.code, row.title, feeds, row.national, observe=row.observe)


def _schedule(row: ScheduleRow) -> facts.Schedule:
    periods = tuple(
        facts.Period(period.title, period.from_date, period.until_date, _windows(period.windows))
        for period in row.periods
    )
    return facts.Schedule(
        row.id, row.code, row.title, row.zone, _windows(row.windows), row.skip_holidays, periods, row.skip_joint_leave
    )


def _windows(rows: Sequence[WindowColumns]) -> tuple[facts.Window, ...]:
    return tuple(
        facts.Window(
            days=tuple(DAYS.index(day) for day in days_of_bits(row.days)),
            start_min=row.start_min,
            end_min=row.end_min,
        )
        for row in rows
    )


def _override(row: ScheduleOverrideRow) -> facts.ScheduleOverride:
    return facts.ScheduleOverride(scope_of(row), row.schedule_id, facts.Reading(row.reading), row.other_id or 0)


def _forwarder(row: ForwarderRow) -> facts.Forwarder:
    agencies = tuple(agency.id for agency in row.agencies)
    trusts = tuple(facts.Identification(trust) for trust in row.trusts)
    return facts.Forwarder(row.id, row.cidr, row.title, agencies, trusts)


async def _all(session: AsyncSession, model: type[RowT]) -> Sequence[RowT]:
    # By primary key, so that equal databases give equal policies, octet for octet.
    return (await session.scalars(select(model).order_by(model.id))).all()
