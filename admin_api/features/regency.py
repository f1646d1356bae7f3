"""The regency's settings: one resource, which is always there."""

from __future__ import annotations

import json
from typing import Annotated

from pydantic import Field
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from admin_api import fields as f
from admin_api.database import reading
from admin_api.journal import Act, changed
from admin_api.models import RegencyRow
from admin_api.rest.auth import Scope
from admin_api.rest.edit import Edited, edit
from admin_api.rest.etag import etag, require_match
from admin_api.rest.route import API, Call, Reply, Route
from admin_api.rest.validation import check_body, merge_body
from admin_api.schemas import Answer, Exacting, Instant, answer_of, as_json, instant, put_answer
from policy.letters import LetterFor
from policy.model import AnswerKind, Language, UnknownClients

PATH = f"{API}/regency"
KIND = "regency"


class RegencyInput(Exacting):
    """What holds for all agencies unless they say otherwise."""

    name: f.Title
    zone: f.Zone = "Asia/Jakarta"
    language: Language = Language.ID
    """Of texts that users see."""
    unknown_clients: UnknownClients = UnknownClients.PRIVATE_ONLY
    """What clients of no registered network get."""
    allow_list_only: bool = False
    admin_networks: Annotated[f.Cidrs, Field(max_length=f.MAX_ADMIN_NETWORKS)] = Field(default_factory=list)
    """Whose clients may ask NAME.explain.saring for the reason of a decision."""
    answer: Answer = Answer(kind=AnswerKind.NXDOMAIN)
    """How blocked names are answered where neither rule nor category says."""


class RegencyOutput(RegencyInput):
    """The settings as stored."""

    changed: Instant


def show(row: RegencyRow) -> RegencyOutput:
    """The row as clients see it."""
    return RegencyOutput(
        name=row.name,
        zone=row.zone,
        language=Language(row.language),
        unknown_clients=UnknownClients(row.unknown_clients),
        allow_list_only=row.allow_list_only,
        admin_networks=row.admin_networks,
        answer=answer_of(row) or Answer(kind=AnswerKind.NXDOMAIN),
        exception_max_days=row.exception_max_days,
        pause_max_minutes=row.pause_max_minutes,
        letters_for=[LetterFor(kind) for kind in row.letters_for],
        letters_with_document=row.letters_with_document,
        changed=instant(row.changed_s),
    )


def put_regency(row: RegencyRow, data: RegencyInput) -> None:
    """Writes the settings into their row."""
    row.name = data.name
    row.zone = data.zone
    row.language = data.language.value
    row.unknown_clients = data.unknown_clients.value
    row.allow_list_only = data.allow_list_only
    row.admin_networks = list(data.admin_networks)
    put_answer(row, data.answer)
    row.exception_max_days = data.exception_max_days
    row.pause_max_minutes = data.pause_max_minutes
    row.letters_for = [kind.value for kind in data.letters_for]
    row.letters_with_document = data.letters_with_document


async def get(call: Call) -> Reply:
    """The settings with their ETag."""
    async with reading(call.services.sessions) as session:
        row = await _row(session)
    return Reply(show(row), headers={"ETag": etag(KIND, row.id, row.version)})


async def replace(call: Call) -> Reply:
    """All settings anew."""
    return await _update(call, check_body(RegencyInput, call.body))


async def change(call: Call) -> Reply:
    """The given settings anew."""
    return await _update(call, None)


async def _update(call: Call, whole: RegencyInput | None) -> Reply:
    async def work(session: AsyncSession) -> tuple[RegencyRow, Edited]:
        row = await _row(session)
        require_match(call.if_match, etag(KIND, row.id, row.version))
        before = as_json(show(row))
        data = whole if whole is not None else merge_body(RegencyInput, before, json.loads(call.body))
        put_regency(row, data)
        was, is_now = changed(before, as_json(show(row)))
        if not is_now:
            return row, Edited(None)
        row.version += 1
        row.changed_s = int(call.now_s())
        return row, Edited(Act("update", KIND, row.id, row.name, was, is_now))

    row, headers = await edit(call, work)
    return Reply(show(row), headers=headers | {"ETag": etag(KIND, row.id, row.version)})


async def _row(session: AsyncSession) -> RegencyRow:
    return (await session.execute(select(RegencyRow))).scalar_one()


ROUTES = (
    Route("GET", PATH, "regency", "Read the regency's settings", get, Scope.POLICY_READ, "get_regency",
          response=RegencyOutput, etag=True, for_agencies=True),
    Route("PUT", PATH, "regency", "Replace the regency's settings", replace, Scope.ADMIN, "replace_regency",
          response=RegencyOutput, body=RegencyInput, preconditioned=True, etag=True, publishes=True),
    Route("PATCH", PATH, "regency", "Change some of the regency's settings", change, Scope.ADMIN, "change_regency",
          response=RegencyOutput, body=RegencyInput, partial=True, preconditioned=True, etag=True, publishes=True),
)  # fmt: skip
