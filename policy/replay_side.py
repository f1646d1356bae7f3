"""One policy as a replay asks it: a question's decision in each state of a period, worked out once.

Nearly all questions get one decision whatever the hour, and those whose decision depends on it differ by a few rules.
So a question is evaluated once with *all* rules, in force or at rest, by the evaluation that decides for clients
(``candidates.evaluate``), and what it finds is concluded (``decide.conclude``) for each state with the rules that are
in force in it. That gives what ``decide`` gives with the view of that instant: of candidates in order of precedence
the first that settles the matter wins, whoever else stands in the line.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import inf
from typing import TYPE_CHECKING, Any, Final, Protocol

from blocklists import asker
from policy.candidates import Candidate, evaluate
from policy.decide import conclude
from policy.facts import gather
from policy.model import Decision, Policy
from policy.prepare import Prepared, PreparedRule, Tenant
from policy.readings import rests_in_pause
from policy.resolve import Condition, Standing, assemble, condition, standing_for
from policy.view import View

if TYPE_CHECKING:
    from blocklists.match import Match

NOWHERE: Final = -1


class Lists(Protocol):
    """What is asked of listed names (``blocklists.index.Index``, or several at a time)."""

    def asker(self, client: asker.Client) -> Any:
        """What lists make of a client; equal for clients that they do not tell apart."""
        ...

    def ask(self, name: bytes, rrtype: int, asker: Any) -> tuple[Match, ...]:
        """Every list entry and rule about a query for the lower-case wire name."""
        ...


Heir = Callable[[str, str], tuple[str, str]]


class Answered:
    """The decision on one question for one view: the same at all times, or by state."""

    __slots__ = ("_by_state", "_candidates", "_side", "_view", "always", "name")

    def __init__(self, side: Side, view: View, name: bytes, candidates: list[Candidate] | None) -> None:
        self._side = side
        self._view = view
        self._candidates = candidates or []
        self._by_state: dict[tuple[Condition, int], Decision] = {}
        self.name = name
        self.always: Decision | None = None
        if candidates is None:
            self.always = view.default
        elif not any(side.is_timed(candidate) for candidate in candidates):
            self.always = conclude(view, side.in_force(candidates, Condition(0, False), 0), name)

    def at(self, position: int, state: int) -> Decision:
        """The decision for the tenant at that position in that state."""
        if self.always is not None:
            return self.always
        place = self._side.condition(position, state), state
        found = self._by_state.get(place)
        if found is None:
            held = self._side.in_force(self._candidates, *place)
            found = self._by_state[place] = conclude(self._view, held, self.name)
        return found


class Side:
    """One of the two policies. ``instants``: for each state of the period, an instant at which it holds."""

    def __init__(self, prepared: Prepared, lists: Lists, instants: Sequence[float]) -> None:
        self.prepared = prepared
        self.policy: Policy = prepared.policy
        self._lists = lists
        self._instants = instants
        everything = assemble(prepared, lambda _rule, _condition: True, instants[0], inf)
        clients = [everything.tenant(tenant.agency_id, tenant.unit_id) for tenant in prepared.tenants]
        self._views = [client.view for client in clients]
        self._askers = [lists.asker(asker.Client(b"", _names(prepared, tenant))) for tenant in prepared.tenants]
        numbers: dict[tuple[int, Any], int] = {}
        groups = ((id(view), asker) for view, asker in zip(self._views, self._askers, strict=True))
        self._groups = [numbers.setdefault(group, len(numbers)) for group in groups]
        self._rules = {id(one.asked): one for one in prepared.rules}
        self._timed = {key: self._is_timed(one) for key, one in self._rules.items()}
        self._in_force: dict[tuple[int, Condition, int], bool] = {}
        self._conditions: dict[tuple[int, int], Condition] = {}
        self._positions = _positions(prepared)

    def position(self, agency: str, unit: str, heir: Heir) -> int:
        """Where the tenant of a log's row is in ``prepared.tenants``; ``NOWHERE`` where the agency is not known.

        A unit that there is none such of counts as its agency; without an agency it is the regency's. ``#7`` is what a
        row says whose generation was gone when it was loaded: the identifier.
        """
        for code, part in ((agency, unit), heir(agency, unit), (agency, ""), heir(agency, "")):
            found = self._positions.get((code, part))
            if found is not None:
                return found
        return NOWHERE

    def group(self, position: int) -> int:
        """Equal for tenants whose questions have the same answers, but for their pauses and readings of schedules."""
        return self._groups[position]

    def codes(self) -> list[tuple[str, str]]:
        """Agency and unit of each tenant, by position."""
        return _codes(self.prepared)

    def answer(self, position: int, name: bytes, rrtype: int) -> Answered:
        """The decision on a question, of that tenant and all of his group."""
        view = self._views[position]
        matches = self._lists.ask(name, rrtype, self._askers[position])
        facts = gather(view, matches, name, rrtype)
        return Answered(self, view, name, None if facts is None else evaluate(view, facts, True))

    def is_timed(self, candidate: Candidate) -> bool:
        """Whether it has a say at some times only."""
        return candidate.rule is not None and self._timed[id(candidate.rule)]

    def in_force(self, candidates: list[Candidate], state: Condition, number: int) -> list[Candidate]:
        """Those that have a say in that state, for tenants in that condition."""
        return [one for one in candidates if one.rule is None or self._holds(id(one.rule), state, number)]

    def condition(self, position: int, state: int) -> Condition:
        """The condition of a tenant in that state."""
        place = position, state
        found = self._conditions.get(place)
        if found is None:
            found = self._conditions[place] = condition(self.prepared, position, self._instants[state])
        return found

    def _holds(self, key: int, state: Condition, number: int) -> bool:
        place = key, state, number
        found = self._in_force.get(place)
        if found is None:
            now = standing_for(self.prepared, self._rules[key], state, self._instants[number])
            found = self._in_force[place] = now is Standing.IN_FORCE
        return found

    def _is_timed(self, one: PreparedRule) -> bool:
        rule = one.rule
        if one.calendar is not None or rule.valid_from_s is not None or rule.valid_until_s is not None:
            return True
        return bool(self.policy.pauses) and rests_in_pause(one.layer, one.narrows)


def _names(prepared: Prepared, tenant: Tenant) -> tuple[str, ...]:
    return prepared.names.get(tenant, ())


def _codes(prepared: Prepared) -> list[tuple[str, str]]:
    agencies = {agency.id: agency.code for agency in prepared.policy.agencies}
    units = {unit.id: unit.code for unit in prepared.policy.units}
    return [(agencies.get(tenant.agency_id, ""), units.get(tenant.unit_id, "")) for tenant in prepared.tenants]


def _positions(prepared: Prepared) -> dict[tuple[str, str], int]:
    """Tenants as rows of the log name them: by codes, or by ``#`` and the identifier."""
    found: dict[tuple[str, str], int] = {}
    for position, (tenant, (agency, unit)) in enumerate(zip(prepared.tenants, _codes(prepared), strict=True)):
        found[agency, unit] = position
        numbers = f"#{tenant.agency_id}" if agency else "", f"#{tenant.unit_id}" if unit else ""
        for spelling in ((numbers[0], unit), (agency, numbers[1]), numbers):
            found.setdefault(spelling, position)
    return found
