"""The two places a configuration comes from, each turned into ``{section: {key: Given}}``: a file, the environment.

Values are raw here. Each carries where it was written, so that a mistake found later can still name the line.
"""

from __future__ import annotations

import difflib
import re
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from saring.config_problem import ConfigProblem
from saring.config_schema import SECRET_KEYS, Config

ENVIRONMENT_PREFIX = "SARING_"
MAX_FILE_SIZE_BYTES = 1024 * 1024
MAX_SECRET_SIZE_BYTES = 64 * 1024

_ARRAY_LINE = re.compile(r"\s*\[\[\s*([A-Za-z0-9_-]+)\s*\.\s*([A-Za-z0-9_-]+)\s*\]\]")
_SECTION_LINE = re.compile(r"\s*\[\s*([A-Za-z0-9_-]+)\s*\]")
_KEY_LINE = re.compile(r"\s*([A-Za-z0-9_-]+)\s*=")
_ERROR_LINE = re.compile(r"\(at line (\d+), column \d+\)")


@dataclass(frozen=True, slots=True)
class Given:
    """A value that somebody wrote, and where. ``key`` is as they wrote it.

    ``inner``: for tables written one by one (``[[upstream.group]]``), the lines of each and of its keys.
    """

    value: Any
    source: str
    line: int
    key: str
    inner: Mapping[tuple[int, str], int] = field(default_factory=dict)

    def line_of(self, place: Sequence[int | str]) -> int:
        """The line of what stands at ``place`` within the value (index, key, ...), as near as is known."""
        if not place or not isinstance(place[0], int):
            return self.line
        table = self.inner.get((place[0], ""), self.line)
        return self.inner.get((place[0], str(place[1])), table) if len(place) > 1 else table


Values = dict[str, dict[str, Given]]


def keys_of(section: str) -> list[str]:
    """Names of a section's keys; empty for a section that does not exist."""
    field = Config.model_fields.get(section)
    annotation = field.annotation if field is not None else None
    return list(getattr(annotation, "model_fields", {}))


def did_you_mean(word: str, known: list[str]) -> str:
    """``"; did you mean X?"``, or the known words where none is near."""
    near = difflib.get_close_matches(word, known, n=1, cutoff=0.6)
    return f"did you mean {near[0]}?" if near else f"known here: {', '.join(sorted(known))}"


def read_file(path: Path) -> tuple[Values, list[ConfigProblem]]:
    """What the TOML file says, and what about it cannot even be placed."""
    name = str(path)
    try:
        with path.open("rb") as stream:
            raw = stream.read(MAX_FILE_SIZE_BYTES + 1)
        text = raw.decode("utf-8")
    except OSError as error:
        reason = error.strerror or str(error)
        return {}, [ConfigProblem(name, 0, "", "", f"cannot be read: {reason}")]
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        return {}, [ConfigProblem(name, line, "", "", "is not UTF-8 text here")]
    if len(raw) > MAX_FILE_SIZE_BYTES:
        return {}, [ConfigProblem(name, 0, "", "", f"is larger than {MAX_FILE_SIZE_BYTES} bytes")]
    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        return {}, [_syntax_problem(name, text, str(error))]
    return _place(document, name, _lines_of(text))


def _syntax_problem(name: str, text: str, message: str) -> ConfigProblem:
    found = _ERROR_LINE.search(message)
    line = int(found[1]) if found else text.count("\n") + 1
    plain = _ERROR_LINE.sub("", message).replace("(at end of document)", "").strip()
    return ConfigProblem(name, line, "", "", f"is not TOML: {plain[:1].lower()}{plain[1:]}")


@dataclass(frozen=True, slots=True)
class _Lines:
    """Where things stand in a file. ``keys``: by section and key, the section itself under key "". ``tables``: by
    section and key, the lines of tables written as ``[[section.key]]``: by index and key, each itself under key "".
    """

    keys: dict[tuple[str, str], int]
    tables: dict[tuple[str, str], dict[tuple[int, str], int]]


def _lines_of(text: str) -> _Lines:
    """Good enough for a file of sections, keys, and lists of tables."""
    lines = _Lines({}, {})
    section = ""
    table: dict[tuple[int, str], int] | None = None
    index = -1
    for number, line in enumerate(text.splitlines(), start=1):
        if header := _ARRAY_LINE.match(line):
            section = header[1]
            lines.keys.setdefault((section, header[2]), number)
            table = lines.tables.setdefault((section, header[2]), {})
            index = max((place for place, _ in table), default=-1) + 1
            table[index, ""] = number
        elif header := _SECTION_LINE.match(line):
            section = header[1]
            table = None
            lines.keys.setdefault((section, ""), number)
        elif assignment := _KEY_LINE.match(line):
            if table is not None:
                table.setdefault((index, assignment[1]), number)
            else:
                lines.keys.setdefault((section, assignment[1]), number)
    return lines


def _place(document: Mapping[str, Any], source: str, lines: _Lines) -> tuple[Values, list[ConfigProblem]]:
    values: Values = {}
    problems: list[ConfigProblem] = []
    for section, content in document.items():
        line = lines.keys.get((section, ""), lines.keys.get(("", section), 0))
        if section not in Config.model_fields:
            hint = did_you_mean(section, list(Config.model_fields))
            problems.append(ConfigProblem(source, line, f"[{section}]", "", f"no such section; {hint}"))
            continue
        if not isinstance(content, dict):
            problems.append(ConfigProblem(source, line, section, "", f"must be a table: [{section}]"))
            continue
        for key, value in content.items():
            at = lines.keys.get((section, key), line)
            inner = lines.tables.get((section, key), {})
            problem = _add(values, section, key, Given(value, source, at, f"{section}.{key}", inner))
            if problem is not None:
                problems.append(problem)
    return values, problems


def read_environment(environ: Mapping[str, str]) -> tuple[Values, list[ConfigProblem]]:
    """What ``SARING_SECTION__KEY`` variables say. Other variables, even ``SARING_`` ones, are not ours to judge."""
    values: Values = {}
    problems: list[ConfigProblem] = []
    for name in sorted(environ):
        if not name.startswith(ENVIRONMENT_PREFIX) or "__" not in name:
            continue
        section, _, key = name.removeprefix(ENVIRONMENT_PREFIX).lower().partition("__")
        if section not in Config.model_fields:
            hint = did_you_mean(section, list(Config.model_fields))
            message = f"no such section as {section!r}; {hint}"
            problems.append(ConfigProblem("environment", 0, name, "", message))
            continue
        problem = _add(values, section, key, Given(environ[name], "environment", 0, name))
        if problem is not None:
            problems.append(problem)
    return values, problems


def _add(values: Values, section: str, key: str, given: Given) -> ConfigProblem | None:
    """Puts one value in its place, reading ``<secret>_file``; returns what is wrong, if anything."""
    known = keys_of(section)
    if key in known:
        return _store(values, section, key, given)
    plain = key.removesuffix("_file")
    if plain != key and (section, plain) in SECRET_KEYS:
        content, problem = _read_secret(given)
        return problem or _store(values, section, plain, content)
    secrets = [f"{name}_file" for name in known if (section, name) in SECRET_KEYS]
    message = f"no such key; {did_you_mean(key, known + secrets)}"
    return ConfigProblem(given.source, given.line, given.key, "", message)


def _store(values: Values, section: str, key: str, given: Given) -> ConfigProblem | None:
    here = values.setdefault(section, {})
    if key in here:
        message = f"is given twice, as {here[key].key} and as {given.key}; keep one"
        return ConfigProblem(given.source, given.line, given.key, "", message)
    here[key] = given
    return None


def _read_secret(given: Given) -> tuple[Given, ConfigProblem | None]:
    path = given.value
    if not isinstance(path, str) or not path:
        message = 'must be the path of a file, such as "/run/secrets/saring-database-url"'
        return given, ConfigProblem(given.source, given.line, given.key, "", message)
    try:
        with Path(path).open("rb") as stream:
            raw = stream.read(MAX_SECRET_SIZE_BYTES)
        content = raw.decode("utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
        message = f"the file cannot be read: {reason}"
        return given, ConfigProblem(given.source, given.line, given.key, path, message)
    if not content:
        return given, ConfigProblem(given.source, given.line, given.key, path, "the file is empty")
    return Given(content, given.source, given.line, given.key), None
