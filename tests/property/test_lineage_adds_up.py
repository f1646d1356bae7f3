"""However agencies were renamed, merged and split: every row is in the sums of exactly one of them."""

from __future__ import annotations

from collections import Counter

from hypothesis import given, settings
from hypothesis import strategies as st

from admin_api.lineage import Before, Kind, Lineage, Succession

Row = tuple[str, int]  # the code that the agency had, and when


@st.composite
def histories(draw: st.DrawFn) -> tuple[list[Succession], list[str], list[Row]]:
    """Successions as they can happen, the agencies that are left, and rows written meanwhile."""
    alive = ["a", "b", "c"]
    used = len(alive)
    successions: list[Succession] = []
    rows: list[Row] = []
    for at_s in range(0, 10 * draw(st.integers(0, 8)), 10):
        rows += [(draw(st.sampled_from(alive)), at_s + second) for second in range(draw(st.integers(0, 3)))]
        kind = draw(st.sampled_from(list(Kind)))
        fresh = [f"n{used + number}" for number in range(3)]
        used += 3
        if kind is Kind.RENAME:
            before, after = [draw(st.sampled_from(alive))], fresh[:1]
        elif kind is Kind.MERGE:
            before = draw(st.lists(st.sampled_from(alive), min_size=1, max_size=3, unique=True))
            after = [draw(st.sampled_from([*alive, fresh[0]]))]
        else:
            before = [draw(st.sampled_from(alive))]
            # Into new agencies, into one that was there, with the parent going on or not.
            after = [
                *fresh[: draw(st.integers(1, 2))],
                *draw(st.lists(st.sampled_from(alive), max_size=2, unique=True)),
            ]
        successions.append(Succession(kind, at_s + 5, tuple(before), tuple(after)))
        alive = sorted((set(alive) - set(before)) | set(after))
    rows += [(draw(st.sampled_from(alive)), 1_000 + second) for second in range(3)]
    return successions, alive, rows


@settings(max_examples=120, deadline=None, derandomize=True)
@given(histories(), st.integers(0, 100), st.integers(0, 1_100))
def test_sums_add_up(history: tuple[list[Succession], list[str], list[Row]], from_s: int, until_s: int) -> None:
    successions, alive, rows = history
    lineage = Lineage(successions)
    period = [row for row in rows if from_s <= row[1] < until_s]
    by_code = {code: {"allowed": count} for code, count in Counter(code for code, _ in period).items()}
    groups = lineage.grouped(by_code)
    assert sum(counts["allowed"] for counts in groups.values()) == len(period)
    # What an agency's own report counts is its line among all of them.
    for code in {*alive, *groups}:
        own = sum(row[0] in lineage.codes(code) for row in period)
        assert own == (groups.get(code, {}).get("allowed", 0) if lineage.heir(code) == code else own)
    # No row is in the sums of two agencies that are left, and none of theirs is lost on the way.
    of = Counter(code for agency in alive for code in lineage.codes(agency))
    assert set(of.values()) <= {1}
    assert all(lineage.heir(agency) == agency for agency in alive)


@settings(max_examples=120, deadline=None, derandomize=True)
@given(histories())
def test_before_a_split_rows_are_named_once_beside_the_sums(
    history: tuple[list[Succession], list[str], list[Row]],
) -> None:
    successions, alive, rows = history
    lineage = Lineage(successions)
    for agency in alive:
        told = lineage.before_split(agency)
        named = [code for before in told for code in before.codes]
        assert len(named) == len(set(named))
        assert not set(named) & set(lineage.codes(agency))
        assert [before.until_s for before in told] == sorted((before.until_s for before in told), reverse=True)
        # Rows that led here one by one, by walking the history forward, are exactly those that are named.
        for code, at_s in rows:
            expected = agency in ways_on(code, at_s, successions)
            counted = code in lineage.codes(agency)
            shown = any(code in before.codes and at_s < before.until_s for before in told)
            assert (counted or shown) == (expected or counted)


def ways_on(code: str, at_s: int, successions: list[Succession]) -> set[str]:
    """Every agency that the people behind a row can be of in the end."""
    now = {code}
    for succession in successions:
        if succession.at_s > at_s and now & set(succession.before):
            now = (now - set(succession.before)) | set(succession.after)
    return now


def test_a_history_as_it_is_written() -> None:
    history = Lineage(
        [
            Succession(Kind.RENAME, 10, ("dinkes",), ("dinas-kesehatan",)),
            Succession(Kind.MERGE, 20, ("dikbud", "dispora"), ("disdik",)),
            Succession(Kind.SPLIT, 30, ("disdik",), ("disdik", "olahraga")),
            Succession(Kind.MERGE, 40, ("arsip",), ("disdik",)),
        ]
    )
    assert history.codes("dinas-kesehatan") == ("dinas-kesehatan", "dinkes")
    assert history.codes("disdik") == ("disdik", "dikbud", "dispora", "arsip")
    assert history.heir("dispora") == "disdik"
    # The archive joined after the split: its rows never were the sports agency's.
    assert history.before_split("olahraga") == (Before(("disdik", "dikbud", "dispora"), 30),)
    assert history.before_split("disdik") == ()
    assert history.grouped({"dikbud": {"blocked": 2}, "disdik": {"blocked": 1, "allowed": 5}, "x": {"allowed": 1}}) == {
        "disdik": {"blocked": 3, "allowed": 5},
        "x": {"allowed": 1},
    }


def test_a_history_with_a_loop_is_read_to_its_end() -> None:
    loop = Lineage(
        [
            Succession(Kind.RENAME, 1, ("a",), ("b",)),
            Succession(Kind.RENAME, 2, ("b",), ("a",)),
            Succession(Kind.SPLIT, 3, ("a",), ("c",)),
            Succession(Kind.SPLIT, 4, ("c",), ("a",)),
        ]
    )
    assert loop.heir("a") in ("a", "b")
    assert set(loop.codes("a")) == {"a", "b"}
    assert loop.before_split("a")
