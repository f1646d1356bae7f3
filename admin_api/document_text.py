"""A regency document as TOML that people read and review: sorted, one section a kind, letters as comments.

What an entry leaves at its default is left out, so that a reviewer sees what somebody decided. The same document gives
the same text, and reading the text gives the document again.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from admin_api.schemas import as_json
from admin_api.seed_document import AgencyEntry, Document

MAX_LINE: Final = 110
_INDENT: Final = "    "
_HEAD: Final = """\
# The policy of this regency, as it is edited: agencies, categories, lists, schedules, rules. Not in here: users and
# tokens, secrets of lists, exceptions and pauses. `saring policy import` shows what this file would change, and
# `saring replay` what that would have done to the queries that were asked. Meaning of every key:
# admin_api/seed_document.py.
"""
# Values that TOML has a notation of its own for: its parser gives dates, and ``parse_document`` texts again.
_DATES: Final = frozenset({"date", "from_date", "until_date", "valid_from", "valid_until"})
_DATE: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}(T[0-9:]{8}([+-][0-9]{2}:[0-9]{2}|Z)?)?")
_BARE_KEY: Final = re.compile(r"[A-Za-z0-9_-]+")
_ESCAPED: Final = MappingProxyType({0x7F: "\\u007f"})  # the one that JSON leaves as it is and TOML forbids


def document_text(document: Mapping[str, Any]) -> str:
    """The text of a document as ``document_export`` makes it. Sections and keys in the order of ``Document``."""
    blocks = [_HEAD]
    plain = [_names(name, document[name]) for name in ("protected", "must_resolve") if document.get(name)]
    blocks += plain
    for section, field in _sections():
        model = _model_of(field)
        content = document.get(section)
        if section == "regency" and content is not None:
            blocks.append(_table("[regency]", content, model))
        elif model is not None and content:
            blocks += [_block(f"[[{section}]]", entry, model) for entry in content]
    return "\n".join(blocks)


def _sections() -> list[tuple[str, FieldInfo]]:
    return [(field.alias or name, field) for name, field in Document.model_fields.items()]


def _model_of(field: FieldInfo) -> type[BaseModel] | None:
    """The model of a section's entries; None for lists of names."""
    kind: Any = field.annotation
    for argument in (kind, *getattr(kind, "__args__", ())):
        if isinstance(argument, type) and issubclass(argument, BaseModel):
            return argument
    return None


def _block(head: str, entry: Mapping[str, Any], model: type[BaseModel]) -> str:
    if model is not AgencyEntry:
        return _letter(entry) + _secret(entry) + _table(head, entry, model)
    parts = [_table(head, {key: value for key, value in entry.items() if key != "unit"}, model)]
    unit = _model_of(AgencyEntry.model_fields["unit"])
    for one in entry.get("unit", ()):
        text = _table("[[agency.unit]]", one, unit)
        parts.append("".join(f"{_INDENT}{line}\n" if line else "\n" for line in text.splitlines()))
    return "\n".join(parts)


def _letter(entry: Mapping[str, Any]) -> str:
    """The letter that an entry rests on, as people cite it."""
    basis = entry.get("basis") or {}
    cited = ", ".join(str(basis[key]) for key in ("number", "date", "signer") if basis.get(key))
    return f"# {_one_line(cited)}\n" if cited else ""


def _secret(entry: Mapping[str, Any]) -> str:
    if not entry.get("tsig_name") or entry.get("tsig_secret_file"):
        return ""
    return "# The secret of its key is not in here. Another database needs a tsig_secret or a tsig_secret_file.\n"


def _one_line(text: str) -> str:
    return "".join(char if char.isprintable() else " " for char in text)


def _names(key: str, names: list[Any]) -> str:
    return f"{key} = {_many([_value(key, name) for name in names])}\n"


def _table(head: str, entry: Mapping[str, Any], model: type[BaseModel] | None) -> str:
    lines = [head]
    for key, value in entry.items():
        if model is None or not _is_default(model, key, value):
            lines.append(f"{_key(key)} = {_value(key, value)}")
    return "\n".join(lines) + "\n"


def _is_default(model: type[BaseModel], key: str, value: Any) -> bool:
    """Whether leaving the key out says the same. What has no default is always written."""
    if value is None:
        return True
    field = model.model_fields[key]
    if field.is_required():
        return False
    default = field.get_default(call_default_factory=True, validated_data={})
    if isinstance(default, BaseModel):
        default = as_json(default)
    return bool(value == default)


def _key(text: str) -> str:
    return text if _BARE_KEY.fullmatch(text) else _text(text)


def _value(key: str, value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return repr(value)
    if isinstance(value, str):
        return value if key in _DATES and _DATE.fullmatch(value) else _text(value)
    if isinstance(value, Mapping):
        inner = [f"{_key(name)} = {_value(name, one)}" for name, one in value.items() if one not in (None, "")]
        return f"{{ {', '.join(inner)} }}" if inner else "{}"
    return _many([_value(key, one) for one in value])


def _many(texts: list[str]) -> str:
    line = f"[{', '.join(texts)}]"
    if len(line) <= MAX_LINE:
        return line
    return "[\n" + "".join(f"{_INDENT}{text},\n" for text in texts) + "]"


def _text(value: str) -> str:
    # TOML's basic strings are JSON's, with one control character more to be escaped.
    return json.dumps(value, ensure_ascii=False).translate(_ESCAPED)
