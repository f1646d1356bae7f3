"""The whole policy as one file: written for people to review, and the database brought to what such a file says."""

from __future__ import annotations

import asyncio
import tomllib
from http import HTTPStatus
from typing import Annotated, Any, Final

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from sqlalchemy.ext.asyncio import AsyncSession

from admin_api.database import reading
from admin_api.difference_told import told
from admin_api.document_export import export_document
from admin_api.document_replace import Replaced, replace_document
from admin_api.document_text import document_text
from admin_api.features.difference_schemas import ChangeOutput, show_changes
from admin_api.journal import Act
from admin_api.rest.auth import Scope
from admin_api.rest.edit import edit_many
from admin_api.rest.problem import FieldError, invalid
from admin_api.rest.route import API, Call, Digits, Parameters, Reply, Route
from admin_api.rest.validation import field_errors
from admin_api.seed import checked_document
from admin_api.seed_document import Document

TOML_TYPE: Final = "application/toml"
MAX_SIZE_BYTES: Final = 16 * 1024 * 1024
MAX_REVISION: Final = 2**53


class PolicyImportQuery(Parameters):
    """How to import."""

    dry_run: Annotated[bool, Field(strict=False)] = True
    """Only show what would be done; false: do it."""
    revision: Annotated[Digits, Field(ge=0, le=MAX_REVISION)] | None = None
    """Refuse unless the database is at this revision: that of the rehearsal that people looked at."""


class PolicyImportOutput(BaseModel):
    """What an import does, or would do."""

    model_config = ConfigDict(frozen=True, use_attribute_docstrings=True)

    applied: bool
    revision: int
    """Of the database now."""
    changes: list[ChangeOutput]
    stays: list[str]
    """What is not done as the file says, with the reason: what somebody still refers to, exceptions."""
    warnings: list[str]


async def export(call: Call) -> Reply:
    """The file that importing changes nothing."""
    async with reading(call.services.sessions) as session:
        exported = await export_document(session)
    text = await asyncio.to_thread(document_text, exported.document)
    return Reply(text.encode())


async def bring(call: Call) -> Reply:
    """Brings the database to what the file says: all of it, or with a mistake nothing."""
    query = call.query_as(PolicyImportQuery)
    document = await asyncio.to_thread(read_policy_file, call.body)

    async def work(session: AsyncSession) -> tuple[Replaced, list[Act]]:
        return await replace_document(session, document, int(call.now_s()), author=call.principal.login)

    done, headers = await edit_many(call, work, apply=not query.dry_run, at_revision=query.revision)
    shown = PolicyImportOutput(
        applied=done.applied,
        revision=done.revision,
        changes=show_changes(told(done.before, done.after, done.acts)),
        stays=list(done.result.stays),
        warnings=list(done.warnings),
    )
    return Reply(shown, headers=headers)


def read_policy_file(body: bytes) -> Document:
    """A policy file as a client sends it. Raises a 422 problem with every mistake."""
    try:
        content: dict[str, Any] = tomllib.loads(body.decode("utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, RecursionError) as fault:
        raise invalid(FieldError(field="$", message=f"not TOML in UTF-8: {fault}")) from None
    return check_policy_file(content)


def check_policy_file(content: dict[str, Any]) -> Document:
    """A policy file that was read already. Raises a 422 problem with every mistake."""
    try:
        document, doubles = checked_document(content)
    except ValidationError as error:
        raise invalid(*field_errors(error.errors(include_url=False))) from None
    except RecursionError:
        raise invalid(FieldError(field="$", message="is nested too deeply")) from None
    if doubles:
        raise invalid(*doubles)
    return document


ROUTES = (
    Route("GET", f"{API}/export/policy", "generations", "Export the policy as one file", export, Scope.ADMIN,
          "export_policy", media_type=TOML_TYPE,
          description="Sorted, in codes; without secrets, users, exceptions and pauses. Importing it changes nothing."),
    Route("POST", f"{API}/import/policy", "generations", "Bring the policy to what a file says", bring, Scope.ADMIN,
          "import_policy", response=PolicyImportOutput, query_schema=PolicyImportQuery, text_body=TOML_TYPE,
          max_body_size_bytes=MAX_SIZE_BYTES, publishes=True, errors=(HTTPStatus.CONFLICT,),
          description="The file is the whole policy: what it does not name is deleted. Shows what would be done unless "
                      "dry_run is false. Rules that it changes are the caller's; approvals are not imported."),
)  # fmt: skip
