"""Reads the configuration: defaults, then the file, then the environment; every mistake at once.

``load`` is the one door. It returns a checked, immutable ``Config`` or raises ``ConfigError`` with all problems.
"""

from __future__ import annotations

import tomllib
import types
import typing
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pydantic

from saring.config_checks import contradictions
from saring.config_explain import explain
from saring.config_problem import ConfigError, ConfigProblem
from saring.config_schema import SECRET_KEYS, Config
from saring.config_sources import Given, Values, read_environment, read_file

CONFIG_VARIABLE = "SARING_CONFIG"
# The last is a source checkout's sample, so that `make run` on a bare clone starts the sample regency.
SAMPLE = Path(__file__).resolve().parent.parent / "examples" / "muba" / "saring.toml"
SEARCHED = (Path("saring.toml"), Path("/etc/saring/saring.toml"), SAMPLE)


@dataclass(frozen=True, slots=True)
class Loaded:
    """A configuration and the file it came from (``None``: defaults and environment only)."""

    config: Config
    path: Path | None


def find_file(given: Path | None, environ: Mapping[str, str]) -> Path | None:
    """The file to read: ``--config``, else ``SARING_CONFIG``, else the first that exists of ``SEARCHED``."""
    if given is not None:
        return given
    named = environ.get(CONFIG_VARIABLE)
    if named:
        return Path(named)
    return next((path for path in SEARCHED if path.is_file()), None)


def load(path: Path | None, environ: Mapping[str, str]) -> Loaded:
    """The configuration in force. Raises ``ConfigError`` with every problem of file and environment."""
    file = find_file(path, environ)
    from_file, problems = read_file(file) if file is not None else ({}, [])
    from_environment, environment_problems = read_environment(environ)
    problems += environment_problems
    merged = _merge(from_file, _typed(from_environment))
    config, invalid = _validate(merged)
    problems += invalid
    if config is not None:
        problems += contradictions(config, merged)
    if problems or config is None:
        raise ConfigError(sorted(problems, key=lambda problem: (problem.source, problem.line)))
    return Loaded(config, file)


def _merge(weaker: Values, stronger: Values) -> Values:
    sections = list(weaker) + [name for name in stronger if name not in weaker]
    return {name: weaker.get(name, {}) | stronger.get(name, {}) for name in sections}


def _typed(values: Values) -> Values:
    """Environment texts as the types their keys have: numbers, booleans, lists (commas, or a TOML array)."""
    return {
        section: {key: _retyped(section, key, given) for key, given in keys.items()} for section, keys in values.items()
    }


def _retyped(section: str, key: str, given: Given) -> Given:
    # What came from a *_FILE variable is a text already; so is every other secret.
    value = given.value if (section, key) in SECRET_KEYS else _from_text(given.value, _type(section, key))
    return replace(given, value=value)


def _type(section: str, key: str) -> Any:
    section_type: Any = Config.model_fields[section].annotation
    return section_type.model_fields[key].annotation


def _from_text(text: str, kind: Any) -> Any:
    origin = typing.get_origin(kind)
    if origin is tuple:
        return _list_from_text(text)
    if kind is bool:
        return {"true": True, "1": True, "false": False, "0": False}.get(text.strip().lower(), text)
    if kind in (int, float) or origin is types.UnionType:
        return _number_from_text(text)
    return text


def _number_from_text(text: str) -> Any:
    for convert in (int, float):
        try:
            return convert(text)
        except ValueError:
            continue
    return text


def _list_from_text(text: str) -> Any:
    # "[::1]:53" begins like an array as well; only what is TOML and a list is one.
    try:
        value = tomllib.loads(f"value = {text}")["value"]
    except tomllib.TOMLDecodeError:
        value = None
    if isinstance(value, list):
        return value
    return [part.strip() for part in text.split(",") if part.strip()]


def _validate(values: Values) -> tuple[Config | None, list[ConfigProblem]]:
    plain = {section: {key: given.value for key, given in keys.items()} for section, keys in values.items()}
    try:
        return Config.model_validate(plain), []
    except pydantic.ValidationError as error:
        return None, explain(error, values)
