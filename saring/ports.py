"""Who has a port: for the message that a person gets when it is taken (Linux ``/proc``)."""

from __future__ import annotations

import socket
from dataclasses import dataclass
from pathlib import Path

_TABLES = {socket.SOCK_DGRAM: ("udp", "udp6"), socket.SOCK_STREAM: ("tcp", "tcp6")}
_TCP_LISTEN = "0A"


@dataclass(frozen=True, slots=True)
class Holder:
    """A process with a socket on the port. Those of other users show only as such: ``pid`` 0."""

    pid: int
    command: str

    def __str__(self) -> str:
        return f"process {self.pid} ({self.command})" if self.pid else "a process of another user"


def holder_of(port: int, kind: socket.SocketKind, proc: Path = Path("/proc")) -> Holder | None:
    """The process that has ``port``, or ``None`` where nothing shows."""
    inodes = _inodes(port, kind, proc)
    if not inodes:
        return None
    for directory in proc.iterdir():
        if directory.name.isdecimal() and _owns(directory, inodes):
            return Holder(int(directory.name), _command(directory))
    return Holder(0, "")


def _inodes(port: int, kind: socket.SocketKind, proc: Path) -> set[str]:
    found = set()
    for table in _TABLES[kind]:
        try:
            lines = (proc / "net" / table).read_text(encoding="ascii").splitlines()[1:]
        except OSError:
            continue
        for line in lines:
            fields = line.split()
            if kind == socket.SOCK_STREAM and fields[3] != _TCP_LISTEN:
                continue
            if int(fields[1].rpartition(":")[2], 16) == port:
                found.add(f"socket:[{fields[9]}]")
    return found


def _owns(directory: Path, inodes: set[str]) -> bool:
    try:
        return any(str(entry.readlink()) in inodes for entry in (directory / "fd").iterdir())
    except OSError:
        return False


def _command(directory: Path) -> str:
    try:
        words = (directory / "cmdline").read_bytes().decode("utf-8", "replace").split("\0")
    except OSError:
        return "?"
    return " ".join(words).strip()[:120] or "?"
