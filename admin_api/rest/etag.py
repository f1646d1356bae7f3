"""Entity tags: nobody overwrites an edit that they have not seen (RFC 9110 13.1.1)."""

from __future__ import annotations

import re
from http import HTTPStatus

from admin_api.rest.problem import Problem

TAG = re.compile(r'\s*(W/)?("[\x21\x23-\x7e]{0,100}")\s*(?:,|$)')


def etag(kind: str, item_id: int, version: int) -> str:
    """The entity tag of a resource's version."""
    # RFC 9110 8.8.3: no blanks in a tag, and If-Match would never find one that has.
    return f'"{kind.replace(" ", "-")}-{item_id}-{version}"'


def require_match(if_match: str | None, current: str) -> None:
    """Raises 428 without If-Match, 412 where it names another version than the current one."""
    if if_match is None:
        raise Problem(
            HTTPStatus.PRECONDITION_REQUIRED,
            "an edit needs If-Match with the ETag of what it was made from; read the resource first",
        )
    if if_match.strip() == "*":
        return
    # "the recipient MUST use the strong comparison function": a weak tag matches nothing.
    tags = [tag for weak, tag in TAG.findall(if_match) if not weak]
    if current not in tags:
        raise Problem(
            HTTPStatus.PRECONDITION_FAILED,
            "somebody changed the resource since you read it; read it again and repeat your edit",
            headers={"ETag": current},
        )
