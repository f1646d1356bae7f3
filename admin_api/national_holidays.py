"""Indonesia's national holidays and joint leave of a year, as the ``holidays`` package knows them, offline.

The government decrees both for one year at a time. For years without a decree yet the package estimates the Islamic,
Buddhist, Hindu and Chinese days, says so, and knows no joint leave.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from admin_api.models.base import TITLE_LENGTH

FIRST_YEAR: Final = 1970
LAST_YEAR: Final = 2100  # the package's calendars end there

_ESTIMATED: Final = "(perkiraan)"


@dataclass(frozen=True, slots=True)
class KnownHoliday:
    """A day off. ``estimated``: by calculation, before the decree."""

    date: str  # ISO 8601
    title: str
    joint_leave: bool
    estimated: bool


def national_holidays(year: int) -> tuple[KnownHoliday, ...]:
    """The days of a year in their order; a day that is both a holiday and joint leave is a holiday.

    Raises ``ValueError`` for years that the package does not know.
    """
    if not FIRST_YEAR <= year <= LAST_YEAR:
        raise ValueError(f"holidays are known for the years {FIRST_YEAR} to {LAST_YEAR}")
    from holidays import country_holidays  # not at the top: loads calendars of the world that nobody else here needs

    found: dict[str, KnownHoliday] = {}
    for category, joint_leave in (("government", True), ("public", False)):
        for day, title in country_holidays("ID", years=year, categories=(category,), language="id").items():
            date = day.isoformat()
            found[date] = KnownHoliday(date, title[:TITLE_LENGTH], joint_leave, _ESTIMATED in title)
    return tuple(found[date] for date in sorted(found))
