"""What would keep Saring from working well, looked for one by one."""

from __future__ import annotations

import asyncio
import ctypes
import os
import shutil
import socket
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from sqlalchemy.exc import SQLAlchemyError

from saring.config_schema import Config
from saring.config_section import GIB
from saring.control import database_url, open_control
from saring.endpoint import Endpoint
from saring.ports import holder_of
from saring.resolv_conf import NoUpstreamError
from saring.state_dir import StateDir
from saring.status import collect
from saring.upstream_groups import server_groups
from saring.upstream_probe import probe_servers
from snapshots.generation import NoGenerationError, open_current

ENOUGH_SPACE_BYTES = 2 * GIB
ENOUGH_FILES = 4_096
TIME_ERROR = 5  # adjtimex(2): the clock is not synchronised


class Level(StrEnum):
    """How bad it is."""

    OK = "ok"
    WARNING = "warning"
    ERROR = "error"


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """One thing looked at: what, how it is, and what to do about it."""

    what: str
    level: Level
    text: str


def examine(config: Config, now_s: float) -> Iterator[Diagnosis]:
    """All checks, in the order in which a person would mend what they find."""
    state = StateDir(config.state_dir)
    yield _state_directory(state)
    yield _disk(state)
    yield _open_files()
    yield from _ports(config, state, now_s)
    yield _snapshot(state)
    yield _lists(config, state, now_s)
    yield _database(config, state)
    yield from _upstreams(config)
    yield _clock(state, now_s)
    yield from (Diagnosis("status", Level.WARNING, text) for text in collect(state, now_s).warnings)


def _state_directory(state: StateDir) -> Diagnosis:
    if not state.root.is_dir():
        return Diagnosis("state directory", Level.WARNING, f"{state.root} is not there yet; `saring serve` makes it")
    if not os.access(state.root, os.R_OK | os.W_OK | os.X_OK):
        return Diagnosis(
            "state directory", Level.ERROR, f"{state.root} is not writable for this user; change its owner"
        )
    mode = stat.S_IMODE(state.root.stat().st_mode)
    if mode & 0o007:
        text = f"{state.root} is open to every user ({mode:o}); the query log is personal data: chmod 750 {state.root}"
        return Diagnosis("state directory", Level.WARNING, text)
    return Diagnosis("state directory", Level.OK, str(state.root))


def _disk(state: StateDir) -> Diagnosis:
    place = state.root if state.root.is_dir() else state.root.parent
    try:
        free_bytes = shutil.disk_usage(place).free
    except OSError as error:
        return Diagnosis("disk", Level.WARNING, f"{place}: {error.strerror}")
    text = f"{free_bytes / GIB:.1f} GiB free at {place}"
    if free_bytes < ENOUGH_SPACE_BYTES:
        return Diagnosis("disk", Level.WARNING, f"{text}; below {ENOUGH_SPACE_BYTES // GIB} GiB the log gets gaps soon")
    return Diagnosis("disk", Level.OK, text)


def _open_files() -> Diagnosis:
    import resource

    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft < ENOUGH_FILES:
        text = f"at most {soft} open files; TCP clients need more: LimitNOFILE={ENOUGH_FILES} or `ulimit -n`"
        return Diagnosis("open files", Level.WARNING, text)
    return Diagnosis("open files", Level.OK, f"at most {soft}")


def _ports(config: Config, state: StateDir, now_s: float) -> Iterator[Diagnosis]:
    if collect(state, now_s).running:
        yield Diagnosis("ports", Level.OK, "Saring runs and has them")
        return
    wanted = [(address, kind) for address in config.dns.listen for kind in (socket.SOCK_DGRAM, socket.SOCK_STREAM)]
    if config.api.enabled:
        wanted.append((config.api.listen, socket.SOCK_STREAM))
    for address, kind in wanted:
        transport = "UDP" if kind == socket.SOCK_DGRAM else "TCP"
        reason = _why_not_free(address, kind)
        if reason:
            yield Diagnosis("ports", Level.ERROR, f"{address} ({transport}): {reason}")
        else:
            yield Diagnosis("ports", Level.OK, f"{address} ({transport}) is free")


def _why_not_free(address: Endpoint, kind: socket.SocketKind) -> str:
    from saring.sockets import BindError, open_socket

    try:
        open_socket(address, kind, shared=False).close()
    except (OSError, BindError) as error:
        holder = holder_of(address.port, kind)
        return f"taken by {holder}" if holder else str(error)
    return ""


def _snapshot(state: StateDir) -> Diagnosis:
    if not (state.snapshots / "current").exists():
        return Diagnosis("snapshot", Level.WARNING, "nothing is published yet; `saring serve` publishes the first")
    try:
        generation = open_current(state.snapshots)
    except NoGenerationError as error:
        return Diagnosis("snapshot", Level.ERROR, str(error))
    try:
        if generation.damaged:
            text = f"{generation.damaged[0].reason}; generation {generation.number} serves: publish again by an edit"
            return Diagnosis("snapshot", Level.ERROR, text)
        text = f"generation {generation.number}, {generation.index.names:,} listed names"
    finally:
        generation.close()
    return Diagnosis("snapshot", Level.OK, text)


def _lists(config: Config, state: StateDir, now_s: float) -> Diagnosis:
    found = collect(state, now_s)
    lists = [one for one in found.lists if one.enabled]
    if not lists:
        return Diagnosis("lists", Level.WARNING, "there is none: `saring catalogue sources` shows which there could be")
    quota_bytes = config.lists.quota_bytes
    text = f"{len(lists)} lists, {found.lists_size_bytes / GIB:.2f} of {quota_bytes / GIB:.1f} GiB"
    stale = [one.code for one in lists if one.stale]
    if stale:
        text = (
            f"{text}; too old: {', '.join(stale)}. `saring lists show CODE` says why; `saring lists sync` tries again"
        )
        return Diagnosis("lists", Level.WARNING, text)
    if found.lists_size_bytes > 1.1 * quota_bytes:
        text = f"{text}: what is in force alone takes more than lists.quota_bytes; raise it"
        return Diagnosis("lists", Level.WARNING, text)
    return Diagnosis("lists", Level.OK, text)


def _database(config: Config, state: StateDir) -> Diagnosis:
    if not config.database.url and not state.database.exists():
        return Diagnosis("database", Level.WARNING, "there is none yet; `saring serve` makes it")

    async def ask() -> int:
        async with open_control(config, state) as control:
            return await control.revision()

    try:
        revision = asyncio.run(ask())
    except (SQLAlchemyError, OSError, ValueError) as error:
        text = (str(error).splitlines() or [""])[0]
        return Diagnosis("database", Level.ERROR, f"does not answer ({text}); DNS goes on, edits do not")
    kind = database_url(config, state).partition(":")[0]
    return Diagnosis("database", Level.OK, f"{kind}, revision {revision}")


def _upstreams(config: Config) -> Iterator[Diagnosis]:
    try:
        groups = server_groups(config.upstream, config.dns.listen)
    except NoUpstreamError as error:
        yield Diagnosis("upstream", Level.ERROR, str(error))
        return
    for probe in asyncio.run(probe_servers(groups)):
        where = f"{probe.server} (group {probe.group})" if len(groups) > 1 else probe.server
        if probe.failure:
            text = f"{where} {probe.failure}; names that are not cached will fail"
            yield Diagnosis("upstream", Level.ERROR, text)
        else:
            yield Diagnosis("upstream", Level.OK, f"{where} answers in {probe.took_s * 1_000:.0f} ms")


def _clock(state: StateDir, now_s: float) -> Diagnosis:
    published_s = collect(state, now_s).published_s
    if published_s > now_s + 60:
        text = "the clock is behind the last publication; schedules and logs will be wrong: set it"
        return Diagnosis("clock", Level.ERROR, text)
    libc = ctypes.CDLL(None)
    if libc.adjtimex(ctypes.create_string_buffer(512)) == TIME_ERROR:
        text = "the clock is not synchronised (no NTP); schedules and the log depend on it"
        return Diagnosis("clock", Level.WARNING, text)
    return Diagnosis("clock", Level.OK, "synchronised")
