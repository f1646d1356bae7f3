"""The questions people ask of the log, as SQLAlchemy Core over any table with the columns of ``schema``.

Values are parameters only. ``rows`` is the store's table, or what stands for it (the embedded store reads files).
"""

from __future__ import annotations

from collections.abc import Sequence
from ipaddress import IPv6Address, ip_address
from typing import Any, Final

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    FromClause,
    Integer,
    Select,
    and_,
    case,
    cast,
    column,
    func,
    or_,
    select,
    values,
)
from sqlalchemy.types import String

from querylog.schema import AS_ASKED, COLUMNS, DECIDED
from querylog.store import MAX_LIMIT, Cursor, Filter, Stretch

# Clients are left out on purpose: the log is evidence about queries, never a ranking of persons (DESIGN 1).
TOP_FIELDS: Final = (
    "name",
    "matched",
    "agency",
    "unit",
    "category",
    "list",
    "rule",
    "letter",
    "verdict",
    "layer",
    "rrtype",
    "rcode",
)
_EQUALS: Final = ("agency", "unit", "verdict", "category", "list", "rule", "letter", "rrtype", "rcode", "node")
_TIME_KEY: Final = ("time_us", "node", "worker", "sequence")
_LOAD_KEY: Final = ("batch", *_TIME_KEY)


def search(rows: FromClause, filter: Filter, limit: int, cursor: Cursor | None) -> Select[Any]:
    """Rows newest first, behind ``cursor``."""
    wanted = select(*(rows.c[name] for name in COLUMNS)).where(*_conditions(rows, filter))
    if cursor is not None:
        # The first condition alone is implied, but lets stores skip what is newer without comparing keys.
        wanted = wanted.where(rows.c.time_us <= cursor.time_us, _beyond(rows, _TIME_KEY, cursor, newer=False))
    order = [rows.c[name].desc() for name in _TIME_KEY]
    return wanted.order_by(*order).limit(bounded(limit))


def following(rows: FromClause, filter: Filter, limit: int, since: Cursor) -> Select[Any]:
    """Rows in the order they were loaded, behind ``since``."""
    wanted = select(*(rows.c[name] for name in COLUMNS)).where(*_conditions(rows, filter))
    wanted = wanted.where(rows.c.batch >= since.batch, _beyond(rows, _LOAD_KEY, since, newer=True))
    order = [rows.c[name] for name in _LOAD_KEY]
    return wanted.order_by(*order).limit(bounded(limit))


def top(rows: FromClause, field: str, filter: Filter, limit: int) -> Select[Any]:
    """Values of ``field`` by number of answers, "" left out. Raises ``ValueError`` for fields not in ``TOP_FIELDS``."""
    if field not in TOP_FIELDS:
        raise ValueError(f"top of {field!r}: one of {', '.join(TOP_FIELDS)} would be right")
    value = cast(rows.c[field], String)
    answers = func.count()
    wanted: Any = select(value, answers).where(*_conditions(rows, filter), value != "")
    found: Select[Any] = wanted.group_by(value).order_by(answers.desc(), value).limit(bounded(limit))
    return found


def totals(rows: FromClause, filter: Filter) -> Select[Any]:
    """Answers by agency and verdict."""
    keys = (rows.c.agency, rows.c.verdict)
    return select(*keys, func.count()).where(*_conditions(rows, filter)).group_by(*keys).order_by(*keys)


def asked(rows: FromClause, filter: Filter, stretches: Sequence[Stretch]) -> Select[Any]:
    """Questions that policy decided, by the state of their time, in the order of names. At least one stretch."""
    times = values(
        column("from_us", BigInteger), column("until_us", BigInteger), column("state", Integer), name="stretch",
        literal_binds=True,
    ).data([(one.from_us, one.until_us, one.state) for one in stretches])  # fmt: skip
    within = and_(rows.c.time_us >= times.c.from_us, rows.c.time_us < times.c.until_us)
    matched = case((rows.c.via == AS_ASKED, ""), else_=rows.c.matched)
    keys = (rows.c.name, rows.c.rrtype, rows.c.agency, rows.c.unit, times.c.state, rows.c.via, matched)
    wanted = select(*keys, func.count()).select_from(rows.join(times, within))
    wanted = wanted.where(*_conditions(rows, filter), rows.c.verdict.in_(DECIDED))
    return wanted.group_by(*keys).order_by(*keys)


def gaps(table: FromClause, from_us: int | None, until_us: int | None) -> Select[Any]:
    """Gaps that overlap the time, oldest first."""
    names = ("node", "worker", "first_sequence", "last_sequence", "first_time_us", "last_time_us", "kind")
    wanted = select(*(table.c[name] for name in names))
    if from_us is not None:
        wanted = wanted.where(table.c.last_time_us >= from_us)
    if until_us is not None:
        wanted = wanted.where(table.c.first_time_us < until_us)
    return wanted.order_by(table.c.first_time_us, table.c.node, table.c.worker, table.c.first_sequence)


def bounded(limit: int) -> int:
    """The limit as given, at least 1 and at most ``MAX_LIMIT``."""
    return max(1, min(limit, MAX_LIMIT))


def _conditions(rows: FromClause, filter: Filter) -> list[ColumnElement[bool]]:
    found: list[ColumnElement[bool]] = []
    if filter.from_us is not None:
        found.append(rows.c.time_us >= filter.from_us)
    if filter.until_us is not None:
        found.append(rows.c.time_us < filter.until_us)
    for name in _EQUALS:
        value = getattr(filter, name)
        if value is not None:
            found.append(rows.c[name] == value)
    if filter.tenants is not None:
        found.append(_of_any(rows, filter.tenants))
    if filter.client is not None:
        found.append(rows.c.client == _address(filter.client))
    if filter.name is not None:
        name = filter.name.lower()
        found.append(rows.c.name == (name if name == "." else name.removesuffix(".")))
    if filter.name_contains is not None:
        # autoescape: % and _ that a person typed are letters, not wildcards.
        found.append(rows.c.name.contains(filter.name_contains.lower(), autoescape=True))
    return found


def _of_any(rows: FromClause, tenants: tuple[tuple[str, str | None], ...]) -> ColumnElement[bool]:
    whole = rows.c.agency.in_([agency for agency, unit in tenants if unit is None])
    parts = [and_(rows.c.agency == agency, rows.c.unit == unit) for agency, unit in tenants if unit is not None]
    return or_(whole, *parts)


def _beyond(rows: FromClause, key: tuple[str, ...], cursor: Cursor, *, newer: bool) -> ColumnElement[bool]:
    """The key is greater (``newer``) or less than the cursor's, spelled out: not every store compares row values."""
    alternatives = []
    for depth, name in enumerate(key):
        same = [rows.c[before] == getattr(cursor, before) for before in key[:depth]]
        column, value = rows.c[name], getattr(cursor, name)
        alternatives.append(and_(*same, column > value if newer else column < value))
    return or_(*alternatives)


def _address(text: str) -> str:
    """The stored spelling of an address; what is none is left as it is and matches nothing."""
    try:
        address = ip_address(text.strip())
    except ValueError:
        return text
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return str(mapped or address)
