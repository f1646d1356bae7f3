"""What the same names cost other programs: dnsmasq, BIND, Unbound; and the trie whose place our table took.

Each is measured to the point where it has read all names, in CPU seconds of its own process, and by its peak memory.
- dnsmasq reads and checks a configuration of ``local=/name/`` lines (``--test``); it builds no table then.
- BIND's ``named-checkzone`` loads the names as a response policy zone, one CNAME each and one for all below, as named
  does, without named's own index of policies beside it.
- Unbound starts with the same zone and is stopped at its first answer.
"""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import marisa_trie

from bench import peers
from bench.load import ask
from bench.programs import find
from blocklists.entries import read_keys, read_sections

_PORT = 15311
_NXDOMAIN = 3
_START_S = 240.0
_NESTED_TRIES = 2


@dataclass(frozen=True, slots=True)
class Cost:
    """What a program used to read the names; ``what``: its name and the job."""

    what: str
    cpu_s: float
    peak_mb: float


def costs(directory: Path, listed: Path, unbound: bool) -> Iterator[Cost]:
    """Of those that are installed; ``unbound`` False leaves out the one that needs a gigabyte for a million names."""
    for name, program, command in (
        ("dnsmasq --test", "dnsmasq", _dnsmasq),
        ("BIND named-checkzone, RPZ", "named-checkzone", _checkzone),
    ):
        path = find(program)
        if path is None:
            print(f"{name}: not measured, {program} is not installed")
            continue
        yield _measured(name, command(path, directory, listed), None)
    path = find("unbound")
    if unbound and path is not None:
        peer = peers.unbound(_PORT, _PORT + 1, listed)
        last = listed.read_text(encoding="ascii").split()[-1]
        yield _measured("Unbound start, RPZ", peer.command(path, directory), lambda: ask(_PORT, last, 0.5) == _NXDOMAIN)


def _dnsmasq(program: str, directory: Path, listed: Path) -> Sequence[str]:
    configuration = directory / "dnsmasq.conf"
    with listed.open(encoding="ascii") as source, configuration.open("w", encoding="ascii") as target:
        target.writelines(f"local=/{line.strip()}/\n" for line in source)
    return [program, "--test", "-C", str(configuration)]


def _checkzone(program: str, directory: Path, listed: Path) -> Sequence[str]:
    zone = directory / "bind.rpz"
    peers.write_policy_zone(listed, zone)
    return [program, "-q", "-i", "none", "-k", "ignore", "daftar.rpz", str(zone)]


def _measured(what: str, command: Sequence[str], ready: Callable[[], bool] | None) -> Cost:
    """Runs a program to its end, or until it is ``ready`` and then ends it."""
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True)
    limit_s = time.monotonic() + _START_S
    if ready is not None:
        while not ready() and time.monotonic() < limit_s:
            time.sleep(0.05)
        process.send_signal(signal.SIGTERM)
    _, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    return Cost(what, used.ru_utime + used.ru_stime, used.ru_maxrss / 1000)


class Trie:
    """A marisa trie of an entries file's keys, asked as the index before this one asked it."""

    def __init__(self, entries: Path) -> None:
        keys = (key for section in read_sections(entries) for part in read_keys(section) for key in part)
        begun_s = time.process_time()
        self._trie = marisa_trie.BinaryTrie(keys, order=marisa_trie.LABEL_ORDER, num_tries=_NESTED_TRIES)
        self.build_s = time.process_time() - begun_s

    def size_bytes(self, directory: Path) -> int:
        """Its size on disk."""
        path = directory / "trie.marisa"
        self._trie.save(str(path))
        return path.stat().st_size

    def match(self, name: bytes) -> list[int]:
        """The numbers of the listed names that a name is or is below (and of prefixes that end inside a label)."""
        key_id = self._trie.key_id
        return [key_id(key) for key in self._trie.prefixes(name[-2::-1])]
