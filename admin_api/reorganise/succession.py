"""The three acts: rename, merge, split; each ends as an entry in the history."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from admin_api.history import why_retired
from admin_api.journal import Act
from admin_api.lineage import Kind
from admin_api.models import (
    AgencyRow,
    NetworkRow,
    RuleRow,
    SuccessionPartRow,
    SuccessionRow,
    SuccessionUnitRow,
    UnitRow,
)
from admin_api.reorganise.belongings import Belongings
from admin_api.reorganise.ledger import Ledger
from admin_api.rest.problem import FieldError, invalid
from admin_api.rest.resource import new_row
from admin_api.rest.route import Editor
from admin_api.schemas import Basis, put_basis


@dataclass(frozen=True, slots=True)
class Part:
    """What one part of a split is given: units (with all of theirs), networks and rules of the agency itself."""

    code: str
    name: str = ""  # needed where there is no such agency yet
    units: tuple[str, ...] = ()
    networks: tuple[str, ...] = ()
    rules: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class _Was:
    """An agency as it was before."""

    id: int
    code: str
    name: str


class Reorganisation:
    """One rename, merge or split. Methods raise 422 problems that name the mistakes; nothing is committed here."""

    def __init__(self, session: AsyncSession, editor: Editor, basis: Basis) -> None:
        self.ledger = Ledger(int(editor.now_s))
        self._session = session
        self._login = editor.login
        self._basis = basis
        self._belongings = Belongings(session, self.ledger, editor.login)

    async def rename(self, code: str, new_code: str, name: str) -> None:
        """Gives an agency another code or name. Its identifier, and all that refers to it, stays."""
        agency = await self._agency(code, "agency")
        before = _was(agency)
        if (new_code, name or agency.name) == (code, agency.name):
            self.ledger.wrong("code", "is the same, and so is the name", new_code, "another code or name")
        if new_code != code:
            await self._check_free(new_code, "code")
            units = await self._session.scalars(select(UnitRow).where(UnitRow.agency_id == agency.id))
            self.ledger.units += [(f"{code}/{unit.code}", f"{new_code}/{unit.code}") for unit in units]
        self.ledger.refuse()
        agency.code, agency.name = new_code, name or agency.name
        self.ledger.changed(agency, {"code": code, "name": before.name}, {"code": new_code, "name": agency.name})
        await self._enter(Kind.RENAME, [before], [agency])

    async def merge(self, codes: Sequence[str], into: str, name: str, unit_codes: dict[str, str]) -> None:
        """Makes one agency of several: one of them, another that is there, or a new one.

        ``unit_codes``: new codes of units, by ``agency/unit``, where the merged agency has two of one code.
        """
        sources = [await self._agency(code, f"agencies[{number}]") for number, code in enumerate(codes)]
        before = [_was(row) for row in sources]
        heir = await self._heir(into, name, "into")
        gone = [row for row in sources if row is not heir]
        if not gone:
            self.ledger.wrong("agencies", "nobody is merged into another", into, "agencies beside the one that stays")
        self.ledger.refuse()
        for source in gone:
            if source.allow_list_only and not heir.allow_list_only:
                self.ledger.warnings.append(
                    f"{source.code} could resolve only what rules allow; in {heir.code} everything else, too"
                )
            await self._belongings.give_all(source, heir, unit_codes)
        await self._enter(Kind.MERGE, before, [heir])

    async def split(self, code: str, parts: Sequence[Part], rest: str, *, copy_rules: bool) -> None:
        """Gives parts of an agency to others, new ones or such as are there.

        ``rest``: who keeps what no part is given; the agency itself where it goes on. ``copy_rules``: rules and
        readings of schedules that hold for the agency as a whole hold for its new parts, too.
        """
        parent = await self._agency(code, "agency")
        before = _was(parent)
        self._check_parts(code, parts, rest)
        known = set(await self._session.scalars(select(AgencyRow.code)))
        heirs = {
            part.code: await self._heir(part.code, part.name, f"parts[{number}].code", parent.allow_list_only)
            for number, part in enumerate(parts)
        }
        self.ledger.refuse()
        await self._give(parent, parts, heirs)
        self.ledger.refuse()
        new = [row for part_code, row in heirs.items() if part_code not in known]
        if copy_rules:
            await self._belongings.share_rules(parent, new)
        if new:
            await self._belongings.share_forwarders(parent, new)
        if rest == code:
            await self._enter(Kind.SPLIT, [before], [*heirs.values(), parent])
            return
        await self._belongings.give_all(parent, heirs[rest], {})
        await self._enter(Kind.SPLIT, [before], heirs.values())

    def _check_parts(self, code: str, parts: Sequence[Part], rest: str) -> None:
        seen = {code}
        for number, part in enumerate(parts):
            if part.code in seen:
                self.ledger.wrong(f"parts[{number}].code", "is there twice, or the agency's own", part.code, "another")
            seen.add(part.code)
        if rest not in seen:
            self.ledger.wrong("rest", "is none of the parts", rest, "the code of a part, or of the agency itself")
        self.ledger.refuse()

    async def _give(self, parent: AgencyRow, parts: Sequence[Part], heirs: dict[str, AgencyRow]) -> None:
        there: dict[str, dict[Any, Any]] = {
            "units": {row.code: row for row in await self._session.scalars(_of(UnitRow, parent))},
            "networks": {row.cidr: row for row in await self._session.scalars(_of(NetworkRow, parent))},
            "rules": {row.id: row for row in await self._session.scalars(_of(RuleRow, parent))},
        }
        given: set[tuple[str, object]] = set()
        for number, part in enumerate(parts):
            for kind in there:
                for key in getattr(part, kind):
                    where, row = f"parts[{number}].{kind}", there[kind].get(key)
                    if row is None:
                        self.ledger.wrong(where, f"{parent.code} itself has no such", key, f"one of {parent.code}")
                    elif (kind, key) in given:
                        self.ledger.wrong(where, "is given twice", key, "each to one part")
                    elif isinstance(row, NetworkRow) and row.unit_id is not None:
                        self.ledger.wrong(where, "is a unit's", key, "a network of no unit; units take theirs along")
                    elif isinstance(row, UnitRow):
                        await self._belongings.give_unit(row, parent, heirs[part.code])
                    else:
                        self._belongings.give(row, parent, heirs[part.code])
                    given.add((kind, key))
        await self._session.flush()

    async def _agency(self, code: str, where: str) -> AgencyRow:
        found = await self._session.scalar(select(AgencyRow).where(AgencyRow.code == code))
        if found is None:
            raise invalid(
                FieldError(field=where, message="there is no such agency", value=code, expected="the code of an agency")
            )
        return found

    async def _heir(self, code: str, name: str, where: str, allow_list_only: bool = False) -> AgencyRow:
        """The agency of that code, or a new one; not yet written where it cannot be."""
        found = await self._session.scalar(select(AgencyRow).where(AgencyRow.code == code))
        if found is not None:
            if name and name != found.name:
                self.ledger.changed(found, {"name": found.name}, {"name": name})
                found.name = name
            return found
        await self._check_free(code, where)
        if not name:
            self.ledger.wrong(where, "is new and needs a name", code, "a name beside it, or the code of an agency")
        made = new_row(AgencyRow, self.ledger.now_s)
        made.code, made.name, made.allow_list_only = code, name, allow_list_only
        self._session.add(made)
        await self._session.flush()
        self.ledger.created(made, {"name": name})
        return made

    async def _check_free(self, code: str, where: str) -> None:
        if await self._session.scalar(select(AgencyRow.id).where(AgencyRow.code == code)) is not None:
            self.ledger.wrong(where, "is another agency's", code, "a free code")
        why = await why_retired(self._session, code)
        if why:
            self.ledger.wrong(where, why, code, "a code that was never used")

    async def _enter(self, kind: Kind, before: Sequence[_Was], after: Iterable[AgencyRow]) -> None:
        """The entry in the history; its act goes before those of what moved."""
        heirs = [_was(row) for row in after]
        row = SuccessionRow(kind=kind.value, at_s=self.ledger.now_s, author=self._login)
        put_basis(row, self._basis)
        sides = [(False, one) for one in before] + [(True, one) for one in heirs]
        row.parts = [
            SuccessionPartRow(position=number, heir=heir, agency_id=one.id, code=one.code, name=one.name)
            for number, (heir, one) in enumerate(sides)
        ]
        row.units = [
            SuccessionUnitRow(position=number, before=was, after=is_now)
            for number, (was, is_now) in enumerate(self.ledger.units)
        ]
        self._session.add(row)
        await self._session.flush()
        label = f"{', '.join(one.code for one in before)} -> {', '.join(one.code for one in heirs)}"
        letter = {"letter": self._basis.number} if self._basis.number else {}
        self.ledger.acts.insert(0, Act(kind.value, "succession", row.id, label, _told(before), _told(heirs) | letter))


def _was(row: AgencyRow) -> _Was:
    return _Was(row.id, row.code, row.name)


def _told(agencies: Sequence[_Was]) -> dict[str, Any]:
    return {"agencies": {one.code: one.name for one in agencies}}


def _of(model: Any, agency: AgencyRow) -> Any:
    return select(model).where(model.agency_id == agency.id)
