"""The stretches of a period in which neither of two policies changes: at whose edges, and which are alike.

What is in force depends on the time through schedules, validities and pauses alone. Between two of their edges nothing
changes, and stretches in which the same of them hold are one **state**: the office hours of a month are one, whichever
day they are of. A replay counts queries by state before it decides anything.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import ceil, floor

from policy.prepare import Prepared
from policy.schedules import Calendar, is_open, next_edge_s

_State = tuple[tuple[bool, ...], ...]


@dataclass(frozen=True, slots=True)
class Span:
    """A stretch of time, in Unix seconds, ``until_s`` exclusive, and the number of its state."""

    from_s: float
    until_s: float
    state: int


@dataclass(frozen=True, slots=True)
class Spans:
    """The spans of a period in order, without gaps. ``instants``: for each state, an instant at which it holds."""

    spans: tuple[Span, ...]
    instants: tuple[float, ...]


def spans_of(policies: Sequence[Prepared], from_s: float, until_s: float) -> Spans:
    """The spans of the period between the two instants, for policies that are looked at together."""
    clocks = [_Clock(prepared, from_s, until_s) for prepared in policies]
    edges = sorted({edge_s for clock in clocks for edge_s in clock.edges if from_s < edge_s < until_s})
    begins = [from_s, *edges]
    numbers: dict[tuple[_State, ...], int] = {}
    spans: list[Span] = []
    for begin_s, end_s in zip(begins, [*edges, until_s], strict=True):
        key = tuple(clock.state(begin_s) for clock in clocks)
        state = numbers.setdefault(key, len(numbers))
        if spans and spans[-1].state == state:
            spans[-1] = Span(spans[-1].from_s, end_s, state)
        else:
            spans.append(Span(begin_s, end_s, state))
    instants: dict[int, float] = {}
    for span in spans:
        instants.setdefault(span.state, span.from_s)
    return Spans(tuple(spans), tuple(instants[state] for state in range(len(instants))))


class _Clock:
    """One policy's edges in a period, and its state at an instant."""

    def __init__(self, prepared: Prepared, from_s: float, until_s: float) -> None:
        self._calendars = _calendars(prepared)
        rules = [one.rule for one in prepared.rules]
        bounded = {rule.id: rule for rule in rules if rule.valid_from_s is not None or rule.valid_until_s is not None}
        self._bounds = [(rule.valid_from_s, rule.valid_until_s) for rule in bounded.values()]
        self._bounds += [(pause.from_s, pause.until_s) for pause in prepared.policy.pauses]
        self.edges = {edge_s for bounds in self._bounds for edge_s in bounds if edge_s is not None}
        for calendar in self._calendars:
            self.edges.update(_edges(calendar, from_s, until_s))

    def state(self, at_s: float) -> _State:
        opened = tuple(is_open(calendar, at_s) for calendar in self._calendars)
        holding = tuple(
            (begin_s is None or at_s >= begin_s) and (end_s is None or at_s < end_s) for begin_s, end_s in self._bounds
        )
        return opened, holding


def _calendars(prepared: Prepared) -> list[Calendar]:
    """The calendars that rules are asked by, as they are written and as tenants read them."""
    found: dict[int, Calendar] = {}
    for one in prepared.rules:
        if one.calendar is not None:
            found.setdefault(one.calendar.schedule.id, one.calendar)
    for hours in prepared.readings.hours:
        for calendar in hours.values():
            if calendar is not None:
                found.setdefault(calendar.schedule.id, calendar)
    return list(found.values())


def _edges(calendar: Calendar, from_s: float, until_s: float) -> Iterable[int]:
    at_s: float = floor(from_s)
    while (edge_s := next_edge_s(calendar, at_s, ceil(until_s) - at_s)) is not None:
        yield edge_s
        at_s = edge_s
