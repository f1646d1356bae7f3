"""Percentiles, and what is made of the load generator's outcomes."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from bench.figures import Figures, percentile
from bench.latency import classed
from bench.paced import BLOCKED, CACHED, MISS, Pace, read_outcomes, write_queries
from tests.support.needs import need_program


@pytest.mark.parametrize(
    ("share", "expected"), [(0.0, 1.0), (0.07, 7.0), (0.5, 50.0), (0.99, 99.0), (0.991, 100.0), (1.0, 100.0)]
)
def test_a_percentile_is_the_nearest_rank(share: float, expected: float) -> None:
    assert percentile([float(value) for value in range(1, 101)], share) == expected


def test_of_nothing_there_is_no_percentile() -> None:
    with pytest.raises(ValueError, match="no values"):
        percentile([], 0.5)


def test_outcomes_are_sorted_by_class_and_wrong_codes_are_no_answers() -> None:
    outcomes = [
        *(300, 0, 10),  # cached, answered
        *(100, 3, 20),  # blocked, answered as blocked
        *(200, 0, 30),  # the file's first line again: cached
        *(150, 0, 40),  # blocked, but answered as if it were not
        *(-1, -1, 50),  # cached, lost
    ]
    run = read_outcomes(outcomes, [CACHED, BLOCKED], took_s=0.5)
    assert run.latency_us == {CACHED: [20.0, 30.0], BLOCKED: [10.0]}
    assert (run.sent, run.answered, run.wrong, run.per_s) == (5, 3, 1, 6.0)
    assert run.p(0.5) == 20.0
    assert run.p(1.0, (BLOCKED,)) == 10.0
    assert run.lag_us == 5.0


def test_a_figure_is_the_median_and_the_least_peer_is_judged_by() -> None:
    figures = Figures("resolver", "Saring")
    for server, values in {"Saring": (2.0, 9.0, 3.0), "A": (5.0, 5.0, 5.0), "B": (4.0, 4.0, 90.0)}.items():
        for value in values:
            figures.add(server, "us", value)
    one, two = figures.rows("CPU", "us", "us", ratio_at_most=0.8)
    assert (one["peer_name"], one["ours"], one["target"]) == ("A", 3.0, "")
    assert (two["peer_name"], two["ratio"], two["met"]) == ("B", 0.75, True)
    figures.forget("A")
    assert figures.servers("us") == ["B"]


def test_queries_of_dnsperf_are_given_their_class(tmp_path: Path) -> None:
    (tmp_path / "mixed").write_text("host1.bersih.test A\njudi.example A\n", encoding="ascii")
    queries = classed(tmp_path / "mixed", tmp_path / "classed")
    assert queries.classes == [CACHED, BLOCKED]
    assert queries.path.read_text().splitlines() == ["host1.bersih.test A cached", "judi.example A blocked"]


@pytest.fixture(scope="module")
def pace(tmp_path_factory: pytest.TempPathFactory) -> Pace:
    need_program("cc")
    built = Pace.built(tmp_path_factory.mktemp("pace"))
    assert built is not None
    return built


@pytest.fixture
def answering() -> Iterator[int]:
    """A server that sends each query back as NXDOMAIN, but never answers names that begin with "diam"."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server:
        server.bind(("127.0.0.1", 0))

        def serve() -> None:
            while True:
                message, client = server.recvfrom(512)
                if not message:
                    return
                if message[13:17] != b"diam":
                    server.sendto(message[:2] + b"\x80\x03" + message[4:], client)

        thread = threading.Thread(target=serve)
        thread.start()
        yield server.getsockname()[1]
        server.sendto(b"", server.getsockname())
        thread.join()


def test_the_generator_tells_answered_lost_and_wrong_apart(tmp_path: Path, pace: Pace, answering: int) -> None:
    lines = [("ada.test", "A", BLOCKED), ("diam.test", "AAAA", BLOCKED), ("salah.test", "HTTPS", CACHED)]
    queries = write_queries(tmp_path / "queries.txt", lines * 10)
    run = pace.at_rate(answering, queries, 2_000, 0.015, clients=3, cores=(0,))
    assert (run.sent, run.answered, run.wrong, run.strange) == (30, 10, 10, 0)
    assert len(run.latency_us[BLOCKED]) == 10
    assert all(latency > 0 for latency in run.latency_us[BLOCKED])


def test_without_a_rate_it_ends_with_the_file_and_does_not_wait_for_misses(
    tmp_path: Path, pace: Pace, answering: int
) -> None:
    lines = [("ada.test", "A", BLOCKED)] * 200 + [("diam.test", "A", MISS)] * 3
    queries = write_queries(tmp_path / "queries.txt", lines)
    run = pace.flat_out(answering, queries, 5.0, window=2, clients=2, cores=(0,))
    assert (run.sent, run.answered, run.wrong) == (203, 200, 0)
