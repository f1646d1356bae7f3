"""Argument types: the same bounds as the API's (``admin_api.fields``), refused as wrong usage."""

from __future__ import annotations

import datetime
import ipaddress
from typing import Any

import click


class PydanticParam(click.ParamType[str]):
    """An argument checked by one of ``admin_api.fields``'s annotated types."""

    def __init__(self, name: str, kind: str, right: str) -> None:
        self.name = name
        self._kind = kind
        self._right = right

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """The checked value."""
        import pydantic

        from admin_api import fields

        try:
            return pydantic.TypeAdapter(getattr(fields, self._kind)).validate_python(value)
        except pydantic.ValidationError:
            self.fail(f"{value!r} is not right; it must be {self._right}", param, ctx)


class InstantParam(click.ParamType[float]):
    """A point in time: ISO 8601, with or without an offset (then local time). Gives Unix seconds."""

    name = "time"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """Unix seconds."""
        if isinstance(value, int | float):
            return float(value)
        try:
            return datetime.datetime.fromisoformat(value).timestamp()
        except ValueError:
            self.fail(
                f"{value!r} is not a time; write for example 2026-11-24, 2026-11-24T09:30 or 2026-11-24T09:30+07:00",
                param,
                ctx,
            )


class AgoParam(click.ParamType[float]):
    """A span back from now (``30min``, ``24h``, ``7d``) or a time. Gives Unix seconds."""

    name = "time"
    _units = (("min", 60), ("m", 60), ("h", 3_600), ("d", 86_400), ("s", 1))

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """Unix seconds."""
        if isinstance(value, int | float):
            return float(value)
        for unit, size_s in self._units:
            number = value.removesuffix(unit)
            if number != value and number.isascii() and number.isdecimal() and len(number) <= 6:
                return datetime.datetime.now().timestamp() - int(number) * size_s
        return float(InstantParam().convert(value, param, ctx))


class NameOrAddressParam(click.ParamType[str]):
    """A DNS name, or an IP address."""

    name = "name"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """The name in canonical form, or the address as it is written shortest."""
        try:
            return str(ipaddress.ip_address(value))
        except ValueError:
            return NAME.convert(value, param, ctx)


CODE = PydanticParam("code", "Code", "letters a-z, digits, - and _, at most 40")
TITLE = PydanticParam("title", "Title", "a text of 1 to 200 printable characters")
NAME = PydanticParam("name", "DnsName", "a DNS name such as www.example.com")
NAME_OR_ADDRESS = NameOrAddressParam()
INSTANT = InstantParam()
AGO = AgoParam()
