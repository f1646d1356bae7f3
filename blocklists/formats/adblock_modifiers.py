"""The modifiers of an adblock rule, each with the meaning that AdGuard's "DNS filtering rules syntax" gives it.

A modifier that is not in that document voids its whole rule (so the page itself asks): such rules were written for
browsers, and without their condition they would block far more.
"""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass, field
from typing import Final

from blocklists.formats.adblock_pattern import Beyond
from blocklists.formats.dnsrewrite import Rewrite, read_rewrite
from blocklists.formats.harvest import Reason
from blocklists.formats.odd import examine
from blocklists.rule import MAX_CONDITIONS
from dnswire.errors import NameSyntaxError
from dnswire.name import from_text, to_text
from dnswire.rrtypes import type_number

# AdGuard's tags of clients; any other is a mistake of the list.
TAGS: Final = frozenset(
    [
        "device_audio",
        "device_camera",
        "device_gameconsole",
        "device_laptop",
        "device_nas",
        "device_pc",
        "device_phone",
        "device_printer",
        "device_securityalarm",
        "device_tablet",
        "device_tv",
        "device_other",
        "os_android",
        "os_ios",
        "os_linux",
        "os_macos",
        "os_windows",
        "os_other",
        "user_admin",
        "user_regular",
        "user_child",
    ]
)
_FLAGS: Final = frozenset(("important", "badfilter"))
_UNESCAPE: Final = re.compile(r"\\(.)", re.S)


@dataclass(slots=True)
class Modifiers:
    """What the modifiers of one rule say; fields as in ``ListRule``."""

    important: bool = False
    badfilter: bool = False
    rewrite: Rewrite | None = None
    rrtypes: tuple[int, ...] = ()
    not_rrtypes: tuple[int, ...] = ()
    clients: tuple[str, ...] = ()
    not_clients: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    not_tags: tuple[str, ...] = ()
    deny_allow: tuple[str, ...] = ()
    seen: set[str] = field(default_factory=set)

    @property
    def conditional(self) -> bool:
        """Whether there is anything that an entry of names cannot hold."""
        return bool(self.seen - {"badfilter"})


def read_modifiers(text: str, allows: bool) -> Modifiers | Beyond | Reason:
    """The modifiers behind ``$``; ``allows``: of an exception rule. Any text gives one of the three."""
    found = Modifiers()
    for part in split_escaped(text, ","):
        label, sign, value = part.strip().partition("=")
        label = label.strip().lower()
        if label in found.seen:
            return Reason.MODIFIER_VALUE
        found.seen.add(label)
        if label in _FLAGS:
            if sign:
                return Reason.MODIFIER_VALUE
            setattr(found, label, True)
            continue
        if label == "dnsrewrite":
            rewrite = read_rewrite(_unescaped(value), allows)
            if rewrite is None:
                return Reason.MODIFIER_VALUE
            found.rewrite = rewrite
            continue
        if label not in ("client", "ctag", "dnstype", "denyallow"):
            return Beyond(Reason.MODIFIER)
        if not _take(found, label, value):
            return Reason.MODIFIER_VALUE
    return found


def split_escaped(text: str, separator: str) -> list[str]:
    r"""The parts between separators that are neither behind ``\`` nor in quotes; both stay in the parts.

    A quote that is not closed quotes nothing.
    """
    parts: list[str] = []
    start = at = 0
    while at < len(text):
        char = text[at]
        if char == "\\":
            at += 1
        elif char in "'\"" and (at == start or text[at - 1] in "=|~,"):
            closed = _closing(text, at)
            at = at if closed is None else closed
        elif char == separator:
            parts.append(text[start:at])
            start = at + 1
        at += 1
    parts.append(text[start:])
    return parts


def _closing(text: str, start: int) -> int | None:
    at = start + 1
    while at < len(text):
        if text[at] == "\\":
            at += 1
        elif text[at] == text[start]:
            return at
        at += 1
    return None


def _unescaped(text: str) -> str:
    return _UNESCAPE.sub(r"\1", text)


def _take(found: Modifiers, label: str, value: str) -> bool:
    """Takes a modifier with a list of values; False where one of them cannot be."""
    wanted: list[str] = []
    unwanted: list[str] = []
    for item in split_escaped(value, "|"):
        item = item.strip()
        side = unwanted if item.startswith("~") else wanted
        text = _value(label, item.removeprefix("~").strip())
        if text is None:
            return False
        side.append(text)
    if not 0 < len(wanted) + len(unwanted) <= MAX_CONDITIONS:
        return False
    return _put(found, label, tuple(dict.fromkeys(wanted)), tuple(dict.fromkeys(unwanted)))


def _put(found: Modifiers, label: str, wanted: tuple[str, ...], unwanted: tuple[str, ...]) -> bool:
    if label == "client":
        found.clients, found.not_clients = wanted, unwanted
    elif label == "ctag":
        found.tags, found.not_tags = wanted, unwanted
    elif label == "denyallow":
        found.deny_allow = wanted
        return not unwanted
    else:
        # "~A|AAAA" is AAAA: where types are named that the rule is for, the others are out anyway.
        found.rrtypes = tuple(map(int, wanted))
        found.not_rrtypes = () if wanted else tuple(map(int, unwanted))
    return True


def _value(label: str, text: str) -> str | None:
    if label == "client":
        return _client(text)
    if label == "ctag":
        return text if text in TAGS else None
    if label == "denyallow":
        return _denied(text)
    try:
        return str(type_number(text)) if not text.isdecimal() else None
    except ValueError:
        return None


def _client(text: str) -> str | None:
    """An address or CIDR in its shortest form, or a name without its quotes."""
    if len(text) > 1 and text[0] == text[-1] and text[0] in "'\"":
        return _unescaped(text[1:-1]) or None
    text = _unescaped(text)
    try:
        if "/" in text:
            return str(ipaddress.ip_network(text, strict=False))
        return str(ipaddress.ip_address(text))
    except ValueError:
        return text or None


def _denied(text: str) -> str | None:
    lowered = text.lower()
    found = examine(lowered.encode())
    if not isinstance(found, Reason):
        return to_text(found[::-1] + b"\x00")
    if found is not Reason.SINGLE_LABEL:
        return None
    try:
        return to_text(from_text(lowered))
    except NameSyntaxError:
        return None
