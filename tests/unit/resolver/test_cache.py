from __future__ import annotations

import pytest

from dnswire.answer import Answer, parse_answer
from dnswire.name import from_text
from resolver.cache import FAILURE_TTL_S, Cache, cost_bytes
from tests.support import dns_messages as say


def an_answer(name: str = "www.example.com", ttl_s: int = 300, count: int = 1) -> Answer:
    records = tuple(say.a(name, f"192.0.2.{i}", ttl_s) for i in range(count))
    return parse_answer(say.response(say.question(name), answer=records))


def key(name: str) -> bytes:
    return say.question(name) + b"\x00"


def cache(size_bytes: int = 1 << 20, **more: int) -> Cache:
    return Cache(size_bytes, more.get("low", 0), more.get("high", 86_400), more.get("negative", 3_600))


def test_an_answer_is_there_until_its_ttl_has_passed() -> None:
    kept = cache()
    kept.put(key("a.example"), an_answer("a.example", 60), 100.0)
    entry = kept.get(key("a.example"), 159.9)
    assert entry is not None
    assert (entry.stored_s, entry.expires_s) == (100.0, 160.0)
    assert kept.get(key("a.example"), 160.0) is None


# RFC 2308 5: "Negative caching ... the TTL ... is set from the minimum of the MINIMUM field of the SOA record and the
# TTL of the SOA itself"; DESIGN: clipped by a limit of its own.
@pytest.mark.parametrize("rcode", [0, 3])
def test_negative_answers_have_their_own_limit(rcode: int) -> None:
    kept = cache(low=600, negative=120)
    reply = say.response(say.question("no.example"), rcode=rcode, authority=(say.soa("example", 900, 900),))
    assert kept.lifetime_s(parse_answer(reply)) == 120
    short = say.response(say.question("no.example"), rcode=rcode, authority=(say.soa("example", 900, 30),))
    assert kept.lifetime_s(parse_answer(short)) == 30, "the minimum for positive answers does not stretch negative ones"


def test_an_alias_to_nothing_is_negative() -> None:
    alias = say.rr("w.example", 5, 7_000, from_text("gone.example"))
    reply = say.response(say.question("w.example"), answer=(alias,), authority=(say.soa("example", 7_000, 7_000),))
    assert cache(negative=50).lifetime_s(parse_answer(reply)) == 50


def test_an_alias_asked_for_is_not_negative() -> None:
    alias = say.rr("w.example", 5, 7_000, from_text("gone.example"))
    reply = say.response(say.question("w.example", 5), answer=(alias,))
    assert cache(negative=50).lifetime_s(parse_answer(reply)) == 7_000


# RFC 2308 5: "Negative responses without SOA records SHOULD NOT be cached".
def test_a_negative_answer_without_soa_is_not_kept() -> None:
    kept = cache(low=600)
    kept.put(key("no.example"), parse_answer(say.response(say.question("no.example"), rcode=3)), 0.0)
    assert len(kept) == 0


def test_ttl_zero_is_not_kept_whatever_the_minimum() -> None:
    kept = cache(low=600)
    kept.put(key("z.example"), an_answer("z.example", 0), 0.0)
    assert len(kept) == 0


def test_positive_ttls_are_clipped_at_both_ends() -> None:
    kept = cache(low=60, high=3_600)
    assert kept.lifetime_s(an_answer(ttl_s=5)) == 60
    assert kept.lifetime_s(an_answer(ttl_s=99_999)) == 3_600
    assert kept.lifetime_s(an_answer(ttl_s=600)) == 600


# RFC 9520 3.2: resolution failures are cached for at least 1 second and at most 5 minutes.
@pytest.mark.parametrize("rcode", [1, 2, 4, 5, 9])
def test_failures_are_kept_for_a_few_seconds(rcode: int) -> None:
    answer = parse_answer(say.response(say.question("s.example"), rcode=rcode))
    assert 1 <= cache().lifetime_s(answer) == FAILURE_TTL_S <= 10


def test_a_clock_set_back_makes_entries_useless_not_immortal() -> None:
    kept = cache()
    kept.put(key("a.example"), an_answer("a.example"), 1_000_000.0)
    assert kept.get(key("a.example"), 10.0) is None
    kept.put(key("a.example"), an_answer("a.example"), 10.0)
    assert kept.get(key("a.example"), 11.0) is not None


def test_a_newer_answer_takes_the_place_of_the_older() -> None:
    kept = cache()
    kept.put(key("a.example"), an_answer("a.example", count=8), 0.0)
    size_bytes = kept.size_bytes
    kept.put(key("a.example"), an_answer("a.example", count=1), 5.0)
    entry = kept.get(key("a.example"), 6.0)
    assert entry is not None
    assert entry.answer.ancount == 1
    assert len(kept) == 1
    assert kept.size_bytes < size_bytes


def test_the_size_is_never_over_its_limit_and_is_the_sum_of_the_entries() -> None:
    kept = cache(200_000)
    for number in range(2_000):
        name = f"n{number % 900}.example"
        kept.put(key(name), an_answer(name, 60, 1 + number % 5), float(number))
        kept.get(key(f"n{number % 37}.example"), float(number))
        assert kept.size_bytes <= 200_000
    entries = [e for n in range(900) if (e := kept._entries.get(key(f"n{n}.example"))) is not None]
    assert len(entries) == len(kept) > 50
    assert sum(e.size_bytes for e in entries) == kept.size_bytes - 104 * len(kept._ghost_order)
    assert kept._small_bytes == sum(e.size_bytes for e in kept._small if e.live)


def test_a_scan_of_names_asked_once_leaves_the_popular_ones() -> None:
    kept = cache(400_000)
    popular = [f"popular{n}.example" for n in range(100)]
    now_s = 0.0
    for _ in range(4):
        for name in popular:
            if kept.get(key(name), now_s) is None:
                kept.put(key(name), an_answer(name, 86_400), now_s)
    for number in range(20_000):
        name = f"{number}.water-torture.example"
        assert kept.get(key(name), now_s) is None
        kept.put(key(name), an_answer(name, 86_400), now_s)
        if number % 200 == 0:  # the office goes on working meanwhile
            for other in popular:
                kept.get(key(other), now_s)
    assert sum(kept.get(key(name), now_s) is not None for name in popular) >= 95


def test_what_was_pushed_out_of_the_small_queue_and_comes_back_goes_to_the_main_one() -> None:
    kept = cache(60_000)
    for number in range(200):
        name = f"n{number}.example"
        kept.put(key(name), an_answer(name), 0.0)
    gone = next(n for n in range(199, -1, -1) if kept.get(key(f"n{n}.example"), 0.0) is None)
    kept.put(key(f"n{gone}.example"), an_answer(f"n{gone}.example"), 0.0)
    assert kept._entries[key(f"n{gone}.example")].in_main


def test_one_insertion_does_bounded_work_however_hot_all_is() -> None:
    kept = cache(400_000)
    for number in range(1_500):
        name = f"n{number}.example"
        kept.put(key(name), an_answer(name), 0.0)
        for _ in range(3):
            kept.get(key(name), 0.0)
    assert len(kept._main) > 200
    for entry in kept._main:
        entry.freq = 3
    before = list(kept._main)[:200]
    kept._evict_main(0.0)
    assert sum(entry.freq == 2 for entry in before) <= 64
    assert sum(not entry.live for entry in before) == 1


def test_an_answer_too_large_for_the_cache_is_not_kept() -> None:
    kept = cache(20_000)
    big = an_answer(count=60)
    assert cost_bytes(key("www.example.com"), big) * 16 > 20_000
    kept.put(key("www.example.com"), big, 0.0)
    assert (len(kept), kept.counters()["refused"]) == (0, 1)


def test_flushing_a_name_takes_every_type_and_no_other_name() -> None:
    kept = cache()
    for name in ("a.example", "b.a.example", "xa.example"):
        for rrtype in (1, 28):
            question = say.question(name, rrtype)
            kept.put(question, parse_answer(say.response(question, rcode=3, authority=(say.soa("example"),))), 0.0)
    assert kept.flush_name(from_text("a.example")) == 2
    assert kept.get(say.question("a.example", 28), 1.0) is None
    assert kept.get(say.question("b.a.example", 28), 1.0) is not None
    assert kept.get(say.question("xa.example", 1), 1.0) is not None


def test_flushing_a_suffix_stops_at_a_label() -> None:
    kept = cache()
    # The last one's label ends in what looks like the suffix on the wire: a length octet may be any character's.
    tricky = "x\\007example"
    for name in ("example", "a.example", "b.a.example", "notexample", tricky):
        kept.put(key(name), an_answer(name), 0.0)
    assert kept.flush_suffix(from_text("example")) == 3
    assert kept.get(key("notexample"), 1.0) is not None
    assert kept.get(key(tricky), 1.0) is not None


def test_flushing_the_root_or_all_leaves_nothing() -> None:
    for flush in ("suffix", "all"):
        kept = cache()
        for number in range(50):
            kept.put(key(f"n{number}.example"), an_answer(f"n{number}.example"), 0.0)
        count = kept.flush_suffix(b"\x00") if flush == "suffix" else kept.flush_all()
        assert (count, len(kept), kept.size_bytes, kept._small_bytes) == (50, 0, 0, 0)
        kept.put(key("n1.example"), an_answer("n1.example"), 0.0)
        assert kept.get(key("n1.example"), 1.0) is not None


def test_flushed_entries_do_not_pile_up_in_the_queues() -> None:
    kept = cache()
    for number in range(1_000):
        kept.put(key("again.example"), an_answer("again.example"), float(number))
        kept.flush_name(from_text("again.example"))
    assert len(kept._small) + len(kept._main) <= 8


def test_counters_add_up() -> None:
    kept = cache()
    kept.put(key("a.example"), an_answer("a.example", 10), 0.0)
    for now_s, name in ((1.0, "a.example"), (2.0, "b.example"), (11.0, "a.example")):
        kept.get(key(name), now_s)
    counters = kept.counters()
    assert (counters["hits"], counters["misses"], counters["expired"], counters["inserted"]) == (1, 2, 1, 1)
