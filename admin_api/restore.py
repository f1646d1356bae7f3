"""Setting the control database back to what it was when a generation was published.

Not a rollback: that swaps the reference to a generation and leaves the database as it is, so that the next edit
publishes everything anew. A restore is an edit of its own, journalled row by row, and is published as a new
generation; afterwards database and resolver agree.
"""

from __future__ import annotations

from dataclasses import dataclass

from pydantic import ValidationError
from sqlalchemy.ext.asyncio import AsyncSession

from admin_api.document_export import Exported, export_document
from admin_api.document_replace import replace_document
from admin_api.generation_record import RecordError
from admin_api.history import load_successions
from admin_api.journal import Act
from admin_api.restore_plan import plan_restore
from admin_api.seed_document import Document, parse_document
from admin_api.to_policy import SourceRow

LIVES = "exceptions and pauses stay as they are now; so do people and their tokens"


@dataclass(frozen=True, slots=True)
class Restored:
    """``notes``: what does not come back, or stays although it was not there then; ``sources``: lists afterwards."""

    notes: tuple[str, ...]
    sources: tuple[SourceRow, ...]


async def restore(session: AsyncSession, kept: Exported, generation: int, now_s: int) -> tuple[Restored, list[Act]]:
    """Brings the database to what the generation kept; the acts are for the journal.

    Raises ``RecordError`` for a document that this version cannot read, ``BulkRefusedError`` where it does not fit.
    """
    current = await export_document(session)
    plan = plan_restore(kept, current, await load_successions(session))
    document = _checked(plan.document)
    replaced, acts = await replace_document(session, document, now_s, ids=plan.ids, current=current)
    head = Act("restore", "generation", None, str(generation), after={"rows": len(acts), "notes": list(plan.notes)})
    return Restored((*plan.notes, *replaced.stays, LIVES), replaced.sources), [head, *acts]


def _checked(document: dict[str, object]) -> Document:
    try:
        return parse_document(document)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        where = ".".join(str(part) for part in first["loc"])
        raise RecordError(f"its document is not one of this version: {where}: {first['msg']}") from None
