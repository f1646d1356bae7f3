"""The first administrator: a one-time code, printed by the program, is redeemed for the first token."""

from __future__ import annotations

import base64
import hashlib
import hmac
from http import HTTPStatus
from typing import Annotated

from pydantic import StringConstraints
from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncSession

from admin_api import fields as f
from admin_api.database import editing
from admin_api.features.tokens import NewTokenOutput, show
from admin_api.journal import Act, Actor, record
from admin_api.models import SetupCode, Token, User
from admin_api.rest.auth import SECRET_SIZE_BYTES, Scope, hash_secret, new_secret
from admin_api.rest.problem import Problem, conflict
from admin_api.rest.route import API, Call, Reply, Route
from admin_api.rest.validation import check_body
from admin_api.schemas import Strict, as_json

CODE_SIZE_BYTES = 15
MAX_ATTEMPTS = 10


class SetupInput(Strict):
    """The redemption of the setup code."""

    code: Annotated[str, StringConstraints(min_length=1, max_length=100, pattern=f.PRINTABLE)]
    """As printed when Saring started for the first time; case, blanks and dashes do not matter."""
    login: f.Code
    name: f.Title


def new_code(random: bytes) -> str:
    """A setup code of 120 random bits, as people can type it: ABCD-EFGH-..."""
    text = base64.b32encode(random[:CODE_SIZE_BYTES]).decode()
    return "-".join(text[start : start + 4] for start in range(0, len(text), 4))


async def issue_setup_code(session: AsyncSession, random: bytes, now_s: float, valid_s: float) -> str | None:
    """Makes (or replaces) the one-time code and returns it; None where an administrator's token exists already.

    The caller commits, and prints the code: only its hash is kept.
    """
    if any(Scope.ADMIN in scopes for scopes in await session.scalars(select(Token.scopes))):
        return None
    code = new_code(random)
    row = await session.get(SetupCode, 1) or SetupCode(id=1)
    row.code_sha256 = _hash(code)
    row.expires_s = int(now_s + valid_s)
    row.attempts_left = MAX_ATTEMPTS
    row.used_s = None
    session.add(row)
    return code


async def redeem(call: Call) -> Reply:
    """The first administrator's token for the setup code."""
    data = check_body(SetupInput, call.body)
    await _take_attempt(call, data.code)
    secret = new_secret(call.services.random_bytes(SECRET_SIZE_BYTES))
    now_s = int(call.now_s())
    async with editing(call.services.sessions) as session:
        code = await session.get(SetupCode, 1)
        if code is None or code.used_s is not None:
            raise _refusal()
        code.used_s = now_s
        user = await session.scalar(select(User).where(User.login == data.login))
        if user is not None:
            raise conflict(f"there is a user {data.login} already; choose another login")
        user = User(version=1, created_s=now_s, changed_s=now_s, login=data.login, name=data.name, active=True)
        token = Token(
            version=1,
            created_s=now_s,
            changed_s=now_s,
            user=user,
            title="first administrator",
            secret_sha256=hash_secret(secret),
            scopes=[Scope.ADMIN.value],
        )
        session.add(token)
        await session.flush()
        shown = show(token)
        actor = Actor(data.login, token.id, call.request_id, call.remote)
        record(session, actor, Act("setup", "token", token.id, token.title, after=as_json(shown)), now_s)
    return Reply(NewTokenOutput.model_validate({**shown.model_dump(), "secret": secret}), HTTPStatus.CREATED)


async def _take_attempt(call: Call, code: str) -> None:
    """Counts an attempt before looking at the code, in a transaction of its own: no race gives an attempt for free."""
    async with call.services.sessions.begin() as session:
        alive = (SetupCode.attempts_left > 0, SetupCode.used_s.is_(None), SetupCode.expires_s > int(call.now_s()))
        attempt = update(SetupCode).where(*alive).values(attempts_left=SetupCode.attempts_left - 1)
        kept = await session.scalar(attempt.returning(SetupCode.code_sha256))
    # Also compared where there is no code, so that timing does not tell whether one is waiting.
    if not hmac.compare_digest(_hash(code), kept or _hash("")) or kept is None:
        raise _refusal()


def _refusal() -> Problem:
    # 403, not 401: no token could help here. One text for all causes.
    detail = "the setup code is wrong, used, expired or void after too many attempts; restart Saring for a new one"
    return Problem(HTTPStatus.FORBIDDEN, detail)


def _hash(code: str) -> str:
    typed = "".join(char for char in code.upper() if char.isascii() and char.isalnum())
    return hashlib.sha256(typed.encode()).hexdigest()


ROUTES = (
    Route(
        "POST",
        f"{API}/setup",
        tag="setup",
        summary="Redeem the setup code for the first administrator's token",
        handle=redeem,
        scope=None,
        operation="redeem_setup_code",
        response=NewTokenOutput,
        status=HTTPStatus.CREATED,
        body=SetupInput,
        limited=True,
        errors=(HTTPStatus.FORBIDDEN, HTTPStatus.CONFLICT),
    ),
)
