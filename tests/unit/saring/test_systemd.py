"""What is said to the service manager, and what it hands over; workers that hang."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest

from saring.child import ChildState
from saring.config_schema import Config
from saring.handover import Handover, Predecessor, command, take
from saring.listening import listen
from saring.systemd import Notifier, listening_fds, watchdog_s
from saring.watchdog import HANGS_AFTER_S, Eyes, Watchdog
from tests.support.ports import free_port


def test_states_are_told_in_the_manager_s_words(tmp_path: Path) -> None:
    """sd_notify(3)."""
    path = tmp_path / "notify"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(str(path))
        notifier = Notifier({"NOTIFY_SOCKET": str(path)})
        notifier.ready("answering")
        notifier.reloading()
        notifier.alive()
        notifier.stopping()
        told = [manager.recv(200).decode() for _ in range(4)]
    assert told[0] == "READY=1\nSTATUS=answering"
    assert told[1].startswith("RELOADING=1\nMONOTONIC_USEC=")
    assert told[2:] == ["WATCHDOG=1", "STOPPING=1"]


def test_an_abstract_socket_and_no_manager_at_all() -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind("\0saring-test-notify")
        Notifier({"NOTIFY_SOCKET": "@saring-test-notify"}).alive()
        assert manager.recv(100) == b"WATCHDOG=1"
    Notifier({}).alive()
    Notifier({"NOTIFY_SOCKET": "/nowhere"}).alive()


@pytest.mark.parametrize(
    ("environ", "span_s"),
    [
        ({"WATCHDOG_USEC": "30000000"}, 30.0),
        ({"WATCHDOG_USEC": "30000000", "WATCHDOG_PID": "7"}, 30.0),
        ({"WATCHDOG_USEC": "30000000", "WATCHDOG_PID": "8"}, 0.0),
        ({"WATCHDOG_USEC": "soon"}, 0.0),
        ({}, 0.0),
    ],
)
def test_how_long_the_manager_waits(environ: dict[str, str], span_s: float) -> None:
    assert watchdog_s(environ, 7) == span_s


def test_sockets_are_for_the_process_that_they_name() -> None:
    """sd_listen_fds(3): a variable that was inherited by mistake must not make us take somebody's files for sockets."""
    assert listening_fds({"LISTEN_PID": "7", "LISTEN_FDS": "2"}, 7) == (3, 4)
    assert listening_fds({"LISTEN_PID": "7", "LISTEN_FDS": "2"}, 8) == ()
    assert listening_fds({"LISTEN_FDS": "2"}, 7) == ()
    assert listening_fds({"LISTEN_PID": "7", "LISTEN_FDS": "-1"}, 7) == ()


def config(port: int) -> Config:
    return Config.model_validate(
        {"dns": {"listen": [f"127.0.0.1:{port}"], "workers": 2}, "api": {"enabled": False}}, strict=False
    )


def test_sockets_of_the_manager_are_shared_by_all_workers(monkeypatch: pytest.MonkeyPatch) -> None:
    port = free_port()
    udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    udp.bind(("127.0.0.1", port))
    tcp = socket.create_server(("127.0.0.1", port))
    monkeypatch.setattr("saring.listening.listening_fds", lambda environ, pid: (udp.detach(), tcp.detach()))
    found = listen(config(port), {}, lambda text: None)
    try:
        assert [worker.udp[0].getsockname()[1] for worker in found.workers] == [port, port]
        assert found.workers[0] is found.workers[1]
    finally:
        found.close()


def test_half_a_pair_of_sockets_is_told_and_all_are_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    port = free_port()
    udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    udp.bind(("127.0.0.1", port))
    said: list[str] = []
    monkeypatch.setattr("saring.listening.listening_fds", lambda environ, pid: (udp.detach(),))
    found = listen(config(port), {}, said.append)
    try:
        assert f"127.0.0.1:{port}" in said[0]
        assert found.workers[0] is not found.workers[1]
    finally:
        found.close()


def test_what_is_left_behind_comes_back() -> None:
    left = Handover(("127.0.0.1:53",), (((5, 6), (7, 8)),), 9, (Predecessor("worker-0", 100, 1, 10),))
    assert left.descriptors == (5, 6, 7, 8, 9, 10)
    import msgspec

    text = msgspec.json.encode(left).decode()
    assert take({"SARING_HANDOVER": text}) == left
    assert take({}) is None
    with pytest.raises(ValueError, match="SARING_HANDOVER"):
        take({"SARING_HANDOVER": "{"})


def test_the_program_is_started_as_it_was(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    script = tmp_path / "saring"
    script.write_text("#!/bin/sh\n")
    script.chmod(0o755)
    monkeypatch.setattr("sys.argv", [str(script), "serve"])
    assert command(["serve"]) == [str(script), "serve"]
    monkeypatch.setattr("sys.argv", [str(tmp_path / "cli.py"), "serve"])
    assert command(["serve"])[1:] == ["-m", "saring.cli", "serve"]


class Seen:
    """Two workers under the watchdog's eyes; the test says what they do."""

    def __init__(self) -> None:
        self.now_s = 1_000.0
        self.killed: list[str] = []
        self.well = True
        self.told = 0
        self.written = {"worker-0": 0.0, "worker-1": 0.0}
        self.states = [ChildState("worker-0", 10, 900.0, 0), ChildState("worker-1", 11, 900.0, 0)]
        eyes = Eyes(self._states, self._written_s, self.killed.append, self._answers, lambda: self.now_s)
        self.dog = Watchdog(eyes, self, 0)  # type: ignore[arg-type]  # it tells itself

    def _states(self) -> list[ChildState]:
        return self.states

    def _written_s(self, name: str) -> float:
        return self.written[name]

    def alive(self) -> None:
        self.told += 1

    async def _answers(self) -> bool:
        return self.well


async def test_a_worker_whose_counters_stand_still_is_killed() -> None:
    seen = Seen()
    seen.written = seen.written | {"worker-0": 999.0, "worker-1": 999.0 - HANGS_AFTER_S}
    await seen.dog.look()
    assert (seen.killed, seen.told) == (["worker-1"], 1)


async def test_a_worker_that_has_just_started_has_time() -> None:
    seen = Seen()
    seen.states = [ChildState("worker-0", 10, seen.now_s - HANGS_AFTER_S + 1, 0), ChildState("worker-1", 0, 1.0, 3)]
    assert seen.dog.hanging() == []


async def test_the_manager_hears_nothing_while_no_query_is_answered() -> None:
    seen = Seen()
    seen.states = []
    seen.well = False
    await seen.dog.look()
    assert seen.told == 0
