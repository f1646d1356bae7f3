"""What pydantic found wrong with values, said with file, line, key, the value found and what would be right."""

from __future__ import annotations

import json
import typing
from collections.abc import Sequence
from typing import Any

import pydantic
from pydantic.fields import FieldInfo

from saring.config_problem import ConfigProblem
from saring.config_schema import SECRET_KEYS, Config
from saring.config_section import Section
from saring.config_sources import Values, did_you_mean

Place = tuple[int | str, ...]
"""Where in a key's value: indexes of lists, keys of tables."""


def explain(error: pydantic.ValidationError, values: Values) -> list[ConfigProblem]:
    """One problem for each place that is wrong."""
    found: dict[tuple[str, str, Place], ConfigProblem] = {}
    for detail in error.errors(include_url=False):
        section, key = str(detail["loc"][0]), str(detail["loc"][1])
        given = values[section][key]
        place, field = _walk(section, key, detail["loc"][2:])
        value = _at(given.value, place)
        hidden = (section, key) in SECRET_KEYS or detail["type"] in ("missing", "extra_forbidden")
        # Of a whole table the value says nothing that the message does not.
        shown = "" if hidden or isinstance(value, dict) else _shown(value)
        problem = ConfigProblem(
            given.source, given.line_of(place), given.key + _as_text(place), shown, _message(detail, field)
        )
        found.setdefault((section, key, place), problem)
    # A list with a wrong item is also reported as too short, which would only confuse.
    inside = {(section, key) for section, key, place in found if place}
    return [problem for (section, key, place), problem in found.items() if place or (section, key) not in inside]


def _walk(section: str, key: str, loc: Sequence[int | str]) -> tuple[Place, FieldInfo | Any]:
    """The place that ``loc`` means and the field there (a class of tables, where it is a whole one)."""
    section_type: Any = Config.model_fields[section].annotation
    field: Any = section_type.model_fields[key]
    place: list[int | str] = []
    table = _tables_of(field)
    for part in loc:
        if isinstance(part, int):
            place.append(part)
            field = table or field
        elif table is not None and part in table.model_fields:
            place.append(part)
            field = table.model_fields[part]
            table = _tables_of(field)
        elif table is not None:
            return (*place, part), table
    return tuple(place), field


def _tables_of(field: FieldInfo) -> type[Section] | None:
    """The class of the tables that a key is a list of."""
    for item in typing.get_args(field.annotation):
        if isinstance(item, type) and issubclass(item, Section):
            return item
    return None


def _at(value: Any, place: Place) -> Any:
    for part in place:
        try:
            value = value[part]
        except (KeyError, IndexError, TypeError):
            return value
    return value


def _as_text(place: Place) -> str:
    return "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in place)


def _message(detail: Any, field: FieldInfo | Any) -> str:
    reason = str(detail.get("ctx", {}).get("error", ""))
    if not isinstance(field, FieldInfo):
        if detail["type"] == "extra_forbidden":
            return f"no such key; {did_you_mean(str(detail['loc'][-1]), list(field.model_fields))}"
        if reason:
            return reason
        return f"must be a table with {', '.join(field.model_fields)}"
    said = f" ({reason})" if reason else ""
    must = "is missing; it must be" if detail["type"] == "missing" else "must be"
    return f"{must} {field.description}{said}"


def _shown(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False, default=str)
    return text if len(text) <= 60 else text[:57] + "..."
