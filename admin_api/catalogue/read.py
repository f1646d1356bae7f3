"""The catalogue's entries, checked by the same bounds as what people enter."""

from __future__ import annotations

import json
import tomllib
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Annotated, Any, Final

from pydantic import AfterValidator, Field

from admin_api import fields as f
from admin_api.models.catalog import DEFAULT_MAX_AGE_S
from admin_api.schemas import Strict

_DIRECTORY: Final = Path(__file__).parent
_PUBLIC_LIST_SIZE_BYTES = 2**28  # far above the largest of them


class CatalogueCategory(Strict):
    """A category that entries belong to."""

    code: f.Code
    title: f.Title
    negative: bool = False
    """Blocked for everybody."""


class CatalogueService(Strict):
    """A service that people block."""

    code: f.Code
    title: f.Title
    category: f.Code
    names: Annotated[list[f.DnsName], AfterValidator(f.distinct), Field(min_length=1, max_length=100)]
    """Each with every name below it."""


class CatalogueSource(Strict):
    """A published list."""

    code: f.Code
    title: f.Title
    location: f.Location
    mirrors: Annotated[list[f.Location], Field(max_length=10)] = Field(default_factory=list)
    """Where the same list is, too."""
    format: f.ListFormat
    member: f.ListMember = ""
    subdomains: bool | None = None
    categories: Annotated[list[f.Code], AfterValidator(f.distinct), Field(min_length=1, max_length=50)]
    national: bool = False
    licence: f.Title
    homepage: f.Location
    note: f.Note = ""
    """What one should know before taking it."""
    max_size_bytes: f.ListSize = _PUBLIC_LIST_SIZE_BYTES
    shrink_limit: f.Share = f.DEFAULT_SHRINK_LIMIT
    min_entries: f.EntryCount = 1
    max_age_s: f.MaxAge = DEFAULT_MAX_AGE_S


@dataclass(frozen=True, slots=True)
class Catalogue:
    """All entries by code, in the order of the files."""

    categories: dict[str, CatalogueCategory]
    services: dict[str, CatalogueService]
    sources: dict[str, CatalogueSource]


@cache
def catalogue() -> Catalogue:
    """The catalogue that comes with this Saring."""
    categories = {
        code: CatalogueCategory.model_validate_json(json.dumps(entry | {"code": code}))
        for code, entry in _tables(_DIRECTORY / "categories.toml").items()
    }
    services: dict[str, CatalogueService] = {}
    for path in sorted(_DIRECTORY.glob("services_*.toml")):
        tables = _tables(path)
        category = tables.pop("category")
        for code, entry in tables.items():
            whole = entry | {"code": code, "category": category}
            services[code] = CatalogueService.model_validate_json(json.dumps(whole))
    sources = {
        code: CatalogueSource.model_validate_json(json.dumps(entry | {"code": code}))
        for path in sorted(_DIRECTORY.glob("sources_*.toml"))
        for code, entry in _tables(path).items()
    }
    return Catalogue(categories, services, sources)


def _tables(path: Path) -> dict[str, Any]:
    return tomllib.loads(path.read_text(encoding="utf-8"))
