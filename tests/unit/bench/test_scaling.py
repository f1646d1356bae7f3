"""What two workers are worth, computed from CPU time a query where the load generator has no core of its own."""

from __future__ import annotations

import pytest

from bench import scaling
from bench.figures import Figures


@pytest.fixture
def figures() -> Figures:
    figures = Figures("resolver", "Saring")
    for kind, value in {"1 us": 9.0, "2 us": 10.0, "1 per_s": 100.0, "2 per_s": 190.0, "2 least share": 48.0}.items():
        figures.add("Saring", kind, value)
    return figures


@pytest.mark.parametrize(("cores", "worth"), [(2, 1.8), (8, 1.9)])
def test_two_workers_are_judged_by_cpu_or_directly(
    monkeypatch: pytest.MonkeyPatch, figures: Figures, cores: int, worth: float
) -> None:
    monkeypatch.setattr("os.cpu_count", lambda: cores)
    rows = list(scaling.rows("resolver", "Saring", figures))
    judged = next(one for one in rows if one["target"])
    assert judged["ours"] == pytest.approx(worth)
    assert judged["met"] is True


def test_without_a_run_that_counts_there_is_no_row() -> None:
    assert list(scaling.rows("resolver", "Saring", Figures("resolver", "Saring"))) == []
