"""Replays: what a draft would have done to queries that were asked; and publishing exactly that draft.

Nothing is published by a replay. Its draft is rehearsed against the database and rolled back; what people then confirm
is the same work at the same revision of the database, or it is refused.
"""

from __future__ import annotations

import asyncio
import dataclasses
from http import HTTPStatus
from typing import Annotated, Final, Self

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator

from admin_api import fields as f
from admin_api.bulk import Outcome
from admin_api.database import current_revision, editing
from admin_api.difference_told import told
from admin_api.draft_edits import Edits, missing_scopes
from admin_api.drafts import Draft, Drafted, FromDatabase, FromEdits, FromFile, FromGeneration, work_of
from admin_api.features.difference_schemas import ChangeOutput, show_changes
from admin_api.features.generations import MAX_GENERATION
from admin_api.features.policy_file import MAX_SIZE_BYTES, read_policy_file
from admin_api.generation_record import RecordError, decode_record
from admin_api.history import load_history
from admin_api.journal import Act, record
from admin_api.models import AgencyRow
from admin_api.replay_order import MAX_PERIOD_S, ReplayOrder, ReplayReport, disabled_lists
from admin_api.replays import BusyError, Job, Replays, ReplayState
from admin_api.rest.auth import Scope
from admin_api.rest.edit import edit_many
from admin_api.rest.problem import FieldError, Problem, conflict, invalid, not_found
from admin_api.rest.resource import require_code
from admin_api.rest.route import API, Call, Parameters, Reply, Route
from admin_api.rest.validation import check_body
from admin_api.schemas import Instant, Strict, instant, instant_us
from snapshots.generation import read_record
from snapshots.manifest import GenerationDamaged

PATH = f"{API}/replays"
ID: Final = "^[0-9a-f]{16}$"
_US: Final = 1_000_000


class ReplayInput(Strict):
    """A draft and a period. At most one of file, generation and edits; none of them: the database as it is."""

    since: Instant
    until: Instant
    """Exclusive."""
    agency: f.Code | None = None
    """Only its queries."""
    file: Annotated[str, StringConstraints(max_length=MAX_SIZE_BYTES)] | None = None
    """A policy file (TOML), as GET /export/policy gives it."""
    generation: Annotated[int, Field(ge=1, le=MAX_GENERATION)] | None = None
    """The database set back to this generation."""
    edits: Edits | None = None
    """Edits of the database as it is."""

    @model_validator(mode="after")
    def _is_one_draft(self) -> Self:
        if sum(one is not None for one in (self.file, self.generation, self.edits)) > 1:
            raise ValueError("give file, generation or edits, not several of them")
        if not 0 < (self.until - self.since).total_seconds() <= MAX_PERIOD_S:
            raise ValueError(f"until must be later than since, by at most {MAX_PERIOD_S // 86_400} days")
        return self


class ReplayPath(Parameters):
    """The path of one replay."""

    id: Annotated[str, StringConstraints(pattern=ID)]


class ReplayProgress(BaseModel):
    """How far it is, in queries."""

    model_config = ConfigDict(frozen=True)

    done: int
    total: int


class ReplayOutput(BaseModel):
    """A replay, its progress and, once it is done, its result."""

    model_config = ConfigDict(frozen=True, use_attribute_docstrings=True)

    id: str
    state: ReplayState
    created: Instant
    login: str
    since: Instant
    until: Instant
    agency: str
    """"": all."""
    revision: int
    """Of the database on which the draft was rehearsed; publishing it needs the same."""
    notes: list[str]
    """What does not come out as the draft says."""
    progress: ReplayProgress
    error: str
    report: ReplayReport | None
    """What was found; null until it is done. Its changes are left out for an agency's token."""


class ReplaysOutput(BaseModel):
    """The replays that are remembered, the newest first, without their results."""

    items: list[ReplayOutput]


class ReplayPublished(BaseModel):
    """A draft that was published."""

    revision: int
    changes: list[ChangeOutput]
    warnings: list[str]


class ReplayHandlers:
    """The routes, over the replays of this process."""

    def __init__(self, replays: Replays) -> None:
        self._replays = replays

    async def begin(self, call: Call) -> Reply:
        """Rehearses the draft and starts the replay."""
        replay = call.services.replay
        if replay is None:
            raise Problem(HTTPStatus.SERVICE_UNAVAILABLE, "this program offers no replays")
        asked = check_body(ReplayInput, call.body)
        agency, tenants = await self._tenants(call, asked)
        draft = await asyncio.to_thread(_draft, call, asked)
        rehearsed = await _rehearse(call, draft)
        order = ReplayOrder(
            draft=rehearsed.after,
            disabled=disabled_lists(rehearsed.result.sources),
            from_us=int(asked.since.timestamp() * _US),
            until_us=int(asked.until.timestamp() * _US),
            tenants=tenants,
            heirs=rehearsed.result.heirs,
        )
        job = Job(
            id=call.services.random_bytes(8).hex(),
            login=call.principal.login,
            agency_id=call.principal.agency_id,
            agency=agency,
            created_s=call.now_s(),
            revision=rehearsed.revision,
            draft=draft,
            order=order,
            notes=rehearsed.result.notes,
        )
        try:
            self._replays.begin(job, replay)
        except BusyError:
            detail = "enough replays are waiting already; try again when one is done, or cancel one"
            raise Problem(HTTPStatus.TOO_MANY_REQUESTS, detail, headers={"Retry-After": "10"}) from None
        return Reply(_show(job), HTTPStatus.ACCEPTED, {"Location": f"{PATH}/{job.id}"})

    async def listed(self, call: Call) -> Reply:
        """All that the token may see."""
        own = call.principal.agency_id
        jobs = [job for job in self._replays.all() if own is None or job.agency_id == own]
        return Reply(ReplaysOutput(items=[_show(job, whole=False) for job in jobs]))

    async def get(self, call: Call) -> Reply:
        """One replay."""
        return Reply(_show(self._job(call)))

    async def cancel(self, call: Call) -> Reply:
        """Ends a replay and forgets it."""
        await self._replays.cancel(self._job(call))
        return Reply(status=HTTPStatus.NO_CONTENT)

    async def publish(self, call: Call) -> Reply:
        """Makes the draft true and publishes it, if the database has not moved since it was rehearsed."""
        job = self._job(call)
        if job.state is not ReplayState.DONE:
            raise conflict(f"the replay is {job.state}; only one that is done is published, and once")
        _refuse_weak(call, job.draft)
        work = work_of(job.draft, call.editor)
        done, headers = await edit_many(call, work, apply=True, at_revision=job.revision)
        job.state = ReplayState.PUBLISHED
        changes = show_changes(told(done.before, done.after, done.acts))
        shown = ReplayPublished(revision=done.revision, changes=changes, warnings=list(done.warnings))
        return Reply(shown, headers=headers)

    def _job(self, call: Call) -> Job:
        job = self._replays.find(call.path_as(ReplayPath).id)
        own = call.principal.agency_id
        if job is None or (own is not None and job.agency_id != own):
            raise not_found("replay of that identifier")
        return job

    async def _tenants(self, call: Call, asked: ReplayInput) -> tuple[str, tuple[tuple[str, str | None], ...] | None]:
        """Whose rows are read, earlier codes of an agency included. Reading is recorded before it is done."""
        principal = call.principal
        if not principal.may(Scope.POLICY_READ):
            raise Problem(HTTPStatus.FORBIDDEN, f"the token lacks the scope {Scope.POLICY_READ.value}")
        code = asked.agency
        async with editing(call.services.sessions) as session:
            if principal.agency_id is not None:
                row = await session.get(AgencyRow, principal.agency_id)
                own = row.code if row else ""
                if code not in (None, own) or not own:
                    raise Problem(HTTPStatus.FORBIDDEN, "the token replays only its own agency's queries")
                code = own
            elif code is not None:
                await require_code(session, AgencyRow, code, "agency")
            read = asked.model_dump(mode="json", include={"since", "until"}) | ({"agency": code} if code else {})
            act = Act("replay", "queries", label=code or "", after=read)
            record(session, call.actor, act, call.now_s(), await current_revision(session))
            history = await load_history(session)
        return code or "", history.tenants(code, None) if code else None


def _draft(call: Call, asked: ReplayInput) -> Draft:
    """The draft that is asked for. Raises problems for one that is none, or not for this token."""
    agency_id = call.principal.agency_id
    if asked.edits is not None:
        return FromEdits(tuple(asked.edits), agency_id)
    if agency_id is not None and (asked.file is not None or asked.generation is not None):
        raise Problem(HTTPStatus.FORBIDDEN, "the token is restricted to one agency, and may try rules alone")
    if asked.file is not None:
        return FromFile(read_policy_file(asked.file.encode("utf-8", "replace")), call.principal.login)
    if asked.generation is None:
        return FromDatabase()
    try:
        kept = decode_record(read_record(call.services.snapshots_root, asked.generation))
    except (GenerationDamaged, RecordError) as fault:
        message = f"cannot be restored: {fault}"
        raise invalid(FieldError(field="generation", message=message, value=asked.generation)) from None
    return FromGeneration(asked.generation, kept)


async def _rehearse(call: Call, draft: Draft) -> Outcome[Drafted]:
    try:
        return (await edit_many(call, work_of(draft, call.editor), apply=False))[0]
    except RecordError as error:
        raise conflict(str(error)) from None


def _refuse_weak(call: Call, draft: Draft) -> None:
    """Raises a 403 problem where the token may try the draft but not make it true."""
    if isinstance(draft, FromEdits):
        missing = missing_scopes(call.principal, draft.edits)
        if missing:
            raise Problem(HTTPStatus.FORBIDDEN, f"the token lacks the scope {', '.join(missing)}")
    elif not call.principal.may(Scope.ADMIN):
        raise Problem(HTTPStatus.FORBIDDEN, f"the token lacks the scope {Scope.ADMIN.value}")


def _show(job: Job, *, whole: bool = True) -> ReplayOutput:
    report = job.report if whole else None
    if report is not None and job.agency_id is not None:
        report = dataclasses.replace(report, changes=())
    return ReplayOutput(
        id=job.id,
        state=job.state,
        created=instant(job.created_s),
        login=job.login,
        since=instant_us(job.order.from_us),
        until=instant_us(job.order.until_us),
        agency=job.agency,
        revision=job.revision,
        notes=list(job.notes),
        progress=ReplayProgress(done=job.completed, total=job.total),
        error=job.error,
        report=report,
    )


def replay_routes(replays: Replays) -> tuple[Route, ...]:
    """The routes, over the replays that the API's process keeps."""
    handlers = ReplayHandlers(replays)
    one = f"{PATH}/{{id}}"
    return (
        Route("POST", PATH, "replays", "Replay a draft against logged queries", handlers.begin, Scope.QUERIES_READ,
              "begin_replay", response=ReplayOutput, status=HTTPStatus.ACCEPTED, body=ReplayInput, for_agencies=True,
              max_body_size_bytes=MAX_SIZE_BYTES + 65_536,
              errors=(HTTPStatus.CONFLICT, HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE),
              description="Needs policy:read, too. Answers at once, with where the result will be. Publishes nothing. "
                          "An agency's token tries rules of its own agency on its own agency's queries."),
        Route("GET", PATH, "replays", "List replays", handlers.listed, Scope.QUERIES_READ, "list_replays",
              response=ReplaysOutput, for_agencies=True),
        Route("GET", one, "replays", "Read a replay, its progress and result", handlers.get, Scope.QUERIES_READ,
              "get_replay", response=ReplayOutput, path_schema=ReplayPath, for_agencies=True),
        Route("DELETE", one, "replays", "Cancel and forget a replay", handlers.cancel, Scope.QUERIES_READ,
              "cancel_replay", status=HTTPStatus.NO_CONTENT, path_schema=ReplayPath, for_agencies=True),
        Route("POST", f"{one}/publication", "replays", "Publish a replayed draft", handlers.publish,
              Scope.POLICY_WRITE, "publish_replay", response=ReplayPublished, path_schema=ReplayPath, publishes=True,
              errors=(HTTPStatus.CONFLICT,),
              description="Exactly the draft that was replayed, and only while the database is at the revision it was "
                          "rehearsed on. Edits need the scopes of what they edit; other drafts need admin."),
    )  # fmt: skip
