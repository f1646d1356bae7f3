"""Where a zone is transferred from: ``rpz://address[:port]/zone.name``."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

from dnswire.errors import NameSyntaxError
from dnswire.name import from_text, to_text

SCHEME: Final = "rpz"
_DNS_PORT: Final = 53
_FORM: Final = (
    "write rpz://address[:port]/zone.name, such as rpz://10.0.0.5/rpz.example or rpz://[2001:db8::5]:5353/rpz"
)


@dataclass(frozen=True, slots=True)
class Primary:
    """A zone and the server that has it. ``host`` is a name or a numeric address, ``zone`` a wire name, lower case."""

    host: str
    port: int
    zone: bytes

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{SCHEME}://{host}:{self.port}/{to_text(self.zone)}"


def is_zone(location: str) -> bool:
    """Whether a list's location is that of a zone to transfer."""
    return location[:6].lower() == f"{SCHEME}://"


def parse_primary(location: str) -> Primary:
    """The primary of a location. Raises ``ValueError`` saying what would be right."""
    if not is_zone(location):
        raise ValueError(f"{location!r} is no zone's location: {_FORM}")
    try:
        parts = urlsplit(location)
        port = parts.port
    except ValueError as error:
        raise ValueError(f"{location!r}: {error}; {_FORM}") from error
    if parts.username is not None or parts.query or parts.fragment:
        # A key in the location would be shown wherever the location is.
        raise ValueError(f"a zone's location has host, port and zone only; a TSIG key has fields of its own; {_FORM}")
    text = parts.path.removeprefix("/")
    if not text.strip("."):
        raise ValueError(f"{location!r} names no zone; {_FORM}")
    if not parts.hostname or port == 0:
        raise ValueError(f"{location!r} names no primary or port 0; {_FORM}")
    try:
        zone = from_text(text).lower()
    except NameSyntaxError as error:
        raise ValueError(f"{location!r}: {error}; {_FORM}") from error
    return Primary(parts.hostname, port or _DNS_PORT, zone)
