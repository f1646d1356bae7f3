"""The query log: search, tail, most frequent values, totals, gaps. Every read is itself recorded, before it is done.

A token that is restricted to an agency sees that agency's rows and no others.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from http import HTTPStatus
from typing import Literal, TypeVar

from admin_api.database import current_revision, editing
from admin_api.features.query_schemas import (
    BeforeTotals,
    GapOutput,
    GapsOutput,
    LineageOutput,
    LogQuery,
    QueriesPage,
    SearchQuery,
    TailQuery,
    TopItem,
    TopOutput,
    TopQuery,
    TotalsOutput,
    filter_of,
    lineage_of,
    show_row,
)
from admin_api.history import History, load_history, rows_before
from admin_api.journal import Act, record
from admin_api.models import AgencyRow
from admin_api.rest.auth import Scope
from admin_api.rest.paging import next_link
from admin_api.rest.problem import FieldError, Problem, invalid
from admin_api.rest.route import API, Call, Reply, Route
from admin_api.schemas import instant, instant_us
from querylog.store import Cursor, CursorError, Filter, Page, StoreError, Totals

T = TypeVar("T")

PATH = f"{API}/queries"


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is asked of the log: the rows, and whose they are where an agency is asked for."""

    rows: Filter
    agency: str | None
    unit: str | None
    history: History
    exactly: bool

    @property
    def lineage(self) -> LineageOutput | None:
        """Whose rows are counted; None where no agency was asked for."""
        return None if self.agency is None else lineage_of(self.history.agencies, self.agency)


async def search(call: Call) -> Reply:
    """A page of rows, the newest first."""
    query = call.query_as(SearchQuery)
    wanted = await _wanted(call, query, "search")
    cursor = _cursor(query.cursor)
    page = await _ask(lambda: call.services.store.search(wanted.rows, query.limit, cursor))
    shown = _shown(page, wanted)
    return Reply(shown, headers=next_link(call.address, call.raw_query, shown.next_cursor))


async def tail(call: Call) -> Reply:
    """The newest rows, oldest of them first; with the cursor, what came after that page."""
    query = call.query_as(TailQuery)
    wanted = await _wanted(call, query, "tail")
    cursor = _cursor(query.cursor)
    page = await _ask(lambda: call.services.store.tail(wanted.rows, query.limit, cursor))
    return Reply(_shown(page, wanted))


async def top(call: Call) -> Reply:
    """The most frequent values of a field."""
    query = call.query_as(TopQuery)
    wanted = await _wanted(call, query, "top")
    found = await _ask(lambda: call.services.store.top(query.field, wanted.rows, query.limit))
    items = [TopItem(value=item.value, answers=item.answers) for item in found]
    return Reply(TopOutput(items=items, lineage=wanted.lineage))


async def totals(call: Call) -> Reply:
    """Counts by verdict and agency."""
    wanted = await _wanted(call, call.query_as(LogQuery), "totals")
    found = await _totals(call, wanted.rows)
    by_agency = found.by_agency if wanted.exactly else wanted.history.agencies.grouped(found.by_agency)
    shown = TotalsOutput(
        answers=found.answers,
        by_verdict=found.by_verdict,
        by_agency=by_agency,
        lineage=wanted.lineage,
        # An agency's contact is shown that there was a parent, not what its other parts did.
        before_split=[] if call.principal.agency_id is not None else await _before_split(call, wanted),
    )
    return Reply(shown)


async def _before_split(call: Call, wanted: Wanted) -> list[BeforeTotals]:
    """What was counted before a split, inside of what was asked for: named beside the sums, never in them."""
    if wanted.agency is None or wanted.exactly or wanted.unit is not None:
        return []
    found: list[BeforeTotals] = []
    for before in wanted.history.agencies.before_split(wanted.agency):
        counts = await _totals(call, rows_before(wanted.rows, before))
        found.append(
            BeforeTotals(
                agencies=list(before.codes),
                until=instant(before.until_s),
                answers=counts.answers,
                by_verdict=counts.by_verdict,
            )
        )
    return found


async def gaps(call: Call) -> Reply:
    """Answers without a row: counted, never silent."""
    found = await _ask(lambda: call.services.store.gaps())
    items = [
        GapOutput(
            node=gap.node,
            worker=gap.worker,
            first_sequence=gap.first_sequence,
            last_sequence=gap.last_sequence,
            first=instant_us(gap.first_time_us),
            last=instant_us(gap.last_time_us),
            kind=gap.kind,
            answers=gap.answers,
        )
        for gap in found
    ]
    return Reply(GapsOutput(items=items))


async def _wanted(call: Call, query: LogQuery, action: Literal["search", "tail", "top", "totals"]) -> Wanted:
    """The filter, narrowed to what the token may see. The read is recorded here: without a record there is no read."""
    async with editing(call.services.sessions) as session:
        agency = query.agency
        if call.principal.agency_id is not None:
            row = await session.get(AgencyRow, call.principal.agency_id)
            own = row.code if row else ""
            if agency not in (None, own) or not own:
                raise Problem(HTTPStatus.FORBIDDEN, "the token sees only its own agency's queries")
            agency = own
        history = History() if query.exactly else await load_history(session)
        asked = query.model_dump(mode="json", exclude_none=True) | ({"agency": agency} if agency else {})
        act = Act(action, "queries", label=agency or "", after=asked)
        record(session, call.actor, act, call.now_s(), await current_revision(session))
    tenants = None if agency is None else history.tenants(agency, query.unit)
    return Wanted(filter_of(query, tenants), agency, query.unit, history, query.exactly)


async def _totals(call: Call, rows: Filter) -> Totals:
    return await _ask(lambda: call.services.store.totals(rows))


async def _ask(question: Callable[[], T]) -> T:
    try:
        return await asyncio.to_thread(question)
    except StoreError as error:
        detail = f"the query log cannot be read now ({error}); DNS and logging go on; try again"
        raise Problem(HTTPStatus.SERVICE_UNAVAILABLE, detail, headers={"Retry-After": "5"}) from None


def _cursor(text: str | None) -> Cursor | None:
    if text is None:
        return None
    try:
        return Cursor.decode(text)
    except (CursorError, ValueError) as error:
        wrong = FieldError(field="cursor", message=str(error), value=text[:100], expected="next_cursor of a page")
        raise invalid(wrong) from None


def _shown(page: Page, wanted: Wanted) -> QueriesPage:
    cursor = page.cursor.encode() if page.cursor else None
    return QueriesPage(items=[show_row(row) for row in page.rows], next_cursor=cursor, lineage=wanted.lineage)


ROUTES = (
    Route("GET", PATH, "queries", "Search the query log, the newest first", search, Scope.QUERIES_READ,
          "search_queries", response=QueriesPage, query_schema=SearchQuery, paged=True, for_agencies=True),
    Route("GET", f"{PATH}/tail", "queries", "Follow the query log", tail, Scope.QUERIES_READ,
          "tail_queries", response=QueriesPage, query_schema=TailQuery, for_agencies=True),
    Route("GET", f"{PATH}/top", "queries", "Most frequent values", top, Scope.QUERIES_READ,
          "top_queries", response=TopOutput, query_schema=TopQuery, for_agencies=True),
    Route("GET", f"{PATH}/totals", "queries", "Counts by verdict and agency", totals, Scope.QUERIES_READ,
          "total_queries", response=TotalsOutput, query_schema=LogQuery, for_agencies=True),
    Route("GET", f"{PATH}/gaps", "queries", "Answers that have no row", gaps, Scope.QUERIES_READ,
          "list_gaps", response=GapsOutput),
)  # fmt: skip
