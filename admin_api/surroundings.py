"""What an edit's policy is reviewed against: the time, names that must work, lists that say nothing, letters."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from admin_api.models import Blocklist, MustResolveName, RegencyRow
from blocklists.library import Library
from policy.letters import LetterFor, LettersRequired
from policy.surroundings import OwnName, Surroundings

MUST_RESOLVE = "a name that must resolve"


async def load_surroundings(
    session: AsyncSession, now_s: float, own_names: Sequence[OwnName] = (), library: Library | None = None
) -> Surroundings:
    """As this session sees them. ``own_names``: of the program's configuration; without ``library`` nothing is known
    of what lists hold.
    """
    must_resolve = (await session.scalars(select(MustResolveName.name).order_by(MustResolveName.id))).all()
    enabled = {row.code: row.enabled for row in await session.scalars(select(Blocklist))}
    silent = {code: "is switched off" for code, is_enabled in enabled.items() if not is_enabled}
    if library is not None:
        silent |= await asyncio.to_thread(_empty, library, [code for code in enabled if code not in silent])
    regency = (await session.execute(select(RegencyRow))).scalar_one()
    return Surroundings(
        now_s=now_s,
        own_names=(*own_names, *(OwnName(name, MUST_RESOLVE) for name in must_resolve)),
        silent_lists=silent,
        letters=letters_of(regency),
    )


def letters_of(regency: RegencyRow) -> LettersRequired:
    """For which rules the regency demands a letter."""
    return LettersRequired(frozenset(LetterFor(kind) for kind in regency.letters_for), regency.letters_with_document)


def _empty(library: Library, codes: Sequence[str]) -> Mapping[str, str]:
    found: dict[str, str] = {}
    for code in codes:
        current = library.state(code).current
        if current is None:
            found[code] = "was never fetched"
        elif not current.names:
            found[code] = "has no entries"
    return found
