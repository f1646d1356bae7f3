"""Values of a configuration that are each right and cannot be right together."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from saring.config_problem import ConfigProblem
from saring.config_schema import Config
from saring.config_sources import Values, did_you_mean
from saring.config_upstream import DEFAULT_GROUP, MIXED, UpstreamSection, mixes_clear_and_encrypted

_NO_FILE = "is not a file that can be read"


@dataclass(frozen=True, slots=True)
class _Contradiction:
    """What is wrong, of which key; ``place``: where in its value, as (index, key)."""

    section: str
    key: str
    shown: str
    message: str
    place: tuple[int, str] | tuple[()] = ()


def contradictions(config: Config, values: Values) -> list[ConfigProblem]:
    """All that are found."""
    found = [*_general(config), *_servers(config), *_groups(config.upstream), *_routes(config.upstream)]
    return [_problem(values, one) for one in found]


def _general(config: Config) -> Iterator[_Contradiction]:
    cache, upstream, log = config.cache, config.upstream, config.log
    if cache.min_ttl_s > cache.max_ttl_s:
        yield _Contradiction(
            "cache", "min_ttl_s", str(cache.min_ttl_s), f"must not be above cache.max_ttl_s ({cache.max_ttl_s})"
        )
    if upstream.timeout_s > upstream.deadline_s:
        yield _Contradiction(
            "upstream",
            "timeout_s",
            str(upstream.timeout_s),
            f"must not be above upstream.deadline_s ({upstream.deadline_s})",
        )
    if log.spool_segment_bytes * 2 > log.spool_quota_bytes:
        yield _Contradiction(
            "log",
            "spool_segment_bytes",
            str(log.spool_segment_bytes),
            f"must be at most half of log.spool_quota_bytes ({log.spool_quota_bytes})",
        )
    if len(set(config.dns.listen)) != len(config.dns.listen):
        yield _Contradiction("dns", "listen", "", "names an address twice")


def _servers(config: Config) -> Iterator[_Contradiction]:
    itself = "names an address of dns.listen: Saring would ask itself for ever"
    own = set(config.dns.listen)
    if not own.isdisjoint(config.upstream.servers):
        yield _Contradiction("upstream", "servers", "", itself)
    if mixes_clear_and_encrypted(config.upstream.servers):
        yield _Contradiction("upstream", "servers", "", MIXED)
    for index, group in enumerate(config.upstream.group):
        if not own.isdisjoint(group.servers):
            yield _Contradiction("upstream", "group", "", itself, (index, "servers"))


def _groups(upstream: UpstreamSection) -> Iterator[_Contradiction]:
    names: set[str] = set()
    for index, group in enumerate(upstream.group):
        if group.name in names:
            yield _Contradiction(
                "upstream", "group", f'"{group.name}"', "is another group's name already", (index, "name")
            )
        names.add(group.name)
        timeout_s = upstream.timeout_s if group.timeout_s is None else group.timeout_s
        deadline_s = upstream.deadline_s if group.deadline_s is None else group.deadline_s
        if timeout_s > deadline_s and not (group.timeout_s is None and group.deadline_s is None):
            message = f"must not be above the group's deadline_s ({deadline_s})"
            yield _Contradiction("upstream", "group", str(timeout_s), message, (index, "timeout_s"))
    if upstream.ca_file and not Path(upstream.ca_file).is_file():
        yield _Contradiction("upstream", "ca_file", f'"{upstream.ca_file}"', _NO_FILE)
    for index, group in enumerate(upstream.group):
        if group.ca_file and not Path(group.ca_file).is_file():
            yield _Contradiction("upstream", "group", f'"{group.ca_file}"', _NO_FILE, (index, "ca_file"))


def _routes(upstream: UpstreamSection) -> Iterator[_Contradiction]:
    names = [DEFAULT_GROUP, *(group.name for group in upstream.group)]
    seen: dict[tuple[str, str], int] = {}
    for index, route in enumerate(upstream.route):
        if route.group not in names:
            message = f"is no group; {did_you_mean(route.group, names)}"
            yield _Contradiction("upstream", "route", f'"{route.group}"', message, (index, "group"))
        for suffix in route.suffixes:
            before = seen.setdefault((suffix, route.agency), index)
            if before != index:
                message = f"routes {suffix} once more, after upstream.route[{before}]"
                yield _Contradiction("upstream", "route", "", message, (index, ""))
                break


def _problem(values: Values, one: _Contradiction) -> ConfigProblem:
    given = values.get(one.section, {}).get(one.key)
    where = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in one.place if part != "")
    if given is None:
        return ConfigProblem("defaults", 0, f"{one.section}.{one.key}{where}", one.shown, one.message)
    return ConfigProblem(given.source, given.line_of(one.place), given.key + where, one.shown, one.message)
