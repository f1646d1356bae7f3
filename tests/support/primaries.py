"""Real primaries on loopback that serve a zone to secondaries: NSD, Knot DNS and BIND, with or without TSIG.

Each has the zone as a file that a test can replace; ``publish`` makes the server take it in, make the difference for
IXFR, and send NOTIFY where ``notify`` says so.
"""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from tests.support.nameservers import running
from tests.support.needs import need_program
from tests.support.ports import free_port

ZONE = "rpz.test"
KEY_NAME = "saring.test"
SECRET = "c2FyaW5nLXNlY3JldC1mb3ItdGVzdHMtb25seS0zMg=="
_PATIENCE_S = 10.0


@dataclass(frozen=True, slots=True)
class Primary:
    """A running primary of ``ZONE``; ``zone_file`` is what it serves."""

    address: str
    port: int
    zone_file: Path
    command: tuple[str, ...] = field(default=())
    pid: int = 0

    @property
    def location(self) -> str:
        """As a list's location."""
        return f"rpz://{self.address}:{self.port}/{ZONE}"

    def publish(self, text: str) -> None:
        """Replaces the zone file and lets the server load it."""
        beside = self.zone_file.with_suffix(".new")
        beside.write_text(text)
        # Servers compare modification times, some in whole seconds.
        later = int(time.time()) + _Later.next()
        os.utime(beside, (later, later))
        beside.replace(self.zone_file)
        if self.command:
            done = subprocess.run(self.command, capture_output=True, timeout=_PATIENCE_S)
            assert done.returncode == 0, (done.stdout + done.stderr).decode()
        else:
            os.kill(self.pid, signal.SIGHUP)


class _Later:
    """Seconds that grow with each call."""

    _count = 0

    @classmethod
    def next(cls) -> int:
        cls._count += 2
        return cls._count


def zone_text(serial: int, names: Sequence[str], *, target: str = ".", refresh_s: int = 3600, more: str = "") -> str:
    """A response policy zone of names, each with its wildcard; ``more``: further lines."""
    lines = [
        "$TTL 300",
        f"$ORIGIN {ZONE}.",
        f"@ SOA localhost. root.localhost. {serial} {refresh_s} 600 86400 60",
        "@ NS localhost.",
    ]
    for name in names:
        lines += [f"{name} CNAME {target}", f"*.{name} CNAME {target}"]
    return "\n".join([*lines, more]) + "\n"


@contextmanager
def nsd(directory: Path, text: str, *, tsig: bool = False, notify: str = "", extra: str = "") -> Iterator[Primary]:
    """NSD. It keeps IXFRs of what it got itself only, so that it answers an IXFR with the whole zone."""
    program = need_program("nsd")
    port = free_port("127.0.0.1")
    zone_file = directory / "zone"
    zone_file.write_text(text)
    key = KEY_NAME if tsig else "NOKEY"
    conf = f"""
server:
  ip-address: 127.0.0.1@{port}
  server-count: 1
  username: ""
  chroot: ""
  zonesdir: "{directory}"
  pidfile: "{directory}/nsd.pid"
  xfrdir: "{directory}"
  zonelistfile: "{directory}/zone.list"
  xfrdfile: "{directory}/xfrd.state"
  cookie-secret-file: "{directory}/cookies"
  database: ""
  rrl-ratelimit: 0
remote-control:
  control-enable: no
key:
  name: "{KEY_NAME}"
  algorithm: hmac-sha256
  secret: "{SECRET}"
zone:
  name: "{ZONE}"
  zonefile: "zone"
  provide-xfr: 127.0.0.1 {key}
  {f"notify: {notify} {key}" if notify else ""}
  {extra}
"""
    (directory / "nsd.conf").write_text(conf)
    with running([program, "-d", "-c", str(directory / "nsd.conf")], directory / "log", "127.0.0.1", port) as server:
        yield Primary("127.0.0.1", port, zone_file, (), server.pid)


@contextmanager
def knot(directory: Path, text: str, *, tsig: bool = False, notify: str = "") -> Iterator[Primary]:
    """Knot DNS. It makes IXFRs from the differences between zone files."""
    program = need_program("knotd")
    (directory / "db").mkdir()
    control = need_program("knotc")
    port = free_port("127.0.0.1")
    zone_file = directory / "zone"
    zone_file.write_text(text)
    key = f"\n    key: {KEY_NAME}" if tsig else ""
    address, _, notify_port = notify.partition("@")
    remote = f"remote:\n  - id: saring\n    address: {address}@{notify_port}{key}" if notify else ""
    conf = f"""
server:
  listen: 127.0.0.1@{port}
  rundir: "{directory}"
  user: "{_user()}"
  udp-workers: 1
  tcp-workers: 1
  background-workers: 1
database:
  storage: "{directory}/db"
log:
  - target: stderr
    any: info
key:
  - id: {KEY_NAME}
    algorithm: hmac-sha256
    secret: {SECRET}
{remote}
acl:
  - id: secondary
    address: 127.0.0.1{key}
    action: transfer
zone:
  - domain: {ZONE}
    storage: "{directory}"
    file: zone
    acl: secondary
    zonefile-load: difference
    zonefile-sync: -1
    journal-content: changes
    {"notify: saring" if notify else ""}
"""
    (directory / "knot.conf").write_text(conf)
    command = [program, "-c", str(directory / "knot.conf")]
    with running(command, directory / "log", "127.0.0.1", port) as server:
        reload = (control, "-c", str(directory / "knot.conf"), "-b", "zone-reload", ZONE)
        yield Primary("127.0.0.1", port, zone_file, reload, server.pid)


@contextmanager
def bind(directory: Path, text: str, *, tsig: bool = False, notify: str = "") -> Iterator[Primary]:
    """BIND. It makes IXFRs from the differences between zone files (``ixfr-from-differences``)."""
    program = need_program("named")
    control = need_program("rndc")
    port, control_port = free_port("127.0.0.1"), free_port("127.0.0.1")
    zone_file = directory / "zone"
    zone_file.write_text(text)
    allow = f"key {KEY_NAME}" if tsig else "127.0.0.1"
    address, _, notify_port = notify.partition("@")
    key = f" key {KEY_NAME}" if tsig else ""
    also = f"also-notify {{ {address} port {notify_port}{key}; }}; notify explicit;" if notify else "notify no;"
    keys = "\n".join(f'key {name} {{ algorithm hmac-sha256; secret "{SECRET}"; }};' for name in (KEY_NAME, "rndc-key"))
    conf = f"""
{keys}
controls {{ inet 127.0.0.1 port {control_port} allow {{ 127.0.0.1; }} keys {{ rndc-key; }}; }};
options {{
  directory "{directory}";
  pid-file "{directory}/named.pid";
  session-keyfile "{directory}/session.key";
  managed-keys-directory "{directory}";
  listen-on port {port} {{ 127.0.0.1; }};
  listen-on-v6 {{ none; }};
  recursion no;
  dnssec-validation no;
  empty-zones-enable no;
  check-names master ignore;
}};
zone "{ZONE}" {{
  type master;
  file "{zone_file}";
  allow-transfer {{ {allow}; }};
  ixfr-from-differences yes;
  {also}
}};
"""
    (directory / "named.conf").write_text(conf)
    rndc = directory / "rndc.conf"
    rndc.write_text(
        f'key rndc-key {{ algorithm hmac-sha256; secret "{SECRET}"; }};\n'
        f"options {{ default-key rndc-key; default-server 127.0.0.1; default-port {control_port}; }};\n"
    )
    command = [program, "-g", "-n", "1", "-c", str(directory / "named.conf")]
    with running(command, directory / "log", "127.0.0.1", port) as server:
        reload = (control, "-c", str(rndc), "reload", ZONE)
        yield Primary("127.0.0.1", port, zone_file, reload, server.pid)


def _user() -> str:
    import pwd

    return pwd.getpwuid(os.getuid()).pw_name


def until(true: Callable[[], bool], what: str, patience_s: float = _PATIENCE_S) -> None:
    """Waits until a server's own work, which nothing announces, has come so far."""
    deadline_s = time.monotonic() + patience_s
    while not true():
        if time.monotonic() > deadline_s:
            raise AssertionError(f"after {patience_s:g} s still not: {what}")
        time.sleep(0.02)
