"""What the supervisor tells processes and people: orders, specs, reloads, the banner, one-shot processes."""

from __future__ import annotations

import asyncio
import dataclasses
import io
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from resolver.settings import (
    ServerGroup,
    SettingsError,
    UpstreamServer,
    WorkerSettings,
    decode_settings,
    encode_settings,
)
from saring.banner import banner
from saring.config import load
from saring.config_schema import Config
from saring.endpoint import Endpoint
from saring.lineup import Lineup, Listening, needs_restart
from saring.listening import listen, usable_addresses
from saring.one_shot import OneShotError, run_one_shot
from saring.orders import Orders, OrdersError, encode_orders, read_orders
from saring.prepared import recall, remember
from saring.readiness import Ready, wait_until_ready
from saring.sockets import machine_has_ipv6
from saring.state_dir import StateDir
from tests.support.ports import free_port

SECRET = "postgresql://saring:hunter2@db/saring"


def configured(**environ: str) -> Config:
    values = {"SARING_CONFIG": "/dev/null", "SARING_UPSTREAM__SERVERS": "10.1.1.1"}
    return load(None, values | {f"SARING_{key}": value for key, value in environ.items()}).config


@pytest.fixture
def listening() -> Iterator[Listening]:
    config = configured(
        DNS__LISTEN=f"127.0.0.1:{free_port()}", DNS__WORKERS="2", API__LISTEN=f"127.0.0.1:{free_port()}"
    )
    made = listen(config, {}, lambda text: None)
    yield made
    made.close()


def lineup(config: Config, listening: Listening, tmp_path: Path) -> Lineup:
    return Lineup(config, None, StateDir(tmp_path), listening)


def test_worker_settings_pass_through_json() -> None:
    settings = WorkerSettings(
        1, "dns1", (3,), (4, 5), "/s", "/p", "/r", (ServerGroup("default", (UpstreamServer("2001:db8::1"),)),)
    )
    assert decode_settings(encode_settings(settings)) == settings
    with pytest.raises(SettingsError, match="number"):
        decode_settings(b'{"number": "x"}')


def test_orders_are_one_line_and_nothing_else_is_taken_for_them() -> None:
    orders = Orders(os.getpid(), "info", "json", "/var", configured().model_dump_json(), code="a,b")
    line = encode_orders(orders)
    assert line.count(b"\n") == 1
    assert read_orders(io.BytesIO(line)) == orders
    with pytest.raises(OrdersError, match="run `saring serve`"):
        read_orders(io.BytesIO(b""))
    with pytest.raises(OrdersError, match="not valid"):
        read_orders(io.BytesIO(b"{}\n"))


def test_each_worker_gets_its_own_sockets_and_spool(listening: Listening, tmp_path: Path) -> None:
    specs = lineup(configured(), listening, tmp_path).workers()
    told = [read_orders(io.BytesIO(spec.orders)).worker for spec in specs]
    assert [spec.name for spec in specs] == ["worker-0", "worker-1"]
    assert told[0] is not None
    assert told[1] is not None
    assert not set(specs[0].fds) & set(specs[1].fds)
    assert specs[0].fds == told[0].udp_fds + told[0].tcp_fds
    assert told[1].spool_dir == str(tmp_path / "spool" / "worker-1")
    assert told[0].upstreams == (ServerGroup("default", (UpstreamServer("10.1.1.1", 53),)),)


def test_no_secret_is_on_a_command_line_or_told_to_a_worker(listening: Listening, tmp_path: Path) -> None:
    line = lineup(configured(DATABASE__URL=SECRET), listening, tmp_path)
    for spec in [*line.workers(), *line.api(), *line.background()]:
        assert "hunter2" not in " ".join(spec.command)
    assert all(b"hunter2" not in spec.orders for spec in line.workers())


def test_an_edit_that_does_not_concern_workers_leaves_them_alone(listening: Listening, tmp_path: Path) -> None:
    before = lineup(configured(), listening, tmp_path)
    after = lineup(configured(LISTS__SYNC_AT="03:00"), listening, tmp_path)
    assert before.workers() == after.workers()
    assert before.background() != after.background()
    assert before.workers() != lineup(configured(CACHE__MAX_TTL_S="60"), listening, tmp_path).workers()


def test_workers_stop_before_the_loader_and_the_api_last(listening: Listening, tmp_path: Path) -> None:
    stages = lineup(configured(), listening, tmp_path).stop_stages()
    assert stages == [["worker-0", "worker-1", "sync"], ["loader"], ["api"]]


def test_what_holds_only_after_a_restart_is_named() -> None:
    new = configured(DNS__WORKERS="3", API__ENABLED="false", STORAGE__STATE_DIR="/x", CACHE__MAX_TTL_S="60")
    assert needs_restart(configured(), new) == ["dns.workers", "api.enabled", "storage.state_dir"]


def test_a_machine_without_ipv6_serves_ipv4(monkeypatch: pytest.MonkeyPatch) -> None:
    said: list[str] = []
    monkeypatch.setattr("saring.listening.machine_has_ipv6", lambda: False)
    assert usable_addresses(configured(), said.append) == (Endpoint("127.0.0.1", 5335),)
    assert said == ["this machine has no IPv6; the IPv6 addresses of dns.listen are left out"]
    monkeypatch.setattr("saring.listening.machine_has_ipv6", lambda: True)
    assert len(usable_addresses(configured(), said.append)) == 2
    assert machine_has_ipv6() in (True, False)


def test_the_banner_shows_a_code_only_while_there_is_no_administrator() -> None:
    config, dns = configured(), (Endpoint("0.0.0.0", 53),)
    setup = {"setup_code": "ABCD-EFGH", "blocked_example": "judi.example"}
    text = banner(config, dns, setup, 1.0, Ready(True, True))
    assert """-d '{"code": "ABCD-EFGH", "login": "admin", "name": "Your name"}'""" in text
    assert "dig @127.0.0.1 judi.example" in text
    assert "one-time code" not in banner(config, dns, {"setup_code": ""}, 1.0, Ready(True, True))
    assert text.count("not answering yet") == 0
    assert banner(config, dns, setup, 1.0, Ready(True, False)).count("not answering yet") == 1


def test_what_was_prepared_holds_for_this_version_and_database_alone(tmp_path: Path) -> None:
    state = StateDir(tmp_path)
    state.create()
    assert not recall(state, configured()).current
    state.database.touch()
    remember(state, configured(), administrator=True)
    assert dataclasses.astuple(recall(state, configured())) == (True, True)
    assert not recall(state, configured(DATABASE__URL=SECRET)).current
    state.database.unlink()
    assert not recall(state, configured()).current
    assert "hunter2" not in (state.run / "prepared.json").read_text()


@pytest.mark.parametrize("arguments", [[], ["nonsense"]])
def test_a_process_of_no_kind_is_wrong_usage(arguments: list[str]) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "saring.process", *arguments], input="", capture_output=True, text=True, check=False
    )
    assert done.returncode == 2
    assert "usage" in done.stderr


def test_a_process_without_orders_says_who_starts_it() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "saring.process", "loader"], input="", capture_output=True, text=True, check=False
    )
    assert done.returncode == 2
    assert "run `saring serve`" in done.stderr


async def test_a_one_shot_process_gives_its_own_account_of_a_failure(tmp_path: Path) -> None:
    state = StateDir(tmp_path)
    state.create()
    config = configured(BOOTSTRAP__DOCUMENT=str(tmp_path / "none.toml"))
    orders = Orders(os.getpid(), "error", "json", str(tmp_path), config.model_dump_json())
    with pytest.raises(OneShotError, match=r"none\.toml cannot be read: No such file"):
        await run_one_shot("prepare", orders, asyncio.Event())


async def test_a_one_shot_process_ends_when_told_to(tmp_path: Path) -> None:
    stop = asyncio.Event()
    stop.set()
    orders = Orders(os.getpid(), "error", "json", str(tmp_path), configured().model_dump_json())
    assert await run_one_shot("prepare", orders, stop) == {}


async def test_readiness_gives_up_in_time() -> None:
    nobody = Endpoint("127.0.0.1", free_port())
    assert await wait_until_ready(nobody, None, 0.2) == Ready(False, True)
