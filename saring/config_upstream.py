"""The part of ``saring.toml`` about other servers and the network around: upstreams, rebinding, records of our own."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, Field, PlainSerializer, model_validator

from dnswire import rdata, rrtypes
from resolver.nat64 import nat64_offsets
from resolver.settings import RECORD_TYPES
from saring.config_section import Cidr, Name, Section
from saring.endpoint import Endpoint
from saring.reverse_zones import reverse_zones
from saring.upstream_address import SecureServer, parse_upstream

DEFAULT_GROUP = "default"

_CODE = re.compile(r"[a-z0-9]([a-z0-9_-]{0,30}[a-z0-9])?")

UpstreamEntry = Endpoint | SecureServer | Literal["system"]


def _upstream(value: Any) -> UpstreamEntry:
    if isinstance(value, Endpoint | SecureServer):
        return value
    return "system" if value == "system" else parse_upstream(value)


def _as_written(entry: UpstreamEntry) -> str | dict[str, Any]:
    return entry.plain() if isinstance(entry, SecureServer) else str(entry)


def _code(value: str) -> str:
    if not _CODE.fullmatch(value):
        raise ValueError("not a code: lower-case letters, digits, hyphens and underscores, at most 32")
    return value


def _group_name(value: str) -> str:
    if value == DEFAULT_GROUP:
        raise ValueError('the group of upstream.servers has the name "default" already')
    return _code(value)


def _nat64(value: str) -> str:
    prefix = ipaddress.ip_network(value, strict=True)
    nat64_offsets(prefix)
    return str(prefix)


def _reversible(value: str) -> str:
    if value:
        reverse_zones(value)
    return value


def _one_or_several(value: Any) -> Any:
    return (value,) if isinstance(value, str) else value


def mixes_clear_and_encrypted(servers: Iterable[UpstreamEntry]) -> bool:
    """Whether failing over from one of the servers to another could be a silent downgrade."""
    return len({isinstance(server, SecureServer) for server in servers}) > 1


MIXED = (
    "has plain servers beside encrypted ones: where the encrypted ones fail, queries would leave in clear text unseen; "
    "make two groups of them"
)

UpstreamAddress = Annotated[UpstreamEntry, BeforeValidator(_upstream), PlainSerializer(_as_written)]
Strategy = Literal["strict", "fastest", "race"]

_SERVERS = (
    'a list of servers such as ["10.1.1.1", "[2001:db8::1]:53"], ["tls://9.9.9.9#dns.quad9.net"], '
    '["https://9.9.9.9/dns-query#dns.quad9.net"], or ["system"] for those of /etc/resolv.conf'
)
_STRATEGY = (
    'one of "strict" (in the order given), "fastest" (by measured times, a second one where the first is late), '
    '"race" (several at once)'
)
_INTERNAL = "true or false (true: the servers know names of our own networks, private addresses are right in answers)"
_RACERS = "a whole number from 2 to 4 (strategy race: how many servers are asked at once)"
_HEDGE_SHARE = "a number from 0 to 0.5 (strategy fastest: of the queries, how many may go to a second server)"
_CA_FILE = 'the path of a PEM file with the certificates to trust ("" = those of the system)'


class GroupTable(Section):
    """``[[upstream.group]]``: servers that know the same. What it leaves out is as in ``[upstream]``."""

    name: Annotated[str, AfterValidator(_group_name)] = Field(description='a code such as "internal"')
    servers: tuple[UpstreamAddress, ...] = Field(description=_SERVERS, strict=False, min_length=1, max_length=16)
    strategy: Strategy | None = Field(default=None, description=_STRATEGY)
    internal: bool = Field(default=False, description=_INTERNAL)
    timeout_s: float | None = Field(default=None, ge=0.05, le=30, description="seconds from 0.05 to 30")
    deadline_s: float | None = Field(default=None, ge=0.1, le=60, description="seconds from 0.1 to 60")
    racers: int | None = Field(default=None, ge=2, le=4, description=_RACERS)
    hedge_share: float | None = Field(default=None, ge=0, le=0.5, description=_HEDGE_SHARE)
    ca_file: str | None = Field(default=None, description=_CA_FILE)

    @model_validator(mode="after")
    def _no_downgrade(self) -> GroupTable:
        if mixes_clear_and_encrypted(self.servers):
            raise ValueError(MIXED)
        return self


class RouteTable(Section):
    """``[[upstream.route]]``: which questions go to which group. At least one of suffix, network, agency is given."""

    group: Annotated[str, AfterValidator(_code)] = Field(
        description='the name of an [[upstream.group]], or "default" for upstream.servers'
    )
    suffix: Name | None = Field(
        default=None, description='a name such as "muba.go.id"; it and all names below it are routed'
    )
    network: Annotated[str, AfterValidator(_reversible)] = Field(
        default="", description='a network such as "10.20.0.0/16", whose reverse zone is routed ("" = none)'
    )
    agency: Annotated[str, AfterValidator(lambda value: _code(value) if value else value)] = Field(
        default="", description='the code of an agency, for whose clients alone the route holds ("" = for all)'
    )

    @model_validator(mode="after")
    def _leads_somewhere(self) -> RouteTable:
        if self.suffix is not None and self.network:
            raise ValueError("has a suffix and a network; make two routes of them")
        if self.suffix is None and not self.network and not self.agency:
            raise ValueError('does not say of what it is a route; add suffix = "muba.go.id", a network or an agency')
        return self

    @property
    def suffixes(self) -> tuple[str, ...]:
        """The names that are routed, with all below them."""
        if self.network:
            return reverse_zones(self.network)
        return (self.suffix if self.suffix is not None else ".",)


class UpstreamSection(Section):
    """Whom Saring asks what it does not know."""

    servers: tuple[UpstreamAddress, ...] = Field(
        default=("system",), description=_SERVERS, strict=False, min_length=1, max_length=16
    )
    strategy: Strategy = Field(default="strict", description=_STRATEGY)
    internal: bool = Field(default=False, description=_INTERNAL)
    timeout_s: float = Field(
        default=1.5, ge=0.05, le=30, description="seconds from 0.05 to 30 (for one try at one server)"
    )
    deadline_s: float = Field(
        default=4.0, ge=0.1, le=60, description="seconds from 0.1 to 60 (for all tries at one query)"
    )
    racers: int = Field(default=2, ge=2, le=4, description=_RACERS)
    hedge_share: float = Field(default=0.05, ge=0, le=0.5, description=_HEDGE_SHARE)
    ca_file: str = Field(default="", description=_CA_FILE)
    group: tuple[GroupTable, ...] = Field(
        default=(), description="tables [[upstream.group]] with a name and servers", strict=False, max_length=32
    )
    route: tuple[RouteTable, ...] = Field(
        default=(),
        description="tables [[upstream.route]] with a suffix (or network, or agency) and a group",
        strict=False,
        max_length=1_000,
    )


class RebindingSection(Section):
    """Private addresses in answers from outside are kept from clients."""

    enabled: bool = Field(default=True, description="true or false")
    allow: tuple[Name, ...] = Field(
        default=(),
        description='a list of names such as ["vpn.example"]; they and all names below may have private addresses',
        strict=False,
        max_length=10_000,
    )
    networks: tuple[Cidr, ...] = Field(
        default=(),
        description='a list of networks such as ["198.51.100.0/24"], without host bits, that count as private too',
        strict=False,
        max_length=1_000,
    )
    nat64_prefixes: tuple[Annotated[str, AfterValidator(_nat64)], ...] = Field(
        default=(),
        description='a list of NAT64 prefixes such as ["2001:db8:64::/96"], beside 64:ff9b::/96',
        strict=False,
        max_length=16,
    )


class RecordTable(Section):
    """``[[local.record]]``: one or several RRs of a name."""

    name: Name = Field(description='a name such as "portal.muba.go.id", or "*.apps.muba.go.id" for all below')
    type: Literal["A", "AAAA", "CNAME", "PTR", "TXT", "MX", "SRV"] = Field(
        description=f"one of {', '.join(RECORD_TYPES)}"
    )
    value: Annotated[tuple[str, ...], BeforeValidator(_one_or_several)] = Field(
        description='the data, such as "10.20.0.5" or ["10 mail.muba.go.id"]', strict=False, min_length=1, max_length=64
    )
    ttl_s: int | None = Field(default=None, ge=0, le=604_800, description="whole seconds from 0 to 604800")

    @model_validator(mode="after")
    def _is_data_of_its_type(self) -> RecordTable:
        if self.type == "CNAME" and len(self.value) > 1:
            raise ValueError("has several values; a name has one CNAME at most (RFC 2181 10.1)")
        for text in self.value:
            try:
                rdata.to_wire(rrtypes.type_number(self.type), text)
            except ValueError as error:
                raise ValueError(f"has the value {text!r}, which is no data of type {self.type} ({error})") from None
        return self


class LocalSection(Section):
    """Names that Saring answers itself."""

    hosts_file: str = Field(
        default="", description='the path of a file like /etc/hosts, read again when it changes ("" = none)'
    )
    ttl_s: int = Field(default=300, ge=0, le=604_800, description="whole seconds from 0 to 604800")
    record: tuple[RecordTable, ...] = Field(
        default=(), description="tables [[local.record]] with name, type and value", strict=False, max_length=10_000
    )
