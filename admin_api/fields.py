"""The kinds of value that people enter, each with its bounds, shared by the HTTP schemas and the import document.

A value is stored as its canonical text (names in lower-case A-labels without trailing dot, networks as canonical
CIDR), so that two spellings of one thing collide in the database instead of living side by side.
"""

from __future__ import annotations

import datetime
import ipaddress
import re
import urllib.parse
import zoneinfo
from typing import Annotated, Literal, TypeVar

from pydantic import AfterValidator, BeforeValidator, Field, StringConstraints, WithJsonSchema

from blocklists.source import MAX_LANDING, MAX_MEMBER, why_no_member
from blocklists.transfer.primary import is_zone, parse_primary
from dnswire import name as dns
from policy.model import Identification

ValueT = TypeVar("ValueT", str, int)

# Control characters are refused everywhere: PostgreSQL cannot store NUL, and the rest forge log lines and terminals.
PRINTABLE = r"^[^\x00-\x1f\x7f-\x9f\u2028\u2029]*$"
CODE = r"^[a-z0-9]([a-z0-9_-]{0,38}[a-z0-9])?$"
BASE64 = r"^[A-Za-z0-9+/]*={0,2}$"
CLOCK = r"^(([01][0-9]|2[0-3]):[0-5][0-9]|24:00)$"
MAX_ID = 2**31 - 1

MAX_SERVICE_NAMES = 5000
MAX_WINDOWS = 100
MAX_PERIODS = 50
MAX_FORWARDED_AGENCIES = 500
MAX_ADMIN_NETWORKS = 100
MAX_EXCEPTION_DAYS = 1096
MAX_PAUSE_MINUTES = 480
DEFAULT_LIST_SIZE_BYTES = 2**31  # as blocklists.source.Source
DEFAULT_SHRINK_LIMIT = 0.3

EARLIEST = datetime.datetime(1970, 1, 1, tzinfo=datetime.UTC)
LATEST = datetime.datetime(2200, 1, 1, tzinfo=datetime.UTC)

Code = Annotated[str, StringConstraints(pattern=CODE, max_length=40)]
Title = Annotated[str, StringConstraints(pattern=PRINTABLE, min_length=1, max_length=200)]
Note = Annotated[str, StringConstraints(pattern=PRINTABLE, max_length=1000)]
Short = Annotated[str, StringConstraints(pattern=PRINTABLE, max_length=200)]
Day = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
DAYS: tuple[Day, ...] = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


def canonical_name(text: str) -> str:
    """A DNS name as text in its one canonical spelling. Raises ValueError saying what is wrong with it."""
    name = dns.to_text(dns.lower(dns.from_text(text)))
    if name == ".":
        raise ValueError("the root is not a name that can be listed; give at least one label")
    return name


def canonical_cidr(text: str) -> str:
    """An address range as canonical CIDR; a bare address is the range of itself. Raises ValueError with the way out."""
    if "%" in text:
        raise ValueError("an address range has no interface zone; leave out the part from % on")
    try:
        network = ipaddress.ip_network(text.strip(), strict=False)
    except ValueError:
        raise ValueError("not an address range; write for example 10.20.0.0/16 or 2001:db8::/48") from None
    if str(network.network_address) != text.strip().split("/")[0].lower() and "/" in text:
        written = ipaddress.ip_address(text.strip().split("/")[0])
        if written != network.network_address:
            raise ValueError(f"has bits set below its prefix length; the range that holds it is {network}")
    if isinstance(network, ipaddress.IPv6Network) and network.network_address.ipv4_mapped is not None:
        raise ValueError("is an IPv4-mapped range; write it as IPv4")
    return str(network)


def device_value(kind: Identification, text: str) -> str:
    """What a forwarder calls a client, in its one canonical spelling. Raises ValueError."""
    if kind is Identification.CLIENT_SUBNET:
        raise ValueError("a client subnet names an address: enter it as a network")
    if kind is Identification.CPE_ID:
        return text
    plain = re.sub(r"[:.-]", "", text).lower()
    if not re.fullmatch("[0-9a-f]{12}", plain):
        raise ValueError("not a MAC address; write it as aa:bb:cc:dd:ee:ff")
    return ":".join(plain[start : start + 2] for start in range(0, 12, 2))


def digits(value: object) -> object:
    """A query or path parameter that is a whole number, in its one spelling. Raises ValueError for any other."""
    # int() also takes "1_0", " 1" and digits of other scripts.
    if isinstance(value, str) and not (value.isascii() and value.isdigit() and len(value) <= 18):
        raise ValueError("not a whole number in decimal digits")
    return value


def distinct(values: list[ValueT]) -> list[ValueT]:
    """The values, none of which may be there twice. Raises ValueError naming one that is."""
    seen: set[ValueT] = set()
    for value in values:
        if value in seen:
            raise ValueError(f"holds {value} twice")
        seen.add(value)
    return values


def known_zone(text: str) -> str:
    """The name of a time zone that this machine knows. Raises ValueError."""
    if text not in zoneinfo.available_timezones():
        raise ValueError("not a time zone; write for example Asia/Jakarta")
    return text


def iso_date(value: object) -> object:
    """A TOML date or ISO text as ISO text ``YYYY-MM-DD``. Raises ValueError."""
    if isinstance(value, datetime.date) and not isinstance(value, datetime.datetime):
        return value.isoformat()
    if not isinstance(value, str):
        raise ValueError("not a date; write it as YYYY-MM-DD")
    if not re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", value):
        raise ValueError("not a date; write it as YYYY-MM-DD")
    try:
        return datetime.date.fromisoformat(value).isoformat()
    except ValueError:
        raise ValueError("no such day in the calendar; write it as YYYY-MM-DD") from None


def bounded_instant(value: datetime.datetime) -> datetime.datetime:
    """An instant between 1970 and 2200, which every database and the resolver can hold. Raises ValueError."""
    if not EARLIEST <= value <= LATEST:
        raise ValueError("must lie between 1970 and 2200")
    return value


def bounded_moment(value: datetime.datetime) -> datetime.datetime:
    """As ``bounded_instant``, for times that may lack their offset (a zone known elsewhere fills it in)."""
    bounded_instant(value if value.tzinfo else value.replace(tzinfo=datetime.UTC))
    return value


def clock_minutes(text: str) -> int:
    """Minutes after midnight of a time of day ``HH:MM``; ``24:00`` is the end of the day."""
    return int(text[:2]) * 60 + int(text[3:])


def clock_text(minutes: int) -> str:
    """The time of day of a number of minutes after midnight."""
    return f"{minutes // 60:02d}:{minutes % 60:02d}"


def list_member(text: str) -> str:
    """A path inside of a folder or archive, or nothing. Raises ValueError for any other."""
    why = why_no_member(text) if text else ""
    if why:
        raise ValueError(f"must be {why}")
    return text


def name_or_address(text: str) -> str:
    """A DNS name or an IP address, in its canonical spelling. Raises ValueError for neither."""
    try:
        return str(ipaddress.ip_address(text))
    except ValueError:
        return canonical_name(text)


def key_name(text: str) -> str:
    """A TSIG key's name in its one canonical spelling, or nothing. Raises ValueError."""
    return canonical_name(text) if text else ""


def list_location(text: str) -> str:
    """A blocklist's URL (of a file, or of a zone to transfer) or path.

    Raises ValueError for URLs of other kinds, or with a password in them.
    """
    if "://" not in text:
        return text
    try:
        parts = urllib.parse.urlsplit(text)
        port_is_sound = parts.port != 0
    except ValueError as error:
        raise ValueError(f"not a URL: {error}") from None
    if parts.scheme == "file":
        return text
    if is_zone(text):
        parse_primary(text)
        return text
    if parts.scheme not in ("http", "https"):
        raise ValueError("must be an http, https, file or rpz URL, or a path")
    if not parts.hostname or not port_is_sound:
        raise ValueError("the URL names no host")
    if parts.username is not None or parts.password is not None:
        # The location is shown to everybody who may read lists, and is written to logs.
        raise ValueError("the URL must not hold a user or password")
    return text


DnsName = Annotated[str, StringConstraints(min_length=1, max_length=1004), AfterValidator(canonical_name)]
NameOrAddress = Annotated[str, StringConstraints(min_length=1, max_length=1004), AfterValidator(name_or_address)]
Cidr = Annotated[str, StringConstraints(min_length=2, max_length=50), AfterValidator(canonical_cidr)]
Cidrs = Annotated[list[Cidr], AfterValidator(distinct)]
Zone = Annotated[str, StringConstraints(min_length=1, max_length=64), AfterValidator(known_zone)]
Location = Annotated[
    str, StringConstraints(pattern=PRINTABLE, min_length=1, max_length=2000), AfterValidator(list_location)
]
Clock = Annotated[str, StringConstraints(pattern=CLOCK)]
IsoDate = Annotated[
    str,
    BeforeValidator(iso_date),
    WithJsonSchema({"type": "string", "format": "date", "pattern": "^[0-9]{4}-[0-9]{2}-[0-9]{2}$"}),
]

# As ``blocklists.source.FORMAT_NAMES``; a test holds them together.
ListFormat = Literal["auto", "plain", "hosts", "wildcard", "dnsmasq", "unbound", "adblock", "rpz", "ut1", "addresses"]
ListMember = Annotated[str, StringConstraints(max_length=MAX_MEMBER), AfterValidator(list_member)]
Sha256 = Annotated[str, StringConstraints(pattern="^([0-9a-f]{64})?$")]
Landing = Annotated[
    list[Annotated[str, StringConstraints(min_length=1, max_length=253), AfterValidator(name_or_address)]],
    AfterValidator(distinct),
    Field(max_length=MAX_LANDING),
]
TsigName = Annotated[str, StringConstraints(max_length=1004), AfterValidator(key_name)]
# As ``blocklists.transfer.tsig.ALGORITHMS``; a test holds them together.
TsigAlgorithm = Literal["hmac-sha256", "hmac-sha384", "hmac-sha512", "hmac-sha224", "hmac-sha1"]
TsigSecret = Annotated[str, StringConstraints(pattern=BASE64, max_length=200)]
SecretFile = Annotated[str, StringConstraints(pattern=PRINTABLE, max_length=2000)]
SECRET_FIELDS = frozenset({"tsig_secret"})
"""Fields whose values are never repeated, not even in a refusal."""
ListSize = Annotated[int, Field(ge=1024, le=2**34)]
EntryCount = Annotated[int, Field(ge=0, le=10**9)]
Share = Annotated[float, Field(ge=0, le=1)]
MaxAge = Annotated[int, Field(ge=3_600, le=366 * 86_400)]
