"""Prefix codes: bounded, decodable, and as short as a bound allows."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from blocklists.name_table import MAX_BITS, TABLE_SIZE
from blocklists.prefix_code import SYMBOLS, PrefixCode


def code_of(counts: list[int]) -> PrefixCode:
    return PrefixCode.of(np.array(counts + [0] * (SYMBOLS - len(counts)), dtype=np.int64))


@given(st.lists(st.one_of(st.integers(0, 3), st.integers(0, 10**12)), min_size=1, max_size=SYMBOLS))
@settings(max_examples=100, deadline=None)
def test_every_symbol_is_decoded_from_its_code_whatever_follows(counts: list[int]) -> None:
    code = code_of(counts)
    table = code.table()
    for symbol, count in enumerate(counts):
        bits = int(code.bits[symbol])
        assert bool(count) == bool(bits)
        assert bits <= MAX_BITS
        if count:
            for behind in (0, TABLE_SIZE - 1):
                found = int(table[(int(code.codes[symbol]) | behind << bits) % TABLE_SIZE])
                assert (found & 255, found >> 8) == (symbol, bits)
    assert sum(2.0**-bits for bits in code.bits.tolist() if bits) <= 1


@pytest.mark.parametrize(
    ("counts", "bits"),
    [([5], [1]), ([1, 1], [1, 1]), ([2, 1, 1], [1, 2, 2]), ([8, 4, 2, 1, 1], [1, 2, 3, 4, 4]), ([], [])],
)
def test_short_codes_for_frequent_symbols(counts: list[int], bits: list[int]) -> None:
    assert code_of(counts).bits.tolist()[: len(counts)] == bits


def test_within_a_bit_of_the_entropy() -> None:
    counts = [1000 // (rank + 1) for rank in range(60)]
    code = code_of(counts)
    total = sum(counts)
    entropy = -sum(count / total * math.log2(count / total) for count in counts)
    mean = sum(count * int(code.bits[symbol]) for symbol, count in enumerate(counts)) / total
    assert entropy <= mean < entropy + 0.1
