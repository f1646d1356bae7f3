"""Upgrades and reloads under load: the sockets stay, the workers change, and no query is lost."""

from __future__ import annotations

import os
import signal
from functools import partial
from pathlib import Path

from tests.support.patient_load import PatientLoad
from tests.support.program import Program, running, wait_for

UPGRADES = int(os.environ.get("SARING_UPGRADES", "1"))


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
    with running(tmp_path) as program, PatientLoad(program.dns_port, "whoami.saring", "TXT") as load:
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
    print(f"upgrades: {UPGRADES}, asked {load.asked}, lost {load.lost}")
    assert (load.lost, load.asked > 500) == (0, True)
