"""The load generator (dnsperf) and single queries, to see that a server answers and how."""

from __future__ import annotations

import re
import socket
import struct
import subprocess
import time
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

from bench.programs import Program, find

LOAD_CORE = 1


class BenchError(Exception):
    """A measurement that cannot be made; the message says what to do."""


@dataclass(frozen=True, slots=True)
class Load:
    """What dnsperf saw: queries sent, answers, seconds, answers per code."""

    sent: int
    answered: int
    took_s: float
    codes: str

    @property
    def per_s(self) -> float:
        return self.answered / self.took_s


def dnsperf(
    port: int,
    queries: Path,
    seconds: float | None,
    outstanding: int = 100,
    clients: int = 20,
    cores: Collection[int] = (LOAD_CORE,),
) -> Load:
    """Asks as fast as it is answered, for ``seconds`` (None: once through the file)."""
    path = find("dnsperf")
    if path is None:
        raise BenchError("dnsperf is not installed: apt-get install dnsperf")
    span = ["-n", "1"] if seconds is None else ["-l", f"{seconds:g}"]
    pinned = ["taskset", "-c", ",".join(str(core) for core in cores)]
    command = [*pinned, path, "-T", str(len(cores)), "-s", "127.0.0.1", "-p", str(port), "-d", str(queries)]
    done = subprocess.run(
        [*command, *span, "-c", str(clients), "-q", str(outstanding), "-t", "2"],
        capture_output=True,
        text=True,
        check=False,
        timeout=(seconds or 120) + 60,
    )

    def found(pattern: str) -> str:
        match = re.search(pattern, done.stdout)
        if match is None:
            raise BenchError(f"dnsperf against port {port} said: {(done.stdout + done.stderr)[-500:]}")
        return match[1]

    return Load(
        sent=int(found(r"Queries sent:\s+(\d+)")),
        answered=int(found(r"Queries completed:\s+(\d+)")),
        took_s=float(found(r"Run time \(s\):\s+([0-9.]+)")),
        codes=found(r"Response codes:\s+(.+)"),
    )


def ask(port: int, name: str, within_s: float) -> int | None:
    """The response code for ``name`` A; None where no answer came in time."""
    labels = b"".join(bytes([len(label)]) + label.encode() for label in name.split("."))
    message = struct.pack(">HHHHHH", 1, 0x0100, 1, 0, 0, 0) + labels + b"\0" + struct.pack(">HH", 1, 1)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
        client.settimeout(within_s)
        try:
            client.connect(("127.0.0.1", port))
            client.send(message)
            return client.recv(4096)[3] & 0x0F
        except OSError:  # nothing listens yet, or not in time
            return None


def first_answer(program: Program, port: int, name: str, code: int, within_s: float) -> float:
    """Seconds from now until ``name`` is answered with ``code``. Raises ``BenchError`` where that never comes."""
    started_s = time.monotonic()
    while (took_s := time.monotonic() - started_s) < within_s:
        if ask(port, name, 0.2) == code:
            return time.monotonic() - started_s
        if program.ended:
            raise BenchError(f"the server on port {port} ended: {program.said()}")
        time.sleep(0.005)
    raise BenchError(f"no answer with code {code} for {name} from port {port} within {took_s:.0f} s: {program.said()}")
