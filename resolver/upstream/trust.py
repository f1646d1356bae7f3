"""From settings to whom each server of a group must prove to be. Certificates are read once for all of them."""

from __future__ import annotations

import ssl
from typing import Final

from resolver.settings import ServerGroup, UpstreamServer
from resolver.upstream.tls import Identity, context

_HTTP2: Final = "h2"  # its name in ALPN (RFC 9113 3.3)


def identities(group: ServerGroup) -> list[Identity | None]:
    """One for each encrypted server, None for each plain one.

    Raises ``ValueError`` for a server that could be anybody, or a file of certificates that cannot be read.
    """
    contexts: dict[tuple[bool, str], ssl.SSLContext] = {}
    return [_identity(server, group.ca_file, contexts) for server in group.servers]


def _identity(
    server: UpstreamServer, ca_file: str, contexts: dict[tuple[bool, str], ssl.SSLContext]
) -> Identity | None:
    if server.transport == "plain":
        return None
    if server.transport not in ("tls", "https"):
        raise ValueError(f"upstream {server.address}: no such transport as {server.transport!r}")
    if not server.name and not server.pins:
        raise ValueError(f"upstream {server.address}: neither a name nor a pin to know it by")
    protocol = _HTTP2 if server.transport == "https" else ""
    verified = bool(server.name)
    found = contexts.get((verified, protocol))
    if found is None:
        try:
            found = contexts[verified, protocol] = context(ca_file, verified, protocol)
        except (OSError, ssl.SSLError) as error:
            raise ValueError(f"the certificates in {ca_file} cannot be read: {error}") from None
    return Identity(found, server.name, frozenset(server.pins), protocol)
