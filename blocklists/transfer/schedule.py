"""When a zone's primary is asked next, and when its zone has expired (RFC 1034 4.3.5, RFC 1035 3.3.13). Pure.

**A zone that has expired is still served.** RFC 1034 has a secondary stop answering from it, for it might tell clients
what is no longer true. Here it is a list of blocks: without it every name on it would be free, and an attacker who cuts
the way to the primary for long enough would have lifted the national block. So the last good version stays, the list
says so for all to see (status, metrics), and the primary's serial, whatever it is, is taken anew.
"""

from __future__ import annotations

from typing import Final

from blocklists.state import ListState, ZoneStamp

MIN_REFRESH_S: Final = 60
MAX_REFRESH_S: Final = 7 * 86_400
MIN_RETRY_S: Final = 30
MAX_RETRY_S: Final = 86_400
MAX_EXPIRE_S: Final = 365 * 86_400
REFUSED_AGAIN_S: Final = 3_600
"""What the gate refused is looked at again by hand, by night, or under a new serial: no sooner than this by itself."""


def refresh_s(zone: ZoneStamp) -> int:
    """The SOA's REFRESH, within bounds: a primary's mistake shall neither flood it nor silence us."""
    return min(max(zone.refresh_s, MIN_REFRESH_S), MAX_REFRESH_S)


def retry_s(zone: ZoneStamp) -> int:
    """The SOA's RETRY, within bounds, and not longer than REFRESH."""
    return min(max(zone.retry_s, MIN_RETRY_S), MAX_RETRY_S, refresh_s(zone))


def expire_s(zone: ZoneStamp) -> int:
    """The SOA's EXPIRE, within bounds: a zone does not expire before it was tried twice."""
    return min(max(zone.expire_s, refresh_s(zone) + retry_s(zone)), MAX_EXPIRE_S)


def due_s(state: ListState) -> float:
    """Unix seconds at which the primary is to be asked again; 0 (at once) for a zone never had.

    REFRESH after it last answered; RETRY after a try that failed.
    """
    zone = state.zone
    if zone is None:
        return 0.0
    if state.last_error:
        return state.checked_s + retry_s(zone)
    if state.refused_serial >= 0:
        return state.checked_s + max(refresh_s(zone), REFUSED_AGAIN_S)
    return state.checked_s + refresh_s(zone)


def expires_s(state: ListState) -> float:
    """Unix seconds at which the zone expires where its primary does not answer; infinity for one never had."""
    zone = state.zone
    return state.fetched_s + expire_s(zone) if zone is not None else float("inf")
