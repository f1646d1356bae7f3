"""The system's own resolvers, for ``upstream.servers = ["system"]``."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable
from pathlib import Path

from saring.endpoint import Endpoint
from saring.upstream_address import SecureServer

RESOLV_CONF = Path("/etc/resolv.conf")
# systemd-resolved writes only its own stub into resolv.conf; the servers behind it are here.
BEHIND_STUB = Path("/run/systemd/resolve/resolv.conf")
STUB = "127.0.0.53"


class NoUpstreamError(Exception):
    """There is nobody to ask; the text says what was looked at and what to do."""


def name_servers(text: str) -> list[str]:
    """Addresses of the ``nameserver`` lines, in order, without repetition; what is no address is left out."""
    found: list[str] = []
    for line in text.splitlines():
        words = line.split()
        if len(words) < 2 or words[0] != "nameserver":
            continue
        try:
            address = str(ipaddress.ip_address(words[1]))
        except ValueError:
            continue
        if address not in found:
            found.append(address)
    return found


def resolve_upstreams(
    configured: Iterable[Endpoint | SecureServer | str],
    own: Iterable[Endpoint],
    resolv_conf: Path = RESOLV_CONF,
    behind_stub: Path = BEHIND_STUB,
) -> tuple[Endpoint | SecureServer, ...]:
    """The servers to ask, ``"system"`` replaced by the system's. Never an address of our own.

    Raises ``NoUpstreamError`` where nothing is left.
    """
    ours = _OwnAddresses(own)
    found: list[Endpoint | SecureServer] = []
    for entry in configured:
        if isinstance(entry, SecureServer):
            found += [entry] if entry not in found else []
            continue
        servers = [entry] if isinstance(entry, Endpoint) else _system(resolv_conf, behind_stub)
        found += [server for server in servers if server not in found and server not in ours]
    if not found:
        raise NoUpstreamError(
            f"no upstream server: {resolv_conf} names none other than Saring itself. "
            'Name them in saring.toml, for example [upstream] servers = ["10.1.1.1"].'
        )
    return tuple(found)


def _system(resolv_conf: Path, behind_stub: Path) -> list[Endpoint]:
    addresses = name_servers(_read(resolv_conf))
    if addresses == [STUB]:
        addresses = name_servers(_read(behind_stub)) or addresses
    return [Endpoint(address, 53) for address in addresses]


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""


class _OwnAddresses:
    """Whether a server is ourselves: an address we listen on, or any loopback one where we listen on all."""

    def __init__(self, own: Iterable[Endpoint]) -> None:
        self._exact = set(own)
        self._wildcard_ports = {one.port for one in self._exact if ipaddress.ip_address(one.host).is_unspecified}

    def __contains__(self, server: Endpoint) -> bool:
        if server in self._exact:
            return True
        address = ipaddress.ip_address(server.host)
        return server.port in self._wildcard_ports and (address.is_loopback or address.is_unspecified)
