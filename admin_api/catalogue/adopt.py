"""Entering a catalogue's entry into the control database, as if somebody had typed it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Generic, TypeVar

from pydantic import BaseModel
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from admin_api.catalogue.read import Catalogue, CatalogueService, CatalogueSource
from admin_api.features import blocklists, catalog_services, categories
from admin_api.features.blocklists import BlocklistInput
from admin_api.features.catalog_services import ServiceInput
from admin_api.features.categories import CategoryInput
from admin_api.journal import Act
from admin_api.models import Blocklist, Category, Service
from admin_api.models.base import Edited
from admin_api.rest.problem import conflict
from admin_api.rest.resource import Resource, new_row, refuse_duplicates
from admin_api.rest.route import Editor
from admin_api.schemas import Strict, as_json

RowT = TypeVar("RowT", bound=Edited)
InT = TypeVar("InT", bound=Strict)
OutT = TypeVar("OutT", bound=BaseModel)


@dataclass(frozen=True, slots=True)
class Adopted(Generic[RowT]):
    """The new row, its act, and those of the categories that had to be made for it."""

    row: RowT
    act: Act
    before: tuple[Act, ...]


@dataclass(frozen=True, slots=True)
class Adopter:
    """Who adopts, and whether he may make categories. Methods raise 409 problems."""

    catalogue: Catalogue
    editor: Editor
    may_make_categories: bool

    async def service(self, session: AsyncSession, entry: CatalogueService) -> Adopted[Service]:
        """A service, in its category."""
        made = await self._categories(session, [entry.category])
        data = ServiceInput.model_validate(entry.model_dump())
        row, act = await self._created(session, catalog_services.RESOURCE, data)
        return Adopted(row, act, made)

    async def source(
        self, session: AsyncSession, entry: CatalogueSource, enabled: bool, mirror: int = 0
    ) -> Adopted[Blocklist]:
        """A list, switched off unless ``enabled``; ``mirror`` 0 is its publisher's own address."""
        locations = [entry.location, *entry.mirrors]
        if mirror >= len(locations):
            raise conflict(f"{entry.code} has {len(entry.mirrors)} mirrors; 0 is its publisher's own address")
        made = await self._categories(session, entry.categories)
        fields = entry.model_dump(exclude={"mirrors", "homepage", "note"})
        data = BlocklistInput.model_validate(fields | {"location": locations[mirror], "enabled": enabled})
        row, act = await self._created(session, blocklists.RESOURCE, data)
        return Adopted(row, act, made)

    async def _categories(self, session: AsyncSession, codes: Iterable[str]) -> tuple[Act, ...]:
        known = set((await session.scalars(select(Category.code))).all())
        missing = [code for code in codes if code not in known]
        if missing and not self.may_make_categories:
            raise conflict(f"there is no category {', '.join(missing)} yet; somebody with policy:write must make it")
        acts = []
        for code in missing:
            entry = self.catalogue.categories[code]
            _, act = await self._created(session, categories.RESOURCE, CategoryInput.model_validate(entry.model_dump()))
            acts.append(act)
        return tuple(acts)

    async def _created(self, session: AsyncSession, resource: Resource[RowT, InT, OutT], data: InT) -> tuple[RowT, Act]:
        row = new_row(resource.row, int(self.editor.now_s))
        await resource.fill(session, row, data, self.editor)
        await refuse_duplicates(session, resource, row)
        session.add(row)
        await session.flush()
        after = as_json(resource.show(row))
        return row, Act("create", resource.kind, row.id, resource.label(row), after=after)
