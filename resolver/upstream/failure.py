"""Why no upstream answered, in words for the log and in a code for the client."""

from __future__ import annotations

from enum import StrEnum
from typing import Final

from dnswire.constants import EdeCode


class Reason(StrEnum):
    """Why an exchange ended without an answer."""

    TIMEOUT = "timeout"  # every upstream that was asked kept silent
    NETWORK = "network"  # refused, unreachable, connection closed
    UNTRUSTED = "untrusted"  # an encrypted upstream did not prove to be who it must be; nothing was asked in clear text
    MALFORMED = "malformed"  # what came was no DNS response, by TCP as well
    OVERLOADED = "overloaded"  # too many exchanges under way; nothing was sent
    EVICTED = "evicted"  # it took long, and others needed its place
    CLOSED = "closed"  # this resolver is stopping
    NO_UPSTREAM = "no-upstream"  # none is configured


_EDE: Final = {
    # RFC 8914 4.23: "The resolver could not reach any of the authoritative name servers"; for a forwarder its
    # upstreams stand in their place.
    Reason.TIMEOUT: (int(EdeCode.NO_REACHABLE_AUTHORITY), "no upstream answered in time"),
    Reason.NO_UPSTREAM: (int(EdeCode.NO_REACHABLE_AUTHORITY), "no upstream configured"),
    # RFC 8914 4.24: "An unrecoverable error occurred while communicating with another server."
    Reason.NETWORK: (int(EdeCode.NETWORK_ERROR), "upstream unreachable"),
    Reason.UNTRUSTED: (int(EdeCode.NETWORK_ERROR), "upstream could not be verified"),
    Reason.MALFORMED: (int(EdeCode.NETWORK_ERROR), "upstream sent no valid response"),
    Reason.EVICTED: (int(EdeCode.NETWORK_ERROR), "no upstream answered soon, and too many queries are under way"),
    Reason.OVERLOADED: (int(EdeCode.OTHER), "too many queries under way"),
    Reason.CLOSED: (int(EdeCode.OTHER), "resolver is stopping"),
}


class UpstreamFailure(Exception):  # noqa: N818 - the word that the design and the query log use
    """No upstream gave an answer. ``ede``: info-code and text of the Extended DNS Error that the client may see.

    The text names no upstream: a client learns nothing of the network behind the resolver.
    """

    def __init__(self, reason: Reason) -> None:
        super().__init__(_EDE[reason][1])
        self.reason = reason
        self.ede: tuple[int, str] = _EDE[reason]
