"""A draft: what the database would say after a file, a generation or some edits, or as it is and not yet published.

Rehearsed, it gives the policy to replay; applied, it is one audited edit. Both run the same work.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from sqlalchemy.ext.asyncio import AsyncSession

from admin_api.document_export import Exported
from admin_api.document_replace import replace_document
from admin_api.draft_edits import DraftEdit, apply_edits
from admin_api.journal import Act
from admin_api.replay_order import Heirs, load_heirs
from admin_api.rest.route import Editor
from admin_api.restore import restore
from admin_api.seed_document import Document
from admin_api.to_policy import SourceRow, load_sources


@dataclass(frozen=True, slots=True)
class FromFile:
    """The database as a policy file says it. ``author``: whose the rules are that it changes; "": as the file says."""

    document: Document
    author: str = ""


@dataclass(frozen=True, slots=True)
class FromGeneration:
    """The database set back to a generation."""

    number: int
    kept: Exported


@dataclass(frozen=True, slots=True)
class FromEdits:
    """The database with some edits. ``agency_id``: the only agency whose rules they may touch."""

    edits: tuple[DraftEdit, ...]
    agency_id: int | None = None


@dataclass(frozen=True, slots=True)
class FromDatabase:
    """The database as it is: what an edit left unpublished, or a rollback took out of force."""


Draft = FromFile | FromGeneration | FromEdits | FromDatabase


@dataclass(frozen=True, slots=True)
class Drafted:
    """``notes``: what does not come out as the draft says. ``sources``: all lists; ``heirs``: of earlier agencies."""

    notes: tuple[str, ...]
    sources: tuple[SourceRow, ...]
    heirs: Heirs


def work_of(draft: Draft, editor: Editor) -> Callable[[AsyncSession], Awaitable[tuple[Drafted, list[Act]]]]:
    """The draft as one piece of work for ``bulk.run_bulk``."""

    async def work(session: AsyncSession) -> tuple[Drafted, list[Act]]:
        notes, acts = await _apply(session, draft, editor)
        await session.flush()
        sources = tuple(await load_sources(session))
        return Drafted(notes, sources, await load_heirs(session)), acts

    return work


async def _apply(session: AsyncSession, draft: Draft, editor: Editor) -> tuple[tuple[str, ...], list[Act]]:
    now_s = int(editor.now_s)
    if isinstance(draft, FromFile):
        replaced, acts = await replace_document(session, draft.document, now_s, author=draft.author)
        return replaced.stays, acts
    if isinstance(draft, FromGeneration):
        restored, acts = await restore(session, draft.kept, draft.number, now_s)
        return restored.notes, acts
    if isinstance(draft, FromEdits):
        return (), await apply_edits(session, draft.edits, editor, draft.agency_id)
    # An act, so that there is a new revision: one that was published before would not be published again.
    return (), [Act("publish", "policy", label="the database as it is")]
