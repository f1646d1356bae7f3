"""Swapping generations under load, and looking whether anybody noticed.

Two generations take turns. In odd ones every name is on list 1, of a category answered by NXDOMAIN; in even ones it
is on list 2, of one answered by the null address. Each policy knows only its own list. So an index of one generation
under the policy of the other would let a name pass, and an answer in words of both is like neither of the two that
are right.

The worker is the resolver's own, in a process of its own; so is the load (``asking.py``). Used by
``bench.blocklists`` with a million names and a thousand swaps, and by ``tests/scenarios/test_swap_under_load.py``
with fewer.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from blocklists.compiler import ListInput, compile_index
from blocklists.progress import Silent
from dnswire.name import from_text
from policy.model import Agency, AnswerKind, BlockAnswer, Category, ListInfo, Network, Policy, Regency
from querylog.record import LogRecord
from querylog.spool_reader import SpoolReader
from resolver.settings import ServerGroup, UpstreamServer, WorkerSettings, encode_settings
from snapshots.publish import prune, publish

_START_S = 30.0
_SWAP_S = 10.0
_QUOTA_BYTES = 8 << 30
_ROOT = Path(__file__).resolve().parent.parent
_KINDS = {1: AnswerKind.NXDOMAIN, 0: AnswerKind.NULL}  # by generation modulo 2
_CODES = {1: 3, 0: 0}
_PRUNE_EACH = 50

# The hot modules' switch must be set before they are imported, as saring.process does.
_WORKER = (
    "import sys; from saring.interpreted import install_from_environment; install_from_environment()\n"
    "from resolver.settings import decode_settings; from resolver.worker import run_worker\n"
    "run_worker(decode_settings(sys.stdin.readline()))\n"
)


class SwapError(Exception):
    """The experiment itself went wrong: the worker did not start, or a swap never came into force."""


@dataclass(frozen=True, slots=True)
class Swapped:
    """What was seen. ``mixed``: answers that are no generation's, and rows that are not their generation's.

    ``rows``: of the query log, about the names asked for. ``quiet`` and ``swapping``: the load's own account
    (``asking.Asked.document``) without and with swaps. ``opening_ms``: what a swap took from ``publish`` to being in
    force, the median.
    """

    swaps: int
    asked: int
    lost: int
    mixed: int
    rows: int
    answers: int
    opening_ms: float
    quiet: dict[str, Any]
    swapping: dict[str, Any]


def policy_of(generation: int) -> Policy:
    """The policy of an odd or even generation."""
    turn = generation % 2
    number = 2 - turn
    answer = BlockAnswer(_KINDS[turn])
    return Policy(
        regency=Regency("Bench"),
        agencies=(Agency(1, "uji", "Uji"),),
        networks=(Network("127.0.0.0/8", 1),),
        categories=(Category(number, f"kategori{number}", f"Kategori {number}", negative=True, answer=answer),),
        lists=(ListInfo(number, f"daftar{number}", f"Daftar {number}", (number,)),),
        revision=generation,
    )


class Field:
    """A state directory with both indexes, generation 1 published, and a worker that serves it."""

    def __init__(self, directory: Path, entries: Path) -> None:
        self.root = directory / "snapshots"
        self.spool = directory / "spool"
        self.spool.mkdir(parents=True)
        self._indexes = {
            turn: compile_index([ListInput(2 - turn, f"daftar{2 - turn}", entries)], self.root / "index", Silent()).path
            for turn in (1, 0)
        }
        self.generation = 0
        self.port = 0
        self.pid = 0
        self._stats = directory / "worker.json"

    def publish(self) -> int:
        """The next generation, on disk and current."""
        following = self.generation + 1
        self.generation = publish(self.root, policy_of(following), self._indexes[following % 2], time.time())
        if self.generation % _PRUNE_EACH == 0:
            prune(self.root, keep=5, min_age_s=0, now_s=time.time())
        return self.generation

    def swap(self) -> float:
        """Publishes, tells the worker, waits until it serves the new generation; milliseconds."""
        begun_s = time.perf_counter()
        number = self.publish()
        os.kill(self.pid, signal.SIGHUP)
        while serving(self.port) != number:
            if time.perf_counter() - begun_s > _SWAP_S:
                raise SwapError(f"the worker does not serve generation {number} after {_SWAP_S:g} s")
            time.sleep(0.001)
        return (time.perf_counter() - begun_s) * 1000

    @contextlib.contextmanager
    def worker(self, core: int | None = None) -> Iterator[None]:
        """A worker for the length of the ``with`` block."""
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp:
            udp.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 << 20)
            udp.bind(("127.0.0.1", 0))
            udp.setblocking(False)
            self.port = udp.getsockname()[1]
            process = subprocess.Popen(
                [*pinned(core), sys.executable, "-c", _WORKER],
                stdin=subprocess.PIPE,
                pass_fds=(udp.fileno(),),
                cwd=_ROOT,
            )
            try:
                assert process.stdin is not None
                process.stdin.write(encode_settings(self._settings(udp.fileno())) + b"\n")
                process.stdin.close()
                self.pid = process.pid
                self._wait(process)
                yield
            finally:
                process.terminate()
                process.wait()

    def _settings(self, descriptor: int) -> WorkerSettings:
        return WorkerSettings(
            number=0,
            node="bench",
            udp_fds=(descriptor,),
            tcp_fds=(),
            snapshots_root=str(self.root),
            spool_dir=str(self.spool),
            stats_path=str(self._stats),
            # Nobody answers there: whatever passes ends in SERVFAIL, which neither generation answers.
            upstreams=(ServerGroup("default", (UpstreamServer("127.0.0.1", 9),)),),
            spool_quota_bytes=_QUOTA_BYTES,
        )

    def _wait(self, process: subprocess.Popen[bytes]) -> None:
        begun_s = time.monotonic()
        while serving(self.port) != self.generation:
            if process.poll() is not None or time.monotonic() - begun_s > _START_S:
                raise SwapError(f"the worker does not answer (exit status {process.poll()})")
            time.sleep(0.01)

    def answers(self) -> int:
        """How many answers the worker says it gave, once it has ended."""
        return int(json.loads(self._stats.read_text())["answers"])


def pinned(core: int | None) -> list[str]:
    """What to put before a command to keep it on a core."""
    return [] if core is None else ["taskset", "-c", str(core)]


def serving(port: int) -> int:
    """The generation that the worker says it serves; 0 where it says nothing."""
    query = b"\x12\x34\x01\0\0\1\0\0\0\0\0\0" + from_text("whoami.saring") + b"\0\x10\0\1"
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
        client.settimeout(1)
        try:
            client.connect(("127.0.0.1", port))
            client.send(query)
            text = client.recv(4096).decode("latin-1")
        except OSError:
            return 0
    found = text.partition("generation=")[2]
    digits = found[: next((place for place, char in enumerate(found) if not char.isdigit()), len(found))]
    return int(digits or 0)


@contextlib.contextmanager
def load(port: int, names: Path, core: int | None = None, rate: float | None = None) -> Iterator[dict[str, Any]]:
    """Asks for the length of the ``with`` block; what came of it is in the dictionary afterwards."""
    command = [*pinned(core), sys.executable, "-m", "bench.asking", str(port), str(names)]
    process = subprocess.Popen(
        [*command, *([] if rate is None else [str(rate)])], stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=_ROOT
    )
    found: dict[str, Any] = {}
    try:
        yield found
    finally:
        output, _ = process.communicate(b"enough\n")
    if process.returncode:
        raise SwapError(f"the load ended with status {process.returncode}")
    found.update(json.loads(output))


def swap_under_load(
    directory: Path,
    entries: Path,
    names: Sequence[str],
    swaps: int,
    quiet_s: float,
    cores: tuple[int, int] | None = None,
) -> Swapped:
    """Serves ``entries``; asks for ``names``, which they hold, for ``quiet_s`` seconds and during so many swaps.

    ``cores``: the worker's, and that of all else.
    """
    field = Field(directory, entries)
    listed = directory / "names.txt"
    listed.write_text("\n".join(names), encoding="ascii")
    worker_core, load_core = cores if cores is not None else (None, None)
    right: set[str] = set()
    field.publish()
    with field.worker(worker_core):
        for _ in range(2):
            # What each of the two answers when nothing else is going on.
            with load(field.port, listed, load_core) as found:
                time.sleep(0.3)
            right.update(found["answers"])
            field.swap()
        with load(field.port, listed, load_core) as quiet:
            time.sleep(quiet_s)
        with load(field.port, listed, load_core) as swapping:
            took_ms = [field.swap() for _ in range(swaps)]
    if len(right) != 2:
        raise SwapError(f"the generations do not answer in two ways but in {len(right)}: {sorted(right)}")
    mixed = sum(count for answer, count in swapping["answers"].items() if answer not in right)
    rows, wrong = _rows(field.spool, {from_text(name) for name in names})
    return Swapped(
        swaps=swaps,
        asked=int(swapping["asked"]),
        lost=int(swapping["lost"]),
        mixed=mixed + wrong,
        rows=rows,
        answers=field.answers(),
        opening_ms=sorted(took_ms)[len(took_ms) // 2],
        quiet=quiet,
        swapping=swapping,
    )


def _rows(spool: Path, names: set[bytes]) -> tuple[int, int]:
    """How many rows there are, and how many about ``names`` are not as their generation has it."""
    rows = wrong = 0
    for _, record in SpoolReader(spool).records():
        if not isinstance(record, LogRecord):
            wrong += 1  # a gap: nothing was in its way
            continue
        rows += 1
        turn = record.generation % 2
        if record.name in names:
            wrong += (record.list_id, record.category_id, record.rcode) != (2 - turn, 2 - turn, _CODES[turn])
    return rows, wrong
