"""Pages of a collection: ``limit`` and an opaque ``cursor``, and the Link header to the next page (RFC 8288)."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from typing import Annotated
from urllib.parse import urlencode

from pydantic import Field

from admin_api.fields import MAX_ID
from admin_api.rest.problem import FieldError, invalid
from admin_api.rest.route import Digits, Parameters

MAX_PAGE = 500
MAX_CURSOR = 512


class PageQuery(Parameters):
    """Which part of a collection."""

    limit: Annotated[Digits, Field(ge=1, le=MAX_PAGE)] = 100
    cursor: Annotated[str, Field(min_length=1, max_length=MAX_CURSOR)] | None = None
    """Opaque; from the previous page."""


def encode_cursor(last_id: int) -> str:
    """The cursor behind the row of that identifier."""
    return base64.urlsafe_b64encode(f"id:{last_id}".encode()).decode().rstrip("=")


def decode_cursor(cursor: str | None) -> int:
    """The identifier that the page starts behind; 0 from the beginning. Raises a 422 problem."""
    if cursor is None:
        return 0
    try:
        text = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True).decode("ascii")
    except (binascii.Error, ValueError):
        text = ""
    kind, _, number = text.partition(":")
    if kind != "id" or not number.isdigit() or len(number) > 10 or int(number) > MAX_ID:
        message = "not a cursor of this collection"
        raise invalid(FieldError(field="cursor", message=message, value=cursor[:100], expected="next_cursor of a page"))
    return int(number)


def next_link(address: str, query: Mapping[str, str], cursor: str | None) -> dict[str, str]:
    """The Link header to the next page, where there is one."""
    if cursor is None:
        return {}
    target = f"{address}?{urlencode({**query, 'cursor': cursor})}"
    return {"Link": f'<{target}>; rel="next"'}
