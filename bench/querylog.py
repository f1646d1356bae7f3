"""The query log: appending, loading, its size, and searching, beside SQLite with the same rows."""

from __future__ import annotations

import os
import random
import sqlite3
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any
from zlib import crc32

from querylog.embedded.manifest import ManifestReader
from querylog.embedded.store import EmbeddedStore
from querylog.labels import RuleLabel
from querylog.loader import Loader
from querylog.schema import COLUMNS
from querylog.spool import SpoolWriter
from querylog.store import Filter, Row

AREA = "querylog"
ROWS = 20_000_000 if os.environ.get("BENCH_FULL") == "1" else 2_000_000
PEER_ROWS = 500_000
PART = 250_000  # rows between two loads, so that the spool stays small
START_US = 1_790_000_000_000_000
DAY_US = 86_400_000_000
NAMES = 50_000
CLIENTS = 3_600


class BenchLabels:
    def agency(self, agency_id: int) -> str:
        return f"opd-{agency_id:02d}"

    def unit(self, unit_id: int) -> str:
        return f"unit-{unit_id}"

    def rule(self, rule_id: int) -> RuleLabel:
        return RuleLabel(f"rule {rule_id}", f"800/{rule_id}/2026")

    def list(self, list_id: int) -> str:
        return f"list-{list_id}"

    def category(self, category_id: int) -> str:
        return f"category-{category_id}"


def names(rng: random.Random) -> list[bytes]:
    """Names of the length that real ones have."""
    found = []
    for number in range(NAMES):
        labels = [b"www"] * (number % 3 == 0) + [rng.randbytes(rng.randint(2, 7)).hex().encode(), b"example", b"id"]
        found.append(b"".join(bytes((len(label),)) + label for label in labels) + b"\0")
    return found


class Traffic:
    """Rows as a regency makes them: few names often, 5 % blocked, 20 % misses, a day long."""

    def __init__(self) -> None:
        self._rng = random.Random(1)
        self._names = names(self._rng)
        self._digests = [crc32(name) for name in self._names]
        self._clients = [
            b"\0" * 10 + b"\xff\xff\x0a" + bytes((number // 60, 0, number % 60)) for number in range(CLIENTS)
        ]
        self._time_us = float(START_US)

    def rows(self, count: int) -> list[tuple[Any, ...]]:
        draw = self._rng.random
        found: list[tuple[Any, ...]] = []
        for _ in range(count):
            self._time_us += self._rng.expovariate(ROWS / (DAY_US * 0.7))
            place = min(int(self._rng.paretovariate(0.9) * 5) - 5, NAMES - 1)
            client = int(draw() * CLIENTS)
            blocked, missed = draw() < 0.05, draw() < 0.2
            latency_us = int(draw() * 80) + (8000 if missed else 20)
            name = self._names[place]
            head = (int(self._time_us), self._clients[client], 1 + client // 60, 0, 3)
            reason = (9, 4, 2, 0) if blocked else (0, 0, 0, self._digests[place])
            tail = (3, 0, 0, 1, 7, 0, 0) if blocked else (0, 1, 0, 0, 8, 0, 2 if missed else 1)
            found.append((*head, *reason, latency_us, (1, 28, 65)[place % 3], *tail, name, name if blocked else b""))
        return found


def _quiet(event: str, /, **facts: object) -> None:
    """Nothing is damaged here."""


def run() -> list[dict[str, Any]]:
    """Rows of the comparison table."""
    with tempfile.TemporaryDirectory() as scratch:
        return _measure(Path(scratch))


def _measure(scratch: Path) -> list[dict[str, Any]]:
    traffic = Traffic()
    store = EmbeddedStore(scratch / "log", writer=True)
    loader = Loader(scratch / "spool", store, lambda generation: BenchLabels(), notice=_quiet)
    append_s = load_s = 0.0
    with SpoolWriter(scratch / "spool/worker-0", "bench", 0) as spool:
        for _ in range(ROWS // PART):
            rows = traffic.rows(PART)
            started = time.process_time()
            for row in rows:
                spool.append(*row)
            append_s += time.process_time() - started
            spool.flush()
            started = time.process_time()
            loader.run_once()
            load_s += time.process_time() - started
    while store.maintain(START_US + 30 * DAY_US).merged_files:
        pass
    segments = ManifestReader(scratch / "log").current().segments
    row_bytes = sum(segment.size_bytes for segment in segments) / sum(segment.rows for segment in segments)
    peer = Peer(scratch / "peer.db")
    peer.load(store)
    one_day = Filter(agency="opd-05", name_contains="a1b", from_us=START_US, until_us=START_US + DAY_US)
    search_s = best(lambda: store.search(one_day, 100))
    top_s = best(lambda: store.top("name", Filter(agency="opd-05"), 10))
    totals_s = best(lambda: store.totals(Filter()))
    scale = ROWS / PEER_ROWS
    found = [
        line("append one answer, CPU", "us", append_s / ROWS * 1e6, None, None),
        line("load", "rows per CPU second", ROWS / load_s, peer.rows_s, 500_000, more_is_better=True),
        line("size of a row", "bytes", row_bytes, peer.row_bytes, 12),
        line(f"search {ROWS:,} rows: agency, day, name contains", "s", search_s, peer.search_s() * scale, 1.0),
        line(f"top names of an agency, {ROWS:,} rows", "s", top_s, peer.top_s() * scale, 0.2),
        line(f"totals by agency and verdict, {ROWS:,} rows", "s", totals_s, peer.totals_s() * scale, 0.2),
    ]
    peer.close()
    store.close()
    return found


def line(
    name: str, unit: str, ours: float, peer: float | None, target: float | None, *, more_is_better: bool = False
) -> dict[str, Any]:
    met = None if target is None else (ours >= target if more_is_better else ours <= target)
    return {
        "area": AREA,
        "name": name,
        "unit": unit,
        "ours": round(ours, 4),
        "peer": None if peer is None else round(peer, 4),
        "peer_name": "" if peer is None else f"SQLite, {PEER_ROWS:,} rows, scaled",
        "ratio": None if not peer else round(ours / peer, 3),
        "target": target,
        "met": met,
    }


def best(work: Callable[[], object], times: int = 5) -> float:
    """Shortest of several runs, in seconds."""
    found = []
    for _ in range(times):
        started = time.perf_counter()
        work()
        found.append(time.perf_counter() - started)
    return min(found)


class Peer:
    """The same rows in one SQLite table with an index on agency and time."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._db = sqlite3.connect(path)
        self._db.execute("PRAGMA journal_mode = WAL")
        self._db.execute(f"CREATE TABLE queries ({', '.join(COLUMNS)})")
        self._db.execute("CREATE INDEX by_agency ON queries (agency, time_us)")
        self.rows_s = 0.0
        self.row_bytes = 0.0

    def load(self, store: EmbeddedStore) -> None:
        places = ", ".join("?" for _ in COLUMNS)
        spent_s = 0.0
        cursor = None
        done = 0
        while done < PEER_ROWS:
            page = store.search(Filter(), 10_000, cursor)
            cursor = page.cursor
            rows = [_values(row) for row in page.rows]
            started = time.process_time()
            with self._db:
                self._db.executemany(f"INSERT INTO queries VALUES ({places})", rows)
            spent_s += time.process_time() - started
            done += len(rows)
        self.rows_s = done / spent_s
        self._db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        self.row_bytes = self._path.stat().st_size / done

    def search_s(self) -> float:
        query = (
            "SELECT * FROM queries WHERE agency = ? AND time_us >= ? AND name LIKE ? ORDER BY time_us DESC LIMIT 100"
        )
        return best(lambda: self._db.execute(query, ("opd-05", START_US, "%a1b%")).fetchall())

    def top_s(self) -> float:
        query = "SELECT name, count(*) FROM queries WHERE agency = ? GROUP BY name ORDER BY 2 DESC LIMIT 10"
        return best(lambda: self._db.execute(query, ("opd-05",)).fetchall())

    def totals_s(self) -> float:
        query = "SELECT agency, verdict, count(*) FROM queries GROUP BY agency, verdict"
        return best(lambda: self._db.execute(query).fetchall())

    def close(self) -> None:
        self._db.close()


def _values(row: Row) -> tuple[Any, ...]:
    return tuple(getattr(row, name) for name in COLUMNS)


if __name__ == "__main__":
    for measured in run():
        print(measured)
