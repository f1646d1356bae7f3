"""What the admission of lists is judged by: the configuration, and what people entered in the control database."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from admin_api.database import Sessions, current_revision, editing, reading
from admin_api.journal import Act, Actor, record
from admin_api.models import ListOverride, MustResolveName, ProtectedName
from admin_api.override_state import open_overrides
from blocklists.admission import Gate
from saring.config_schema import ListsSection
from saring.list_sync import Synced

SYNC_ACTOR = Actor("sync")


@dataclass(frozen=True, slots=True)
class Admission:
    """The gate, and by list the checksum of the content that two people let in."""

    gate: Gate
    accepted: Mapping[str, str]


async def load_admission(sessions: Sessions, config: ListsSection, now_s: float, own: Sequence[str] = ()) -> Admission:
    """As committed at this moment. ``own``: names of Saring's, which must resolve like those of ``config``."""
    async with reading(sessions) as session:
        protected = (await session.scalars(select(ProtectedName.name).order_by(ProtectedName.id))).all()
        must_resolve = (await session.scalars(select(MustResolveName.name).order_by(MustResolveName.id))).all()
        overrides = await _usable(session, now_s)
        # The newest counts: a source that was corrected since has another content than the older one.
        accepted = {row.blocklist.code: row.sha256 for row in overrides}
    names = tuple(dict.fromkeys((*must_resolve, *config.must_resolve, *own)))
    return Admission(Gate(protected=tuple(protected), must_resolve=names), accepted)


async def note_used(sessions: Sessions, results: list[Synced], now_s: float) -> None:
    """Marks the overrides by which lists were let in, each with its row in the journal: they count once."""
    used = {(one.code, one.sha256): one for one in results if one.overridden}
    if not used:
        return
    async with editing(sessions) as session:
        revision = await current_revision(session)
        for row in await _usable(session, now_s):
            synced = used.get((row.blocklist.code, row.sha256))
            if synced is None:
                continue
            row.used_s = int(now_s)
            row.used_version = synced.version
            after = {
                "version": synced.version,
                "sha256": row.sha256,
                "cause": synced.overridden,
                "requested_by": row.requested_by,
                "approved_by": row.approved_by,
            }
            act = Act("admit", "list override", row.id, synced.code, after=after)
            record(session, SYNC_ACTOR, act, now_s, revision)


async def _usable(session: AsyncSession, now_s: float) -> list[ListOverride]:
    statement = select(ListOverride).where(open_overrides(now_s), ListOverride.approved_s.is_not(None))
    return list((await session.scalars(statement.order_by(ListOverride.approved_s, ListOverride.id))).all())
