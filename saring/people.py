"""Users and tokens from the command line, in the control database itself.

Whoever can read the database's file is beyond tokens anyway; so the command needs none. What it does is journalled like
any other edit, under the name of the operating system's user.
"""

from __future__ import annotations

import getpass
import os
import pwd
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from admin_api.database import Sessions, editing, reading
from admin_api.journal import Act, Actor, record
from admin_api.models import AgencyRow, Token, User
from admin_api.rest.auth import AGENCY_SCOPES, SECRET_SIZE_BYTES, Scope, hash_secret, new_secret

NO_LOGIN_UID: Final = 2**32 - 1  # of a process that no login led to (proc_pid_loginuid(5))


class PeopleError(Exception):
    """It cannot be done; the text says why and what would be right."""


@dataclass(frozen=True, slots=True)
class UserView:
    """A user as shown."""

    id: int
    login: str
    name: str
    active: bool
    tokens: int


@dataclass(frozen=True, slots=True)
class TokenView:
    """A token as shown; never its secret. Times are Unix seconds, ``None`` never."""

    id: int
    login: str
    title: str
    scopes: tuple[str, ...]
    agency: str
    expires_s: int | None
    last_used_s: int | None


@dataclass(frozen=True, slots=True)
class NewToken:
    """What a token is to be."""

    login: str
    title: str
    scopes: tuple[str, ...]
    agency: str = ""
    expires_s: int | None = None


def local_actor() -> Actor:
    """Who types: the operating system's user."""
    try:
        name = getpass.getuser()
    except (KeyError, OSError):
        name = str(os.getuid())
    return Actor(login=f"cli:{name}"[:40])


def local_person() -> Actor:
    """Who typed it, where two must be different people: the user that logged in, whoever he has become since.

    The kernel keeps it through ``sudo`` and ``su`` (the audit's login uid); neither the environment nor a shared
    service account can make one person two. Without a login (containers, services) it is the process's own user.
    """
    try:
        uid = int(Path("/proc/self/loginuid").read_text(encoding="ascii"))
    except (OSError, ValueError):
        uid = NO_LOGIN_UID
    uid = os.getuid() if uid == NO_LOGIN_UID else uid
    try:
        name = pwd.getpwuid(uid).pw_name
    except KeyError:
        name = str(uid)
    return Actor(login=f"cli:{name}"[:40])


async def list_users(sessions: Sessions) -> list[UserView]:
    """All users, by login."""
    async with reading(sessions) as session:
        users = (await session.scalars(select(User).order_by(User.login))).all()
        owners = (await session.scalars(select(Token.user_id))).all()
    return [UserView(row.id, row.login, row.name, row.active, owners.count(row.id)) for row in users]


async def create_user(sessions: Sessions, login: str, name: str, now_s: float) -> int:
    """A new user; returns the id. Raises ``PeopleError`` where the login exists."""
    async with editing(sessions) as session:
        if await _user(session, login) is not None:
            raise PeopleError(f"there is a user {login} already")
        row = User(version=1, created_s=int(now_s), changed_s=int(now_s), login=login, name=name, active=True)
        session.add(row)
        await session.flush()
        act = Act("create", "user", row.id, login, after={"login": login, "name": name, "active": True})
        record(session, local_actor(), act, now_s)
        return row.id


async def set_active(sessions: Sessions, login: str, active: bool, now_s: float) -> None:
    """Lets a user's tokens count, or not. Raises ``PeopleError`` where there is no such user."""
    async with editing(sessions) as session:
        row = await _known_user(session, login)
        before = {"active": row.active}
        row.active = active
        row.version += 1
        row.changed_s = int(now_s)
        record(session, local_actor(), Act("update", "user", row.id, login, before, {"active": active}), now_s)


async def list_tokens(sessions: Sessions) -> list[TokenView]:
    """All tokens, in the order they were made."""
    async with reading(sessions) as session:
        tokens = (await session.scalars(select(Token).order_by(Token.id))).all()
        codes = {row.id: row.code for row in await session.scalars(select(AgencyRow))}
        return [
            TokenView(
                row.id,
                row.user.login,
                row.title,
                tuple(row.scopes),
                codes.get(row.agency_id or 0, ""),
                row.expires_s,
                row.last_used_s,
            )
            for row in tokens
        ]


async def create_token(sessions: Sessions, wanted: NewToken, random: bytes, now_s: float) -> tuple[int, str]:
    """A new token: id and secret, which is shown this once. ``random`` is 32 octets. Raises ``PeopleError``."""
    if len(random) != SECRET_SIZE_BYTES:
        raise ValueError(f"{len(random)} octets of randomness instead of {SECRET_SIZE_BYTES}")
    scopes = _checked_scopes(wanted.scopes, bool(wanted.agency))
    secret = new_secret(random)
    async with editing(sessions) as session:
        user = await _known_user(session, wanted.login)
        agency_id = await _agency_id(session, wanted.agency) if wanted.agency else None
        row = Token(
            version=1,
            created_s=int(now_s),
            changed_s=int(now_s),
            user=user,
            title=wanted.title,
            secret_sha256=hash_secret(secret),
            scopes=scopes,
            agency_id=agency_id,
            expires_s=wanted.expires_s,
        )
        session.add(row)
        await session.flush()
        after = {"user": wanted.login, "scopes": scopes, "agency": wanted.agency, "expires_s": wanted.expires_s}
        record(session, local_actor(), Act("create", "token", row.id, wanted.title, after=after), now_s)
        return row.id, secret


async def revoke_token(sessions: Sessions, token_id: int, now_s: float) -> str:
    """Deletes a token; returns its title. Raises ``PeopleError`` where there is none of this id."""
    async with editing(sessions) as session:
        row = await session.get(Token, token_id)
        if row is None:
            raise PeopleError(f"there is no token {token_id}; `saring token list` shows all")
        before = {"user": row.user.login, "scopes": list(row.scopes)}
        await session.delete(row)
        record(session, local_actor(), Act("delete", "token", token_id, row.title, before), now_s)
        return row.title


def _checked_scopes(scopes: Sequence[str], for_agency: bool) -> list[str]:
    possible: Iterable[Scope] = AGENCY_SCOPES if for_agency else Scope
    known = sorted(scope.value for scope in possible)
    wrong = [scope for scope in scopes if scope not in known]
    if wrong or not scopes:
        whose = "a token of one agency" if for_agency else "a token"
        said = f"{', '.join(wrong)} cannot be held by {whose}" if wrong else f"{whose} needs a scope"
        raise PeopleError(f"{said}; possible are {', '.join(known)}")
    return sorted(set(scopes))


async def _user(session: AsyncSession, login: str) -> User | None:
    found: User | None = await session.scalar(select(User).where(User.login == login))
    return found


async def _known_user(session: AsyncSession, login: str) -> User:
    row = await _user(session, login)
    if row is None:
        raise PeopleError(f"there is no user {login}; `saring user create {login}` makes one")
    return row


async def _agency_id(session: AsyncSession, code: str) -> int:
    row = await session.scalar(select(AgencyRow).where(AgencyRow.code == code))
    if row is None:
        raise PeopleError(f"there is no agency {code}")
    return int(row.id)
