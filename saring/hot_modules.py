"""The modules on the hot path, in one place: the build compiles them, ``interpreted.py`` can undo it.

This file imports nothing, so that ``setup.py`` can run it before anything is installed.
"""

HOT_MODULES: tuple[str, ...] = (
    "dnswire.name",
    "dnswire.edns",
    "dnswire.query",
    "dnswire.answer",
    "dnswire.response",
    "dnswire.octets",
    "blocklists.name_table",
    "querylog.spool_crc",
    "querylog.spool",
    "resolver.cache",
    "resolver.sources",
    "resolver.ready",
    "resolver.ready_table",
    "resolver.in_force",
    "resolver.turn",
    "resolver.stats",
    "resolver.teaching",
    "resolver.pipeline",
    "resolver.fast_lane",
    "resolver.mmsg",  # compiled only: see resolver/udp.py
)
