"""Who is calling: bearer tokens, their scopes, and the limit on failed attempts."""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from dataclasses import dataclass
from enum import StrEnum
from http import HTTPStatus

from sqlalchemy import select, update

from admin_api.database import Sessions
from admin_api.models import Token
from admin_api.rest.problem import Problem

PREFIX = "saring_"
SECRET_SIZE_BYTES = 32
WINDOW_S = 60.0
LAST_USED_STEP_S = 60
CHALLENGE = {"WWW-Authenticate": 'Bearer realm="saring"'}


class Scope(StrEnum):
    """What a token may do. ``admin`` includes all others."""

    ADMIN = "admin"
    POLICY_READ = "policy:read"
    POLICY_WRITE = "policy:write"
    LISTS_READ = "lists:read"
    LISTS_WRITE = "lists:write"
    QUERIES_READ = "queries:read"
    STATUS_READ = "status:read"
    AUDIT_READ = "audit:read"
    EXCEPTIONS_REQUEST = "exceptions:request"  # to ask, not to decide; whoever may write policy may ask, too


# What a token of an agency's contact may hold: whatever can be shown for one agency alone.
AGENCY_SCOPES = frozenset({Scope.POLICY_READ, Scope.QUERIES_READ, Scope.EXCEPTIONS_REQUEST})


@dataclass(frozen=True, slots=True)
class Principal:
    """The caller: a user by one token. ``agency_id`` is set where the token sees only that agency."""

    login: str
    token_id: int
    scopes: frozenset[Scope]
    agency_id: int | None = None

    def may(self, scope: Scope) -> bool:
        """Whether the token holds the scope."""
        if scope is Scope.EXCEPTIONS_REQUEST and Scope.POLICY_WRITE in self.scopes:
            return True
        return scope in self.scopes or Scope.ADMIN in self.scopes


ANONYMOUS = Principal(login="", token_id=0, scopes=frozenset())


def new_secret(random: bytes) -> str:
    """A token's secret from 32 random octets: what the client keeps and we do not."""
    return PREFIX + random.hex()


def hash_secret(secret: str) -> str:
    """What is kept of a secret. One round of SHA-256 is enough: 256 random bits cannot be guessed, fast or slow."""
    return hashlib.sha256(secret.encode("utf-8", "surrogateescape")).hexdigest()


class FailedAttempts:
    """Counts failures per address in a window of a minute; bounded, the longest silent address is forgotten first."""

    def __init__(self, limit: int, tracked: int) -> None:
        self._limit = limit
        self._tracked = tracked
        self._failures: OrderedDict[str, tuple[int, float]] = OrderedDict()

    def wait_s(self, address: str, now_s: float) -> int:
        """Seconds until the address may try again; 0: now."""
        count, until_s = self._failures.get(address, (0, 0.0))
        if count < self._limit or now_s >= until_s:
            return 0
        return max(1, int(until_s - now_s))

    def failed(self, address: str, now_s: float) -> None:
        """Counts a failure."""
        count, until_s = self._failures.pop(address, (0, 0.0))
        if now_s >= until_s:
            count, until_s = 0, now_s + WINDOW_S
        self._failures[address] = (count + 1, until_s)
        if len(self._failures) > self._tracked:
            self._failures.popitem(last=False)

    def refuse_if_too_many(self, address: str, now_s: float) -> None:
        """Raises a 429 problem while the address has failed too often."""
        wait_s = self.wait_s(address, now_s)
        if wait_s:
            raise Problem(
                HTTPStatus.TOO_MANY_REQUESTS,
                f"too many failed attempts from this address; try again in {wait_s} s",
                headers={"Retry-After": str(wait_s)},
            )


async def authenticate(
    sessions: Sessions, attempts: FailedAttempts, authorization: str | None, address: str, now_s: float
) -> Principal:
    """The caller named by an Authorization header. Raises 401 or 429 problems, which never say what was wrong.

    The secret is found by its hash, so that no comparison runs over the secret itself and timing tells nothing.
    """
    if authorization is None:
        raise Problem(HTTPStatus.UNAUTHORIZED, "a bearer token is needed", headers=CHALLENGE)
    attempts.refuse_if_too_many(address, now_s)
    scheme, _, secret = authorization.partition(" ")
    secret = secret.strip()
    principal = None
    if scheme.lower() == "bearer" and secret.startswith(PREFIX):
        principal = await _find(sessions, hash_secret(secret), now_s)
    if principal is None:
        attempts.failed(address, now_s)
        raise Problem(
            HTTPStatus.UNAUTHORIZED,
            "the token is unknown, expired, or its user is not active",
            headers={"WWW-Authenticate": 'Bearer realm="saring", error="invalid_token"'},
        )
    return principal


async def _find(sessions: Sessions, secret_sha256: str, now_s: float) -> Principal | None:
    async with sessions() as session:
        token = await session.scalar(select(Token).where(Token.secret_sha256 == secret_sha256))
        if token is None or not token.user.active:
            return None
        if token.expires_s is not None and token.expires_s <= now_s:
            return None
        if token.last_used_s is None or token.last_used_s + LAST_USED_STEP_S <= now_s:
            # Once a minute is exact enough, and spares a write for each request. In a transaction of its own: SQLite
            # refuses at once to let one that has read write, where somebody else wrote meanwhile.
            await session.commit()
            await session.execute(update(Token).where(Token.id == token.id).values(last_used_s=int(now_s)))
            await session.commit()
        scopes = frozenset(Scope(scope) for scope in token.scopes)
        return Principal(token.user.login, token.id, scopes, token.agency_id)
