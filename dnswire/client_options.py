"""What a forwarder says of its client in EDNS options: client subnet (RFC 7871), and what dnsmasq adds.

Only shapes are judged here; who is believed is another matter (``policy/forwarders.py``). Of RFC 7871's option a wrong
shape makes the whole query malformed; the others are of no standard, and what is no right one is not there.
"""

from __future__ import annotations

import base64
import binascii
import ipaddress
import re
from dataclasses import dataclass
from typing import Final

from dnswire import edns
from dnswire.constants import EdnsOption
from dnswire.errors import WireError

# IANA, Address Family Numbers.
_IPV4: Final = 1
_IPV6: Final = 2
_WIDTHS: Final = {_IPV4: 32, _IPV6: 128}

_HEAD_SIZE: Final = 4  # FAMILY, SOURCE PREFIX-LENGTH, SCOPE PREFIX-LENGTH
_MAC_SIZE: Final = 6
_BASE64_SIZE: Final = 8
_MAC_TEXT: Final = re.compile(rb"[0-9a-f]{2}(?::[0-9a-f]{2}){5}", re.IGNORECASE)

# The 100 characters that people may enter for a device, in UTF-8; a longer one is nobody's.
MAX_CPE_ID_SIZE: Final = 400


@dataclass(frozen=True, slots=True)
class ClientSubnet:
    """An EDNS client subnet option of a query. ``address``: the octets that were sent, SOURCE PREFIX-LENGTH bits."""

    family: int
    source_bits: int
    address: bytes

    @property
    def whole(self) -> bytes:
        """The one address that is named, 4 or 16 octets; empty where it is shortened to a prefix."""
        return self.address if self.family and self.source_bits == _WIDTHS[self.family] else b""

    @property
    def text(self) -> str:
        """Address and prefix length, as ``10.1.0.5/32``."""
        width = _WIDTHS.get(self.family, _WIDTHS[_IPV4]) // 8
        return f"{ipaddress.ip_address(self.address.ljust(width, bytes(1)))}/{self.source_bits}"

    @property
    def echo(self) -> bytes:
        """The option for the response.

        RFC 7871 7.2.1: FAMILY, SOURCE PREFIX-LENGTH and ADDRESS match the query's. SCOPE PREFIX-LENGTH equals SOURCE
        PREFIX-LENGTH: whom the answer is for depends on who asks, so it is for nobody else ("covers" no more).
        """
        head = self.family.to_bytes(2, "big") + bytes((self.source_bits, self.source_bits))
        return edns.option(EdnsOption.ECS, head + self.address)


def read_client_subnet(data: bytes) -> ClientSubnet:
    """An ECS option's data. Raises ``WireError`` for what RFC 7871 wants answered with FORMERR."""
    if len(data) < _HEAD_SIZE:
        raise WireError("client subnet without its head")
    family = int.from_bytes(data[:2], "big")
    source_bits, scope_bits = data[2], data[3]
    address = data[_HEAD_SIZE:]
    # RFC 7871 6: "In queries, it MUST be set to 0."
    if scope_bits:
        raise WireError("client subnet with a SCOPE PREFIX-LENGTH in a query")
    if family not in _WIDTHS:
        # Some ask so for privacy: nothing but a SOURCE PREFIX-LENGTH of 0.
        if family or source_bits or address:
            raise WireError("client subnet of an unknown FAMILY")
        return ClientSubnet(0, 0, b"")
    # RFC 7871 6: "too few or too many ADDRESS octets, or ... non-zero ADDRESS bits set beyond SOURCE PREFIX-LENGTH,
    # SHOULD return FORMERR".
    if source_bits > _WIDTHS[family]:
        raise WireError("client subnet with a SOURCE PREFIX-LENGTH beyond its FAMILY")
    if len(address) != (source_bits + 7) // 8:
        raise WireError("client subnet with too few or too many ADDRESS octets")
    if source_bits % 8 and address[-1] & (0xFF >> source_bits % 8):
        raise WireError("client subnet with bits beyond its SOURCE PREFIX-LENGTH")
    return ClientSubnet(family, source_bits, address)


def read_mac(code: int, data: bytes) -> bytes:
    """The six octets of a MAC address that dnsmasq added; empty where the option holds none.

    Code 65001 has octets (``--add-mac``), code 65073 text (``--add-mac=text``) or base64 (``--add-mac=base64``).
    """
    if code == EdnsOption.DNSMASQ_MAC:
        return data if len(data) == _MAC_SIZE else b""
    if len(data) == _BASE64_SIZE:
        try:
            octets = base64.b64decode(data, validate=True)
        except binascii.Error:
            return b""
        return octets if len(octets) == _MAC_SIZE else b""
    return bytes.fromhex(data.replace(b":", b"").decode("ascii")) if _MAC_TEXT.fullmatch(data) else b""


def read_cpe_id(data: bytes) -> str:
    """The text that dnsmasq calls its own site by (``--add-cpe-id``, code 65074); empty where it is none."""
    if len(data) > MAX_CPE_ID_SIZE:
        return ""
    try:
        text = data.decode()
    except UnicodeDecodeError:
        return ""
    return text if text.isprintable() else ""
