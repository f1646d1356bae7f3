"""Ours and its peers, started for the comparison of resolvers: the same names blocked, the same upstream, one core."""

from __future__ import annotations

import contextlib
import functools
import json
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from bench import compiling, peers
from bench import names as bench_names
from bench.load import LOAD_CORE, BenchError, first_answer
from bench.programs import Program, find

SERVER_CORE = 0
NXDOMAIN = 3
NOERROR = 0
DELAY_MS = 20
START_WITHIN_S = 300.0

UPSTREAM_PORT, OURS_PORT, ECHO_PORT, TWO_WORKERS_PORT = 15301, 15302, 15306, 15308
UNBOUND_PORT, DNSDIST_PORT, DNSMASQ_PORT, KNOT_PORT = 15303, 15304, 15305, 15307
API_PORT_IS_ABOVE = 80

ECHO = "recvmmsg echo"

# Ours is run from the tree that this file is in, whatever is installed.
_TREE = Path(__file__).parents[1]


@dataclass(frozen=True, slots=True)
class Server:
    """A running server. ``worker_pids`` answer queries; the program may have other processes."""

    name: str
    port: int
    program: Program
    worker_pids: Sequence[int]
    start_s: float


def start_upstream(stack: contextlib.ExitStack, directory: Path) -> bool:
    """Starts the upstream; whether it is the one of ours that can be slow (NSD without a C compiler)."""
    own = compiling.build("upstream", directory)
    if own is not None:
        command = [str(own), str(UPSTREAM_PORT), str(DELAY_MS)]
    else:
        program = find("nsd")
        if program is None:
            raise BenchError("neither a C compiler nor NSD is installed: apt-get install gcc libc6-dev")
        command = peers.upstream_command(program, directory, UPSTREAM_PORT)
    started = stack.enter_context(Program(command, {LOAD_CORE}, directory / "upstream.out"))
    first_answer(started, UPSTREAM_PORT, bench_names.clean_names(1)[0], NOERROR, within_s=10)
    return own is not None


def start_peers(stack: contextlib.ExitStack, directory: Path, listed: Path, marker: str) -> Iterator[Server]:
    """Those that are installed, one after the other; each has read all names when the next one starts."""
    memory = Path("/dev/shm")
    cache = stack.enter_context(
        tempfile.TemporaryDirectory(prefix="saring-bench-", dir=memory if memory.is_dir() else directory)
    )
    for port, make in (
        (UNBOUND_PORT, peers.unbound),
        (DNSDIST_PORT, peers.dnsdist),
        (DNSMASQ_PORT, peers.dnsmasq),
        (KNOT_PORT, functools.partial(peers.knot, cache=Path(cache))),
    ):
        peer = make(port, UPSTREAM_PORT, listed)
        path = find(peer.program)
        if path is None:
            print(f"{peer.name}: not measured, not installed (apt-get install {peer.package})")
            continue
        command = peer.command(path, directory)
        program = stack.enter_context(Program(command, {SERVER_CORE}, directory / f"{peer.program}.out"))
        try:
            start_s = first_answer(program, port, marker, NXDOMAIN, START_WITHIN_S)
        except BenchError as error:
            print(f"{peer.name}: not measured: {error}")
            program.stop()
            continue
        print(f"{peer.name}: started in {start_s:.1f} s")
        yield Server(peer.name, port, program, program.pids(), start_s)


def start_echo(stack: contextlib.ExitStack, directory: Path) -> Iterator[Server]:
    """The floor; none without a C compiler."""
    program = compiling.build("echo", directory)
    if program is None:
        print(f"{ECHO}: not measured, no C compiler")
        return
    started = stack.enter_context(Program([str(program), str(ECHO_PORT)], {SERVER_CORE}, directory / "echo.out"))
    start_s = first_answer(started, ECHO_PORT, "echo.test", NOERROR, within_s=10)
    yield Server(ECHO, ECHO_PORT, started, started.pids(), start_s)


# ---------------------------------------------------------------- ours


class Ours:
    """Our own program with its state in one directory, where it can be started again and again."""

    def __init__(self, directory: Path, listed: Path, marker: str, port: int = OURS_PORT) -> None:
        self._directory = directory
        self._listed = listed
        self._marker = marker
        self._port = port
        self._document = directory / "regency.toml"
        self._document.write_text(_regency(listed), encoding="utf-8")

    @property
    def state(self) -> Path:
        return self._directory / "var"

    def copied(self, directory: Path, port: int) -> Ours:
        """The same state again in another directory, while this one is stopped; for a second program beside it."""
        directory.mkdir()
        shutil.copytree(self.state, directory / "var", symlinks=True, ignore=shutil.ignore_patterns("run"))
        return Ours(directory, self._listed, self._marker, port)

    def start(self, stack: contextlib.ExitStack, workers: int = 1, cores: frozenset[int] | None = None) -> Server:
        """Starts it; by default on the servers' core. The first start imports, compiles and publishes the list."""
        configuration = self._directory / f"saring-{workers}.toml"
        configuration.write_text(_configuration(self.state, self._document, self._port, workers), encoding="utf-8")
        started = Program(
            [sys.executable, "-m", "saring.cli", "serve"],
            cores or {SERVER_CORE},
            self._directory / "saring.out",
            self._directory,
            {"SARING_CONFIG": str(configuration), "PYTHONPATH": str(_TREE)},
        )
        program = stack.enter_context(started)
        start_s = first_answer(program, self._port, self._marker, NXDOMAIN, START_WITHIN_S)
        pids = [self._worker_pid(number, program) for number in range(workers)]
        return Server("Saring", self._port, program, pids, start_s)

    def index_bytes(self) -> int:
        """Size on disk of the compiled list."""
        files = (self.state / "snapshots" / "index").rglob("*")
        return sum(file.stat().st_size for file in files if file.is_file())

    def _worker_pid(self, number: int, program: Program) -> int:
        """Each worker writes its number once a second; a file of the run before it names a process of that run."""
        path = self.state / "run" / f"worker-{number}.json"
        limit_s = time.monotonic() + 10
        while time.monotonic() < limit_s:
            with contextlib.suppress(OSError, ValueError, KeyError):
                pid = int(json.loads(path.read_text())["pid"])
                if pid in program.pids():
                    return pid
            time.sleep(0.1)
        raise BenchError(f"the worker never wrote {path}")


def _regency(listed: Path) -> str:
    return (
        '[regency]\nname = "Bench"\n\n'
        '[[agency]]\ncode = "uji"\nname = "Uji"\nnetworks = ["127.0.0.0/8"]\n\n'
        '[[category]]\ncode = "perjudian"\ntitle = "Perjudian"\nnegative = true\n\n'
        f'[[list]]\ncode = "daftar"\ntitle = "Daftar"\nlocation = "{listed}"\nformat = "plain"\n'
        'categories = ["perjudian"]\n'
    )


def _configuration(state: Path, document: Path, port: int, workers: int) -> str:
    return (
        f'[dns]\nlisten = ["127.0.0.1:{port}"]\nworkers = {workers}\n\n'
        f'[upstream]\nservers = ["127.0.0.1:{UPSTREAM_PORT}"]\n\n'
        f'[storage]\nstate_dir = "{state}"\n\n'
        f'[api]\nlisten = "127.0.0.1:{port + API_PORT_IS_ABOVE}"\n\n'
        f'[log]\nlevel = "warning"\n\n[bootstrap]\ndocument = "{document}"\n'
    )
