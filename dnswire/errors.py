"""What goes wrong between bytes and facts."""

from __future__ import annotations


class WireError(ValueError):
    """Bytes that are not what they claim to be. ``offset``: where reading stopped, in octets from the message start."""

    def __init__(self, reason: str, offset: int = 0) -> None:
        super().__init__(f"{reason} (octet {offset})")
        self.reason = reason
        self.offset = offset


class NameSyntaxError(ValueError):
    """Text that is not a DNS name; the message says why."""
