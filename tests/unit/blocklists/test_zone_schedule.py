"""The SOA's timers, with the time as an argument."""

from __future__ import annotations

from dataclasses import replace

import pytest

from blocklists.state import ListState, ZoneStamp
from blocklists.transfer.schedule import (
    MAX_REFRESH_S,
    MIN_REFRESH_S,
    MIN_RETRY_S,
    REFUSED_AGAIN_S,
    due_s,
    expire_s,
    expires_s,
    refresh_s,
    retry_s,
)

STAMP = ZoneStamp("rpz.test", 7, refresh_s=3600, retry_s=600, expire_s=86_400)
GOOD = ListState("nasional", version=1, checked_s=1000.0, fetched_s=1000.0, zone=STAMP)


def test_a_zone_that_answered_is_asked_after_refresh() -> None:
    # RFC 1034 4.3.5: the serial is checked every REFRESH.
    assert due_s(GOOD) == 4600.0


def test_a_zone_that_did_not_answer_is_asked_after_retry() -> None:
    # RFC 1034 4.3.5: where it could not be checked, it is tried again every RETRY.
    assert due_s(replace(GOOD, checked_s=4600.0, last_error="it is silent")) == 5200.0


def test_a_zone_that_was_refused_is_left_for_a_while() -> None:
    short = replace(STAMP, refresh_s=60)
    assert due_s(replace(GOOD, zone=short, refused_serial=8)) == 1000.0 + REFUSED_AGAIN_S


def test_a_zone_never_had_is_due_and_never_expires() -> None:
    never = ListState("nasional")
    assert (due_s(never), expires_s(never)) == (0.0, float("inf"))


def test_a_zone_expires_when_its_primary_was_silent_for_so_long() -> None:
    # RFC 1035 3.3.13: EXPIRE is the limit of the time for which a zone that is not refreshed may be relied on.
    failed = replace(GOOD, checked_s=90_000.0, last_error="it is silent")
    assert expires_s(failed) == 87_400.0


@pytest.mark.parametrize(
    ("stated", "refresh", "retry", "expire"),
    [
        (ZoneStamp("z", 1, 0, 0, 0), MIN_REFRESH_S, MIN_RETRY_S, MIN_REFRESH_S + MIN_RETRY_S),
        (ZoneStamp("z", 1, 2**32 - 1, 2**32 - 1, 2**32 - 1), MAX_REFRESH_S, 86_400, 365 * 86_400),
        (ZoneStamp("z", 1, 300, 3600, 100), 300, 300, 600),
    ],
)
def test_a_primarys_mistakes_are_kept_within_bounds(stated: ZoneStamp, refresh: int, retry: int, expire: int) -> None:
    assert (refresh_s(stated), retry_s(stated), expire_s(stated)) == (refresh, retry, expire)
