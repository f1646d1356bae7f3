"""What a measurement's row says, and that running one part keeps the figures of the others."""

from __future__ import annotations

import io
import json
from pathlib import Path

import pytest
from rich.console import Console

from bench.report import figure, keep, row, show


def test_a_ratio_is_ours_over_the_peers() -> None:
    one = row("resolver", "CPU a query", "us", 3.0, 6.0, "Unbound", ratio_at_most=0.6)
    assert one["ratio"] == 0.5
    assert one["met"] is True
    assert one["target"] == "<= 0.6 x Unbound"


def test_a_bound_on_our_own_figure_needs_no_peer() -> None:
    assert row("resolver", "start", "s", 0.7, at_most=0.5)["met"] is False
    assert row("querylog", "rows", "rows/s", 600_000, at_least=500_000)["met"] is True


def test_what_was_not_measured_is_neither_met_nor_missed() -> None:
    assert row("api", "x", "s", None, at_most=1)["met"] is None
    assert row("api", "x", "s", 1.0, None, "peer", ratio_at_most=1)["met"] is None
    assert row("api", "x", "s", 1.0, 0.0, "peer")["ratio"] is None


@pytest.mark.parametrize(("value", "text"), [(None, ""), (0.01234, "0.0123"), (9.876, "9.88"), (123_456.7, "123,457")])
def test_figures_have_three_digits(value: float | None, text: str) -> None:
    assert figure(value) == text


def test_results_of_parts_not_run_now_are_kept(tmp_path: Path) -> None:
    path = tmp_path / "bench" / "results.json"
    keep([row("policy", "a", "us", 1.0), row("api", "b", "ms", 2.0)], {"cpu": "x"}, 1.0, path)
    keep([row("api", "c", "ms", 3.0)], {"cpu": "x"}, 1.0, path)
    kept = json.loads(path.read_text(encoding="utf-8"))["rows"]
    assert [(one["area"], one["name"]) for one in kept] == [("policy", "a"), ("api", "c")]


def test_an_unreadable_file_of_before_is_replaced(tmp_path: Path) -> None:
    path = tmp_path / "results.json"
    path.write_text("not JSON", encoding="utf-8")
    keep([row("api", "c", "ms", 3.0)], {}, 1.0, path)
    assert len(json.loads(path.read_text(encoding="utf-8"))["rows"]) == 1


def test_several_peers_of_one_row_are_columns_of_one_line() -> None:
    rows = [
        row("resolver", "CPU", "us", 3.0, 6.0, "Unbound", ratio_at_most=0.6),
        row("resolver", "CPU", "us", 3.0, 8.0, "dnsdist"),
        row("resolver", "start", "s", 0.4, at_most=0.5),
    ]
    written = io.StringIO()
    show(rows, Console(file=written, width=150))
    lines = written.getvalue().splitlines()
    assert len([line for line in lines if " CPU " in line]) == 1
    line = next(line for line in lines if " CPU " in line)
    assert [word for word in line.split() if word[0].isdigit()] == ["3", "6", "8", "0.50", "0.6"]
    assert any("start" in line and "<= 0.5 met" in line for line in lines)
