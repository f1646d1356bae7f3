"""Blocklists: where lists come from, and what they may not do."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator, Field
from sqlalchemy.ext.asyncio import AsyncSession

from admin_api import fields as f
from admin_api.models import Blocklist, Category, RuleRow
from admin_api.models.catalog import DEFAULT_MAX_AGE_S
from admin_api.rest.auth import Scope
from admin_api.rest.crud import crud_routes
from admin_api.rest.problem import FieldError, invalid
from admin_api.rest.resource import Reference, Resource, Stamped, keep, require_code
from admin_api.rest.route import API, Call, Editor
from admin_api.schemas import Strict, instant
from blocklists.source import RESERVED_CODES, Source


class BlocklistInput(Strict):
    """A blocklist."""

    code: f.Code
    """For good: rules, logs and documents refer to it."""
    title: f.Title
    location: f.Location
    """An http(s) or file URL, or a path; rpz://address[:port]/zone.name for a zone that is transferred."""
    format: f.ListFormat = "auto"
    subdomains: bool | None = None
    """Whether entries cover the names below them; null: as the format means."""
    member: f.ListMember = ""
    """Where the location is a folder or a tar archive: the folder of one category in it, or a file."""
    landing: f.Landing = Field(default_factory=list)
    """Names and addresses to which the publisher sends what he blocks, beside those that are known."""
    sha256: f.Sha256 = ""
    """The only content that is taken; empty for any."""
    tsig_name: f.TsigName = ""
    """The TSIG key of a zone's transfer; empty: transferred without."""
    tsig_algorithm: f.TsigAlgorithm = "hmac-sha256"
    tsig_secret: f.TsigSecret | None = None
    """The key's secret in Base64. Never shown: null in every answer, and null leaves the stored one as it is."""
    tsig_secret_file: f.SecretFile = ""
    """In place of the secret: the file on this machine that has it."""
    categories: Annotated[list[f.Code], AfterValidator(f.distinct), Field(min_length=1, max_length=50)]
    """The categories that it feeds."""
    national: bool = False
    """Blocks by it are EDE 16 Censored."""
    licence: f.Short = ""
    enabled: bool = True
    observe: bool = False
    """Its entries never block: what they would have blocked is counted and logged."""
    rewrites: bool = False
    """Whether it may send names where it likes ($dnsrewrite, local data of a zone, real addresses in hosts lines)."""
    max_size_bytes: f.ListSize = f.DEFAULT_LIST_SIZE_BYTES
    """Of a download; larger ones are refused."""
    shrink_limit: f.Share = f.DEFAULT_SHRINK_LIMIT
    """The share of its names that an update may lose."""
    min_entries: f.EntryCount = 1
    allow_private: bool = False
    """May be fetched from private and loopback addresses."""
    max_age_s: f.MaxAge = DEFAULT_MAX_AGE_S
    """Alarms are raised where its source had nothing that was let in for longer, in seconds."""


class BlocklistOutput(BlocklistInput, Stamped):
    """A blocklist as stored."""


async def fill(session: AsyncSession, row: Blocklist, data: BlocklistInput, _editor: Editor) -> None:
    """Writes a body into its row."""
    keep(row, row.code, data.code, "code")
    row.categories = [
        await require_code(session, Category, code, f"categories[{position}]")
        for position, code in enumerate(data.categories)
    ]
    row.code = data.code
    row.title = data.title
    row.location = data.location
    row.format = data.format
    row.subdomains = data.subdomains
    row.member = data.member
    row.landing = " ".join(data.landing)
    row.sha256 = data.sha256
    row.tsig_name = data.tsig_name
    row.tsig_algorithm = data.tsig_algorithm
    row.tsig_secret_file = data.tsig_secret_file
    row.tsig_secret = _secret(row.tsig_secret or "", data)
    _check_zone(row)
    row.national = data.national
    row.licence = data.licence
    row.enabled = data.enabled
    row.observe = data.observe
    row.rewrites = data.rewrites
    row.max_size_bytes = data.max_size_bytes
    row.shrink_limit = data.shrink_limit
    row.min_entries = data.min_entries
    row.allow_private = data.allow_private
    row.max_age_s = data.max_age_s


def _secret(stored: str, data: BlocklistInput) -> str:
    """The secret to store: what is given, else what was stored as long as there is a key that needs it."""
    if data.tsig_secret is not None:
        return data.tsig_secret
    return stored if data.tsig_name and not data.tsig_secret_file else ""


def _check_zone(row: Blocklist) -> None:
    """Raises a 422 problem where location, format and key do not go together."""
    try:
        Source(
            row.code,
            row.location,
            row.format,
            tsig_name=row.tsig_name,
            tsig_algorithm=row.tsig_algorithm,
            tsig_secret=row.tsig_secret,
            tsig_secret_file=row.tsig_secret_file,
        )
    except ValueError as error:
        field = "tsig_name" if row.tsig_name or row.tsig_secret or row.tsig_secret_file else "location"
        if row.code in RESERVED_CODES:
            field = "code"
        raise invalid(FieldError(field=field, message=str(error), value=None)) from None


def show(row: Blocklist) -> BlocklistOutput:
    """The row as clients see it."""
    return BlocklistOutput.model_validate(
        {
            "id": row.id,
            "code": row.code,
            "title": row.title,
            "location": row.location,
            "format": row.format,
            "subdomains": row.subdomains,
            "member": row.member,
            "landing": row.landing.split(),
            "sha256": row.sha256,
            "tsig_name": row.tsig_name,
            "tsig_algorithm": row.tsig_algorithm,
            "tsig_secret": None,
            "tsig_secret_file": row.tsig_secret_file,
            "categories": sorted(category.code for category in row.categories),
            "national": row.national,
            "licence": row.licence,
            "enabled": row.enabled,
            "observe": row.observe,
            "rewrites": row.rewrites,
            "max_size_bytes": row.max_size_bytes,
            "shrink_limit": row.shrink_limit,
            "min_entries": row.min_entries,
            "allow_private": row.allow_private,
            "max_age_s": row.max_age_s,
            "created": instant(row.created_s),
            "changed": instant(row.changed_s),
        }
    )


async def settled(call: Call, shown: BlocklistOutput) -> None:
    """A new source, or another reading of the old one, needs a fetch or at least another index: the sync job's work."""
    await call.services.sync_now(shown.code)


RESOURCE = Resource(
    kind="blocklist",
    plural="blocklists",
    path=f"{API}/blocklists",
    row=Blocklist,
    input=BlocklistInput,
    output=BlocklistOutput,
    read=Scope.LISTS_READ,
    write=Scope.LISTS_WRITE,
    fill=fill,
    show=show,
    label=lambda row: row.code,
    unique=(("code",),),
    references=(Reference("rule", RuleRow.blocklist_id, RuleRow.id),),
    for_agencies=False,
    settled=settled,
)
ROUTES = crud_routes(RESOURCE)
