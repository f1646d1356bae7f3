"""An address with a port, as people write it: ``10.1.1.1:53``, ``[2001:db8::1]:53``."""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass

_BRACKETED = re.compile(r"\[(?P<host>[^\]]+)\](:(?P<port>\d+))?")
_PLAIN = re.compile(r"(?P<host>[0-9.]+)(:(?P<port>\d+))?")


@dataclass(frozen=True, slots=True)
class Endpoint:
    """A literal address and a port. ``host`` is in its shortest form, an IPv6 scope (``%eth0``) included."""

    host: str
    port: int

    @property
    def is_ipv6(self) -> bool:
        """Whether the address is an IPv6 one."""
        return ":" in self.host

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if self.is_ipv6 else f"{self.host}:{self.port}"


def parse_endpoint(text: str, default_port: int | None) -> Endpoint:
    """``text`` as an endpoint; ``default_port`` where it names none (``None``: it must).

    Raises ``ValueError`` saying what is wrong. Host names are refused: what a name means can change or be lost, and
    the first thing that would have to resolve it is Saring itself.
    """
    stripped = text.strip()
    match = _BRACKETED.fullmatch(stripped) or _PLAIN.fullmatch(stripped)
    if match is None:
        return _bare_ipv6(stripped, default_port)
    host = _address(match["host"])
    if match["port"] is not None:
        return Endpoint(host, _port(match["port"]))
    if default_port is None:
        raise ValueError(f"no port in it; say for example {Endpoint(host, 53)}")
    return Endpoint(host, default_port)


def _bare_ipv6(text: str, default_port: int | None) -> Endpoint:
    host = _address(text)
    if default_port is None:
        raise ValueError(f"no port in it; say for example {Endpoint(host, 53)}")
    return Endpoint(host, default_port)


def _address(text: str) -> str:
    try:
        return str(ipaddress.ip_address(text))
    except ValueError:
        raise ValueError(f"{text!r} is not an IPv4 or IPv6 address") from None


def _port(text: str) -> int:
    port = int(text) if len(text) <= 5 else 65_536
    if not 1 <= port <= 65_535:
        raise ValueError(f"{text} is not a port (1 to 65535)")
    return port
