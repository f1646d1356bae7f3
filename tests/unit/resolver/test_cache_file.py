"""The cache over a restart: what is saved comes back with its age; what is damaged does not come back at all."""

from __future__ import annotations

from pathlib import Path

import pytest

from dnswire import name as wire
from dnswire.answer import Answer, parse_answer
from resolver.cache import Cache
from resolver.cache_file import load, save
from resolver.cache_orders import FlushKind, Orders, give
from tests.support.dns import answer, ask

NOW_S = 1_772_420_400.0
LIMIT = 1_000_000


def cache() -> Cache:
    return Cache(LIMIT, 0, 86_400, 3_600, stale_max_s=3_600)


def key_of(text: str) -> bytes:
    return wire.from_text(text) + b"\x00\x01\x00\x01\x00"


def said(text: str, ttl_s: int = 300, rcode: str = "NOERROR") -> Answer:
    lines = (f"{text}. {ttl_s} IN A 192.0.2.1",) if rcode == "NOERROR" else ()
    return parse_answer(answer(ask(text), *lines, rcode=rcode))


def saved(path: Path, *names: str) -> Path:
    full = cache()
    for text in names:
        full.put(key_of(text), said(text), NOW_S)
    for _ in save(full, path / "worker-0.cache", 2):
        pass
    return path / "worker-0.cache"


def read_back(path: Path, now_s: float = NOW_S + 10, limit: int = LIMIT) -> Cache:
    found = cache()
    for _ in load(found, path, limit, 2, now_s, lambda name, stored_s: False):
        pass
    return found


def test_what_was_saved_comes_back_with_its_age(tmp_path: Path) -> None:
    path = saved(tmp_path, "a.example", "b.example", "c.example")
    found = read_back(path)
    entry = found.get(key_of("b.example"), NOW_S + 10)
    assert entry is not None
    assert (entry.stored_s, entry.expires_s, len(found)) == (NOW_S, NOW_S + 300, 3)
    assert entry.answer.addresses == (bytes((192, 0, 2, 1)),)
    assert path.stat().st_mode & 0o777 == 0o600


def test_stale_ones_too_but_nothing_beyond_use(tmp_path: Path) -> None:
    path = saved(tmp_path, "a.example")
    assert read_back(path, NOW_S + 400).stale(key_of("a.example"), NOW_S + 400) is not None
    assert len(read_back(path, NOW_S + 300 + 3_600)) == 0


def test_a_clock_that_was_set_back(tmp_path: Path) -> None:
    assert len(read_back(saved(tmp_path, "a.example"), NOW_S - 1)) == 0


def test_failures_are_not_saved(tmp_path: Path) -> None:
    full = cache()
    full.put(key_of("rusak.example"), said("rusak.example", rcode="SERVFAIL"), NOW_S)
    for _ in save(full, tmp_path / "c", 10):
        pass
    assert len(read_back(tmp_path / "c")) == 0


def test_what_is_newer_stays(tmp_path: Path) -> None:
    path = saved(tmp_path, "a.example")
    found = cache()
    found.put(key_of("a.example"), said("a.example", 60), NOW_S + 5)
    for _ in load(found, path, LIMIT, 1, NOW_S + 10, lambda name, stored_s: False):
        pass
    entry = found.peek(key_of("a.example"))
    assert entry is not None
    assert entry.stored_s == NOW_S + 5


def test_no_octet_may_be_another(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    path = saved(tmp_path, "a.example", "b.example")
    whole = path.read_bytes()
    for position in range(0, len(whole), 7):
        path.write_bytes(whole[:position] + bytes((whole[position] ^ 1,)) + whole[position + 1 :])
        assert len(read_back(path)) == 0
    for size in (0, 1, 20, len(whole) - 1):
        path.write_bytes(whole[:size])
        assert len(read_back(path)) == 0
    assert "the saved cache is not used" in caplog.text


def test_larger_than_the_cache_or_not_there(tmp_path: Path) -> None:
    assert len(read_back(saved(tmp_path, "a.example"), limit=10)) == 0
    assert len(read_back(tmp_path / "none")) == 0


def test_an_interrupted_save_leaves_the_one_before(tmp_path: Path) -> None:
    path = saved(tmp_path, "a.example")
    full = cache()
    for number in range(10):
        full.put(key_of(f"n{number}.example"), said(f"n{number}.example"), NOW_S)
    saving = save(full, path, 2)
    next(saving)
    saving.close()  # type: ignore[attr-defined]  # it is a generator
    assert read_back(path).peek(key_of("a.example")) is not None
    assert [entry.name for entry in tmp_path.iterdir()] == ["worker-0.cache"]


def test_an_order_holds_against_what_was_saved(tmp_path: Path) -> None:
    path = saved(tmp_path, "www.pindah.example", "tetap.example")
    give(tmp_path / "orders.json", FlushKind.SUFFIX, "pindah.example", NOW_S + 1)
    found = cache()
    for _ in load(found, path, LIMIT, 10, NOW_S + 10, Orders(tmp_path / "orders.json").flushed):
        pass
    assert found.peek(key_of("www.pindah.example")) is None
    assert found.peek(key_of("tetap.example")) is not None


def test_orders_are_carried_out_once_and_in_turn(tmp_path: Path) -> None:
    path = tmp_path / "orders.json"
    give(path, FlushKind.NAME, "old.example", NOW_S)
    orders = Orders(path)
    full = cache()
    for text in ("a.example", "b.a.example", "c.example"):
        full.put(key_of(text), said(text), NOW_S)
    assert orders.changed()
    assert orders.carry_out(full) == 0  # given before this worker began, when it knew nothing
    assert give(path, FlushKind.NAME, "A.Example", NOW_S + 1).number == 2
    assert give(path, FlushKind.SUFFIX, "c.example", NOW_S + 1).number == 3
    assert orders.changed()
    assert (orders.carry_out(full), orders.done) == (2, 3)
    assert not orders.changed()
    assert full.peek(key_of("b.a.example")) is not None
    give(path, FlushKind.ALL, "", NOW_S + 2)
    assert orders.carry_out(full) == 1


def test_a_damaged_file_of_orders_is_none(tmp_path: Path) -> None:
    path = tmp_path / "orders.json"
    path.write_text("[{")
    assert Orders(path).done == 0
    assert give(path, FlushKind.ALL, "", NOW_S).number == 1
