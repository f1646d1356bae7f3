"""Wire names: the one form in which Saring holds a name.

A wire name is ``bytes``: labels, each behind its length octet, closed by the root's zero octet (RFC 1035 3.1), never
compressed. Since length octets are at most 63 and ``A`` is 65, ``bytes.lower`` folds case without touching them, so
that comparison, dictionaries and suffixes need no parsing.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from dnswire.constants import MAX_LABEL_SIZE, MAX_NAME_SIZE
from dnswire.errors import NameSyntaxError, WireError

ROOT: Final = b"\x00"

# A name of 255 octets has at most 127 labels, and an honest pointer is followed by at least one of them.
_MAX_POINTERS: Final = 127
_MAX_LABEL: Final = int(MAX_LABEL_SIZE)
_MAX_NAME: Final = int(MAX_NAME_SIZE)

_PLAIN_LABEL: Final = re.compile(rb"[0-9A-Za-z_-]{1,63}")
_ESCAPED: Final = re.compile(rb"[^!-~]|[.\\\"();@$]")


def lower(name: bytes) -> bytes:
    """The name in lower case (RFC 4343: ASCII only), the form for comparing and for keys."""
    return name.lower()


def read(message: bytes, offset: int) -> tuple[bytes, int]:
    """The possibly compressed name at ``offset``, and the offset behind it (RFC 1035 4.1.4).

    Raises ``WireError`` for a name that leaves the message, is over 255 octets, has a reserved label type, or a pointer
    that does not point strictly backwards.
    """
    size = len(message)
    parts: list[bytes] = []  # what stands before pointers
    begin = offset
    total = 1
    after = -1
    pointers = 0
    while True:
        if offset >= size:
            raise WireError("name leaves the message", offset)
        length = message[offset]
        if length == 0:
            last = message[begin : offset + 1]
            if after < 0:
                return last, offset + 1
            parts.append(last)
            return b"".join(parts), after
        if length <= _MAX_LABEL:
            end = offset + 1 + length
            if end > size:
                raise WireError("label leaves the message", offset)
            total += length + 1
            if total > _MAX_NAME:
                raise WireError("name over 255 octets", offset)
            offset = end
            continue
        if length < 0xC0:
            raise WireError("reserved label type", offset)
        if offset + 1 >= size:
            raise WireError("pointer leaves the message", offset)
        target = ((length & 0x3F) << 8) | message[offset + 1]
        if after < 0:
            after = offset + 2
        # "a pointer to a prior occurrence of the same name": each must go back further than the one before, which
        # prevents the endless loop that a crafted pair of pointers would be.
        if target >= begin:
            raise WireError("pointer does not point backwards", offset)
        pointers += 1
        if pointers > _MAX_POINTERS:
            raise WireError("too many pointers", offset)
        parts.append(message[begin:offset])
        begin = target
        offset = target


def skip(message: bytes, offset: int) -> int:
    """The offset behind the possibly compressed name at ``offset``, without following its pointer.

    Raises ``WireError`` where it leaves the message or has a reserved label type.
    """
    size = len(message)
    while offset < size:
        length = message[offset]
        if length == 0:
            return offset + 1
        if length >= 0xC0:
            if offset + 2 > size:
                break
            return offset + 2
        if length > _MAX_LABEL:
            raise WireError("reserved label type", offset)
        offset += 1 + length
    raise WireError("name leaves the message", offset)


def labels(name: bytes) -> list[bytes]:
    """The labels of a wire name, leftmost first, without the root."""
    found: list[bytes] = []
    offset = 0
    length = name[0]
    while length:
        found.append(name[offset + 1 : offset + 1 + length])
        offset += 1 + length
        length = name[offset]
    return found


def parents(name: bytes) -> Iterator[bytes]:
    """The name itself, then each parent, the root last."""
    offset = 0
    while name[offset]:
        yield name[offset:]
        offset += 1 + name[offset]
    yield ROOT


def suffix(name: bytes, label_count: int) -> bytes:
    """The last ``label_count`` labels of the name, root included: the parent that a match of that depth names."""
    return from_labels(labels(name)[-label_count:]) if label_count else ROOT


def is_subdomain(name: bytes, parent: bytes) -> bool:
    """Whether ``name`` is ``parent`` or below it; both in lower case."""
    if not name.endswith(parent):
        return False
    offset = 0
    start = len(name) - len(parent)
    # The suffix counts only at a label boundary: "notexample.com" is not below "example.com", and a label may
    # hold octets that look like another name's labels.
    while offset < start:
        offset += 1 + name[offset]
    return offset == start


def from_labels(parts: list[bytes]) -> bytes:
    """A wire name of the given labels. Raises ``NameSyntaxError`` for a label or name that is too long or empty."""
    for part in parts:
        if not 0 < len(part) <= MAX_LABEL_SIZE:
            raise NameSyntaxError("a label is empty" if not part else f"a label has {len(part)} octets, at most 63 fit")
    name = b"".join([bytes((len(part),)) + part for part in parts]) + ROOT
    if len(name) > MAX_NAME_SIZE:
        raise NameSyntaxError(f"the name has {len(name)} octets, at most 255 fit")
    return name


def from_text(text: str) -> bytes:
    """A wire name from presentation form (RFC 1035 5.1 escapes, trailing dot optional), case kept.

    Labels that are not ASCII become A-labels (IDNA). Raises ``NameSyntaxError``.
    """
    if text in (".", ""):
        if text:
            return ROOT
        raise NameSyntaxError("the name is empty")
    if not text.isascii():
        text = _to_ascii(text)
    raw = text.encode("ascii")
    if b"\\" not in raw:
        return from_labels((raw[:-1] if raw.endswith(b".") else raw).split(b"."))
    return from_labels(_split_escaped(raw))


def _to_ascii(text: str) -> str:
    if "\\" in text:
        raise NameSyntaxError("a name with letters outside ASCII cannot hold escapes")
    # IDNA takes the ideographic full stops for dots (RFC 3490 3.1).
    parts = re.split("[.\u3002\uff0e\uff61]", text)
    return ".".join(part if part.isascii() else _to_a_label(part) for part in parts)


def _to_a_label(label: str) -> str:
    if len(label) > MAX_LABEL_SIZE:  # idna's checks take quadratic time on long input (CVE-2024-3651)
        raise NameSyntaxError(f"a label has {len(label)} characters, at most 63 fit")
    # Only here: its tables are a part of every start, and few processes meet such a name.
    import idna

    try:
        return idna.encode(label, uts46=True).decode("ascii")
    except idna.IDNAError as error:
        try:  # names registered under IDNA 2003 (emoji among them) are still in use, and in lists
            return label.lower().encode("idna").decode("ascii")
        except UnicodeError:
            raise NameSyntaxError(f"{label!r} is not an internationalized label: {error}") from None


def _split_escaped(raw: bytes) -> list[bytes]:
    parts: list[bytes] = []
    label = bytearray()
    position = 0
    while position < len(raw):
        octet = raw[position]
        position += 1
        if octet == 0x2E:
            parts.append(bytes(label))
            label.clear()
        elif octet != 0x5C:
            label.append(octet)
        else:
            digits = raw[position : position + 3]
            if len(digits) == 3 and digits.isdigit():
                if int(digits) > 255:
                    raise NameSyntaxError(f"\\{digits.decode()} is no octet: at most \\255")
                label.append(int(digits))
                position += 3
            elif digits and not digits[:1].isdigit():
                label.append(digits[0])
                position += 1
            else:
                raise NameSyntaxError("an escape is \\ and three digits, or \\ and one other character")
    if label or not raw.endswith(b"."):
        parts.append(bytes(label))
    return parts


def to_text(name: bytes) -> str:
    r"""Presentation form without trailing dot; the root is ``.``. Octets that would mislead a reader are ``\DDD``."""
    parts = labels(name)
    if not parts:
        return "."
    return ".".join([_label_text(part) for part in parts])


def _label_text(label: bytes) -> str:
    if _PLAIN_LABEL.fullmatch(label):
        return label.decode("ascii")
    return _ESCAPED.sub(_escape, label).decode("ascii")


def _escape(match: re.Match[bytes]) -> bytes:
    octet = match.group()[0]
    if 0x21 <= octet <= 0x7E:
        return b"\\" + match.group()
    return b"\\%03d" % octet


def index_key(name: bytes) -> bytes:
    r"""The key under which an index holds the name: labels in lower case, the top one first, each followed by a dot.

    ``www.example.com`` is ``com.example.www.``, so that a parent's key is a prefix of its children's keys and of no
    other name's: dots and backslashes inside a label are escaped, other octets outside printable ASCII too.
    """
    parts = labels(name.lower())
    parts.reverse()
    key = b"".join([part + b"." for part in parts])
    if _PLAIN_KEY.fullmatch(key) and key.count(b".") == len(parts):
        return key
    return b"".join([_UNSAFE_IN_KEY.sub(_escape_octet, part) + b"." for part in parts])


_PLAIN_KEY: Final = re.compile(rb"[0-9a-z_.-]*")
_UNSAFE_IN_KEY: Final = re.compile(rb"[^!-~]|[.\\]")


def _escape_octet(match: re.Match[bytes]) -> bytes:
    return b"\\%03d" % match.group()[0]
