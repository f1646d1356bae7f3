"""EDNS(0): the OPT pseudo-RR and its options (RFC 6891), Extended DNS Errors (RFC 8914)."""

from __future__ import annotations

import struct
from typing import Final

from dnswire.constants import EdnsOption
from dnswire.errors import WireError

_OPTION: Final = struct.Struct(">HH")
_OPT: Final = struct.Struct(">BHHBBHH")

# RFC 8914 gives EXTRA-TEXT no limit of its own; a long one would cost truncation, so ours and others' are cut here.
MAX_EDE_TEXT_SIZE: Final = 200


def check_options(raw: bytes) -> None:
    """Raises ``WireError`` where the options of an OPT RR do not fill its RDATA exactly (RFC 6891 6.1.2)."""
    offset = 0
    size = len(raw)
    while offset < size:
        if offset + 4 > size:
            raise WireError("EDNS option header leaves the OPT RR", offset)
        offset += 4 + ((raw[offset + 2] << 8) | raw[offset + 3])
    if offset != size:
        raise WireError("EDNS option leaves the OPT RR", offset)


def options(raw: bytes) -> list[tuple[int, bytes]]:
    """The options of an OPT RR as (code, data), in order. Raises ``WireError`` as ``check_options`` does."""
    check_options(raw)
    found: list[tuple[int, bytes]] = []
    offset = 0
    while offset < len(raw):
        code, size = _OPTION.unpack_from(raw, offset)
        found.append((code, raw[offset + 4 : offset + 4 + size]))
        offset += 4 + size
    return found


def option(code: int, data: bytes) -> bytes:
    """One option in wire form."""
    return _OPTION.pack(code, len(data)) + data


def ede(code: int, text: str = "") -> bytes:
    """An Extended DNS Error option in wire form (RFC 8914 2). Text over 200 octets is cut at a character."""
    data = text.encode()[:MAX_EDE_TEXT_SIZE].decode(errors="ignore").encode()
    return option(EdnsOption.EDE, code.to_bytes(2, "big") + data)


def read_ede(data: bytes) -> tuple[int, str]:
    """Info-code and text of an EDE option's data. Raises ``WireError`` where it has no info-code.

    The text is somebody else's: control characters are replaced, so that it cannot forge lines of our logs.
    """
    if len(data) < 2:
        raise WireError("EDE option without info-code")
    text = data[2 : 2 + MAX_EDE_TEXT_SIZE].decode(errors="replace").rstrip("\0")
    return int.from_bytes(data[:2], "big"), "".join(c if c.isprintable() else "\ufffd" for c in text)


def opt(udp_size: int, extended_rcode: int, do: bool, options_wire: bytes = b"") -> bytes:
    """An OPT RR in wire form, version 0. ``extended_rcode`` is the whole 12-bit RCODE; its upper bits go here."""
    flags = 0x8000 if do else 0
    return _OPT.pack(0, 41, udp_size, extended_rcode >> 4, 0, flags, len(options_wire)) + options_wire
