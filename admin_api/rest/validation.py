"""From bytes and parameters to checked models, or to a problem that names every mistake."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from http import HTTPStatus
from typing import Any, TypeVar

from multidict import MultiMapping
from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails, from_json

from admin_api.fields import SECRET_FIELDS
from admin_api.rest.problem import FieldError, Problem, invalid

M = TypeVar("M", bound=BaseModel)

MAX_ERRORS = 50
MAX_SHOWN = 100

EXPECTED = {
    "missing": "a value: the field is required",
    "extra_forbidden": "no such field",
    "string_type": "a string",
    "int_type": "an integer",
    "int_from_float": "an integer",
    "float_type": "a number",
    "bool_type": "true or false",
    "list_type": "a list",
    "dict_type": "an object",
    "model_type": "an object",
    "model_attributes_type": "an object",
    "datetime_from_date_parsing": "an RFC 3339 instant with offset, as 2026-01-31T08:00:00+07:00",
    "datetime_parsing": "an RFC 3339 instant with offset, as 2026-01-31T08:00:00+07:00",
    "timezone_aware": "an RFC 3339 instant with offset, as 2026-01-31T08:00:00+07:00",
    "ip_v4_address": "an IPv4 address",
    "ip_v6_address": "an IPv6 address",
}
BOUNDS = ("ge", "gt", "le", "lt", "min_length", "max_length", "pattern", "expected")
BOUND_TEXT = {
    "ge": "at least {}",
    "gt": "more than {}",
    "le": "at most {}",
    "lt": "less than {}",
    "min_length": "at least {} long",
    "max_length": "at most {} long",
    "pattern": "text that matches {}",
    "expected": "{}",
}


def parse_json(body: bytes, max_depth: int) -> Any:
    """The JSON value in a body. Raises a 400 problem for what is no JSON or is nested deeper than ``max_depth``."""
    try:
        value = from_json(body, allow_inf_nan=False)
    except ValueError as error:
        raise Problem(HTTPStatus.BAD_REQUEST, f"the body is not JSON: {_shown(str(error))}") from None
    if _deeper_than(value, max_depth):
        raise Problem(HTTPStatus.BAD_REQUEST, f"the body is nested deeper than {max_depth} levels")
    return value


def check_body(model: type[M], body: bytes) -> M:
    """The body as a model. Raises a 422 problem with every mistake."""
    try:
        return model.model_validate_json(body)
    except ValidationError as error:
        raise invalid(*field_errors(error.errors(include_url=False))) from None


def merge_body(model: type[M], current: Mapping[str, Any], part: object) -> M:
    """``current`` (as sent to clients) with the fields of ``part`` in place of its own. Raises a 422 problem."""
    if not isinstance(part, dict):
        return check_body(model, json.dumps(part).encode())
    fields = {name: current[name] for name in model.model_fields}
    return check_body(model, json.dumps(fields | part).encode())


def check_query(model: type[M], query: MultiMapping[str]) -> M:
    """The query parameters as a model. Raises a 422 problem; a parameter given twice is a mistake too."""
    twice = sorted({name for name in query if len(query.getall(name)) > 1})
    if twice:
        raise invalid(*(FieldError(field=name, message="given twice", expected="one value") for name in twice))
    try:
        return model.model_validate(dict(query))
    except ValidationError as error:
        raise invalid(*field_errors(error.errors(include_url=False))) from None


def check_path(model: type[M], match: Mapping[str, str]) -> M:
    """The path parameters as a model. Raises a 404 problem: a path that cannot exist names nothing."""
    try:
        return model.model_validate(dict(match))
    except ValidationError:
        raise Problem(HTTPStatus.NOT_FOUND, "there is nothing at this address") from None


def field_errors(details: Iterable[ErrorDetails]) -> list[FieldError]:
    """Pydantic's findings as ours; at most ``MAX_ERRORS`` of them."""
    return [_field_error(detail) for detail in list(details)[:MAX_ERRORS]]


def shown_value(value: object) -> Any:
    """A refused value as it may be repeated to the client: short, printable, JSON."""
    if value is None or isinstance(value, bool | int | float):
        return value if not isinstance(value, int) or abs(value) < 2**63 else "a very large integer"
    if isinstance(value, str):
        return _shown(value)
    if isinstance(value, list | tuple):
        return f"a list of {len(value)}"
    if isinstance(value, dict):
        return f"an object of {len(value)}"
    return _shown(str(value))


def _field_error(detail: ErrorDetails) -> FieldError:
    kind = detail["type"]
    context = detail.get("ctx", {})
    bound = next((key for key in BOUNDS if key in context), None)
    expected = EXPECTED.get(kind) or (BOUND_TEXT[bound].format(context[bound]) if bound else "")
    absent = kind == "missing"
    message = detail["msg"].removeprefix("Value error, ")
    return FieldError(
        field=_path(detail["loc"]),
        message=_shown(message, 400),
        value=None if absent or SECRET_FIELDS.intersection(detail["loc"]) else shown_value(detail["input"]),
        expected=_shown(expected, 200),
    )


def _path(parts: tuple[int | str, ...]) -> str:
    text = ""
    for part in parts:
        if isinstance(part, int):
            text += f"[{part}]"
        else:
            text += ("." if text else "") + _shown(part)
    return text or "(body)"


def _shown(text: str, length: int = MAX_SHOWN) -> str:
    text = text.encode("utf-8", "backslashreplace").decode()
    return text if len(text) <= length else text[: length - 1] + "…"


def _deeper_than(value: object, levels: int) -> bool:
    layer: list[object] = [value]
    for _ in range(levels):
        below: list[object] = []
        for item in layer:
            if isinstance(item, dict):
                below.extend(item.values())
            elif isinstance(item, list):
                below.extend(item)
        if not below:
            return False
        layer = below
    return any(isinstance(item, dict | list) for item in layer)
