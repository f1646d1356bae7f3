"""Sorting keys by words is sorting them."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from blocklists.key_sort import distinct_sorted

# Few octets and sizes around the words', so that keys share beginnings, are equal, or end where another goes on.
OCTETS = st.sampled_from(b"ab\x01\xff")
KEYS = st.one_of(
    *(st.lists(OCTETS, min_size=size, max_size=size).map(bytes) for size in (1, 7, 8, 9, 13, 16, 24)),
    st.binary(min_size=1, max_size=40).map(lambda key: key.replace(b"\0", b"\x01")),
    st.integers(200, 254).map(lambda size: b"a" * size),
)


@given(st.lists(KEYS, min_size=1, max_size=60), st.randoms(use_true_random=False))
@settings(max_examples=300, deadline=None)
def test_keys_come_out_ascending_and_once(keys: list[bytes], chance: object) -> None:
    keys = [*keys, *(key + keys[0] for key in keys[::3]), *keys[::4]]
    expected = sorted(set(keys))
    assert distinct_sorted(b"\0".join(keys)) == (b"\0".join(expected) + b"\0", len(expected))


def test_many_keys_with_one_long_beginning() -> None:
    keys = [b"moc\x03" + b"elpmaxe" * 20 + b"%06d" % (number * 7919 % 50_000) for number in range(50_000)]
    assert distinct_sorted(b"\0".join(keys)) == (b"\0".join(sorted(keys)) + b"\0", 50_000)
