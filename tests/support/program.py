"""A whole Saring on free loopback ports: started, waited for, asked, stopped. For the end-to-end tests."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from dnslib import DNSRecord

from tests.support.ports import free_port

ROOT = Path(__file__).resolve().parents[2]
SAMPLE = ROOT / "examples" / "muba" / "regency.toml"
START_S = 120.0
STOP_S = 40.0
QUERY_S = 3.0

Value = TypeVar("Value")


def wait_for(look: Callable[[], Value], within_s: float, what: str) -> Value:
    """The first true value of ``look``, polled; fails the test where there is none in time."""
    deadline_s = time.monotonic() + within_s
    while True:
        value = look()
        if value:
            return value
        assert time.monotonic() < deadline_s, f"{what}: not within {within_s} s"
        time.sleep(0.05)


@dataclass
class Program:
    """A running ``saring serve``."""

    process: subprocess.Popen[bytes]
    directory: Path
    dns_port: int
    api_port: int
    environ: Mapping[str, str]
    started_s: float = field(default_factory=time.monotonic)

    @property
    def state_dir(self) -> Path:
        """Its state directory."""
        return self.directory / "var"

    @property
    def stdout(self) -> str:
        """What it told the person who started it, so far."""
        return (self.directory / "stdout").read_text(encoding="utf-8")

    @property
    def stderr(self) -> str:
        """Its log, so far."""
        return (self.directory / "stderr").read_text(encoding="utf-8")

    def supervisor(self) -> dict[str, Any]:
        """``run/supervisor.json``; empty where it is not there."""
        try:
            value = json.loads((self.state_dir / "run" / "supervisor.json").read_bytes())
        except (OSError, ValueError):
            return {}
        return dict(value)

    def pid_of(self, name: str) -> int:
        """Process id of a child; 0 where it does not run."""
        return next((int(one["pid"]) for one in self.supervisor().get("children", []) if one["name"] == name), 0)

    def query(
        self, name: str, rrtype: str = "A", source: str = "127.0.0.1", within_s: float = QUERY_S
    ) -> DNSRecord | None:
        """The answer to one query over UDP from ``source``; ``None`` where none came in time."""
        question = DNSRecord.question(name, rrtype)
        with socket.socket(type=socket.SOCK_DGRAM) as one:
            one.bind((source, 0))
            one.settimeout(within_s)
            one.connect(("127.0.0.1", self.dns_port))
            try:
                one.send(question.pack())
                answer = DNSRecord.parse(one.recv(65_535))
            except OSError:
                return None
        assert answer.header.id == question.header.id
        return answer

    def request(
        self, path: str, token: str = "", body: Any = None, method: str = "", headers: Mapping[str, str] | None = None
    ) -> tuple[int, Any]:
        """Status and JSON (or text) of a request to the API."""
        data = json.dumps(body).encode() if body is not None else None
        request = urllib.request.Request(
            f"http://127.0.0.1:{self.api_port}{path}", data, method=method or ("POST" if body is not None else "GET")
        )
        for key, value in {**(headers or {}), "Content-Type": "application/json"}.items():
            request.add_header(key, value)
        if token:
            request.add_header("Authorization", f"Bearer {token}")
        try:
            with urllib.request.urlopen(request, timeout=10) as response:
                return response.status, _decoded(response.read())
        except urllib.error.HTTPError as error:
            with error:
                return error.code, _decoded(error.read())

    def saring(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Runs another ``saring`` command on the same state."""
        return subprocess.run(
            [sys.executable, "-m", "saring.cli", *arguments],
            env=dict(self.environ),
            cwd=self.directory,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    def stop(self, number: signal.Signals = signal.SIGTERM) -> int:
        """Stops it; the exit status. Everything it started must be gone in time."""
        self.process.send_signal(number)
        return self.process.wait(STOP_S)


def _decoded(data: bytes) -> Any:
    try:
        return json.loads(data)
    except ValueError:
        return data.decode("utf-8", "replace")


def environment(directory: Path, dns_port: int, api_port: int, **extra: str) -> dict[str, str]:
    """An environment that configures a whole instance: nothing of the machine's own configuration is read."""
    values = {key: value for key, value in os.environ.items() if not key.startswith("SARING_")}
    values |= {
        "PYTHONPATH": str(ROOT),
        "SARING_CONFIG": str(directory / "saring.toml"),
        "SARING_DNS__LISTEN": f"127.0.0.1:{dns_port}",
        "SARING_DNS__WORKERS": "2",
        "SARING_API__LISTEN": f"127.0.0.1:{api_port}",
        "SARING_STORAGE__STATE_DIR": str(directory / "var"),
        "SARING_LOG__FORMAT": "json",
        "SARING_LOG__LOAD_INTERVAL_S": "0.2",
        "SARING_BOOTSTRAP__DOCUMENT": str(SAMPLE),
        # Nobody listens there: what needs an upstream fails at once instead of leaving the machine.
        "SARING_UPSTREAM__SERVERS": "127.0.0.1:9",
    }
    if "SARING_INTERPRETED" in os.environ:
        values["SARING_INTERPRETED"] = os.environ["SARING_INTERPRETED"]
    return values | extra


def start(directory: Path, dns_port: int, api_port: int, **extra: str) -> Program:
    """Starts ``saring serve`` and returns at once."""
    (directory / "saring.toml").touch()
    environ = environment(directory, dns_port, api_port, **extra)
    with (directory / "stdout").open("wb") as stdout, (directory / "stderr").open("wb") as stderr:
        process = subprocess.Popen(
            [sys.executable, "-m", "saring.cli", "serve"], env=environ, cwd=directory, stdout=stdout, stderr=stderr
        )
    return Program(process, directory, dns_port, api_port, environ)


def wait_until_ready(program: Program, within_s: float = START_S) -> None:
    """Waits for the banner, which comes when DNS and API answer; shows the log where it does not come."""

    def ready() -> bool:
        assert program.process.poll() is None, f"saring serve ended:\n{program.stdout}\n{program.stderr}"
        return "Ctrl-C stops it." in program.stdout

    try:
        wait_for(ready, within_s, "the banner")
    except AssertionError as error:
        raise AssertionError(f"{error}\n{program.stdout}\n{program.stderr}") from error


@contextmanager
def running(directory: Path, **extra: str) -> Iterator[Program]:
    """A whole Saring that is ready; stopped at the end, killed where it does not stop."""
    program = start(directory, free_port(), free_port(), **extra)
    try:
        wait_until_ready(program)
        yield program
    finally:
        if program.process.poll() is None:
            program.process.send_signal(signal.SIGTERM)
            try:
                program.process.wait(STOP_S)
            except subprocess.TimeoutExpired:
                program.process.kill()
                program.process.wait()
