"""Taking off the wire what comes, whoever reads it and however slowly."""

from __future__ import annotations

import errno
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from blocklists.transfer.drain import Drain, DrainFailed


@pytest.fixture
def pair() -> Iterator[tuple[socket.socket, socket.socket]]:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        yield ours, theirs


def read_all(drain: Drain) -> bytes:
    found = b""
    while block := drain.recv(5):
        found += block
    return found


def test_the_sender_never_waits_for_the_reader(pair: tuple[socket.socket, socket.socket], tmp_path: Path) -> None:
    ours, theirs = pair
    drain = Drain(ours, tmp_path, idle_s=5, limit_bytes=1 << 30)
    content = bytes(range(256)) * 100_000
    # Far more than the socket's buffers hold: without somebody who receives it would wait, and give up.
    theirs.settimeout(5)
    theirs.sendall(content)
    theirs.shutdown(socket.SHUT_WR)
    assert read_all(drain) == content
    drain.close()
    assert list(tmp_path.iterdir()) == []


def test_silence_is_told_after_what_came(pair: tuple[socket.socket, socket.socket], tmp_path: Path) -> None:
    ours, theirs = pair
    drain = Drain(ours, tmp_path, idle_s=0.05, limit_bytes=1 << 20)
    theirs.sendall(b"half")
    assert drain.recv(5) == b"half"
    with pytest.raises(TimeoutError):
        drain.recv(5)
    drain.close()


def test_the_readers_patience_has_an_end_of_its_own(pair: tuple[socket.socket, socket.socket], tmp_path: Path) -> None:
    drain = Drain(pair[0], tmp_path, idle_s=30, limit_bytes=1 << 20)
    with pytest.raises(TimeoutError):
        drain.recv(0.01)
    drain.close()


def test_little_more_than_the_limit_is_taken(pair: tuple[socket.socket, socket.socket], tmp_path: Path) -> None:
    ours, theirs = pair
    drain = Drain(ours, tmp_path, idle_s=5, limit_bytes=1000)
    theirs.settimeout(0.2)
    with pytest.raises(TimeoutError):
        theirs.sendall(b"x" * 50_000_000)
    assert 1000 < len(read_all(drain)) < 2_000_000
    drain.close()


def test_a_full_disk_is_no_fault_of_the_primary(
    pair: tuple[socket.socket, socket.socket], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ours, theirs = pair
    drain = Drain(ours, tmp_path, idle_s=5, limit_bytes=1 << 20)

    class Full:
        def __init__(self, file: object) -> None:
            self.file = file

        def write(self, _block: object) -> int:
            raise OSError(errno.ENOSPC, "No space left on device")

        def close(self) -> None:
            self.file.close()  # type: ignore[attr-defined]  # the file that it stands for

    monkeypatch.setattr(drain, "_file", Full(drain._file))
    theirs.sendall(b"something")
    with pytest.raises(DrainFailed, match="No space left"):
        drain.recv(5)
    drain.close()
