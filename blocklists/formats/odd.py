"""One token that the bulk pass did not vouch for: a name in other clothes, or a reason why it is none.

Never widens: what is cut, has a path, or stands for an address is counted, not turned into the nearest name (24,401
blocked hosts of one national list share ``pages.dev``).
"""

from __future__ import annotations

import ipaddress
import re
from typing import Final

from blocklists.entry import key_of
from blocklists.formats.harvest import Harvest, Reason
from dnswire.errors import NameSyntaxError
from dnswire.name import from_labels, from_text, labels

_COMMENT: Final = (b"#", b"!", b";", b"//")
_MAX_TOKEN: Final = 1024  # a name of 253 characters, each at most 4 octets of UTF-8
_LISTED: Final = re.compile(rb"[a-z0-9_-]+")
_NEVER: Final = re.compile(rb"[\x00-,/:-@\[-^`{-\x7f]")  # ASCII outside of names
_PORT: Final = re.compile(rb"[^:]+:\d{1,5}")
_TOP: Final = re.compile(rb"[a-z][a-z0-9-]{0,62}")
_TOP_NUMBER: Final = re.compile(rb"\d+|0x[0-9a-f]*")  # what WHATWG URL calls "ends in a number"


def is_comment(line: bytes) -> bool:
    """Whether a stripped line is empty or a comment in one of the usual ways."""
    return not line or line.startswith(_COMMENT)


def without_comment(line: bytes) -> bytes:
    """The line without a comment behind its entry, stripped."""
    return line.split(b"#", 1)[0].strip()


def examine(token: bytes) -> bytes | Reason:
    """The key of a token in lower case that is a name after all (IDN, trailing dot), or why it is none."""
    if len(token) > _MAX_TOKEN:
        return Reason.TOO_LONG
    if _is_address(token):
        return Reason.IP_ADDRESS
    if b"/" in token or b"?" in token:
        return Reason.URL
    if b"@" in token:
        return Reason.MAIL
    if _PORT.fullmatch(token):
        return Reason.PORT
    if token.startswith(b"."):
        return Reason.LEADING_DOT
    return _name_key(token)


def _is_address(token: bytes) -> bool:
    try:
        ipaddress.ip_address(token.decode("ascii").strip("[]").split("/")[0])
    except ValueError:
        return False
    return True


def _name_key(token: bytes) -> bytes | Reason:
    # An escape would be read by from_text; no list means one, and "\." must not make one label of two.
    if _NEVER.search(token):
        return Reason.CHARACTER
    try:
        name = from_text(_text(token)).lower()
    except NameSyntaxError:
        return _syntax_reason(token)
    parts = labels(name)
    if not all(_LISTED.fullmatch(part) for part in parts):
        return Reason.CHARACTER
    if len(parts) < 2:
        return Reason.SINGLE_LABEL
    if _TOP_NUMBER.fullmatch(parts[-1]):
        return Reason.NUMERIC_TOP
    return key_of(name)


def _text(token: bytes) -> str:
    try:
        return token.decode("utf-8")
    except UnicodeDecodeError:
        return token.decode("latin-1")


def _syntax_reason(token: bytes) -> Reason:
    if b".." in token:
        return Reason.EMPTY_LABEL
    if any(len(part) > 63 for part in token.split(b".")) or len(token) > 253:
        return Reason.TOO_LONG
    return Reason.CHARACTER if token.isascii() else Reason.IDN


def settle(harvest: Harvest, cover: int, line: int, token: bytes) -> None:
    """Adds a token to the harvest as an entry that covers ``cover``, or counts it."""
    found = examine(token)
    if isinstance(found, Reason):
        harvest.reject(line, token, found)
    else:
        harvest.add(cover, found, 1)


def settle_listed(harvest: Harvest, cover: int, line: int, token: bytes) -> None:
    """The same for formats whose lines are whole or none: a single label is a top-level name that somebody listed."""
    found = examine(token)
    if found is Reason.SINGLE_LABEL and _TOP.fullmatch(token.rstrip(b".")):
        found = key_of(from_labels([token.rstrip(b".")]))
    if isinstance(found, Reason):
        harvest.reject(line, token, found)
    else:
        harvest.add(cover, found, 1)
