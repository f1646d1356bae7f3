"""Saring between two real dnsmasq: one forwards queries of clients to it, the other is its upstream.

Run as a program inside a network namespace of its own, it gives the client one as well, so that the forwarder sees a
MAC address: ``unshare -n python -m tests.support.forwarder_lab DIRECTORY`` prints what came of it as JSON.
"""

from __future__ import annotations

import asyncio
import json
import os
import socket
import struct
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from ipaddress import ip_address
from pathlib import Path
from typing import cast

import dnslib

from blocklists.index import Index
from policy.model import Device, Forwarder, Identification, Network, Policy, Regency, Unit
from querylog.record import LogRecord
from querylog.spool import SpoolWriter
from querylog.spool_reader import SpoolReader
from resolver.admission import Admission
from resolver.cache import Cache
from resolver.in_force import InForce
from resolver.local import Identity
from resolver.pipeline import Pipeline
from resolver.settings import ServerGroup, UpstreamServer
from resolver.sources import NO_LIMITS, Sources
from resolver.stats import Stats
from resolver.udp import open_port
from resolver.upstream.groups import UpstreamGroups
from resolver.zone_pressure import ZonePressure
from tests.support.nameservers import RunningServer, running
from tests.support.needs import need_program
from tests.support.plain_index import PlainIndex
from tests.support.ports import free_port
from tests.support.world import HEALTH, SCHOOLS, sample_policy

NOW_S = 1772420400.0
SITE = "rtr-igd-01"
CLIENT_UNIT, SITE_UNIT, LAPTOP_UNIT = 11, 12, 13
# Octets of the IPv4 and UDP headers that dnsmasq writes in front of each message of its dump.
_PCAP_HEAD, _PACKET_HEAD, _DATAGRAM_HEAD = 24, 16, 28


@dataclass
class Found:
    """``answers``: to a question for an address; ``whoami``: what Saring told the client of himself, where it reached
    him. ``clients``: the addresses in the log. ``upstream``: the EDNS options of each query that the upstream received.
    """

    answers: list[str] = field(default_factory=list)
    whoami: list[str] = field(default_factory=list)
    clients: list[str] = field(default_factory=list)
    upstream: list[list[int]] = field(default_factory=list)


def policy(router: str, client_network: str, mac: str = "02:00:00:00:00:00") -> Policy:
    """Health's router, believed in all; each kind of claim leads to a unit of its own."""
    base = sample_policy()
    units = (Unit(CLIENT_UNIT, "klien", "", HEALTH), Unit(SITE_UNIT, "lokasi", "", HEALTH))
    return replace(
        base,
        regency=Regency("Contoh"),
        units=(*units, Unit(LAPTOP_UNIT, "laptop", "", HEALTH)),
        networks=(Network(client_network, HEALTH, CLIENT_UNIT), Network("127.0.2.0/24", SCHOOLS)),
        forwarders=(Forwarder(1, router, "Router", (HEALTH,), tuple(Identification)),),
        devices=(
            Device(Identification.CPE_ID, SITE, HEALTH, SITE_UNIT),
            Device(Identification.MAC, mac, HEALTH, LAPTOP_UNIT),
        ),
    )


@contextmanager
def dnsmasq(directory: Path, address: str, port: int, *options: str) -> Iterator[RunningServer]:
    """A dnsmasq that reads no file of the machine's."""
    command = [need_program("dnsmasq"), "-k", "-C", "/dev/null", "--no-resolv", "--no-hosts", "--bind-interfaces"]
    command += ["--user=root"] if os.geteuid() == 0 else []
    command += ["--pid-file=", "--log-facility=-", f"--listen-address={address}", f"--port={port}", *options]
    with running(command, directory / f"dnsmasq-{port}.log", address, port) as server:
        yield server


async def ask_through(
    directory: Path,
    rules: Policy,
    router: str,
    client: Sequence[str],
    questions: Sequence[tuple[Sequence[str], Sequence[str]]],
) -> Found:
    """Asks as a client does. ``client``: the beginning of the command that asks in his place. ``questions``: options of
    the forwarder, and of kdig. Saring sees the queries come from 127.0.0.9.
    """
    found = Found()
    loop = asyncio.get_running_loop()
    dump = directory / "upstream.pcap"
    with ExitStack() as stack:
        upstream_port = free_port()
        options = ("--address=/#/192.0.2.1", "--local=/#/", f"--dumpfile={dump}", "--dumpmask=0x0001")
        await asyncio.to_thread(stack.enter_context, dnsmasq(directory, "127.0.0.1", upstream_port, *options))
        sock = stack.enter_context(socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
        sock.bind(("127.0.0.1", 0))
        spool = SpoolWriter(directory / "spool", "lab", 0, segment_size_bytes=1 << 20, quota_bytes=1 << 24)
        stack.callback(spool.close)
        groups = UpstreamGroups((ServerGroup("default", (UpstreamServer("127.0.0.1", upstream_port),)),), loop)
        stats = Stats()
        pipeline = Pipeline(
            InForce.begin(1, rules, cast(Index, PlainIndex({})), NOW_S, stats.tallies),
            Admission(()),
            Cache(1 << 20, 0, 86_400, 3_600),
            groups,
            spool,
            stats,
            Identity("1", "lab"),
            lambda: NOW_S,
            loop.call_later,
            Sources(NO_LIMITS),
            ZonePressure(256),
        )
        port = open_port(sock.dup(), pipeline.answer, stats, None)
        stack.callback(port.close)
        port.start(loop)
        server = f"--server=127.0.0.1#{sock.getsockname()[1]}@127.0.0.9"
        try:
            for number, (forwarding, asking) in enumerate(questions):
                router_port = free_port(router)
                forwarder = dnsmasq(directory, router, router_port, server, *forwarding)
                await asyncio.to_thread(stack.enter_context, forwarder)
                to = [*client, f"@{router}", "-p", str(router_port), "+short", "+retry=0", "+timeout=1", *asking]
                found.answers.append(await _said([*to, f"n{number}.example", "A"]))
                if found.answers[-1]:
                    found.whoami.append(await _said([*to, "whoami.saring", "TXT"]))
        finally:
            port.stop(loop)
            await groups.drain(1.0)
    rows = [row for _, row in SpoolReader(directory / "spool").records() if isinstance(row, LogRecord)]
    found.clients = [_shown(row.client) for row in rows if row.name.endswith(b"example\0")]
    received = [dnslib.DNSRecord.parse(message) for message in _dumped(dump)]
    found.upstream = [_options(query) for query in received if query.q.qname.matchSuffix("example")]
    return found


async def _said(command: Sequence[str]) -> str:
    process = await asyncio.create_subprocess_exec(*command, stdout=asyncio.subprocess.PIPE)
    output, _ = await process.communicate()
    return output.decode()


def _shown(octets: bytes) -> str:
    address = ip_address(octets)
    return str(getattr(address, "ipv4_mapped", None) or address)


def _dumped(path: Path) -> Iterator[bytes]:
    content = path.read_bytes()
    offset = _PCAP_HEAD
    while offset < len(content):
        size = struct.unpack_from("=I", content, offset + 8)[0]
        offset += _PACKET_HEAD
        yield content[offset + _DATAGRAM_HEAD : offset + size]
        offset += size


def _options(query: dnslib.DNSRecord) -> list[int]:
    return [option.code for rr in query.ar if rr.rtype == dnslib.QTYPE.OPT for option in rr.rdata]


def _main(directory: Path) -> None:
    """Lays a cable between this namespace and one of the client's; asks with each form of a MAC address."""
    quiet = ["unshare", "-n", "sleep", "60"]
    other = subprocess.Popen(quiet, stdin=subprocess.DEVNULL)
    inside = ["nsenter", "-t", str(other.pid), "-n"]
    try:
        _run("ip", "link", "set", "lo", "up")
        _lay_cable(other.pid)
        for command in ("link set dev v1 address 02:11:22:33:44:55", "link set v1 up", "addr add 10.77.0.5/24 dev v1"):
            _run(*inside, "ip", *command.split())
        strict = ("--add-cpe-id=" + SITE, "--strip-mac")
        modes = [((f"--add-mac{form}", *strict), ()) for form in ("", "=text", "=base64")]
        # The client adds another's MAC address to his query.
        modes.append((("--add-mac", *strict), ("+ednsopt=65001:02ffffffffff",)))
        rules = policy("127.0.0.9", "10.77.0.0/24", "02:11:22:33:44:55")
        client = [*inside, need_program("kdig")]
        found = asyncio.run(ask_through(directory, rules, "10.77.0.1", client, modes))
        print(json.dumps(found.__dict__))
    finally:
        other.kill()
        other.wait()


def _lay_cable(pid: int) -> None:
    # ``unshare`` needs a moment to have its namespace; until then the cable's end would stay in ours.
    own = Path("/proc/self/ns/net").readlink()
    while Path(f"/proc/{pid}/ns/net").readlink() == own:
        os.sched_yield()
    for command in ("link add v0 type veth peer name v1", f"link set v1 netns {pid}", "link set v0 up"):
        _run("ip", *command.split())
    _run("ip", "addr", "add", "10.77.0.1/24", "dev", "v0")


def _run(*command: str) -> None:
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)


if __name__ == "__main__":
    _main(Path(sys.argv[1]))
