"""The peers' configurations: the same names and upstream for all, and each program takes its own."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

from bench import peers
from tests.support.needs import need_program

_MAKERS: dict[str, tuple[Callable[[int, int, Path], peers.Peer], str, str]] = {
    "unbound": (peers.unbound, "unbound.rpz", "unbound.conf"),
    "kresd": (partial(peers.knot, cache=Path("/dev/shm/x")), "kresd.rpz", "kresd.conf"),
    "dnsdist": (peers.dnsdist, "names.txt", "dnsdist.conf"),
    "dnsmasq": (peers.dnsmasq, "dnsmasq.conf", "dnsmasq.conf"),
}
_CHECKS = {
    "unbound": "unbound-checkconf {}",
    "dnsdist": "dnsdist --check-config -C {}",
    "dnsmasq": "dnsmasq --test -C {}",
}


def _written(program: str, directory: Path) -> None:
    names = directory / "names.txt"
    names.write_text("judi.example\nslot.test\n", encoding="ascii")
    make, _, _ = _MAKERS[program]
    peer = make(15_391, 15_392, names)
    assert peer.program == program
    assert peer.command(f"/usr/sbin/{program}", directory)[0] == f"/usr/sbin/{program}"


@pytest.mark.parametrize("program", _MAKERS)
def test_all_have_the_names_and_the_upstream(program: str, tmp_path: Path) -> None:
    _written(program, tmp_path)
    _, listed, configured = _MAKERS[program]
    assert {"judi.example", "slot.test"} <= set((tmp_path / listed).read_text().replace("/", " ").split())
    text = (tmp_path / configured).read_text()
    assert "15391" in text
    assert "15392" in text


@pytest.mark.parametrize("program", _CHECKS)
def test_the_program_takes_its_configuration(program: str, tmp_path: Path) -> None:
    checker, *arguments = _CHECKS[program].format(tmp_path / f"{program}.conf").split()
    path = need_program(checker)
    _written(program, tmp_path)
    done = subprocess.run([path, *arguments], capture_output=True, text=True, check=False, timeout=30)
    assert done.returncode == 0, done.stdout + done.stderr


def test_a_policy_zone_has_each_name_and_all_below_it(tmp_path: Path) -> None:
    (tmp_path / "names").write_text("judi.example\n", encoding="ascii")
    peers.write_policy_zone(tmp_path / "names", tmp_path / "zone")
    assert (tmp_path / "zone").read_text().splitlines()[-2:] == ["judi.example CNAME .", "*.judi.example CNAME ."]
