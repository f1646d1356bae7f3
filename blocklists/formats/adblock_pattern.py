"""The pattern of an adblock rule: which names it speaks of.

Source: AdGuard, "DNS filtering rules syntax", special characters. ``||`` in front is the beginning of the name or of
a label, ``|`` the beginning (or end) of the name, ``^`` the end, ``*`` anything. Two decisions that the page leaves
open, both because a cut or careless line must not block half the Internet:

- text without any of these characters is exactly a name, or nothing; only where it begins or ends in a dot or a
  hyphen (``-banner728x90.``) is it part of a name, and then at least ``MIN_PART`` letters and digits long. A dot in
  front needs an end (``.x.net^``): lists are cut in the middle of names, and ``.blogspot.com`` is what is left then;
- a part of a label (``||adserver``, ``|example``) needs that length too, unless a dot closes it (``||ad1.``).
"""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass
from typing import Final

from blocklists.expressions import ExpressionError, check
from blocklists.formats.harvest import Reason
from blocklists.formats.odd import examine
from blocklists.rule import MAX_PATTERN_SIZE, Kind
from dnswire.errors import NameSyntaxError
from dnswire.name import from_text, to_text

_MIN_PREFIX: Final = {4: 8, 6: 16}
MIN_PART: Final = 4  # letters and digits of a part of a name that stands alone

_SCHEMES: Final = ("://", "http://", "https://", "ws://", "wss://")
_TOP: Final = re.compile(r"[a-z][a-z0-9-]{0,62}|xn--[a-z0-9-]{1,59}")
_TEXT: Final = re.compile(r"[a-z0-9_.*-]+")
_PORT: Final = re.compile(r"[^:]*:\d{1,5}")
_OCTETS: Final = re.compile(r"((?:\d{1,3}\.){1,3})\*?")
_ADDRESS_EXPRESSION: Final = re.compile(r"\^?\d{1,3}\\?\.\d{1,3}\\?\.")
_URL_EXPRESSION: Final = re.compile(r":(?:\\?/){2}(?!\)\?)")
_PORT_EXPRESSION: Final = re.compile(r":(?:\d|\(\d|$)")


@dataclass(frozen=True, slots=True)
class Pattern:
    """What a rule speaks of: as ``ListRule.kind`` and ``ListRule.pattern``. ``addresses``: of those in answers."""

    kind: Kind
    text: str
    addresses: bool = False


@dataclass(frozen=True, slots=True)
class Beyond:
    """A line that is right in its place, and nothing that a resolver could act on."""

    reason: Reason


def read_pattern(text: str) -> Pattern | Beyond | Reason:
    """The pattern of a rule, its ``@@`` and modifiers taken off; empty text, as before modifiers alone, is every name.

    Any text gives one of the three: what should be a pattern and is none gives its reason.
    """
    if len(text) > MAX_PATTERN_SIZE:
        return Reason.TOO_LONG
    if len(text) > 1 and text.startswith("/") and text.endswith("/"):
        return _expression(text[1:-1])
    head, body, ended = _divided(text.lower())
    if "/" in body:
        return _network(body) or Beyond(Reason.URL)
    if _PORT.fullmatch(body) and not _is_address(body):
        return Beyond(Reason.PORT)
    if any(char in body for char in "^|:?=&%~,;"):
        return _network(body) or Beyond(Reason.PATTERN)
    if not body.strip("*"):
        return Pattern(Kind.EVERYTHING, "") if body or not text else Reason.PATTERN
    if "*" in body:
        return _wildcard(head, body, ended)
    return _literal(head, body, ended)


def _divided(text: str) -> tuple[str, str, bool]:
    """The anchor in front, what is between, and whether it is held to the end of the name."""
    head = "||" if text.startswith("||") else "|" if text.startswith("|") else ""
    body = text[len(head) :]
    stripped = body.rstrip("^|")
    ended = len(stripped) < len(body)
    for scheme in _SCHEMES:
        if stripped.startswith(scheme):
            return "|", stripped[len(scheme) :], ended
    return head, stripped, ended


def _literal(head: str, body: str, ended: bool) -> Pattern | Reason:
    network = _network(body)
    if network is not None:
        return network
    octets = _OCTETS.fullmatch(body)
    if octets is not None and head and not ended:
        return _octets(octets.group(1))
    if body.startswith(".") and head:
        return Reason.LEADING_DOT
    if not head and not ended:
        return _bare(body)
    if not head and body.startswith("."):
        below = _name(body[1:])
        return Pattern(Kind.BELOW, below) if isinstance(below, str) else below
    if head and ended:
        name = _name(body)
        if isinstance(name, Reason):
            return name
        return Pattern(Kind.SUBTREE if head == "||" else Kind.EXACT, name)
    if "." not in body.strip("."):
        return _part(head, body, ended)
    return _text(head, body, ended)


def _bare(body: str) -> Pattern | Reason:
    """Text without special characters: exactly a name, or a part of one."""
    found = examine(body.encode())
    if not isinstance(found, Reason):
        return Pattern(Kind.EXACT, to_text(found[::-1] + b"\x00"))
    if body.startswith("-") or body.endswith(("-", ".")) or (body.startswith(".") and "-" in body):
        return _part("", body, False)
    return found


def _part(head: str, body: str, ended: bool) -> Pattern | Reason:
    """A part of a label: long enough to mean something, or closed by a dot."""
    letters = sum(char.isalnum() for char in body)
    closed = bool(head) and body.endswith(".") and letters > 1
    if letters < MIN_PART and not closed:
        return Reason.SINGLE_LABEL
    return _text(head, body, ended)


def _wildcard(head: str, body: str, ended: bool) -> Pattern | Reason:
    if not body.strip("*."):
        return Reason.EVERYTHING
    octets = _OCTETS.fullmatch(body)
    if octets is not None and head and not ended:
        return _octets(octets.group(1))
    if body.startswith("*"):
        head, body = "", body.lstrip("*")
    if body.endswith("*"):
        ended, body = False, body.rstrip("*")
    if not head and ended and body.startswith(".") and "*" not in body:
        below = _name(body[1:])
        return Pattern(Kind.BELOW, below) if isinstance(below, str) else below
    return _text(head, body, ended)


def _text(head: str, body: str, ended: bool) -> Pattern | Reason:
    if not body.isascii():
        return Reason.IDN
    if not _TEXT.fullmatch(body):
        return Reason.CHARACTER
    if ".." in body:
        return Reason.EMPTY_LABEL
    if ended and body.endswith("."):
        return Reason.PATTERN
    return Pattern(Kind.WILDCARD, head + body + ("^" if ended else ""))


def _name(text: str) -> str | Reason:
    """A name in A-labels; ``x.`` is ``x`` where it has two labels, a top-level name where it has one and no dot."""
    if _TOP.fullmatch(text):
        return text
    found = examine(text.encode())
    if not isinstance(found, Reason):
        return to_text(found[::-1] + b"\x00")
    if found is Reason.SINGLE_LABEL and not text.isascii():
        return _top_level(text)
    return found


def _top_level(text: str) -> str | Reason:
    try:
        return to_text(from_text(text).lower())
    except NameSyntaxError:
        return Reason.IDN


def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True


def _network(text: str) -> Pattern | Reason | None:
    """An address or CIDR; with host bits set it is taken as the range it is in, as people write them.

    Not 0.0.0.0 and the like, which is how other resolvers write a block, and no range as wide as a continent.
    """
    if not text[:1] or text[0] not in "0123456789abcdef:[":
        return None
    try:
        network = ipaddress.ip_network(text.removeprefix("[").removesuffix("]"), strict=False)
    except ValueError:
        return None
    if network.is_unspecified or network.prefixlen < _MIN_PREFIX[network.version]:
        return Reason.NOT_PUBLIC
    return Pattern(Kind.NETWORK, str(network), True)


def _octets(text: str) -> Pattern | Reason:
    """``192.0.2.``: the addresses that begin so."""
    parts = text.rstrip(".").split(".")
    full = parts + ["0"] * (4 - len(parts))
    try:
        network = ipaddress.ip_network((".".join(full), 8 * len(parts)))
    except ValueError:
        return Reason.IP_ADDRESS
    return Pattern(Kind.NETWORK, str(network), True)


def _expression(text: str) -> Pattern | Beyond | Reason:
    if _URL_EXPRESSION.search(text):
        return Beyond(Reason.URL)
    try:
        check(text)
    except ExpressionError:
        return Reason.EXPRESSION
    if _ADDRESS_EXPRESSION.match(text):
        return Beyond(Reason.PORT) if _PORT_EXPRESSION.search(text) else Pattern(Kind.REGEX, text, True)
    return Pattern(Kind.REGEX, text)
