"""A real PostgreSQL server for tests: a throw-away cluster in a temporary directory, on its own unix socket only."""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import count
from pathlib import Path

import pytest

from tests.support.needs import missing

SERVER_OPTIONS = (
    "-c listen_addresses= -c fsync=off -c synchronous_commit=off -c full_page_writes=off -c max_connections=40"
)


@dataclass(frozen=True, slots=True)
class Cluster:
    """A running server; ``new_database`` makes a database, empty or a copy of another, and gives its URL."""

    binaries: Path
    directory: Path
    names: Iterator[int]

    def new_database(self, template: str = "template1") -> str:
        """The URL (for SQLAlchemy) of a new database."""
        name = f"saring_{next(self.names)}"
        run(self, "createdb", "-h", str(self.directory), "-U", "saring", "-T", template, name)
        return f"postgresql://saring@/{name}?host={self.directory}"


def find_binaries() -> Path:
    """The newest PostgreSQL server's programs; skips the test where there is none."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: int(path.parts[-3]))
    on_path = shutil.which("initdb")
    if found:
        return found[-1].parent
    if on_path:
        return Path(on_path).parent
    missing("no PostgreSQL server is installed (initdb not found)")
    raise AssertionError("unreachable")


def run(cluster: Cluster, program: str, *arguments: str) -> None:
    """Runs a program of PostgreSQL, as a user that it accepts: the server refuses to run as root."""
    command = [str(cluster.binaries / program), *arguments]
    if os.geteuid() == 0:
        command = ["runuser", "-u", "postgres", "--", *command]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False, cwd=cluster.directory)
    if done.returncode:
        raise RuntimeError(f"{program} failed: {done.stderr or done.stdout}")


@contextmanager
def running_cluster() -> Iterator[Cluster]:
    """A server that is stopped and removed at the end."""
    binaries = find_binaries()
    # Not pytest's directory: a socket's path may have only 107 octets, and the server's user must reach it.
    directory = Path(tempfile.mkdtemp(prefix="saring-pg-", dir="/tmp"))
    cluster = Cluster(binaries, directory, count(1))
    data = directory / "data"
    try:
        if os.geteuid() == 0:
            try:
                owner = pwd.getpwnam("postgres")
            except KeyError:
                missing("PostgreSQL cannot run as root, and there is no user postgres")
                raise AssertionError("unreachable") from None
            os.chown(directory, owner.pw_uid, owner.pw_gid)
        run(cluster, "initdb", "-D", str(data), "-U", "saring", "-A", "trust", "-E", "UTF8", "--locale=C", "-N")
        options = f"{SERVER_OPTIONS} -c unix_socket_directories={directory}"
        run(cluster, "pg_ctl", "-D", str(data), "-l", str(directory / "log"), "-w", "-o", options, "start")
        try:
            yield cluster
        finally:
            run(cluster, "pg_ctl", "-D", str(data), "-m", "immediate", "stop")
    finally:
        shutil.rmtree(directory, ignore_errors=True)


@pytest.fixture(scope="session")
def postgresql() -> Iterator[Cluster]:
    """A PostgreSQL server for the whole test session."""
    with running_cluster() as cluster:
        yield cluster
