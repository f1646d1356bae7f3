"""From text to a mapped index: time, memory, size, what a look-up costs, and what swaps and compiling do to queries.

A million names, ten million too with ``BENCH_FULL=1`` (five minutes more), and a second list of each tenth: one list
alone would spare the compiler the work of telling apart which lists a name is on.

Method:
- Compiling runs in a process of its own (``python -m bench.blocklists LIST DIRECTORY``), so that its peak memory is
  its own. Times are CPU seconds, so that a busy machine does not count; the peers' too (``list_peers.py``).
- A look-up is ``Index.match``, called from Python once for each of 50,000 names spread over the list, the loop around
  it included. Names that are not listed are listed ones with another label in front and without a listed parent: as
  near to a listed name as can be. Of the listed ones of this shape two thirds have a listed parent as well, and give
  two matches. The trie is asked as the index before this one asked it.
- *Wrong answers* compares every listed name, and as many that are not, with a plain set.
- Swaps: ``swaps.py``; the worker on core 0, publishing and the load on core 1. The load keeps 64 queries under way, so
  that its latencies are those of a saturated worker.
- DNS beside compiling: 1,000 queries a second from the worker's own core, so that nothing but the compiler (niceness
  as in the program) is on the other; medians of the p99 of several turns. The second row has a loop that does nothing
  in the compiler's place: in a virtual machine a second busy core alone makes the first one slower.

Caveats: the two cores share the last cache and the way to memory, in a virtual machine also with strangers, and
compiling uses both. All files are in the page cache: a cold disk is not measured.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import Any

from bench import swaps
from bench.list_names import some_of, write_names
from bench.list_peers import Trie, costs
from bench.report import Row, row
from blocklists.compiler import ListInput, compile_index
from blocklists.index import Index
from blocklists.manifest import NAMES
from blocklists.normalise import normalise
from blocklists.progress import Silent
from blocklists.source import Source
from dnswire.name import from_text, parents
from saring.process_sync_run import NICENESS
from snapshots.generation import open_current

AREA = "blocklists"
MILLION = 1_000_000
_LOOKUPS = 50_000
_REPEATS = 5
_SWAPS = 1_000
_TURNS = 7
_TURN_S = 4.0
_RATE = 1_000.0
_QUIET_S = 3.0
_START_S = 0.7  # imports are no compiling
_FOR_EVER = "for ever"
_WORKER_CORE, _OTHER_CORE = 0, 1


def run() -> list[Row]:
    """The rows of ``make bench B=blocklists``."""
    print(__doc__)
    counts = [MILLION, 10 * MILLION] if os.environ.get("BENCH_FULL") == "1" else [MILLION]
    return [one for count in counts for one in _measured(count)]


def _measured(count: int) -> Iterator[Row]:
    of = f"{count // MILLION} M names"
    full = count == 10 * MILLION  # what DESIGN 9 sets its targets for
    with tempfile.TemporaryDirectory(prefix="saring-bench-") as temporary:
        directory = Path(temporary)
        listed = directory / "list.txt"
        write_names(listed, count)
        found = _compiled(listed, directory)
        total_s = found["parse_s"] + found["compile_s"]
        yield row(AREA, f"parse, sort and write, {of}", "CPU s", found["parse_s"])
        yield row(AREA, f"compile entries to index, {of}", "CPU s", found["compile_s"])
        yield row(AREA, f"text to index, {of}", "CPU s", total_s, at_most=30 if full else 3)
        yield row(AREA, f"peak memory of text to index, {of}", "MB", found["peak_mb"], at_most=1500)
        for cost in costs(directory, listed, unbound=not full):
            yield row(AREA, f"read the names, {of}", "CPU s", total_s, cost.cpu_s, cost.what)
            yield row(AREA, f"peak memory of reading, {of}", "MB", found["peak_mb"], cost.peak_mb, cost.what)
        yield row(AREA, f"index after a list of a tenth changed, {of}", "CPU s", found["update_s"], at_most=30)
        yield from _opened(Path(found["path"]), directory, listed, of)
        if not full:
            yield from _swapped(directory, listed, of)
            yield from _beside_compiling(directory, listed, of)


def _compiled(listed: Path, directory: Path) -> dict[str, Any]:
    command = [sys.executable, "-m", "bench.blocklists", str(listed), str(directory)]
    found: dict[str, Any] = json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout)
    return found


# ---------------------------------------------------------------- look-ups


def _opened(path: Path, directory: Path, listed: Path, of: str) -> Iterator[Row]:
    openings: list[float] = []
    for _ in range(_REPEATS):
        start_s = time.perf_counter()
        Index.open(path).close()
        openings.append((time.perf_counter() - start_s) * 1000)
    yield row(AREA, f"verify and map, {of}", "ms", statistics.median(openings), at_most=50)
    trie = Trie(directory / "entries-1")
    index = Index.open(path)
    per_name = index.size_bytes / index.names
    peer_per_name = trie.size_bytes(directory) / index.names
    yield row(AREA, f"index, {of}", "bytes/name", per_name, at_most=12)
    yield row(AREA, f"index, {of} (the trie: names alone)", "bytes/name", per_name, peer_per_name, "marisa-trie")
    hits = [from_text(name) for name in some_of(listed, _LOOKUPS)]
    longer = [bytes((name[0] + 1,)) + b"q" + name[1:] for name in hits]
    misses = [name for name in longer if not index.match(name)]
    for what, names, at_most in (("listed name", hits, 1.5), ("name not listed", misses, 0.5)):
        ours_us = _per_call_us(index.match, names)
        yield row(AREA, f"look-up, {what}, {of}", "us", ours_us, at_most=at_most)
        yield row(AREA, f"look-up, {what}, {of}", "us", ours_us, _per_call_us(trie.match, names), "marisa-trie")
    yield row(AREA, f"wrong answers, {of} and as many others", "names", _wrong(index, listed), at_most=0)
    index.close()


def _per_call_us(match: Callable[[bytes], object], names: Sequence[bytes]) -> float:
    best = float("inf")
    for _ in range(_REPEATS):
        start_ns = time.process_time_ns()
        for name in names:
            match(name)
        best = min(best, time.process_time_ns() - start_ns)
    return best / len(names) / 1000


def _wrong(index: Index, listed: Path) -> int:
    """How many names the index matches otherwise than a set of them: each one, and each with a label in front."""
    with listed.open(encoding="ascii") as file:
        names = {from_text(line.strip()) for line in file}
    wrong = 0
    for name in names:
        depths = sorted({match.labels for match in index.match(name)}, reverse=True)
        wrong += depths != _depths(name, names)
        other = b"\x02zq" + name[1 + name[0] // 2 :] if name[0] < 2 else bytes((name[0],)) + b"~" + name[2:]
        wrong += bool(index.match(other)) != bool(_depths(other, names))
    return wrong


def _depths(name: bytes, names: set[bytes]) -> list[int]:
    """How many labels each listed one of a name and its parents has, the longest first."""
    above = [parent for parent in parents(name) if len(parent) > 1]
    return [len(above) - place for place, parent in enumerate(above) if parent in names]


# ---------------------------------------------------------------- under load


def _swapped(directory: Path, listed: Path, of: str) -> Iterator[Row]:
    what = f"{_SWAPS:,} swaps of {of} under load"
    names = some_of(listed, 5_000)
    state = directory / "swaps"
    cores = (_WORKER_CORE, _OTHER_CORE)
    swapped = swaps.swap_under_load(state, directory / "entries-1", names, _SWAPS, _QUIET_S, cores)
    print(
        f"{what}: {swapped.asked:,} queries while swapping; in the worker's whole life (the queries before that, and"
        f" who asked which generation serves) {swapped.answers:,} answers and {swapped.rows:,} rows of the query log"
    )
    yield row(AREA, f"{what}: queries lost", "queries", swapped.lost, at_most=0)
    yield row(AREA, f"{what}: answers and rows that mix two generations", "answers", swapped.mixed, at_most=0)
    yield row(AREA, f"{what}: answers without a row", "answers", swapped.answers - swapped.rows, at_most=0)
    yield row(AREA, f"{what}: published to in force", "ms", swapped.opening_ms, at_most=1000)
    for share in ("p99", "p999", "max"):
        ours, quiet = swapped.swapping[f"{share}_us"] / 1000, swapped.quiet[f"{share}_us"] / 1000
        yield row(AREA, f"{what}: latency {share.replace('999', '99.9')}", "ms", ours, quiet, "the same without swaps")
    yield _fallen_back(state / "snapshots", of)


def _fallen_back(root: Path, of: str) -> Row:
    """How long a start takes where the current generation's index is damaged: it is found, the one before opened."""
    current = open_current(root)
    path = current.index.path / NAMES
    number = current.number
    current.close()
    octets = bytearray(path.read_bytes())
    octets[len(octets) // 2] ^= 1
    path.write_bytes(octets)
    print(f"What the log says now is so by intention: of generation {number} an octet was changed.", flush=True)
    begun_s = time.perf_counter()
    opened = open_current(root)
    took_ms = (time.perf_counter() - begun_s) * 1000
    opened.close()
    if opened.number >= number:
        raise RuntimeError(f"generation {opened.number} was opened, though its index is damaged")
    return row(AREA, f"damaged index found, the generation before opened, {of}", "ms", took_ms, at_most=500)


def _beside_compiling(directory: Path, listed: Path, of: str) -> Iterator[Row]:
    state = directory / "beside"
    field = swaps.Field(state, directory / "entries-1")
    names = state / "names.txt"
    names.write_text("\n".join(some_of(listed, 5_000)), encoding="ascii")
    field.publish()
    again = directory / "again"
    again.mkdir()
    compiling = [sys.executable, "-m", "bench.blocklists", str(listed), str(again), _FOR_EVER]
    spinning = [sys.executable, "-c", "while True: pass"]
    found: dict[str, list[float]] = {"quiet": [], "spinning": [], "compiling": []}
    with field.worker(_WORKER_CORE):
        for _ in range(_TURNS):
            found["quiet"].append(_p99_us(field.port, names))
            for what, command in (("spinning", spinning), ("compiling", compiling)):
                with _on_the_other_core(command):
                    found[what].append(_p99_us(field.port, names))
    middle = {what: statistics.median(turns) for what, turns in found.items()}
    what = f"DNS p99 while {of} are compiled on the other core"
    yield row(AREA, what, "us", middle["compiling"], middle["quiet"], "other core idle", ratio_at_most=1.1)
    yield row(AREA, what, "us", middle["compiling"], middle["spinning"], "other core spinning", ratio_at_most=1.1)


def _p99_us(port: int, names: Path) -> float:
    with swaps.load(port, names, _WORKER_CORE, _RATE) as found:
        time.sleep(_TURN_S)
    return float(found["p99_us"])


@contextlib.contextmanager
def _on_the_other_core(command: Sequence[str]) -> Iterator[None]:
    """Runs a program that does not end by itself, as low as the program's own sync, for a ``with`` block."""
    pinned = [*swaps.pinned(_OTHER_CORE), "nice", f"-n{NICENESS}", *command]
    process = subprocess.Popen(pinned, stdout=subprocess.DEVNULL)
    try:
        time.sleep(_START_S)
        yield
    finally:
        process.kill()
        process.wait()


# ---------------------------------------------------------------- in a process of its own


def compile_once(listed: Path, directory: Path) -> dict[str, object]:
    """The whole way once, and once more after the second list has changed."""
    second = directory / "second.txt"
    with listed.open("rb") as source, second.open("wb") as target:
        target.writelines(b"0.0.0.0 " + line for line in islice(source, 0, None, 10))
    start_s = time.process_time()
    inputs = [_parsed(1, listed, directory), _parsed(2, second, directory)]
    parsed_s = time.process_time()
    made = compile_index(inputs, directory / "index", Silent())
    compiled_s = time.process_time()
    peak_mb = _peak_mb()
    with second.open("ab") as target:
        target.write(b"0.0.0.0 baru.example\n")
    changed_s = time.process_time()
    compile_index([inputs[0], _parsed(2, second, directory)], directory / "index", Silent())
    return {
        "parse_s": parsed_s - start_s,
        "compile_s": compiled_s - parsed_s,
        "update_s": time.process_time() - changed_s,
        "peak_mb": peak_mb,
        "path": str(made.path),
    }


def _parsed(list_id: int, path: Path, directory: Path) -> ListInput:
    entries = directory / f"entries-{list_id}"
    normalise(path, Source("bench", str(path)), ("kantor.example",), entries)
    return ListInput(list_id, f"bench-{list_id}", entries)


def _peak_mb() -> float:
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) / 1000
    raise OSError("/proc/self/status has no VmHWM")


def main(listed: Path, directory: Path, for_ever: bool) -> None:
    """The process's whole life."""
    print(json.dumps(compile_once(listed, directory)))
    while for_ever:
        shutil.rmtree(directory / "index")
        compile_once(listed, directory)


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]), _FOR_EVER in sys.argv)
