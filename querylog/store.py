"""What a store of the query log can do, and the values that go in and come out."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, NamedTuple, Protocol
from urllib.parse import quote, unquote

if TYPE_CHECKING:
    import pyarrow as pa

    from querylog.spool_reader import Position

MAX_LIMIT: Final = 10_000
LAST_TIME_US: Final = 2**62  # behind every row


class StoreError(Exception):
    """The store cannot do it; the message says what, where and what now."""


class CursorError(ValueError):
    """A text that is no cursor of ours."""


@dataclass(frozen=True, slots=True)
class Filter:
    """Which rows; ``None`` leaves a field open. Times are Unix microseconds, ``until_us`` exclusive.

    ``name`` is the whole name, ``name_contains`` any part of it, both without regard to case; ``%`` and ``_`` mean
    themselves. ``verdict`` as stored (``blocked``); ``client`` an address in any spelling.
    ``tenants``: any of these (agency, unit), ``None`` for all rows of the agency whatever their unit.
    """

    from_us: int | None = None
    until_us: int | None = None
    agency: str | None = None
    unit: str | None = None
    client: str | None = None
    name_contains: str | None = None
    name: str | None = None
    verdict: str | None = None
    category: str | None = None
    list: str | None = None
    rule: str | None = None
    letter: str | None = None
    rrtype: int | None = None
    rcode: int | None = None
    node: str | None = None
    tenants: tuple[tuple[str, str | None], ...] | None = None


@dataclass(frozen=True, slots=True)
class Row:
    """One answered query as stored. ``rrtype`` and ``rcode`` are numbers, all else of its reason is text."""

    time_us: int
    node: str
    worker: int
    sequence: int
    batch: int
    client: str
    agency: str
    unit: str
    generation: int
    transport: str
    name: str
    rrtype: int
    rcode: int
    verdict: str
    layer: str
    via: str
    rule_id: int
    rule: str
    letter: str
    list: str
    category: str
    matched: str
    answer_digest: int
    upstream: int
    cache: str
    latency_us: int


@dataclass(frozen=True, slots=True, order=True)
class Cursor:
    """A place among the rows. ``search`` goes by time, node, worker and sequence; ``tail`` by batch first."""

    batch: int
    time_us: int
    node: str
    worker: int
    sequence: int

    def encode(self) -> str:
        """Text for URLs and terminals."""
        return f"{self.batch}.{self.time_us}.{self.worker}.{self.sequence}.{quote(self.node, safe='')}"

    @staticmethod
    def decode(text: str) -> Cursor:
        """The inverse of ``encode``. Raises ``CursorError``."""
        parts = text.split(".", 4)
        if len(text) > 1000 or len(parts) != 5 or not all(part.isascii() and part.isdigit() for part in parts[:4]):
            raise CursorError(f"{text[:80]!r} is not a cursor: pass the one that the page before gave")
        batch, time_us, worker, sequence = (int(part[:20]) for part in parts[:4])
        if max(batch, time_us, worker, sequence) >= 2**63:
            raise CursorError(f"{text[:80]!r} is not a cursor: a number is out of range")
        return Cursor(batch, time_us, unquote(parts[4]), worker, sequence)

    @staticmethod
    def behind(row: Row) -> Cursor:
        """The place just behind ``row``."""
        return Cursor(row.batch, row.time_us, row.node, row.worker, row.sequence)


@dataclass(frozen=True, slots=True)
class Page:
    """Rows and where to go on: ``None`` where a search has no more; ``tail`` always gives a cursor."""

    rows: tuple[Row, ...]
    cursor: Cursor | None


@dataclass(frozen=True, slots=True)
class Top:
    """A value and how many answers had it."""

    value: str
    answers: int


@dataclass(frozen=True, slots=True)
class Stretch:
    """A stretch of time, in Unix microseconds, ``until_us`` exclusive; ``state``: under what its rows are counted."""

    from_us: int
    until_us: int
    state: int


class Asked(NamedTuple):
    """A question as it was asked in one state, and how many answers it had. ``matched`` where ``via`` is another than
    the question itself: the listed or ruled name that the answer led to, if it was one.
    """

    name: str
    rrtype: int
    agency: str
    unit: str
    state: int
    via: str
    matched: str
    answers: int


@dataclass(frozen=True, slots=True)
class Totals:
    """Answers in all, by verdict, and by agency and verdict."""

    answers: int
    by_verdict: dict[str, int]
    by_agency: dict[str, dict[str, int]]


@dataclass(frozen=True, slots=True)
class Gap:
    """Answers of a worker without a row: sequences ``first`` to ``last`` inclusive.

    ``kind``: ``quota``, ``disk_full``, ``failed`` (spool), ``damaged`` (written, then unreadable).
    """

    node: str
    worker: int
    first_sequence: int
    last_sequence: int
    first_time_us: int
    last_time_us: int
    kind: str

    @property
    def answers(self) -> int:
        """How many answers have no row."""
        return self.last_sequence - self.first_sequence + 1


@dataclass(frozen=True, slots=True)
class Batch:
    """What one load brings. ``rows`` has the columns of ``schema.QUERIES`` except ``batch``, which the store adds."""

    rows: pa.Table
    gaps: tuple[Gap, ...] = ()


@dataclass(frozen=True, slots=True)
class Dropped:
    """What a retention run removed."""

    rows: int = 0
    files: int = 0


@dataclass(frozen=True, slots=True)
class Maintained:
    """What a maintenance run did: files merged into how many, rows in them, old files removed."""

    merged_files: int = 0
    merged_rows: int = 0
    removed_files: int = 0
    outputs: Sequence[str] = field(default=())


class Store(Protocol):
    """A store of the query log. Methods raise ``StoreError`` where it is down, full or damaged."""

    def load(self, batch: Batch, positions: Mapping[str, Position]) -> None:
        """Adds rows, gaps and loaded positions, all or nothing, on the disk before it returns."""

    def positions(self) -> Mapping[str, Position]:
        """How far each spool (``SegmentHeader.key``) is loaded."""

    def search(self, filter: Filter, limit: int = 100, cursor: Cursor | None = None) -> Page:
        """The newest rows first; ``cursor`` of a page gives the next, whatever was added meanwhile."""

    def tail(self, filter: Filter, limit: int = 100, since: Cursor | None = None) -> Page:
        """The newest rows, oldest of them first; with ``since`` what was loaded after that page."""

    def top(self, field: str, filter: Filter, limit: int = 10) -> tuple[Top, ...]:
        """The most frequent values of a field (``queries.TOP_FIELDS``; never of persons). ``ValueError`` for others."""

    def totals(self, filter: Filter) -> Totals:
        """Counts by agency and verdict."""

    def asked(self, filter: Filter, stretches: Sequence[Stretch]) -> Iterator[Sequence[Asked]]:
        """What policy decided in these stretches of time, counted, in parts: all of a name together, in their order.

        Rows are counted by the store, so that millions of them become the questions that differ.
        """

    def gaps(self, from_us: int | None = None, until_us: int | None = None) -> tuple[Gap, ...]:
        """Gaps that overlap the time, oldest first."""

    def drop_before(self, raw_before_us: int, blocked_before_us: int, now_us: int) -> Dropped:
        """Retention: removes whole days of rows, and of blocked rows and gaps, that end before the given times."""

    def maintain(self, now_us: int) -> Maintained:
        """One bounded step of compaction and cleaning; safe beside ``load`` in another thread."""

    def close(self) -> None:
        """Releases files and connections."""
