"""Real name servers on loopback for tests: NSD, BIND, Unbound, dnsdist. Skips where they are missing."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.support.needs import need_program
from tests.support.ports import free_port

_PATIENCE_S = 15.0
# SOA of the root: small, and every server answers something to it, be it REFUSED.
_PING = b"\x12\x34\x01\x00\x00\x01\x00\x00\x00\x00\x00\x00\x00\x00\x06\x00\x01"


@dataclass(frozen=True, slots=True)
class RunningServer:
    """Where a server answers, by UDP and TCP. ``pid`` for tests that stop or freeze it."""

    address: str
    port: int
    pid: int

    def freeze(self) -> None:
        """It keeps its sockets and says nothing more."""
        os.kill(self.pid, signal.SIGSTOP)

    def thaw(self) -> None:
        """It goes on, with what has queued up."""
        os.kill(self.pid, signal.SIGCONT)


@contextmanager
def nsd(
    directory: Path, zones: dict[str, str], address: str = "127.0.0.1", extra: Sequence[str] = ()
) -> Iterator[RunningServer]:
    """An authoritative NSD. ``zones``: zone name to zone file text. ``extra``: lines for `server:`."""
    program = need_program("nsd")
    port = free_port(address)
    lines = [
        "server:",
        f"  ip-address: {address}@{port}",
        "  server-count: 1",
        '  username: ""',
        '  chroot: ""',
        f'  zonesdir: "{directory}"',
        f'  pidfile: "{directory}/nsd.pid"',
        f'  xfrdir: "{directory}"',
        f'  zonelistfile: "{directory}/zone.list"',
        f'  xfrdfile: "{directory}/xfrd.state"',
        f'  cookie-secret-file: "{directory}/cookies"',
        '  database: ""',
        "  hide-version: yes",
        # NSD limits each client to 200 answers a second unless told otherwise: here the one client is Saring.
        "  rrl-ratelimit: 0",
        *(f"  {line}" for line in extra),
        "remote-control:",
        "  control-enable: no",
    ]
    for number, (zone, text) in enumerate(zones.items()):
        (directory / f"{number}.zone").write_text(text)
        lines += ["zone:", f'  name: "{zone}"', f'  zonefile: "{number}.zone"']
    conf = directory / "nsd.conf"
    conf.write_text("\n".join(lines) + "\n")
    with running([program, "-d", "-c", str(conf)], directory / "nsd.log", address, port) as server:
        yield server


@contextmanager
def unbound(
    directory: Path, local_data: Sequence[str], extra: Sequence[str] = (), address: str = "127.0.0.1"
) -> Iterator[RunningServer]:
    """A recursive Unbound that knows ``local_data`` (RRs as text) and nothing else. ``extra``: lines for `server:`."""
    program = need_program("unbound")
    port = free_port(address)
    lines = [
        "server:",
        f"  interface: {address}@{port}",
        f"  directory: {directory}",
        f'  pidfile: "{directory}/unbound.pid"',
        '  username: ""',
        '  chroot: ""',
        "  use-syslog: no",
        "  num-threads: 1",
        "  do-daemonize: no",
        "  module-config: iterator",
        "  access-control: 127.0.0.0/8 allow",
        # Nothing may leave the machine: names that are not local data do not exist.
        '  local-zone: "." static',
        *(f"  local-data: '{rr}'" for rr in local_data),
        *(f"  {line}" for line in extra),
        "remote-control:",
        "  control-enable: no",
    ]
    conf = directory / "unbound.conf"
    conf.write_text("\n".join(lines) + "\n")
    with running([program, "-d", "-c", str(conf)], directory / "unbound.log", address, port) as server:
        yield server


@contextmanager
def bind(
    directory: Path, zones: dict[str, str], options: Sequence[str] = (), address: str = "127.0.0.1"
) -> Iterator[RunningServer]:
    """An authoritative BIND. ``zones``: zone name to zone file text. ``options``: statements for `options`."""
    program = need_program("named")
    port = free_port(address)
    lines = [
        "options {",
        f'  directory "{directory}";',
        f'  pid-file "{directory}/named.pid";',
        f'  session-keyfile "{directory}/session.key";',
        f"  listen-on port {port} {{ {address}; }};",
        "  listen-on-v6 { none; };",
        "  recursion no;",
        "  dnssec-validation no;",
        "  notify no;",
        *(f"  {statement}" for statement in options),
        "};",
        "controls { };",
    ]
    for number, (zone, text) in enumerate(zones.items()):
        (directory / f"{number}.zone").write_text(text)
        lines.append(f'zone "{zone}" {{ type primary; file "{number}.zone"; }};')
    conf = directory / "named.conf"
    conf.write_text("\n".join(lines) + "\n")
    with running([program, "-g", "-n", "1", "-c", str(conf)], directory / "named.log", address, port) as server:
        yield server


@contextmanager
def dnsdist(directory: Path, upstream: RunningServer, extra: Sequence[str]) -> Iterator[RunningServer]:
    """A dnsdist before ``upstream``. ``extra``: further lines of its configuration."""
    program = need_program("dnsdist")
    port = free_port()
    lines = [
        f'setLocal("127.0.0.1:{port}")',
        f'newServer({{address="{upstream.address}:{upstream.port}", healthCheckMode="up"}})',
        *extra,
    ]
    conf = directory / "dnsdist.conf"
    conf.write_text("\n".join(lines) + "\n")
    command = [program, "--supervised", "--disable-syslog", "-C", str(conf)]
    with running(command, directory / "dnsdist.log", "127.0.0.1", port) as server:
        yield server


@contextmanager
def running(command: list[str], log: Path, address: str, port: int) -> Iterator[RunningServer]:
    """Any server program in the foreground, from its first answer to the end of the ``with`` block."""
    with log.open("wb") as output:
        process = subprocess.Popen(command, stdout=output, stderr=subprocess.STDOUT, start_new_session=True)
    try:
        _wait_until_answering(process, log, address, port)
        yield RunningServer(address, port, process.pid)
    finally:
        _stop(process)


def _wait_until_answering(process: subprocess.Popen[bytes], log: Path, address: str, port: int) -> None:
    deadline_s = time.monotonic() + _PATIENCE_S
    while time.monotonic() < deadline_s:
        if process.poll() is not None:
            break
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
            sock.settimeout(0.1)
            try:
                sock.connect((address, port))
                sock.send(_PING)
                sock.recv(512)
            except OSError:
                # Refused comes back at once; do not spin on it.
                time.sleep(0.02)
                continue
            return
    raise AssertionError(f"{process.args!r} does not answer on {address}:{port}; it said:\n{log.read_text()}")


def _stop(process: subprocess.Popen[bytes]) -> None:
    """Ends the server and what it forked (NSD's children), and no other process."""
    for sign in (signal.SIGCONT, signal.SIGTERM, signal.SIGKILL):
        try:
            os.killpg(process.pid, sign)
        except ProcessLookupError:
            break
        if sign == signal.SIGTERM:
            try:
                process.wait(5)
            except subprocess.TimeoutExpired:
                continue
    process.wait(5)
