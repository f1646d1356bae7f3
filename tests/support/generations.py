"""Generations of a test's control database, published as the program publishes them but without its lists."""

from __future__ import annotations

from pathlib import Path

from admin_api.database import Sessions, reading
from admin_api.document_export import export_document
from admin_api.generation_record import encode_record
from admin_api.to_policy import load_policy
from snapshots.publish import publish
from tests.support.admin import NOW_S


async def publish_database(sessions: Sessions, root: Path, index: Path | None = None) -> int:
    """The database as it is, as the next generation; its number."""
    async with reading(sessions) as session:
        policy, exported = await load_policy(session), await export_document(session)
    return publish(root, policy, index, NOW_S, record=encode_record(exported))
