"""From text to a mapped index: time, memory, size, and what a look-up costs in it.

A million names, ten million too with ``BENCH_FULL=1`` (two minutes more), and a second list of each tenth.
Compiling runs in a process of its own (``python -m bench.blocklists LIST DIRECTORY``), so that its peak memory is
its own. The peer for reading names is dnsmasq checking a configuration of the same names; how long servers take to
start is measured by the resolver's part.
"""

from __future__ import annotations

import json
import os
import random
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from pathlib import Path

from bench.programs import find
from bench.report import Row, row
from blocklists.compiler import ListInput, compile_index
from blocklists.index import Index
from blocklists.normalise import normalise
from blocklists.progress import Silent
from blocklists.source import Source
from dnswire.name import from_text

AREA = "blocklists"
MILLION = 1_000_000
_LOOKUPS = 50_000
_OPENINGS = 5
_TOPS = ("com", "com", "com", "com", "xyz", "net", "org", "info", "site", "online", "top", "club", "vip", "id", "cc")
_HOSTS = ("www", "m", "app", "login", "mail", "cdn", "link", "vip")


def run() -> list[Row]:
    """The rows of ``make bench B=blocklists``."""
    counts = [MILLION, 10 * MILLION] if os.environ.get("BENCH_FULL") == "1" else [MILLION]
    return [one for count in counts for one in _measured(count)]


def _measured(count: int) -> Iterator[Row]:
    of = f"{count // MILLION} M names"
    full = count == 10 * MILLION  # what DESIGN 9 sets its targets for
    with tempfile.TemporaryDirectory(prefix="saring-bench-") as temporary:
        directory = Path(temporary)
        listed = directory / "list.txt"
        write_names(listed, count)
        found = json.loads(
            subprocess.run(
                [sys.executable, "-m", "bench.blocklists", str(listed), str(directory)],
                check=True,
                stdout=subprocess.PIPE,
            ).stdout
        )
        total_s = found["parse_s"] + found["compile_s"]
        peer_s = _dnsmasq_s(directory, listed)
        yield row(AREA, f"parse, sort and write, {of}", "CPU s", found["parse_s"])
        yield row(AREA, f"compile entries to index, {of}", "CPU s", found["compile_s"])
        yield row(AREA, f"text to index, {of}", "CPU s", total_s, at_most=30 if full else None)
        if peer_s is not None:
            yield row(AREA, f"read the names, {of}", "CPU s", total_s, peer_s, "dnsmasq --test")
        yield row(AREA, f"peak memory of compiling, {of}", "MB", found["peak_mb"], at_most=1500 if full else None)
        yield row(AREA, f"index, {of}", "bytes/name", found["bytes_per_name"], at_most=12)
        yield from _opened(Path(found["path"]), listed, of)


def _opened(path: Path, listed: Path, of: str) -> Iterator[Row]:
    openings: list[float] = []
    for _ in range(_OPENINGS):
        start_s = time.perf_counter()
        Index.open(path).close()
        openings.append((time.perf_counter() - start_s) * 1000)
    yield row(
        AREA, f"verify and map, {of}", "ms", sorted(openings)[_OPENINGS // 2], at_most=50 if of == "1 M names" else None
    )
    index = Index.open(path)
    hits = [from_text(name) for name in _some(listed)]
    # A listed name with one more letter in front: as deep into the trie as a miss can go.
    longer = [bytes((name[0] + 1,)) + b"q" + name[1:] for name in hits]
    misses = [name for name in longer if not index.match(name)]
    yield row(AREA, f"look-up, listed name, {of}", "us", _per_call_us(index.match, hits), at_most=2)
    yield row(AREA, f"look-up, name not listed, {of}", "us", _per_call_us(index.match, misses), at_most=2)
    index.close()


def _some(listed: Path) -> list[str]:
    """Names spread over the list."""
    chance = random.Random(1)
    size_bytes = listed.stat().st_size
    names: list[str] = []
    with listed.open("rb") as file:
        for _ in range(_LOOKUPS):
            file.seek(chance.randrange(size_bytes - 200))
            file.readline()
            names.append(file.readline().decode().strip())
    return names


def _per_call_us(match: Callable[[bytes], object], names: Sequence[bytes]) -> float:
    best = float("inf")
    for _ in range(3):
        start_ns = time.process_time_ns()
        for name in names:
            match(name)
        best = min(best, time.process_time_ns() - start_ns)
    return best / len(names) / 1000


def _dnsmasq_s(directory: Path, listed: Path) -> float | None:
    program = find("dnsmasq")
    if program is None:
        print("dnsmasq is not installed: reading the same names is not compared")
        return None
    configuration = directory / "dnsmasq.conf"
    with listed.open(encoding="ascii") as source, configuration.open("w", encoding="ascii") as target:
        target.writelines(f"local=/{line.strip()}/\n" for line in source)
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run([program, "--test", "-C", str(configuration)], check=True, stderr=subprocess.DEVNULL)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime


def write_names(path: Path, count: int) -> None:
    """Names with the measures of the national list: median 21 characters, p99 49; 36 % two labels, 63 % three."""
    chance = random.Random(20261124)
    words = [
        "".join(chance.choice("bcdfgjklmnprstwz") + chance.choice("aeiou") for _ in range(size))
        for size in (1, 2, 2, 3) * 5000
    ]
    parents: list[str] = []
    with path.open("w", encoding="ascii") as file:
        for number in range(count):
            kind = chance.random()
            label = f"{chance.choice(words)}{chance.choice(words)}{number:x}"
            if chance.random() < 0.015:
                label += "-" + "".join(chance.choices("0123456789abcdef", k=28))
            if kind < 0.36 or not parents:
                name = f"{label}.{chance.choice(_TOPS)}"
                if len(parents) < 200_000:
                    parents.append(name)
            else:
                # Hosts come in swarms below few parents, as the web page builders' do.
                parent = parents[int(len(parents) * chance.random() ** 3)]
                host = f"{chance.choice(_HOSTS)}{number:x}"
                name = f"{host}.{parent}" if kind < 0.99 else f"{host}.{label}.{parent}"
            file.write(f"{name}\n")


def compile_once(listed: Path, directory: Path) -> dict[str, object]:
    """The whole way once; CPU seconds, so that a busy machine does not count.

    A second list repeats each tenth name with another meaning: one list alone would spare the compiler the work of
    telling apart which lists a name is on.
    """
    second = directory / "second.txt"
    with listed.open("rb") as source, second.open("wb") as target:
        target.writelines(b"0.0.0.0 " + line for line in islice(source, 0, None, 10))
    inputs: list[ListInput] = []
    start_s = time.process_time()
    names = 0
    for list_id, path in ((1, listed), (2, second)):
        entries = directory / f"entries-{list_id}"
        parsed = normalise(path, Source("bench", str(path)), ("kantor.example",), entries)
        names = max(names, parsed.names)
        inputs.append(ListInput(list_id, f"bench-{list_id}", entries))
    parsed_s = time.process_time()
    made = compile_index(inputs, directory / "index", Silent())
    return {
        "parse_s": parsed_s - start_s,
        "compile_s": time.process_time() - parsed_s,
        "bytes_per_name": made.size_bytes / names,
        "peak_mb": _peak_mb(),
        "path": str(made.path),
    }


def _peak_mb() -> float:
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) / 1000
    raise OSError("/proc/self/status has no VmHWM")


if __name__ == "__main__":
    print(json.dumps(compile_once(Path(sys.argv[1]), Path(sys.argv[2]))))
