"""Importing a regency from a document (``seed_document.py``): by code, created or changed, never deleted."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from pydantic import ValidationError
from sqlalchemy import update
from sqlalchemy.ext.asyncio import AsyncSession

from admin_api.database import current_revision
from admin_api.journal import Actor, advance_revision, record
from admin_api.models import Revision
from admin_api.policy_gate import judge
from admin_api.rest.problem import FieldError
from admin_api.rest.validation import field_errors
from admin_api.seed_document import Document, parse_document
from admin_api.seed_rows import Importer
from admin_api.surroundings import load_surroundings
from admin_api.to_policy import load_policy

IMPORTER = Actor("import")


class ImportRefusedError(ValueError):
    """The document cannot be imported; ``errors`` has every mistake that was found."""

    def __init__(self, errors: list[FieldError]) -> None:
        super().__init__("; ".join(f"{error.field}: {error.message}" for error in errors))
        self.errors = errors


@dataclass(frozen=True, slots=True)
class Report:
    """What an import did, by kind of resource; nothing was written where ``changed_anything`` is false."""

    created: Mapping[str, int]
    changed: Mapping[str, int]
    unchanged: Mapping[str, int]
    warnings: tuple[str, ...] = ()
    revision: int = 0
    notes: tuple[str, ...] = field(default=())

    @property
    def changed_anything(self) -> bool:
        """Whether the policy must be published anew."""
        return bool(self.created or self.changed)


async def import_regency(
    session: AsyncSession, document: Mapping[str, Any], *, actor: Actor = IMPORTER, now_s: float | None = None
) -> Report:
    """Writes the document into the control database, in the session's transaction; the caller commits.

    Raises ``ImportRefusedError`` with all mistakes: of form, dangling references, and what would make the policy
    unsound. The caller then rolls back.
    """
    checked = _checked(document)
    await session.execute(update(Revision).values(number=Revision.number))  # the edit lock, as ``database.editing``
    before = await load_policy(session)
    importer = Importer(session, now_s=int(time.time() if now_s is None else now_s))
    with session.no_autoflush:
        await importer.run(checked)
    if importer.errors:
        raise ImportRefusedError(importer.errors)
    await session.flush()
    session.expire_all()
    verdict = judge(before, await load_policy(session), await load_surroundings(session, importer.now_s))
    if verdict.errors:
        raise ImportRefusedError(list(verdict.errors))
    revision = await current_revision(session)
    if importer.created or importer.changed:
        revision = await advance_revision(session)
        for act in importer.acts:
            record(session, actor, act, importer.now_s, revision)
    return Report(
        created=dict(importer.created),
        changed=dict(importer.changed),
        unchanged=dict(importer.unchanged),
        warnings=verdict.warnings,
        revision=revision,
    )


def _checked(document: Mapping[str, Any]) -> Document:
    try:
        checked, doubles = checked_document(document)
    except ValidationError as error:
        raise ImportRefusedError(field_errors(error.errors(include_url=False))) from None
    if doubles:
        raise ImportRefusedError(doubles)
    return checked


def checked_document(document: Mapping[str, Any]) -> tuple[Document, list[FieldError]]:
    """The document, and what is in it more than once. Raises pydantic's ``ValidationError`` with every mistake."""
    checked = parse_document(document)
    return checked, list(_doubles(checked))


def _doubles(document: Document) -> Iterable[FieldError]:
    keys: dict[str, list[str]] = {
        "protected": [entry if isinstance(entry, str) else entry.name for entry in document.protected],
        "must_resolve": [entry if isinstance(entry, str) else entry.name for entry in document.must_resolve],
        "agency": [entry.code for entry in document.agencies],
        "agency.unit": [f"{agency.code}/{unit.code}" for agency in document.agencies for unit in agency.unit],
        "forwarder": [entry.cidr for entry in document.forwarders],
        "device": [f"{entry.kind} {entry.value}" for entry in document.devices],
        "category": [entry.code for entry in document.categories],
        "service": [entry.code for entry in document.services],
        "list": [entry.code for entry in document.lists],
        "schedule": [entry.code for entry in document.schedules],
        "schedule_override": [f"{entry.schedule} {entry.scope}" for entry in document.schedule_overrides],
        "holiday": [entry.date for entry in document.holidays],
        "rule": [entry.code for entry in document.rules],
        "exception": [entry.code for entry in document.exceptions],
        "networks": [
            cidr
            for agency in document.agencies
            for networks in (agency.networks, *(unit.networks for unit in agency.unit))
            for cidr in networks
        ],
    }
    for section, values in keys.items():
        for value, count in Counter(values).items():
            if count > 1:
                yield FieldError(field=section, message=f"{value} is there {count} times", value=value, expected="once")
