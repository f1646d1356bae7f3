"""Reads the configuration: defaults, then the file, then the environment; every mistake at once.

``load`` is the one door. It returns a checked, immutable ``Config`` or raises ``ConfigError`` with all problems.
"""

from __future__ import annotations

import json
import tomllib
import types
import typing
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pydantic

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
        problems += _contradictions(config, merged)
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
    return Given(value, given.source, given.line, given.key)


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
        return None, _problems(error, values)


def _problems(error: pydantic.ValidationError, values: Values) -> list[ConfigProblem]:
    found: dict[tuple[str, str, Any], ConfigProblem] = {}
    for detail in error.errors(include_url=False):
        section, key = str(detail["loc"][0]), str(detail["loc"][1])
        item = next((part for part in detail["loc"][2:] if isinstance(part, int)), None)
        given = values[section][key]
        value = given.value if item is None else given.value[item]
        shown = "" if (section, key) in SECRET_KEYS else _shown(value)
        where = given.key if item is None else f"{given.key}[{item}]"
        message = _explain(detail, section, key)
        found.setdefault((section, key, item), ConfigProblem(given.source, given.line, where, shown, message))
    # A list with a wrong item is also reported as too short, which would only confuse.
    with_items = {(section, key) for section, key, item in found if item is not None}
    return [
        problem
        for (section, key, item), problem in found.items()
        if item is not None or (section, key) not in with_items
    ]


def _explain(detail: Any, section: str, key: str) -> str:
    section_type: Any = Config.model_fields[section].annotation
    wanted = section_type.model_fields[key].description
    reason = str(detail.get("ctx", {}).get("error", ""))
    said = f" ({reason})" if reason else ""
    return f"must be {wanted}{said}"


def _shown(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False, default=str)
    return text if len(text) <= 60 else text[:57] + "..."


def _contradictions(config: Config, values: Values) -> list[ConfigProblem]:
    """Values that are each right and cannot be right together."""
    checks = (
        (
            config.cache.min_ttl_s > config.cache.max_ttl_s,
            ("cache", "min_ttl_s"),
            str(config.cache.min_ttl_s),
            f"must not be above cache.max_ttl_s ({config.cache.max_ttl_s})",
        ),
        (
            config.upstream.timeout_s > config.upstream.deadline_s,
            ("upstream", "timeout_s"),
            str(config.upstream.timeout_s),
            f"must not be above upstream.deadline_s ({config.upstream.deadline_s})",
        ),
        (
            config.log.spool_segment_bytes * 2 > config.log.spool_quota_bytes,
            ("log", "spool_segment_bytes"),
            str(config.log.spool_segment_bytes),
            f"must be at most half of log.spool_quota_bytes ({config.log.spool_quota_bytes})",
        ),
        (
            len(set(config.dns.listen)) != len(config.dns.listen),
            ("dns", "listen"),
            "",
            "names an address twice",
        ),
        (
            any(address in config.dns.listen for address in config.upstream.servers),
            ("upstream", "servers"),
            "",
            "names an address of dns.listen: Saring would ask itself for ever",
        ),
    )
    return [_contradiction(values, place, shown, message) for bad, place, shown, message in checks if bad]


def _contradiction(values: Values, place: tuple[str, str], shown: str, message: str) -> ConfigProblem:
    section, key = place
    given = values.get(section, {}).get(key)
    if given is None:
        return ConfigProblem("defaults", 0, f"{section}.{key}", shown, message)
    return ConfigProblem(given.source, given.line, given.key, shown, message)
