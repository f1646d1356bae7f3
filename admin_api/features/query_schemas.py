"""The shapes of reads of the query log: what can be asked, and how rows are shown."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from admin_api import fields as f
from admin_api.history import Tenants
from admin_api.lineage import Lineage
from admin_api.rest.paging import MAX_CURSOR, PageQuery
from admin_api.rest.route import Digits, Parameters
from admin_api.schemas import Address, Instant, QueryInstant, RRTypeNumber, instant, instant_us, rrtype_text
from dnswire.constants import Rcode
from querylog.record import NO_RESPONSE
from querylog.store import Filter, Row

Text = Annotated[str, StringConstraints(pattern=f.PRINTABLE, min_length=1, max_length=255)]
VerdictName = Literal["allowed", "blocked", "redirected", "observed", "refused", "invalid", "local"]
TopField = Literal[
    "name", "matched", "agency", "unit", "category", "list", "rule", "letter", "verdict", "layer", "rrtype", "rcode"
]
RCODES = {code.name: code.value for code in Rcode} | {"NONE": NO_RESPONSE}
_RCODE_TEXTS = {number: name for name, number in RCODES.items()}


class LogQuery(Parameters):
    """Which rows of the query log."""

    since: QueryInstant | None = None
    until: QueryInstant | None = None
    """Exclusive."""
    agency: f.Code | None = None
    exactly: Annotated[bool, Field(strict=False)] = False
    """Only rows with this code of an agency; without it also those of agencies that were renamed or merged into it."""
    unit: f.Code | None = None
    client: Address | None = None
    name: Text | None = None
    """The whole name."""
    name_contains: Text | None = None
    verdict: VerdictName | None = None
    category: f.Code | None = None
    list: f.Code | None = None
    type: RRTypeNumber | None = None
    """A mnemonic (AAAA) or a number."""
    rcode: Annotated[Digits, Field(ge=0, le=4095)] | None = None


class SearchQuery(LogQuery, PageQuery):
    """A page of the rows found."""


class TailQuery(LogQuery):
    """The newest rows."""

    limit: Annotated[Digits, Field(ge=1, le=500)] = 100
    cursor: Annotated[str, Field(min_length=1, max_length=MAX_CURSOR)] | None = None
    """Of the page before: gives what was loaded after it."""


class TopQuery(LogQuery):
    """The most frequent values among the rows."""

    field: TopField = "name"
    limit: Annotated[Digits, Field(ge=1, le=500)] = 10


class Shown(BaseModel):
    """Root of what is shown."""

    model_config = ConfigDict(frozen=True, use_attribute_docstrings=True)


class QueryOutput(Shown):
    """One answered query, with the whole reason of its verdict."""

    at: Instant
    node: str
    worker: int
    sequence: int
    client: str
    agency: str
    unit: str
    generation: int
    transport: str
    name: str
    type: str
    rcode: str
    verdict: str
    layer: str
    via: str
    rule_id: int
    rule: str
    letter: str
    list: str
    category: str
    matched: str
    upstream: int
    cache: str
    latency_us: int


class BeforeSplit(Shown):
    """Rows of the time before a split, which are in nobody's sums but their own agency's."""

    agencies: list[str]
    """The parent's code, and those that were renamed or merged into it."""
    until: Instant


class LineageOutput(Shown):
    """Whose rows are counted for the agency that was asked for."""

    agencies: list[str]
    """Its code, and those that were renamed or merged into it."""
    before_split: list[BeforeSplit]


class QueriesPage(Shown):
    """Rows."""

    items: list[QueryOutput]
    next_cursor: str | None
    lineage: LineageOutput | None
    """Where an agency was asked for."""


class TopItem(Shown):
    """A value and how many answers had it."""

    value: str
    answers: int


class TopOutput(Shown):
    """The most frequent values, the most frequent first."""

    items: list[TopItem]
    lineage: LineageOutput | None
    """Where an agency was asked for."""


class BeforeTotals(BeforeSplit):
    """Counts of the time before a split, inside of what was asked for."""

    answers: int
    by_verdict: dict[str, int]


class TotalsOutput(Shown):
    """Counts of answers."""

    answers: int
    by_verdict: dict[str, int]
    by_agency: dict[str, dict[str, int]]
    """Under the codes of today, unless ``exactly``; each row is counted once."""
    lineage: LineageOutput | None
    """Where an agency was asked for."""
    before_split: list[BeforeTotals]
    """What was counted before a split that led to this agency; in the sums of the agency it was counted for."""


class GapOutput(Shown):
    """Answers of one worker that have no row."""

    node: str
    worker: int
    first_sequence: int
    last_sequence: int
    first: Instant
    last: Instant
    kind: str
    answers: int


class GapsOutput(Shown):
    """All gaps, the oldest first."""

    items: list[GapOutput]


def filter_of(query: LogQuery, tenants: Tenants | None) -> Filter:
    """The store's filter; ``tenants``: whose rows, where an agency is asked for."""
    return Filter(
        from_us=int(query.since.timestamp() * 1_000_000) if query.since else None,
        until_us=int(query.until.timestamp() * 1_000_000) if query.until else None,
        tenants=tenants,
        unit=query.unit if tenants is None else None,
        client=query.client,
        name=query.name,
        name_contains=query.name_contains,
        verdict=query.verdict,
        category=query.category,
        list=query.list,
        rrtype=query.type,
        rcode=query.rcode,
    )


def lineage_of(lineage: Lineage, agency: str) -> LineageOutput:
    """Whose rows are counted for an agency."""
    before = [BeforeSplit(agencies=list(one.codes), until=instant(one.until_s)) for one in lineage.before_split(agency)]
    return LineageOutput(agencies=list(lineage.codes(agency)), before_split=before)


def show_row(row: Row) -> QueryOutput:
    """A row as clients see it."""
    return QueryOutput(
        at=instant_us(row.time_us),
        node=row.node,
        worker=row.worker,
        sequence=row.sequence,
        client=row.client,
        agency=row.agency,
        unit=row.unit,
        generation=row.generation,
        transport=row.transport,
        name=row.name,
        type=rrtype_text(row.rrtype),
        rcode=_RCODE_TEXTS.get(row.rcode) or str(row.rcode),
        verdict=row.verdict,
        layer=row.layer,
        via=row.via,
        rule_id=row.rule_id,
        rule=row.rule,
        letter=row.letter,
        list=row.list,
        category=row.category,
        matched=row.matched,
        upstream=row.upstream,
        cache=row.cache,
        latency_us=row.latency_us,
    )
