"""Expressions: linear, bounded, and asked together without changing what each says."""

from __future__ import annotations

import time

import pytest

from policy.patterns import MAX_PATTERN_SIZE, Pattern, PatternError, PatternSet


def test_matches_anywhere_and_ignores_case() -> None:
    assert Pattern("Face").matches("www.facebook.com")
    assert not Pattern("^face").matches("www.facebook.com")


@pytest.mark.parametrize(
    "text",
    ["", "(", "a{1001}", "(?=a)b", r"(a)\1", "x" * (MAX_PATTERN_SIZE + 1), "((a{1000}){1000})", "[z-a]", "\ud800"],
)
def test_what_is_no_usable_expression_says_why(text: str) -> None:
    with pytest.raises(PatternError):
        Pattern(text)


@pytest.mark.parametrize("text", ["(a+)+$", "(a|aa)+$", "(.*a){20}$", "(a?){50}a{50}"])
def test_expressions_that_ruin_backtracking_engines_cost_nothing(text: str) -> None:
    pattern = Pattern(text)
    start_s = time.process_time()
    for _ in range(20):
        pattern.matches("a" * 250 + "!")
    # A backtracking engine would need longer than the universe has; the bound is three orders above what RE2 needs.
    assert time.process_time() - start_s < 5


def test_a_set_says_what_its_expressions_say() -> None:
    texts = [r"^ads?\d*\.", "track", r"(?i)X\.example$", r"a|b", r"(^|\.)c\."]
    together = PatternSet([Pattern(text) for text in texts])
    for name in ("ads12.example.com", "x.example", "zzz", "tracker.c.org", "c.org", "", "b"):
        assert together.search(name) == [position for position, text in enumerate(texts) if Pattern(text).matches(name)]


def test_an_unclosed_quotation_does_not_swallow_its_neighbours() -> None:
    assert PatternSet([Pattern(r"\Qa.b"), Pattern("judi")]).search("judi.example") == [1]
    # Joined, the second quotation would close the first, and the expression be sound but another.
    assert PatternSet([Pattern(r"\Qa.b"), Pattern(r"\Qjudi\E")]).search("judi.example") == [1]


def test_many_large_expressions_still_work_one_by_one() -> None:
    large = [Pattern(f"x{number}[a-z]{{200,400}}y") for number in range(60)]
    together = PatternSet([*large, Pattern("judi")])
    assert together.search("judi.example") == [60]
    assert together.search("example") == []
