"""The shapes of a schedule: windows, and periods with windows of their own; and their rows' columns."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Protocol, Self, TypeVar

from pydantic import Field, model_validator

from admin_api import fields as f
from admin_api.models import PeriodRow, PeriodWindowRow, ScheduleRow, WindowRow
from admin_api.schemas import Strict


class Window(Strict):
    """A span of local time on some days; an end at or before the start lies on the next day."""

    days: Annotated[list[f.Day], Field(min_length=1, max_length=7)]
    start: Annotated[f.Clock, Field(json_schema_extra={"pattern": r"^([01][0-9]|2[0-3]):[0-5][0-9]$"})]
    end: f.Clock
    """HH:MM; 24:00 is the end of the day."""

    @model_validator(mode="after")
    def _is_a_span(self) -> Self:
        if len(set(self.days)) != len(self.days):
            raise ValueError("days names a day twice")
        if self.start == "24:00":
            raise ValueError("start is at most 23:59; a window that starts at 24:00 starts at 00:00 of the next day")
        return self


class Period(Strict):
    """Days with windows of their own instead of the schedule's, as in Ramadan; no windows: closed on these days."""

    title: f.Title
    from_date: f.IsoDate
    """The first day."""
    until_date: f.IsoDate
    """The last day."""
    windows: Annotated[list[Window], Field(max_length=f.MAX_WINDOWS)] = Field(default_factory=list)

    @model_validator(mode="after")
    def _is_a_span(self) -> Self:
        if self.until_date < self.from_date:
            raise ValueError("until_date is the last day; it cannot come before from_date")
        return self


Periods = Annotated[list[Period], Field(max_length=f.MAX_PERIODS)]


class WindowColumns(Protocol):
    """The columns that both kinds of window rows have."""

    days: int
    start_min: int
    end_min: int


WindowT = TypeVar("WindowT", bound=WindowColumns)


def day_bits(days: list[f.Day]) -> int:
    """Days as the bit set that a window row holds."""
    return sum(1 << f.DAYS.index(day) for day in days)


def days_of_bits(bits: int) -> list[f.Day]:
    """The days of a window row's bit set, Monday first."""
    return [day for number, day in enumerate(f.DAYS) if bits >> number & 1]


def put_windows(row: ScheduleRow, windows: list[Window]) -> None:
    """Gives a schedule these windows, in their order; rows that fit are kept (positions are part of their key)."""
    rows = row.windows
    row.windows = [
        _windowed(rows[position] if position < len(rows) else WindowRow(position=position), window)
        for position, window in enumerate(windows)
    ]


def put_periods(row: ScheduleRow, periods: list[Period]) -> None:
    """Gives a schedule these periods, in their order; as ``put_windows``."""
    rows = row.periods
    row.periods = [
        _period(rows[position] if position < len(rows) else PeriodRow(position=position), period)
        for position, period in enumerate(periods)
    ]


def windows_of(rows: Sequence[WindowColumns]) -> list[Window]:
    """The windows of a schedule or a period."""
    return [
        Window(
            days=days_of_bits(row.days),
            start=f.clock_text(row.start_min),
            end=f.clock_text(row.end_min),
        )
        for row in rows
    ]


def periods_of(row: ScheduleRow) -> list[Period]:
    """The periods of a schedule."""
    return [
        Period(
            title=period.title,
            from_date=period.from_date,
            until_date=period.until_date,
            windows=windows_of(period.windows),
        )
        for period in row.periods
    ]


def _period(row: PeriodRow, period: Period) -> PeriodRow:
    row.title, row.from_date, row.until_date = period.title, period.from_date, period.until_date
    rows = row.windows
    row.windows = [
        _windowed(rows[position] if position < len(rows) else PeriodWindowRow(position=position), window)
        for position, window in enumerate(period.windows)
    ]
    return row


def _windowed(row: WindowT, window: Window) -> WindowT:
    row.days = day_bits(window.days)
    row.start_min = f.clock_minutes(window.start)
    row.end_min = f.clock_minutes(window.end)
    return row
