"""Upgrades and reloads under load: the sockets stay, the workers change, and no query is lost."""

from __future__ import annotations

import os
import signal
import socket
import threading
from functools import partial
from pathlib import Path

from tests.support.program import Program, running, wait_for

UPGRADES = int(os.environ.get("SARING_UPGRADES", "1"))
# What a client waits before it asks again; no query may need that.
PATIENCE_S = 5.0
QUERY = b"\x12\x34\x01\x00\x00\x01\x00\x00\x00\x00\x00\x00\x06whoami\x06saring\x00\x00\x10\x00\x01"


class Load:
    """Clients on many ports, so that all workers are asked; each waits for its answer."""

    def __init__(self, port: int) -> None:
        self.asked = 0
        self.lost = 0
        self._stop = threading.Event()
        self._threads = [threading.Thread(target=self._ask, args=(port,)) for _ in range(4)]

    def __enter__(self) -> Load:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join()

    def _ask(self, port: int) -> None:
        while not self._stop.is_set():
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
                client.settimeout(PATIENCE_S)
                client.connect(("127.0.0.1", port))
                for _ in range(20):
                    self.asked += 1
                    try:
                        client.send(QUERY)
                        client.recv(1_232)
                    except OSError:
                        self.lost += 1
                    self._stop.wait(0.002)


def workers(program: Program) -> set[int]:
    return {program.pid_of("worker-0"), program.pid_of("worker-1")}


def new_workers(program: Program, before: set[int]) -> None:
    wait_for(lambda: not workers(program) & (before | {0}), 60, "new workers")


def has_another(program: Program, name: str, pid: int) -> bool:
    return program.pid_of(name) not in (0, pid)


def is_gone(pid: int) -> bool:
    return not Path(f"/proc/{pid}").exists()


def test_reload_refused_upgrade_and_upgrades_under_load(tmp_path: Path) -> None:
    """One instance for all of it: each needs a running program, and starting one takes longer than the rest."""
    with running(tmp_path) as program, Load(program.dns_port) as load:
        pid = program.process.pid
        before = workers(program)
        (program.directory / "saring.toml").write_text("[cache]\nmin_ttl_s = 7\n", encoding="utf-8")
        program.process.send_signal(signal.SIGHUP)
        new_workers(program, before)
        names = sorted(path.name for path in (program.state_dir / "spool").iterdir())
        assert names == ["worker-0", "worker-0b", "worker-1", "worker-1b"]

        before = workers(program)
        (program.directory / "saring.toml").write_text("[nonsense]\n", encoding="utf-8")
        os.kill(pid, signal.SIGUSR2)
        wait_for(lambda: "no upgrade" in program.stderr, 30, "the refusal")
        assert "nonsense" in program.stderr
        assert workers(program) == before
        (program.directory / "saring.toml").write_text("", encoding="utf-8")

        for number in range(1, UPGRADES + 1):
            before = workers(program)
            loader = wait_for(lambda: program.pid_of("loader"), 60, "the loader")
            os.kill(pid, signal.SIGUSR2)
            new_workers(program, before)
            wait_for(partial(has_another, program, "loader", loader), 60, "a new loader")
            for old in before:
                wait_for(partial(is_gone, old), 30, "the old workers' end")
            assert program.stderr.count('"event": "upgraded"') == number, program.stderr[-2000:]
        assert program.supervisor()["pid"] == pid
    assert (load.lost, load.asked > 500) == (0, True)
