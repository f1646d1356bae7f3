"""Entering a list from the command line, in the control database itself, journalled like any edit."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from sqlalchemy import select

from admin_api.database import Sessions, editing
from admin_api.journal import Act, advance_revision, record
from admin_api.models import Blocklist, Category
from blocklists.source import Source
from blocklists.transfer.tsig import ALGORITHMS
from saring.people import local_actor


class ListRefusedError(Exception):
    """The list cannot be entered; the text says why."""


@dataclass(frozen=True, slots=True)
class NewList:
    """What the list is to be; everything else has its default (``blocklists.source.Source``)."""

    code: str
    title: str
    location: str
    format: str
    national: bool
    categories: tuple[str, ...]
    member: str = ""
    landing: tuple[str, ...] = ()
    sha256: str = ""
    rewrites: bool = False
    tsig_name: str = ""
    tsig_algorithm: str = ALGORITHMS[0]
    tsig_secret_file: str = ""
    allow_private: bool = False


async def add_list(sessions: Sessions, wanted: NewList, now_s: float) -> int:
    """Enters the list; returns its id. Raises ``ListRefusedError``."""
    try:
        source = Source(
            wanted.code,
            _location(wanted.location),
            wanted.format,
            member=wanted.member,
            landing=tuple(name.lower().rstrip(".") for name in wanted.landing),
            sha256=wanted.sha256.lower(),
            rewrites=wanted.rewrites,
            tsig_name=wanted.tsig_name,
            tsig_algorithm=wanted.tsig_algorithm,
            tsig_secret_file=wanted.tsig_secret_file,
            allow_private=wanted.allow_private,
        )
    except ValueError as error:
        raise ListRefusedError(str(error)) from error
    async with editing(sessions) as session:
        if await session.scalar(select(Blocklist.id).where(Blocklist.code == wanted.code)) is not None:
            raise ListRefusedError(f"there is a list {wanted.code} already")
        known = {row.code: row for row in await session.scalars(select(Category))}
        unknown = [code for code in wanted.categories if code not in known]
        if unknown:
            raise ListRefusedError(f"there is no category {', '.join(unknown)}; known are {', '.join(sorted(known))}")
        row = Blocklist(
            version=1,
            created_s=int(now_s),
            changed_s=int(now_s),
            code=wanted.code,
            title=wanted.title,
            location=source.location,
            format=source.format,
            subdomains=None,
            member=source.member,
            landing=" ".join(source.landing),
            sha256=source.sha256,
            rewrites=source.rewrites,
            tsig_name=source.tsig_name,
            tsig_algorithm=source.tsig_algorithm,
            tsig_secret="",
            tsig_secret_file=source.tsig_secret_file,
            national=wanted.national,
            enabled=True,
            max_size_bytes=source.max_size_bytes,
            shrink_limit=source.shrink_limit,
            min_entries=source.min_entries,
            allow_private=source.allow_private,
            categories=[known[code] for code in wanted.categories],
        )
        session.add(row)
        await session.flush()
        revision = await advance_revision(session)
        after = {"code": wanted.code, "location": wanted.location, "categories": list(wanted.categories)}
        record(session, local_actor(), Act("create", "blocklist", row.id, wanted.code, after=after), now_s, revision)
        return row.id


def _location(text: str) -> str:
    """A URL as it is; a path made absolute: whoever fetches it later may be started somewhere else."""
    return text if urlsplit(text).scheme else str(Path(text).absolute())
