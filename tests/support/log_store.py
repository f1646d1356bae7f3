"""A store of the query log in memory: what a test puts in, filtered by the few fields that tests ask for."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from querylog.schema import AS_ASKED, DECIDED
from querylog.store import (
    Asked,
    Batch,
    Cursor,
    Dropped,
    Filter,
    Gap,
    Maintained,
    Page,
    Row,
    StoreError,
    Stretch,
    Top,
    Totals,
)

SAMPLE = Row(
    time_us=1_795_478_400_000_000,
    node="node-1",
    worker=0,
    sequence=1,
    batch=1,
    client="10.20.4.7",
    agency="dinkes",
    unit="",
    generation=1,
    transport="udp",
    name="judi.example",
    rrtype=1,
    rcode=3,
    verdict="blocked",
    layer="lists",
    via="question",
    rule_id=0,
    rule="",
    letter="",
    list="trustpositif",
    category="perjudian",
    matched="judi.example",
    answer_digest=0,
    upstream=0,
    cache="none",
    latency_us=80,
)


class MemoryStore:
    """Rows in a list, the oldest first; ``down`` makes every question fail."""

    def __init__(self) -> None:
        self.rows: list[Row] = []
        self.gap_list: list[Gap] = []
        self.down = False

    def add(self, **fields: Any) -> None:
        number = len(self.rows) + 1
        time_us = SAMPLE.time_us + number
        self.rows.append(replace(SAMPLE, **{"sequence": number, "batch": number, "time_us": time_us, **fields}))

    def load(self, batch: Batch, positions: Mapping[str, Any]) -> None:
        raise StoreError("a test's store takes rows by add()")

    def positions(self) -> Mapping[str, Any]:
        self._ask()
        return {}

    def search(self, filter: Filter, limit: int = 100, cursor: Cursor | None = None) -> Page:
        found = [row for row in reversed(self._found(filter)) if cursor is None or row.time_us < cursor.time_us]
        page = tuple(found[:limit])
        return Page(page, Cursor.behind(page[-1]) if len(found) > limit else None)

    def tail(self, filter: Filter, limit: int = 100, since: Cursor | None = None) -> Page:
        found = [row for row in self._found(filter) if since is None or row.batch > since.batch]
        page = tuple(found[-limit:])
        return Page(page, Cursor.behind(page[-1]) if page else since)

    def top(self, field: str, filter: Filter, limit: int = 10) -> tuple[Top, ...]:
        counts = Counter(str(getattr(row, field)) for row in self._found(filter))
        return tuple(Top(value, count) for value, count in counts.most_common(limit))

    def totals(self, filter: Filter) -> Totals:
        found = self._found(filter)
        by_agency: dict[str, dict[str, int]] = {}
        for row in found:
            counts = by_agency.setdefault(row.agency, {})
            counts[row.verdict] = counts.get(row.verdict, 0) + 1
        return Totals(len(found), dict(Counter(row.verdict for row in found)), by_agency)

    def asked(self, filter: Filter, stretches: Sequence[Stretch]) -> Iterator[Sequence[Asked]]:
        counts: Counter[tuple[Any, ...]] = Counter()
        for row in self._found(filter):
            for one in stretches:
                if one.from_us <= row.time_us < one.until_us and row.verdict in DECIDED:
                    matched = "" if row.via == AS_ASKED else row.matched
                    counts[row.name, row.rrtype, row.agency, row.unit, one.state, row.via, matched] += 1
        yield [Asked._make((*key, count)) for key, count in sorted(counts.items())]

    def gaps(self, from_us: int | None = None, until_us: int | None = None) -> tuple[Gap, ...]:
        self._ask()
        return tuple(self.gap_list)

    def drop_before(self, raw_before_us: int, blocked_before_us: int, now_us: int) -> Dropped:
        return Dropped()

    def maintain(self, now_us: int) -> Maintained:
        return Maintained()

    def close(self) -> None:
        pass

    def _ask(self) -> None:
        if self.down:
            raise StoreError("down for a test")

    def _found(self, wanted: Filter) -> list[Row]:
        self._ask()
        equals = {name: getattr(wanted, name) for name in ("agency", "client", "name", "verdict", "rrtype", "rcode")}
        return [
            row
            for row in self.rows
            if all(value is None or getattr(row, name) == value for name, value in equals.items())
            and (wanted.tenants is None or any(of(row, *tenant) for tenant in wanted.tenants))
            and (wanted.name_contains is None or wanted.name_contains in row.name)
            and (wanted.from_us is None or row.time_us >= wanted.from_us)
            and (wanted.until_us is None or row.time_us < wanted.until_us)
        ]


def of(row: Row, agency: str, unit: str | None) -> bool:
    return row.agency == agency and unit in (None, row.unit)
