"""What all sections of ``saring.toml`` are made of: the base class, and types that say what is wrong with a value."""

from __future__ import annotations

import datetime
import ipaddress
import re
import zoneinfo
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, PlainSerializer

from dnswire import name as dns
from saring.endpoint import Endpoint, parse_endpoint

KIB = 1024
MIB = 1024 * KIB
GIB = 1024 * MIB

_NODE_NAME = re.compile(r"[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?")


class Section(BaseModel):
    """A table of the file: immutable, no unknown keys, no guessing at types."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, validate_default=True)


def _endpoint(value: Any) -> Endpoint:
    if isinstance(value, Endpoint):
        return value
    if not isinstance(value, str):
        raise ValueError("not a text")
    return parse_endpoint(value, default_port=None)


def _cidr(value: str) -> str:
    return str(ipaddress.ip_network(value, strict=True))


def _time_of_day(value: Any) -> str:
    # TOML has local times of its own: 02:30:00 without quotes is as clear as "02:30".
    if isinstance(value, datetime.time):
        value = value.strftime("%H:%M")
    if not isinstance(value, str) or not re.fullmatch(r"([01]\d|2[0-3]):[0-5]\d", value):
        raise ValueError("not a time of day")
    return value


def _zone(value: str) -> str:
    try:
        zoneinfo.ZoneInfo(value)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise ValueError("no such time zone") from error
    return value


def _node_name(value: str) -> str:
    if value and not _NODE_NAME.fullmatch(value):
        raise ValueError("not a node name")
    return value


def _name(value: str) -> str:
    return dns.to_text(dns.lower(dns.from_text(value)))


def _database_url(value: str) -> str:
    if value and not value.startswith(("sqlite:///", "sqlite+aiosqlite:///", "postgresql")):
        raise ValueError("not a database that Saring knows")
    if value.startswith("postgresql") and "://" not in value:
        raise ValueError("no :// in it")
    return value


ListenAddress = Annotated[Endpoint, BeforeValidator(_endpoint), PlainSerializer(str, return_type=str)]
Cidr = Annotated[str, AfterValidator(_cidr)]
TimeOfDay = Annotated[str, BeforeValidator(_time_of_day)]
Zone = Annotated[str, AfterValidator(_zone)]
NodeName = Annotated[str, AfterValidator(_node_name)]
Name = Annotated[str, Field(min_length=1), AfterValidator(_name)]
DatabaseUrl = Annotated[str, AfterValidator(_database_url)]
