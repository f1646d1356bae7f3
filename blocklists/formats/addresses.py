"""Addresses and ranges, one a line: every name whose answer holds one of them is blocked.

Only where most lines are such: a stray address among names is none of them, because others share it.
"""

from __future__ import annotations

import ipaddress

from blocklists.formats.harvest import Harvest, Reason, Syntax
from blocklists.formats.odd import is_comment, without_comment
from blocklists.rule import AddressEntry, AddressKind

_MIN_PREFIX = {4: 8, 6: 16}  # a wider range is a slip, and would block a continent


class Addresses(Syntax):
    """A list of addresses."""

    name = "addresses"

    def recognises(self, line: bytes) -> bool:
        """An address or a range, and nothing else on the line."""
        return _network(without_comment(line)) is not None

    def parse(self, chunk: bytes, first_line: int, subdomains: bool | None, harvest: Harvest) -> None:
        """See ``Format.parse``."""
        for number, raw in enumerate(chunk[:-1].split(b"\n"), first_line):
            line = raw.strip()
            if is_comment(line):
                harvest.noise += bool(line)
                continue
            network = _network(without_comment(line))
            if network is None:
                harvest.reject(number, line, Reason.NO_ADDRESS_LINE)
            elif not network.is_global or network.prefixlen < _MIN_PREFIX[network.version]:
                # Answers with private addresses are a network's own; 0.0.0.0 is how blocks are written.
                harvest.reject(number, line, Reason.NOT_PUBLIC)
            else:
                harvest.addresses.append(AddressEntry(AddressKind.RESPONSE_BLOCK, network))


def _network(word: bytes) -> ipaddress.IPv4Network | ipaddress.IPv6Network | None:
    try:
        return ipaddress.ip_network(word.decode("ascii"), strict=False)
    except ValueError:
        return None
