"""Agencies, units and networks as CSV: one line a network (or a tenant without one). Reading, and writing the same.

A spreadsheet's habits are borne: a byte-order mark, semicolons or tabs between cells, blank lines; so is an Indonesian
header. All mistakes are found at once, each with its line, column and what would be right.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from pydantic import TypeAdapter, ValidationError

from admin_api import fields as f
from admin_api.rest.problem import FieldError
from admin_api.rest.validation import shown_value

MAX_SIZE_BYTES: Final = 4 * 1024 * 1024
MAX_LINES: Final = 50_000
MAX_CELLS: Final = 50  # of a line: a spreadsheet writes empty ones behind the last
MAX_CELL: Final = 300
MAX_ERRORS: Final = 500

COLUMNS: Final = ("agency", "agency_name", "unit", "unit_name", "network", "allow_list_only")
INDONESIAN: Final = ("kode_opd", "nama_opd", "kode_unit", "nama_unit", "jaringan", "hanya_yang_diizinkan")
_KNOWN: Final = {name: name for name in COLUMNS} | dict(zip(INDONESIAN, COLUMNS, strict=True))

_YES: Final = frozenset({"yes", "ya", "true", "1"})
_NO: Final = frozenset({"no", "tidak", "false", "0"})

# What a spreadsheet would run as a formula when it opens the file; such texts are written behind an apostrophe.
_FORMULA: Final = ("=", "+", "-", "@", "'", "\t")

_CELLS: Final[dict[str, tuple[TypeAdapter[Any], str]]] = {
    "agency": (TypeAdapter(f.Code), "a code: a-z, 0-9, - and _, at most 40"),
    "agency_name": (TypeAdapter(f.Title), "1 to 200 printable characters"),
    "unit": (TypeAdapter(f.Code), "a code: a-z, 0-9, - and _, at most 40"),
    "unit_name": (TypeAdapter(f.Title), "1 to 200 printable characters"),
    "network": (TypeAdapter(f.Cidr), "a range, as 10.20.4.0/22 or fd00:20:4::/48"),
}


class CsvError(ValueError):
    """The text cannot be imported; ``errors`` has every mistake that was found."""

    def __init__(self, errors: Sequence[FieldError]) -> None:
        super().__init__("; ".join(f"{error.field}: {error.message}" for error in errors[:20]))
        self.errors = list(errors[: MAX_ERRORS + 1])  # the last may say that there are more


@dataclass(frozen=True, slots=True)
class Line:
    """One line. Empty texts and None: the file does not say."""

    number: int
    agency: str
    agency_name: str
    unit: str
    unit_name: str
    network: str
    allow_list_only: bool | None  # of the unit where one is named, else of the agency

    @property
    def tenant(self) -> str:
        """``agency`` or ``agency/unit``."""
        return f"{self.agency}/{self.unit}" if self.unit else self.agency


def mistake(line: int, column: str, message: str, value: object = None, expected: str = "") -> FieldError:
    """A mistake in a cell."""
    return FieldError(field=f"line {line}: {column}", message=message, value=shown_value(value), expected=expected)


def read_csv(data: bytes) -> list[Line]:
    """The lines of a file. Raises ``CsvError``."""
    if len(data) > MAX_SIZE_BYTES:
        raise CsvError([mistake(1, "file", f"has {len(data)} octets", None, f"at most {MAX_SIZE_BYTES}")])
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise CsvError([mistake(line, "file", "is not UTF-8", None, 'save it as "CSV UTF-8"')]) from None
    lines: list[Line] = []
    errors: list[FieldError] = []
    columns: list[str] | None = None
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=_delimiter(text), strict=True)
    try:
        for cells in reader:
            if reader.line_num > MAX_LINES or len(errors) >= MAX_ERRORS:
                most = f"at most {MAX_LINES} lines, and {MAX_ERRORS} mistakes at a time"
                errors.append(mistake(reader.line_num, "file", "is read no further", None, most))
                break
            if not any(cell.strip() for cell in cells):
                continue
            if len(cells) > MAX_CELLS:
                errors.append(mistake(reader.line_num, "line", f"has {len(cells)} cells", None, f"at most {MAX_CELLS}"))
                continue
            if columns is None:
                columns = _header(cells, reader.line_num)
                continue
            read = _line(cells, columns, reader.line_num, errors)
            if read is not None:
                lines.append(read)
    except csv.Error as error:
        errors.append(mistake(reader.line_num, "file", f"is no CSV: {error}"))
    if columns is None and not errors:
        errors.append(mistake(1, "file", "has no header", None, ",".join(COLUMNS)))
    if errors:
        raise CsvError(errors)
    return lines


def write_csv(lines: Iterable[Line], header: Sequence[str] = COLUMNS, words: tuple[str, str] = ("no", "yes")) -> str:
    """The file with these lines: what ``read_csv`` gives back, safe to open in a spreadsheet."""
    out = io.StringIO(newline="")
    writer = csv.writer(out, lineterminator="\r\n")  # RFC 4180 section 2
    writer.writerow(header)
    for line in lines:
        allow = "" if line.allow_list_only is None else words[line.allow_list_only]
        cells = (line.agency, line.agency_name, line.unit, line.unit_name, line.network, allow)
        writer.writerow([f"'{cell}" if cell.startswith(_FORMULA) else cell for cell in cells])
    return out.getvalue()


def _delimiter(text: str) -> str:
    """The one that the header uses most: Excel writes semicolons where the comma is the decimal sign."""
    header = text.lstrip().partition("\n")[0]
    return max((",", ";", "\t"), key=header.count)


def _header(cells: list[str], number: int) -> list[str]:
    columns: list[str] = []
    errors: list[FieldError] = []
    for cell in cells:
        name = cell.strip().lower().replace(" ", "_").replace("-", "_")
        column = _KNOWN.get(name, "")
        if not column and name:
            expected = f"one of {', '.join(COLUMNS)} (or {', '.join(INDONESIAN)})"
            errors.append(mistake(number, name[:40], "is no column", cell, expected))
        elif column and column in columns:
            errors.append(mistake(number, column, "is there twice", cell, "each column once"))
        columns.append(column)
    if "agency" not in columns and not errors:
        errors.append(mistake(number, "agency", "is missing from the header", None, "agency or kode_opd"))
    if errors:
        raise CsvError(errors)
    return columns


def _line(cells: list[str], columns: list[str], number: int, errors: list[FieldError]) -> Line | None:
    found = dict.fromkeys(COLUMNS, "")
    before = len(errors)
    for position, cell in enumerate(cells):
        text = cell.strip()
        column = columns[position] if position < len(columns) else ""
        if not column:
            if text:
                errors.append(mistake(number, f"column {position + 1}", "has no name in the header", text))
            continue
        if text.startswith("'") and text[1:].startswith(_FORMULA):
            text = text[1:]
        found[column] = _cell(text, column, number, errors)
    if not found["agency"] and len(errors) == before:
        errors.append(mistake(number, "agency", "is empty", None, _CELLS["agency"][1]))
    if found["unit_name"] and not found["unit"] and len(errors) == before:
        errors.append(mistake(number, "unit", "is empty, and unit_name is not", None, _CELLS["unit"][1]))
    if len(errors) > before:
        return None
    allow = found.pop("allow_list_only")
    return Line(number, **found, allow_list_only=None if not allow else allow in _YES)


def _cell(text: str, column: str, number: int, errors: list[FieldError]) -> str:
    """The cell in its one canonical spelling; mistakes are noted."""
    if not text:
        return ""
    if column == "allow_list_only":
        word = text.lower()
        if word not in _YES | _NO:
            errors.append(mistake(number, column, "is neither yes nor no", text, "yes, no, ya or tidak"))
        return word
    adapter, expected = _CELLS[column]
    if len(text) > MAX_CELL:
        errors.append(mistake(number, column, f"is {len(text)} characters long", text, expected))
        return text
    try:
        return str(adapter.validate_python(text))
    except ValidationError as error:
        message = error.errors(include_url=False)[0]["msg"].removeprefix("Value error, ")
        errors.append(mistake(number, column, message, text, expected))
        return text
