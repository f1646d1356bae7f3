"""The other servers, configured for the same job: the listed names are NXDOMAIN, the rest is asked of the upstream."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

UPSTREAM_ZONE = "test"

# It warns above 10,000; measured, more costs it nothing here.
DNSMASQ_CACHE = 100_000


@dataclass(frozen=True, slots=True)
class Peer:
    """A server to compare with: name, program, Debian's package, the command that runs it in the foreground."""

    name: str
    program: str
    package: str
    port: int
    command: Callable[[str, Path], Sequence[str]]


def upstream_command(program: str, directory: Path, port: int) -> list[str]:
    """NSD with one zone, where every name has an address."""
    zone = directory / "upstream.zone"
    zone.write_text(
        "$TTL 3600\n@ SOA ns.test. host.test. 1 3600 600 86400 60\n@ NS ns.test.\nns A 192.0.2.53\n"
        "*.bersih A 192.0.2.1\n*.lain A 192.0.2.2\n",
        encoding="ascii",
    )
    configuration = directory / "nsd.conf"
    configuration.write_text(
        f'server:\n  ip-address: 127.0.0.1@{port}\n  server-count: 1\n  username: ""\n  chroot: ""\n'
        f'  zonesdir: "{directory}"\n  database: ""\n  pidfile: "{directory}/nsd.pid"\n'
        f'  xfrdfile: "{directory}/xfrd.state"\n  zonelistfile: "{directory}/zone.list"\n'
        # Debian's NSD limits equal responses a second, which is what a load test consists of.
        "  hide-version: yes\n  rrl-ratelimit: 0\n"
        "remote-control:\n  control-enable: no\n"
        f'zone:\n  name: "{UPSTREAM_ZONE}"\n  zonefile: "{zone}"\n',
        encoding="ascii",
    )
    return [program, "-d", "-c", str(configuration)]


def unbound(port: int, upstream_port: int, names: Path) -> Peer:
    """Unbound with the names as a response policy zone; every module that this job does not need is off."""

    def command(program: str, directory: Path) -> Sequence[str]:
        zone = directory / "unbound.rpz"
        write_policy_zone(names, zone)
        configuration = directory / "unbound.conf"
        configuration.write_text(
            # One thread, so that one slab of each cache is enough and no lock is split.
            f'server:\n  interface: 127.0.0.1@{port}\n  do-daemonize: no\n  username: ""\n  chroot: ""\n'
            f'  directory: "{directory}"\n  pidfile: ""\n  use-syslog: no\n  num-threads: 1\n'
            '  module-config: "respip iterator"\n  do-not-query-localhost: no\n  do-ip6: no\n'
            "  access-control: 127.0.0.0/8 allow\n  msg-cache-size: 64m\n  rrset-cache-size: 128m\n"
            "  msg-cache-slabs: 1\n  rrset-cache-slabs: 1\n  infra-cache-slabs: 1\n  minimal-responses: yes\n"
            "  so-rcvbuf: 4m\n  so-sndbuf: 4m\n  outgoing-range: 8192\n  num-queries-per-thread: 4096\n"
            "  local-zone: test. nodefault\n  local-zone: invalid. nodefault\n"
            "remote-control:\n  control-enable: no\n"
            f'rpz:\n  name: daftar.rpz\n  zonefile: "{zone}"\n  rpz-action-override: nxdomain\n'
            f'forward-zone:\n  name: "."\n  forward-addr: 127.0.0.1@{upstream_port}\n',
            encoding="ascii",
        )
        return [program, "-d", "-c", str(configuration)]

    return Peer("Unbound RPZ", "unbound", "unbound", port, command)


def knot(port: int, upstream_port: int, names: Path, cache: Path) -> Peer:
    """Knot Resolver with the names as a response policy zone; modules that this job does not need are unloaded.

    ``cache``: a directory for its cache, best on a file system in memory (its pages are a file's).
    """

    def command(program: str, directory: Path) -> Sequence[str]:
        home = directory / "kresd"
        home.mkdir(exist_ok=True)
        zone = directory / "kresd.rpz"
        write_policy_zone(names, zone)
        configuration = directory / "kresd.conf"
        configuration.write_text(
            f"net.ipv6 = false\nnet.listen('127.0.0.1', {port}, {{ kind = 'dns' }})\n"
            f"cache.open(256 * MB, 'lmdb://{cache}')\n"
            # What STUB passes on it keeps for its minimum only, which is 5 s; the upstream's TTL is an hour.
            "cache.min_ttl(3600)\n"
            "trust_anchors.remove('.')\n"
            "for _, name in ipairs({'ta_signal_query', 'ta_update', 'ta_sentinel', 'priming', 'detect_time_skew',"
            " 'detect_time_jump', 'edns_keepalive', 'refuse_nord'}) do modules.unload(name) end\n"
            f"policy.add(policy.rpz(policy.DENY, '{zone}', false))\n"
            f"policy.add(policy.all(policy.STUB('127.0.0.1@{upstream_port}')))\n",
            encoding="ascii",
        )
        return [program, "--noninteractive", "--config", str(configuration), str(home)]

    return Peer("Knot Resolver RPZ", "kresd", "knot-resolver", port, command)


def dnsdist(port: int, upstream_port: int, names: Path) -> Peer:
    """dnsdist with a suffix-match tree of the names before its packet cache; datagrams in batches, as ours."""

    def command(program: str, directory: Path) -> Sequence[str]:
        configuration = directory / "dnsdist.conf"
        configuration.write_text(
            f'setLocal("127.0.0.1:{port}")\nsetACL("127.0.0.0/8")\nsetSecurityPollSuffix("")\n'
            "setUDPMultipleMessagesVectorSize(64)\nsetUDPSocketBufferSizes(4194304, 4194304)\n"
            f'newServer({{address="127.0.0.1:{upstream_port}", healthCheckMode="up"}})\n'
            "tree = newSuffixMatchNode()\n"
            f'for line in io.lines("{names}") do tree:add(newDNSName(line)) end\n'
            "addAction(SuffixMatchNodeRule(tree, true), RCodeAction(DNSRCode.NXDOMAIN))\n"
            # What is full takes nothing new until something has expired, which in these minutes is never.
            'getPool(""):setCache(newPacketCache(1000000))\n',
            encoding="ascii",
        )
        return [program, "--supervised", "--disable-syslog", "-C", str(configuration)]

    return Peer("dnsdist", "dnsdist", "dnsdist", port, command)


def dnsmasq(port: int, upstream_port: int, names: Path) -> Peer:
    """dnsmasq with the names as local domains: NXDOMAIN for each and all below it."""

    def command(program: str, directory: Path) -> Sequence[str]:
        configuration = directory / "dnsmasq.conf"
        with names.open(encoding="ascii") as source, configuration.open("w", encoding="ascii") as target:
            target.write(f"port={port}\nlisten-address=127.0.0.1\nbind-interfaces\nno-resolv\nno-hosts\n")
            target.write(f"server=127.0.0.1#{upstream_port}\ncache-size={DNSMASQ_CACHE}\ndns-forward-max=10000\n")
            target.write("cache-rr=HTTPS\n")
            target.writelines(f"local=/{line.strip()}/\n" for line in source)
        return [
            program,
            "--keep-in-foreground",
            "--user=",
            f"--pid-file={directory}/dnsmasq.pid",
            "-C",
            str(configuration),
        ]

    return Peer("dnsmasq", "dnsmasq", "dnsmasq-base", port, command)


def write_policy_zone(names: Path, zone: Path) -> None:
    """A response policy zone (RPZ): each name and all below it do not exist."""
    with names.open(encoding="ascii") as source, zone.open("w", encoding="ascii") as target:
        target.write("$TTL 60\n@ SOA localhost. root.localhost. 1 3600 600 86400 60\n@ NS localhost.\n")
        for line in source:
            name = line.strip()
            target.write(f"{name} CNAME .\n*.{name} CNAME .\n")
