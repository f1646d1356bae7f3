"""Refusals as RFC 9457 problem details: what is wrong, where, and what would be right. Never a stack trace."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any

from aiohttp import web
from pydantic import BaseModel, ConfigDict
from pydantic_core import to_json

PROBLEM_TYPE = "application/problem+json"


class FieldError(BaseModel):
    """One mistake: the field as a path (``windows[0].start``), what is wrong, what was sent, what would be right."""

    model_config = ConfigDict(frozen=True, use_attribute_docstrings=True)

    field: str
    message: str
    value: Any = None
    """What was sent, shortened; null where nothing was."""
    expected: str = ""


def mistakes(errors: Sequence[FieldError]) -> str:
    """How many there are, and a line for each: for people at a terminal."""
    return f"{len(errors)} mistakes:" + "".join(f"\n  {one.field}: {one.message}" for one in errors)


class ProblemBody(BaseModel):
    """Problem details (RFC 9457)."""

    model_config = ConfigDict(frozen=True, use_attribute_docstrings=True)

    type: str = "about:blank"
    title: str
    status: int
    detail: str
    instance: str
    """The request's identifier, as in the logs and the audit."""
    errors: list[FieldError] = []
    """Every mistake found, at once."""


class Problem(Exception):  # noqa: N818 - named as RFC 9457 names it
    """Ends a request with problem details."""

    def __init__(
        self,
        status: HTTPStatus,
        detail: str,
        *,
        errors: list[FieldError] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(detail)
        self.status = status
        self.detail = detail
        self.errors = errors or []
        self.headers = dict(headers or {})


def invalid(*errors: FieldError) -> Problem:
    """A body or parameter that cannot be accepted: every mistake at once."""
    count = len(errors)
    detail = "the request has a mistake" if count == 1 else f"the request has {count} mistakes"
    return Problem(HTTPStatus.UNPROCESSABLE_ENTITY, detail, errors=list(errors))


def not_found(what: str) -> Problem:
    """Nothing there (or nothing that this token may see, which must look the same)."""
    return Problem(HTTPStatus.NOT_FOUND, f"there is no {what}")


def conflict(detail: str, *errors: FieldError) -> Problem:
    """The request is sound, but the state of things forbids it."""
    return Problem(HTTPStatus.CONFLICT, detail, errors=list(errors))


def problem_response(problem: Problem, request_id: str) -> web.Response:
    """The problem as a response."""
    body = ProblemBody(
        title=problem.status.phrase,
        status=problem.status.value,
        detail=problem.detail,
        instance=f"urn:saring:request:{request_id}",
        errors=problem.errors,
    )
    return web.Response(
        status=problem.status.value,
        # A refused value may hold what JSON cannot (a lone surrogate): it is shown, not trusted.
        body=to_json(body, inf_nan_mode="strings"),
        content_type=PROBLEM_TYPE,
        headers=problem.headers,
    )
