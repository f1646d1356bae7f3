"""Answers from the files that a manifest lists, by DuckDB in memory through SQLAlchemy.

Any process may read while another loads: files never change, and the manifest is replaced as a whole. A file that is
gone by the time it is opened (merged and removed long after the manifest was read) means: read the manifest again.
"""

from __future__ import annotations

import re
import secrets
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Final, TypeVar

from sqlalchemy import (
    ARRAY,
    Connection,
    CursorResult,
    FromClause,
    Select,
    Table,
    Text,
    bindparam,
    column,
    create_engine,
    func,
    text,
)
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import QueuePool

from querylog import queries
from querylog.embedded.manifest import BLOCKED, GAP, RAW, Manifest, ManifestReader, SegmentInfo
from querylog.schema import GAPS, KEPT_AS_BLOCKED, QUERIES
from querylog.store import LAST_TIME_US, Asked, Cursor, Filter, Gap, Page, Row, StoreError, Stretch, Top, Totals

_ATTEMPTS: Final = 3
_PART: Final = 20_000
_HOUR_US: Final = 3_600 * 1_000_000
# A search goes back step by step: most find their page in the newest hour, and the rest of the year is not read.
_STEPS_US: Final = (_HOUR_US, 24 * _HOUR_US, 7 * 24 * _HOUR_US, 30 * 24 * _HOUR_US)
_GLOB: Final = re.compile(r"[*?\[]")

Answer = TypeVar("Answer")


class Reader:
    """Questions to the store under ``root``. Safe for several threads. Methods raise ``StoreError``."""

    def __init__(self, root: Path, memory_limit_bytes: int, threads: int) -> None:
        self._root = root
        self._manifests = ManifestReader(root)
        # Connections of one named database share its memory limit; the name is never seen by anyone else.
        name = secrets.token_hex(8)
        self._engine = create_engine(
            f"duckdb:///:memory:{name}",
            poolclass=QueuePool,
            pool_size=4,
            max_overflow=4,
            connect_args={
                "config": {
                    "memory_limit": f"{memory_limit_bytes}B",
                    "threads": threads,
                    # Not in the store: a reader needs no right to write there.
                    "temp_directory": str(Path(tempfile.gettempdir()) / f"saring-log-{name}"),
                    "autoinstall_known_extensions": False,
                }
            },
        )

    def search(self, filter: Filter, limit: int, cursor: Cursor | None) -> Page:
        """The newest rows first, behind ``cursor``."""
        limit = queries.bounded(limit)
        rows = self._consistently(lambda manifest: self._newest(manifest, filter, limit, cursor))
        return Page(rows, Cursor.behind(rows[-1]) if len(rows) == limit else None)

    def tail(self, filter: Filter, limit: int, since: Cursor | None) -> Page:
        """The newest rows, or those loaded behind ``since``, oldest first."""
        limit = queries.bounded(limit)
        return self._consistently(lambda manifest: self._tail(manifest, filter, limit, since))

    def top(self, field: str, filter: Filter, limit: int) -> tuple[Top, ...]:
        """The most frequent values of a field."""

        def answer(manifest: Manifest) -> tuple[Top, ...]:
            files = _matching(manifest, filter)
            found = self._run(files, QUERIES, lambda rows: queries.top(rows, field, filter, limit))
            return tuple(Top(value, count) for value, count in found)

        return self._consistently(answer)

    def totals(self, filter: Filter) -> Totals:
        """Counts by agency and verdict."""
        found = self._consistently(
            lambda manifest: self._run(_matching(manifest, filter), QUERIES, lambda rows: queries.totals(rows, filter))
        )
        by_verdict: dict[str, int] = {}
        by_agency: dict[str, dict[str, int]] = {}
        for agency, verdict, count in found:
            by_verdict[verdict] = by_verdict.get(verdict, 0) + count
            by_agency.setdefault(agency, {})[verdict] = count
        return Totals(sum(by_verdict.values()), by_verdict, by_agency)

    def asked(self, filter: Filter, stretches: Sequence[Stretch]) -> Iterator[Sequence[Asked]]:
        """Questions that policy decided, counted, in the order of names."""
        if not stretches:
            return

        def begin(manifest: Manifest) -> tuple[Connection, CursorResult[Any]] | None:
            files = _matching(manifest, filter)
            if not files:
                return None
            rows = self._read_files([info.path for info in files], QUERIES)
            connection = self._engine.connect()
            try:
                return connection, connection.execute(queries.asked(rows, filter, stretches))
            except BaseException:
                connection.close()
                raise

        begun = self._consistently(begin)
        if begun is None:
            return
        connection, result = begun
        try:
            for part in result.partitions(_PART):
                yield [Asked._make(record) for record in part]
        finally:
            connection.close()

    def gaps(self, from_us: int | None, until_us: int | None) -> tuple[Gap, ...]:
        """Gaps that overlap the time."""

        def answer(manifest: Manifest) -> tuple[Gap, ...]:
            files = [info for info in manifest.segments if info.kind == GAP and _overlaps(info, from_us, until_us)]
            found = self._run(files, GAPS, lambda table: queries.gaps(table, from_us, until_us))
            return tuple(Gap(*record) for record in found)

        return self._consistently(answer)

    def close(self) -> None:
        """Closes all connections."""
        self._engine.dispose()

    def _newest(self, manifest: Manifest, filter: Filter, limit: int, cursor: Cursor | None) -> tuple[Row, ...]:
        files = _matching(manifest, filter)
        until = filter.until_us if filter.until_us is not None else LAST_TIME_US
        if cursor is not None:
            until = min(until, cursor.time_us + 1)
        from_us = filter.from_us if filter.from_us is not None else 0
        found: list[Row] = []
        steps = iter(_STEPS_US)
        while len(found) < limit and until > from_us:
            older = [info for info in files if _overlaps(info, from_us, until)]
            if not older:
                break
            until = min(until, max(info.max_us for info in older) + 1)
            start = max(from_us, until - next(steps, LAST_TIME_US))
            span = replace(filter, from_us=start, until_us=until)
            part = [info for info in older if _overlaps(info, start, until)]
            found += self._rows(part, span, limit - len(found), cursor)
            until = start
        return tuple(found)

    def _rows(self, files: Sequence[SegmentInfo], span: Filter, limit: int, cursor: Cursor | None) -> list[Row]:
        records = self._run(files, QUERIES, lambda rows: queries.search(rows, span, limit, cursor))
        return [Row(*record) for record in records]

    def _tail(self, manifest: Manifest, filter: Filter, limit: int, since: Cursor | None) -> Page:
        end = Cursor(manifest.batch, LAST_TIME_US, "", 0, 0)
        if since is None:
            return Page(self._newest(manifest, filter, limit, None)[::-1], end)
        files = [info for info in _matching(manifest, filter) if info.max_batch >= since.batch]
        records = self._run(files, QUERIES, lambda rows: queries.following(rows, filter, limit, since))
        rows = tuple(Row(*record) for record in records)
        return Page(rows, Cursor.behind(rows[-1]) if len(rows) == limit else max(end, since))

    def _run(
        self, files: Sequence[SegmentInfo], table: Table, query: Callable[[FromClause], Select[Any]]
    ) -> Sequence[Any]:
        rows = self._read_files([info.path for info in files], table)
        wanted = query(rows)  # built even without files: a wrong field is an error in an empty store too
        if not files:
            return ()
        with self._engine.connect() as connection:
            return connection.execute(wanted).all()

    def _read_files(self, paths: list[str], table: Table) -> FromClause:
        """The files in the place of the table. Their names are a parameter like any other value."""
        files = bindparam("files", [escaped(self._root / path) for path in paths], ARRAY(Text), unique=True)
        columns = [column(wanted.name, wanted.type) for wanted in table.columns]
        read = func.read_parquet(files, text("hive_partitioning = false")).table_valued(*columns)
        return read.alias(table.name)

    def _consistently(self, question: Callable[[Manifest], Answer]) -> Answer:
        """Asks one manifest's files; asks again where one of them was removed meanwhile."""
        manifest = self._manifests.current()
        for _ in range(_ATTEMPTS):
            try:
                return question(manifest)
            except DBAPIError as error:
                failed, used = error, manifest
                manifest = self._manifests.current()
                if manifest == used:
                    break
        raise StoreError(
            f"the query log in {self._root} cannot be searched: {failed.orig}. Files that its manifest lists may be "
            "damaged or missing; the resolver and the spool are not affected"
        ) from failed


def escaped(path: Path) -> str:
    """The path as a pattern that matches only itself: DuckDB takes file names for globs."""
    return _GLOB.sub(lambda found: f"[{found[0]}]", str(path))


def _matching(manifest: Manifest, filter: Filter) -> list[SegmentInfo]:
    """Files that can hold rows of the filter."""
    kinds = {RAW, BLOCKED}
    if filter.verdict is not None:
        kinds = {BLOCKED if filter.verdict in KEPT_AS_BLOCKED else RAW}
    return [
        info for info in manifest.segments if info.kind in kinds and _overlaps(info, filter.from_us, filter.until_us)
    ]


def _overlaps(info: SegmentInfo, from_us: int | None, until_us: int | None) -> bool:
    return (from_us is None or info.max_us >= from_us) and (until_us is None or info.min_us < until_us)
