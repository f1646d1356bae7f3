"""An upstream server as people write it: an address for plain DNS, a URL for an encrypted one.

    10.1.1.1    10.1.1.1:5353    [2001:db8::1]:53       UDP and TCP
    tls://9.9.9.9#dns.quad9.net                         DNS over TLS (RFC 7858): address and the name it must prove
    https://9.9.9.9/dns-query#dns.quad9.net             DNS over HTTPS (RFC 8484)
    {url = "https://dns.example/dns-query", addresses = ["192.0.2.1", "2001:db8::1"], pins = ["sha256/..."]}

A name is never looked up: it is what the server's certificate must be for, and the address to reach it is written
beside it. Who can answer in clear text where the encrypted server is could otherwise say that it is himself.
"""

from __future__ import annotations

import base64
import binascii
import ipaddress
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from dnswire import name as dns
from saring.endpoint import Endpoint, parse_endpoint

_PORTS: Final = {"tls": 853, "https": 443}
_DEFAULT_PATH: Final = "/dns-query"
_URL: Final = re.compile(
    r"(?P<transport>[a-z0-9+.-]+)://(?P<host>\[[^\]]*\]|[^\[\]:/?#]*)(:(?P<port>\d{1,5}))?(?P<path>/[^#]*)?(#(?P<name>.*))?"
)
_PATH: Final = re.compile(r"/[A-Za-z0-9._~!$&'()*+,;=:@%/-]*")
_DIGEST_SIZE: Final = 32
_MAX_ADDRESSES: Final = 8
_MAX_PINS: Final = 8
_EXAMPLES: Final = 'such as "tls://9.9.9.9#dns.quad9.net" or "https://9.9.9.9/dns-query#dns.quad9.net"'


@dataclass(frozen=True, slots=True)
class SecureServer:
    """An encrypted upstream. ``transport``: "tls" or "https". ``name``: what its certificate must be for ("" with
    ``pins``: any name). ``path``: of https. ``pins``: base64 of SHA-256 of public keys, one of which must be its own.
    """

    transport: str
    addresses: tuple[str, ...]
    port: int
    name: str
    path: str = ""
    pins: tuple[str, ...] = ()

    def plain(self) -> str | dict[str, Any]:
        """As it would be written in the file."""
        if len(self.addresses) > 1:
            port = f":{self.port}" if self.port != _PORTS[self.transport] else ""
            url = f"{self.transport}://{self.name}{port}{self.path}"
            return {"url": url, "addresses": list(self.addresses), "pins": list(self.pins)}
        return {"url": str(self), "pins": list(self.pins)} if self.pins else str(self)

    def __str__(self) -> str:
        name = f"#{self.name}" if self.name and self.name not in self.addresses else ""
        port = f":{self.port}" if self.port != _PORTS[self.transport] else ""
        return f"{self.transport}://{_bracketed(self.addresses[0])}{port}{self.path}{name}"


def parse_upstream(value: Any) -> Endpoint | SecureServer:
    """An upstream as written in the file. Raises ``ValueError`` saying what is wrong."""
    if isinstance(value, str):
        return _from_url(value.strip()) if "://" in value else parse_endpoint(value, default_port=53)
    if isinstance(value, Mapping):
        return _from_table(value)
    raise ValueError("neither a text nor a table")


def _from_url(text: str) -> SecureServer:
    server = _parsed(text)
    if not server.addresses:
        host = server.name
        raise ValueError(
            f"{host!r} would have to be looked up; say where it is: "
            f'{{url = "{text}", addresses = ["192.0.2.1"]}} with its addresses'
        )
    return server


def _from_table(table: Mapping[str, Any]) -> SecureServer:
    unknown = set(table) - {"url", "addresses", "pins"}
    if unknown:
        raise ValueError(f"no such key as {min(unknown)!r}; there are url, addresses, pins")
    url = table.get("url")
    if not isinstance(url, str):
        raise ValueError(f"no url; say for example url = {_EXAMPLES[8:36]}")
    if "://" not in url:
        raise ValueError("only encrypted servers are written as a table; write a plain one as a text")
    server = _parsed(url.strip())
    addresses = [_address(text) for text in _texts(table, "addresses", _MAX_ADDRESSES)]
    pins = tuple(_pin(text) for text in _texts(table, "pins", _MAX_PINS))
    if addresses and server.addresses:
        raise ValueError("an address in the url, and addresses beside it; keep one of them")
    if not addresses and not server.addresses:
        raise ValueError(f'no addresses; {server.name!r} would have to be looked up: add addresses = ["192.0.2.1"]')
    named = server.name
    if pins and server.addresses and named == server.addresses[0]:
        named = ""  # a bare address with pins: the key is all that counts (RFC 8310 8.2, RFC 7858 4.2)
    return replace(server, addresses=tuple(addresses) or server.addresses, name=named, pins=pins)


def _parsed(text: str) -> SecureServer:
    match = _URL.fullmatch(text)
    if match is None:
        raise ValueError(f"not a URL {_EXAMPLES}")
    transport = match["transport"]
    if transport not in _PORTS:
        raise ValueError(f"no such transport as {transport!r}; there are tls and https, and plain addresses")
    path = match["path"] or ""
    if transport == "tls" and path not in ("", "/"):
        raise ValueError("tls has no path")
    if transport == "https":
        path = path.removesuffix("{?dns}") or _DEFAULT_PATH  # the template of RFC 8484 3: queries are POSTed
        if not _PATH.fullmatch(path):
            raise ValueError(f"{path!r} is not a path of a URL")
    else:
        path = ""
    port = int(match["port"]) if match["port"] else _PORTS[transport]
    if not 1 <= port <= 65_535:
        raise ValueError(f"{port} is not a port (1 to 65535)")
    host = match["host"].removeprefix("[").removesuffix("]")
    try:
        address = str(ipaddress.ip_address(host))
    except ValueError:
        if match["name"] is not None:
            raise ValueError(f"a name behind #, and {host!r} is no address; keep one name") from None
        return SecureServer(transport, (), port, _name(host), path)
    return SecureServer(transport, (address,), port, _name(match["name"]) if match["name"] else address, path)


def _name(text: str) -> str:
    name = dns.to_text(dns.lower(dns.from_text(text)))
    if "." not in name or name == ".":
        raise ValueError(f"{text!r} is not a name that a certificate can be for")
    return name


def _address(text: str) -> str:
    try:
        return str(ipaddress.ip_address(text))
    except ValueError:
        raise ValueError(f"{text!r} in addresses is not an IPv4 or IPv6 address") from None


def _pin(text: str) -> str:
    encoded = text.removeprefix("sha256/")
    try:
        digest = base64.b64decode(encoded, validate=True)
    except (binascii.Error, ValueError):
        digest = b""
    if len(digest) != _DIGEST_SIZE:
        raise ValueError(f"{text!r} is not a pin: base64 of the SHA-256 of a public key, 44 characters")
    return encoded


def _texts(table: Mapping[str, Any], key: str, most: int) -> Sequence[str]:
    values = table.get(key, ())
    if not isinstance(values, list | tuple) or not all(isinstance(value, str) for value in values):
        raise ValueError(f"{key} is not a list of texts")
    if len(values) > most:
        raise ValueError(f"{len(values)} {key}, {most} are the most")
    return values


def _bracketed(host: str) -> str:
    return f"[{host}]" if ":" in host else host
