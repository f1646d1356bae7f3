"""The small pure parts of the program: backing off, the nightly time, upstreams of the system, the switch."""

from __future__ import annotations

import datetime
import importlib
import sys
import zoneinfo
from pathlib import Path

import pytest

from saring.backoff import Backoff
from saring.endpoint import Endpoint
from saring.interpreted import SourceOnlyFinder, compiled_modules, install_from_environment
from saring.resolv_conf import NoUpstreamError, name_servers, resolve_upstreams
from saring.schedule import next_run_s


def test_backoff_starts_at_once_then_grows_to_its_limit() -> None:
    backoff = Backoff(first_s=0.2, factor=2.0, limit_s=1.0, good_s=10.0)
    assert [backoff.next_delay_s(0.1) for _ in range(6)] == [0.0, 0.2, 0.4, 0.8, 1.0, 1.0]


def test_a_good_run_forgives() -> None:
    backoff = Backoff()
    for _ in range(5):
        backoff.next_delay_s(0.1)
    assert backoff.next_delay_s(10.0) == 0.0
    assert backoff.failures == 1


def test_backoff_of_a_process_that_never_starts_stays_finite() -> None:
    backoff = Backoff(limit_s=30.0)
    assert max(backoff.next_delay_s(0.0) for _ in range(5_000)) == 30.0


def local(zone: str, *parts: int) -> float:
    return datetime.datetime(*parts, tzinfo=zoneinfo.ZoneInfo(zone)).timestamp()  # type: ignore[misc,arg-type]  # parts are year, month, ...


def test_the_next_run_is_later_today() -> None:
    now_s = local("Asia/Jakarta", 2026, 11, 24, 1, 0)
    assert next_run_s(now_s, "02:30", "Asia/Jakarta") == local("Asia/Jakarta", 2026, 11, 24, 2, 30)


def test_the_next_run_is_tomorrow_even_in_the_very_minute() -> None:
    now_s = local("Asia/Jakarta", 2026, 11, 24, 2, 30)
    assert next_run_s(now_s, "02:30", "Asia/Jakarta") == local("Asia/Jakarta", 2026, 11, 25, 2, 30)


def test_the_zone_counts_not_the_machine() -> None:
    # 20:00 UTC is 03:00 of the next day in Jakarta: the run of that day is over.
    now_s = local("UTC", 2026, 11, 24, 20, 0)
    assert next_run_s(now_s, "02:30", "Asia/Jakarta") == local("UTC", 2026, 11, 25, 19, 30)


def test_a_time_that_a_clock_change_skips_is_run_once_that_night() -> None:
    # Berlin, 2026-03-29: 02:00 becomes 03:00, so there is no 02:30.
    now_s = local("Europe/Berlin", 2026, 3, 29, 1, 0)
    due_s = next_run_s(now_s, "02:30", "Europe/Berlin")
    assert due_s == local("Europe/Berlin", 2026, 3, 29, 3, 30)
    assert next_run_s(due_s, "02:30", "Europe/Berlin") == local("Europe/Berlin", 2026, 3, 30, 2, 30)


def test_name_servers_of_a_resolv_conf() -> None:
    text = "# comment\nsearch x\nnameserver 10.1.1.1\nnameserver  2001:DB8::1 \n"
    text += "nameserver\nnameserver x\nnameserver 10.1.1.1\n"
    assert name_servers(text) == ["10.1.1.1", "2001:db8::1"]


def resolve(tmp_path: Path, resolv_conf: str, configured: list[Endpoint | str], own: list[Endpoint]) -> list[str]:
    path = tmp_path / "resolv.conf"
    path.write_text(resolv_conf, encoding="utf-8")
    behind = tmp_path / "behind.conf"
    behind.write_text("nameserver 10.9.9.9\n", encoding="utf-8")
    return [str(one) for one in resolve_upstreams(configured, own, path, behind)]


def test_system_stands_for_the_systems_servers(tmp_path: Path) -> None:
    configured: list[Endpoint | str] = ["system", Endpoint("10.2.2.2", 5353)]
    found = resolve(tmp_path, "nameserver 10.1.1.1\n", configured, [])
    assert found == ["10.1.1.1:53", "10.2.2.2:5353"]


def test_the_servers_behind_systemds_stub_are_asked(tmp_path: Path) -> None:
    assert resolve(tmp_path, "nameserver 127.0.0.53\n", ["system"], []) == ["10.9.9.9:53"]


@pytest.mark.parametrize("own", ["127.0.0.1", "0.0.0.0"])
def test_saring_is_never_its_own_upstream(tmp_path: Path, own: str) -> None:
    text = "nameserver 127.0.0.1\nnameserver 10.1.1.1\n"
    assert resolve(tmp_path, text, ["system"], [Endpoint(own, 53)]) == ["10.1.1.1:53"]


def test_nobody_to_ask_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(NoUpstreamError, match=r"Name them in saring\.toml"):
        resolve(tmp_path, "nameserver 127.0.0.1\n", ["system"], [Endpoint("127.0.0.1", 53)])


def test_the_switch_puts_source_before_everything(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "hotmodule_x.py").write_text("ORIGIN = 'source'\n", encoding="utf-8")
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setattr(sys, "meta_path", [SourceOnlyFinder(["hotmodule_x"]), *sys.meta_path])
    module = importlib.import_module("hotmodule_x")
    monkeypatch.delitem(sys.modules, "hotmodule_x")
    assert module.ORIGIN == "source"
    assert compiled_modules(["hotmodule_x", "no_such_module_x", "no_such.module_x"]) == {
        "hotmodule_x": False,
        "no_such_module_x": False,
        "no_such.module_x": False,
    }


def test_an_extension_module_counts_as_compiled() -> None:
    assert compiled_modules(["uvloop.loop"]) == {"uvloop.loop": True}


def test_the_switch_is_off_unless_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "meta_path", list(sys.meta_path))
    before = len(sys.meta_path)
    assert not install_from_environment({})
    assert len(sys.meta_path) == before
    assert install_from_environment({"SARING_INTERPRETED": "1"})
    assert install_from_environment({"SARING_INTERPRETED": "1"})
    assert len([one for one in sys.meta_path if isinstance(one, SourceOnlyFinder)]) == 1
