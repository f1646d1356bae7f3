"""One line of an adblock list, looked at singly: an entry, a rule, an address range, or why it is none of them."""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass
from typing import Final

from blocklists.entry import BELOW, EXACT, SUBTREE, key_of
from blocklists.formats.adblock_modifiers import Modifiers, read_modifiers
from blocklists.formats.adblock_pattern import Beyond, Pattern, read_pattern
from blocklists.formats.harvest import Reason, excerpt
from blocklists.rule import (
    MAX_TEXT_SIZE,
    AddressEntry,
    AddressKind,
    Kind,
    ListRule,
    RuleAction,
    Trigger,
)
from dnswire.name import from_text

_COSMETIC: Final = re.compile(r"#@?[?$%]{0,2}#|#@?[$%]\??#|\$@?\$")
_EXPRESSION: Final = re.compile(r"/.+/(?:\$[^/]*)?")
_ALLOW_SHIFT: Final = 2  # a cover that blocks becomes the one that allows
_COVERS: Final = {Kind.EXACT: EXACT, Kind.SUBTREE: SUBTREE, Kind.BELOW: BELOW}


@dataclass(frozen=True, slots=True)
class NameEntry:
    """A name and what of it is covered: ``key`` and ``Cover`` bits."""

    key: bytes
    cover: int


Said = NameEntry | AddressEntry | ListRule


@dataclass(frozen=True, slots=True)
class Line:
    """What a line says. ``cancels``: rather that the same, said elsewhere in the list, is void (``$badfilter``)."""

    said: Said
    cancels: bool = False


def is_noise(line: str) -> bool:
    """Whether a stripped line is empty, a comment, or the header ``[Adblock Plus 2.0]``."""
    return not line or line[0] in "!#" or (line[0] == "[" and line.endswith("]") and ":" not in line)


def read_line(text: str, number: int, subdomains: bool | None = None) -> Line | Beyond | Reason:
    """A stripped line that is no noise and no line of a hosts file. Any text gives one of the three.

    ``subdomains`` as in ``Format.parse``, for names that are listed without conditions.
    """
    if not _EXPRESSION.fullmatch(text.removeprefix("@@")) and _COSMETIC.search(text):
        return Beyond(Reason.COSMETIC)
    allows = text.startswith("@@")
    body = text[2:] if allows else text
    pattern_text, modifier_text = _divided(body)
    modifiers: Modifiers | Beyond | Reason = Modifiers()
    if modifier_text is not None:
        modifiers = read_modifiers(modifier_text, allows)
    elif not pattern_text:
        return Reason.PATTERN
    if not isinstance(modifiers, Modifiers):
        return modifiers
    if not pattern_text and modifiers.seen <= {"important", "badfilter"}:
        return Reason.EVERYTHING
    pattern = read_pattern(pattern_text.strip())
    if not isinstance(pattern, Pattern):
        return pattern
    return Line(_said(pattern, modifiers, allows, number, text, subdomains), modifiers.badfilter)


def _divided(body: str) -> tuple[str, str | None]:
    """Pattern and modifiers, None where there is no ``$``; in an expression ``$`` is its own, up to the last ``/``."""
    if body.startswith("/"):
        if body.endswith("/") and len(body) > 1:
            return body, None
        end = body.rfind("/$")
        if end > 0:
            return body[: end + 1], body[end + 2 :]
    pattern, sign, modifiers = body.partition("$")
    return pattern, modifiers if sign else None


def _said(
    pattern: Pattern, modifiers: Modifiers, allows: bool, number: int, text: str, subdomains: bool | None
) -> Said:
    if not modifiers.conditional:
        if pattern.kind in _COVERS:
            cover = _COVERS[pattern.kind]
            if subdomains is not None:
                cover = SUBTREE if subdomains else EXACT
            key = key_of(from_text(pattern.text))
            return NameEntry(key, cover << _ALLOW_SHIFT if allows else cover)
        if pattern.kind is Kind.NETWORK:
            kind = AddressKind.RESPONSE_ALLOW if allows else AddressKind.RESPONSE_BLOCK
            return AddressEntry(kind, ipaddress.ip_network(pattern.text))
    rewrite = modifiers.rewrite
    action = RuleAction.ALLOW if allows else RuleAction.BLOCK
    return ListRule(
        kind=pattern.kind,
        pattern=pattern.text,
        action=action if rewrite is None else rewrite.action,
        trigger=Trigger.RESPONSE_IP if pattern.addresses else Trigger.QNAME,
        important=modifiers.important,
        rewrites=rewrite is not None,
        rcode=0 if rewrite is None else rewrite.rcode,
        data=() if rewrite is None else rewrite.data,
        rrtypes=modifiers.rrtypes,
        not_rrtypes=modifiers.not_rrtypes,
        clients=modifiers.clients,
        not_clients=modifiers.not_clients,
        tags=modifiers.tags,
        not_tags=modifiers.not_tags,
        deny_allow=modifiers.deny_allow,
        line=number,
        text=_shown(text),
    )


def _shown(text: str) -> str:
    return excerpt(text.encode("utf-8", "replace"), MAX_TEXT_SIZE)[:MAX_TEXT_SIZE]
