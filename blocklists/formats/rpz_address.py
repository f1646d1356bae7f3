"""Address ranges as owner names of response policy zones.

``24.0.2.0.192.rpz-ip`` is 192.0.2.0/24: the length of the prefix, then the address backwards. IPv6 goes by its eight
groups, ``zz`` in the place of ``::`` (draft-vixie-dnsop-dns-rpz-00, 4.1.1). Strictly: what has no prefix or has bits
behind it is no range, and which one was meant is not guessed (a published zone has its addresses forwards).
"""

from __future__ import annotations

import ipaddress
import re
from typing import Final

_DECIMAL: Final = re.compile(rb"0|[1-9][0-9]{0,2}")
_GROUP: Final = re.compile(rb"[0-9a-f]{1,4}")
_ZEROS: Final = b"zz"


def network_of(parts: list[bytes]) -> ipaddress.IPv4Network | ipaddress.IPv6Network | None:
    """The range of an owner's labels before ``rpz-ip`` (lower case), None where they are none."""
    if not parts or not _DECIMAL.fullmatch(parts[0]):
        return None
    prefix = int(parts[0])
    backwards = parts[:0:-1]
    try:
        if len(backwards) == 4 and _ZEROS not in backwards:
            if not all(_DECIMAL.fullmatch(part) for part in backwards):
                return None
            return ipaddress.IPv4Network((b".".join(backwards).decode("ascii"), prefix))
        text = _ipv6(backwards)
        return ipaddress.IPv6Network((text, prefix)) if text else None
    except ValueError:
        return None


def _ipv6(groups: list[bytes]) -> str:
    if not all(part == _ZEROS or _GROUP.fullmatch(part) for part in groups) or groups.count(_ZEROS) > 1:
        return ""
    if _ZEROS not in groups:
        return b":".join(groups).decode("ascii")
    at = groups.index(_ZEROS)
    # "::" stands for one group at least; both sides may be empty.
    return (b":".join(groups[:at]) + b"::" + b":".join(groups[at + 1 :])).decode("ascii")


def owner_of(network: ipaddress.IPv4Network | ipaddress.IPv6Network) -> str:
    """The labels, as text, under which a range stands before ``rpz-ip``."""
    address = network.network_address
    if isinstance(address, ipaddress.IPv4Address):
        groups = str(address).split(".")
    else:
        groups = [part.lstrip("0") or "0" for part in address.exploded.split(":")]
    return ".".join([str(network.prefixlen), *reversed(groups)])
