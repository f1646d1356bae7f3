"""The embedded store: questions, pages, following, and one writer beside many readers."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from querylog import queries
from querylog.embedded.manifest import FILE_NAME
from querylog.embedded.store import EmbeddedStore
from querylog.spool import SpoolWriter
from querylog.store import Batch, Cursor, CursorError, Filter, Page, StoreError, Stretch, Top
from tests.support.querylog_samples import DAY_US, MINUTE_US, START_US, append, client, loader


class Log:
    """A spool, its loader and its store, for tests that want rows in a store."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.spool = SpoolWriter(root / "spool/worker-0", "n1", 0, 1 << 20, 1 << 24)
        self.store = EmbeddedStore(root / "log", writer=True, grace_us=MINUTE_US)
        self.loader = loader(root / "spool", self.store)
        self._count = 0

    def add(self, **facts: Any) -> None:
        self._count += 1
        append(self.spool, self._count, **facts)

    def load(self) -> None:
        self.loader.run_once()

    def files(self) -> set[str]:
        return {str(path.relative_to(self.root / "log")) for path in (self.root / "log").glob("*/*.parquet")}

    def close(self) -> None:
        self.spool.close()
        self.store.close()


@pytest.fixture
def log(tmp_path: Path) -> Iterator[Log]:
    opened = Log(tmp_path)
    yield opened
    opened.close()


def numbers(page: Page) -> list[int]:
    return [row.sequence for row in page.rows]


def test_an_empty_store_answers_everything(tmp_path: Path) -> None:
    store = EmbeddedStore(tmp_path / "none", writer=False)
    assert store.search(Filter()) == Page((), None)
    assert store.tail(Filter()).rows == ()
    assert store.top("name", Filter()) == ()
    assert store.totals(Filter()).answers == 0
    assert store.gaps() == ()
    assert store.positions() == {}
    with pytest.raises(ValueError, match="top of 'client'"):  # no ranking of persons
        store.top("client", Filter())
    store.close()


def test_each_filter_finds_its_rows(log: Log) -> None:
    log.add(name="www.youtube.com", agency=1, unit_id=4)
    log.add(name="judi.example.com", agency=2, blocked=True)
    log.add(name="mail.go.id", agency=2, rrtype=28, rcode=2, client_address=client(77))
    log.load()
    found = {
        Filter(agency="opd-2"): [3, 2],
        Filter(unit="unit-4"): [1],
        Filter(client="10.1.0.77"): [3],
        Filter(client="::ffff:10.1.0.77"): [3],
        Filter(client="nobody"): [],
        Filter(name="WWW.youtube.com."): [1],
        Filter(name="youtube.com"): [],
        Filter(name_contains="EXAMPLE"): [2],
        Filter(verdict="blocked"): [2],
        Filter(verdict="allowed"): [3, 1],
        Filter(category="category-3"): [2],
        Filter(list="list-4"): [2],
        Filter(rule="rule-5"): [2],
        Filter(letter="800/5/2026"): [2],
        Filter(rrtype=28): [3],
        Filter(rcode=3): [2],
        Filter(node="n2"): [],
        Filter(from_us=START_US + 2): [3, 2],
        Filter(until_us=START_US + 2): [1],
        Filter(from_us=START_US + 2, until_us=START_US + 3, agency="opd-2"): [2],
        Filter(from_us=START_US + DAY_US): [],
    }
    assert {wanted: numbers(log.store.search(wanted)) for wanted in found} == found


@pytest.mark.parametrize("text", ["%", "_", "/", "' OR 1=1 --", "\\", '"', "$1", "\0"])
def test_hostile_text_in_a_filter_means_itself(log: Log, text: str) -> None:
    log.add(name="plain.example.com")
    log.load()
    for wanted in (Filter(name_contains=text), Filter(name=text), Filter(agency=text), Filter(client=text)):
        assert log.store.search(wanted).rows == ()
        assert log.store.totals(wanted).answers == 0
        assert log.store.top("name", wanted) == ()


def test_percent_and_underscore_are_found_as_letters(log: Log) -> None:
    log.add(name="a%b.example.com")
    log.add(name="a_b.example.com")
    log.add(name="axb.example.com")
    log.load()
    assert numbers(log.store.search(Filter(name_contains="a%b"))) == [1]
    assert numbers(log.store.search(Filter(name_contains="a_b"))) == [2]


def test_pages_are_stable_while_rows_are_added(log: Log) -> None:
    for number in range(40):
        log.add(time_us=START_US + (number // 7) * 30 * MINUTE_US)  # several rows share each time
    log.load()
    seen: list[int] = []
    page = log.store.search(Filter(), 6)
    while page.cursor is not None:
        seen += numbers(page)
        log.add(time_us=START_US + DAY_US)
        log.load()
        page = log.store.search(Filter(), 6, Cursor.decode(page.cursor.encode()))
    seen += numbers(page)
    assert seen == list(range(40, 0, -1))


def test_a_search_goes_back_over_days_without_rows(log: Log) -> None:
    times = [
        START_US - 200 * DAY_US,
        START_US - 20 * DAY_US,
        START_US - DAY_US,
        START_US - 3 * 60 * MINUTE_US,
        START_US,
    ]
    for time_us in times:
        log.add(time_us=time_us)
        log.add(time_us=time_us, blocked=True)
    log.load()
    assert numbers(log.store.search(Filter(), 100)) == list(range(10, 0, -1))
    assert numbers(log.store.search(Filter(), 3)) == [10, 9, 8]
    assert numbers(log.store.search(Filter(verdict="blocked"), 4)) == [10, 8, 6, 4]


@pytest.mark.parametrize(
    "text", ["", "1.2.3", "a.1.1.1.n", "1.2.3.4.n" * 200, "99999999999999999999.1.1.1.n", "-1.1.1.1.n"]
)
def test_a_foreign_cursor_is_refused(text: str) -> None:
    with pytest.raises(CursorError):
        Cursor.decode(text)


def test_a_cursor_keeps_any_node_name() -> None:
    cursor = Cursor(3, 5, "node.1/ä", 2, 9)
    assert Cursor.decode(cursor.encode()) == cursor


def test_tail_shows_the_newest_and_follows_late_rows_too(log: Log) -> None:
    for _ in range(5):
        log.add()
    log.load()
    page = log.store.tail(Filter(), 3)
    assert numbers(page) == [3, 4, 5]
    page = log.store.tail(Filter(), 3, page.cursor)
    assert numbers(page) == []
    log.add(time_us=START_US - MINUTE_US)  # another worker's row, loaded late
    log.add()
    log.load()
    for _ in range(3):
        log.add()
    log.load()
    page = log.store.tail(Filter(), 3, page.cursor)
    assert numbers(page) == [6, 7, 8]
    page = log.store.tail(Filter(), 3, page.cursor)
    assert numbers(page) == [9, 10]
    assert numbers(log.store.tail(Filter(), 3, page.cursor)) == []


def test_top_and_totals(log: Log) -> None:
    for number in range(12):
        log.add(name="a.id" if number % 3 else "b.id", agency=1 + number % 2, blocked=number % 4 == 0)
    log.load()
    assert log.store.top("name", Filter(), 5) == (Top("a.id", 8), Top("b.id", 4))
    assert log.store.top("name", Filter(), 1) == (Top("a.id", 8),)
    assert log.store.top("list", Filter()) == (Top("list-4", 3),)
    assert log.store.top("rrtype", Filter()) == (Top("1", 12),)
    totals = log.store.totals(Filter())
    assert totals.answers == 12
    assert totals.by_verdict == {"allowed": 9, "blocked": 3}
    assert totals.by_agency == {"opd-1": {"allowed": 3, "blocked": 3}, "opd-2": {"allowed": 6}}
    assert log.store.totals(Filter(agency="opd-2")).by_verdict == {"allowed": 6}
    assert {field: len(log.store.top(field, Filter())) >= 0 for field in queries.TOP_FIELDS}


def test_a_reader_in_another_place_sees_loads_at_once(log: Log) -> None:
    reader = EmbeddedStore(log.root / "log", writer=False)
    for count in range(1, 4):
        log.add()
        log.load()
        assert len(reader.search(Filter()).rows) == count
        assert reader.positions() == log.store.positions()
    with pytest.raises(StoreError, match="reading only"):
        reader.load(Batch(rows=None), {})  # type: ignore[arg-type] # refused before it is looked at
    reader.close()


def test_two_writers_are_refused(log: Log) -> None:
    with pytest.raises(StoreError, match="another writer"):
        EmbeddedStore(log.root / "log", writer=True)


def test_readers_never_see_half_a_load(log: Log) -> None:
    """Each load brings ten rows of each kind; whoever reads meanwhile counts whole loads."""
    stop = threading.Event()
    seen: list[int] = []
    reader = EmbeddedStore(log.root / "log", writer=False)

    def read() -> None:
        while not stop.is_set():
            seen.append(reader.totals(Filter()).answers)

    beside = threading.Thread(target=read)
    beside.start()
    for load in range(20):
        for number in range(20):
            log.add(blocked=number % 2 == 0)
        log.load()
        log.store.maintain(START_US + load * MINUTE_US * 2)
    stop.set()
    beside.join()
    assert reader.totals(Filter()).answers == 400
    reader.close()
    assert seen == sorted(seen)
    assert all(count % 20 == 0 for count in seen)


def test_many_threads_ask_at_once(log: Log) -> None:
    for number in range(300):
        log.add(name=f"n{number % 10}.id")
    log.load()
    answers: list[int] = []

    def ask() -> None:
        answers.extend(len(log.store.search(Filter(name=f"n{number}.id"), 100).rows) for number in range(10))

    threads = [threading.Thread(target=ask) for _ in range(10)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert answers == [30] * 100


def test_a_path_that_looks_like_a_glob(tmp_path: Path) -> None:
    log = Log(tmp_path / "a*[b]?c")
    log.add()
    log.load()
    assert numbers(log.store.search(Filter())) == [1]
    log.close()


def test_a_damaged_manifest_says_what_to_do(log: Log) -> None:
    log.add()
    log.load()
    (log.root / "log" / FILE_NAME).write_text("{")
    reader = EmbeddedStore(log.root / "log", writer=False)
    with pytest.raises(StoreError, match=r"damaged.*restore.*spool keeps"):
        reader.search(Filter())
    reader.close()


def test_a_damaged_file_is_an_error_for_people(log: Log) -> None:
    log.add()
    log.load()
    (path,) = (log.root / "log").glob("*/*.parquet")
    path.write_bytes(b"?" * 100)
    with pytest.raises(StoreError, match="cannot be searched"):
        log.store.search(Filter())


def test_files_of_a_killed_load_are_removed_by_the_next_writer(log: Log) -> None:
    log.add()
    log.load()
    (path,) = (log.root / "log").glob("*/*.parquet")
    orphan = path.with_name("raw-9999999999.parquet")
    orphan.write_bytes(path.read_bytes())
    log.store.close()
    log.store = EmbeddedStore(log.root / "log", writer=True)
    assert not orphan.exists()
    assert numbers(log.store.search(Filter())) == [1]


def test_questions_are_counted_by_state_in_the_order_of_names(log: Log) -> None:
    for minute in (0, 1, 2, 61):
        log.add(time_us=START_US + minute * MINUTE_US, name="b.example.com")
    log.add(time_us=START_US, name="b.example.com", agency=2)
    log.add(time_us=START_US, name="a.example.com", blocked=True)
    log.add(time_us=START_US, name="a.example.com", blocked=True, via=1)
    log.add(time_us=START_US, name="c.example.com", verdict=4)  # refused: policy was not asked
    log.add(time_us=START_US - 1, name="early.example.com")
    log.load()
    edge_us = START_US + 2 * MINUTE_US
    stretches = [Stretch(START_US, edge_us, 7), Stretch(edge_us, START_US + DAY_US, 8)]
    (found,) = log.store.asked(Filter(), stretches)
    assert found == [
        ("a.example.com", 1, "opd-1", "", 7, "alias", "example.com", 1),
        ("a.example.com", 1, "opd-1", "", 7, "question", "", 1),
        ("b.example.com", 1, "opd-1", "", 7, "question", "", 2),
        ("b.example.com", 1, "opd-1", "", 8, "question", "", 2),
        ("b.example.com", 1, "opd-2", "", 7, "question", "", 1),
    ]
    (found,) = log.store.asked(Filter(tenants=(("opd-2", None),)), stretches)
    assert [one.agency for one in found] == ["opd-2"]
    assert list(log.store.asked(Filter(), [])) == []


def test_questions_come_in_parts_and_fail_as_a_store_does(log: Log, tmp_path: Path) -> None:
    for number in range(50):
        log.add(name=f"n{number:02}.example.com")
    log.load()
    span = [Stretch(0, 2**62, 0)]
    names = [one.name for part in log.store.asked(Filter(), span) for one in part]
    assert names == sorted(names)
    assert len(names) == 50
    assert list(EmbeddedStore(tmp_path / "none", writer=False).asked(Filter(), span)) == []
    for path in (tmp_path / "log").glob("*/*.parquet"):
        path.write_bytes(b"")
    with pytest.raises(StoreError):
        list(log.store.asked(Filter(), span))
