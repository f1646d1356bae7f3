"""What systemd is told and what it hands over: sd_notify(3), sd_listen_fds(3), the watchdog.

Both protocols are a few lines of text over what every process has; the library for them needs a compiler.
"""

from __future__ import annotations

import contextlib
import socket
import time
from collections.abc import Mapping
from typing import Final

_FIRST_FD: Final = 3


class Notifier:
    """Tells the service manager how it is. Silent where there is none (``NOTIFY_SOCKET`` is not set)."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        address = environ.get("NOTIFY_SOCKET", "")
        # An abstract socket's name begins with NUL, which no variable can hold.
        self._address = "\0" + address[1:] if address.startswith("@") else address

    def ready(self, status: str) -> None:
        """Started, or done with reloading."""
        self._send(f"READY=1\nSTATUS={status}")

    def reloading(self) -> None:
        """Reading the configuration again, or becoming a newer version: ``ready`` follows."""
        microseconds = time.clock_gettime_ns(time.CLOCK_MONOTONIC) // 1000
        self._send(f"RELOADING=1\nMONOTONIC_USEC={microseconds}")

    def stopping(self) -> None:
        """On the way out."""
        self._send("STOPPING=1")

    def alive(self) -> None:
        """The watchdog may wait another round."""
        self._send("WATCHDOG=1")

    def _send(self, message: str) -> None:
        if not self._address:
            return
        # A manager that does not listen is no reason to stop answering DNS.
        with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as one:
            one.sendto(message.encode(), self._address)


def watchdog_s(environ: Mapping[str, str], pid: int) -> float:
    """After how many seconds without ``Notifier.alive`` we are taken for dead; 0: never."""
    text = environ.get("WATCHDOG_USEC", "")
    if environ.get("WATCHDOG_PID", str(pid)) != str(pid) or not (text.isascii() and text.isdigit()):
        return 0.0
    return int(text) / 1_000_000


def listening_fds(environ: Mapping[str, str], pid: int) -> tuple[int, ...]:
    """The sockets that the service manager bound for us; none where it bound none, or for another process."""
    count = environ.get("LISTEN_FDS", "")
    if environ.get("LISTEN_PID") != str(pid) or not (count.isascii() and count.isdigit()):
        return ()
    return tuple(range(_FIRST_FD, _FIRST_FD + int(count)))
