"""The modules on the hot path, in one place: the build compiles them, ``interpreted.py`` can undo it.

How to add one: DEVELOPERS.md. This file imports nothing, so that ``setup.py`` can run it before anything is installed.
"""

HOT_MODULES: tuple[str, ...] = (
    # What every query needs, whichever lane answers it: names and messages, lists, policy, the log's row.
    "dnswire.name",
    "dnswire.edns",
    "dnswire.query",
    "dnswire.answer",
    "dnswire.response",
    "dnswire.octets",
    "blocklists.name_table",
    "blocklists.index",
    "policy.facts",
    "policy.decide",
    "querylog.spool_crc",
    "querylog.spool",
    # What the slow lane passes on its way, and where it waits.
    "resolver.cache",
    "resolver.sources",
    "resolver.wheel",
    "resolver.coalesce",
    "resolver.zone_pressure",
    "resolver.routing",
    "resolver.special_names",
    "resolver.local_records",
    "resolver.rebinding",
    # A miss, by UDP to an upstream and back (connections, TLS and HTTP/2 stay interpreted).
    "resolver.upstream.randomness",
    "resolver.upstream.latency",
    "resolver.upstream.health",
    "resolver.upstream.message",
    "resolver.upstream.dialect",
    "resolver.upstream.reply",
    "resolver.upstream.exchange",
    "resolver.upstream.order",
    "resolver.upstream.jostle",
    "resolver.upstream.carrier",
    "resolver.upstream.datagrams",
    "resolver.upstream.ports",
    "resolver.upstream.server",
    "resolver.upstream.inbox",
    "resolver.upstream.dispatch",
    "resolver.upstream.group",
    # Both lanes: what is in force, what the slow lane does and teaches, what the fast one repeats.
    "resolver.ready",
    "resolver.ready_table",
    "resolver.in_force",
    "resolver.turn",
    "resolver.stats",
    "resolver.teaching",
    "resolver.pipeline",
    "resolver.fast_lane",
    # Compiled only: see resolver/udp.py.
    "resolver.mmsg",
)
