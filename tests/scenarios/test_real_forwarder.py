"""A real dnsmasq as forwarder, another as upstream: who is taken for whom, and what leaves for upstreams."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.forwarder_lab import SITE, ask_through, policy
from tests.support.needs import need_program

ROUTER = "127.0.0.9"
KDIG = ("kdig", "-b", "127.0.1.5")
# Our own, for that upstream alone (RFC 7873); nothing of what was said of clients.
COOKIE = 10
ALL = ("--add-subnet=32,128", "--add-mac", f"--add-cpe-id={SITE}")


async def test_dnsmasq_names_its_clients_and_upstreams_learn_nothing(tmp_path: Path) -> None:
    need_program("kdig")
    found = await ask_through(
        tmp_path,
        policy(ROUTER, "127.0.1.0/24"),
        ROUTER,
        KDIG,
        [
            (ALL, ()),
            # The client's own query says that he is another. dnsmasq passes it on and will not have its echo back.
            (ALL, ("+subnet=127.0.1.99/32",)),
            ((*ALL, "--strip-subnet"), ("+subnet=127.0.1.99/32",)),
            (("--add-subnet=24,64",), ()),
        ],
    )
    assert found.answers == ["192.0.2.1\n", "", "192.0.2.1\n", "192.0.2.1\n"]
    units = [said.partition("unit=")[2].partition('"')[0] for said in found.whoami]
    # The last is named by nobody, so the query is the forwarder's own.
    assert units == ["klien", "klien", "-"]
    assert found.clients == ["127.0.1.5", "127.0.1.99", "127.0.1.5", ROUTER]
    assert found.upstream == [[COOKIE]] * 4


def test_dnsmasq_names_devices_by_mac_address(tmp_path: Path) -> None:
    """In network namespaces: on loopback nobody has a MAC address."""
    need_program("kdig")
    try:
        subprocess.run([need_program("unshare"), "-n", need_program("ip"), "link"], check=True, capture_output=True)
    except subprocess.CalledProcessError:
        # Not ``missing``: a machine can install a program, but not give itself the right.
        pytest.skip("network namespaces need more rights than this user has")
    done = subprocess.run(
        ["unshare", "-n", sys.executable, "-m", "tests.support.forwarder_lab", str(tmp_path)],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert found["answers"] == ["192.0.2.1\n"] * 4
    assert [said.partition("unit=")[2].partition('"')[0] for said in found["whoami"]] == ["laptop"] * 4
    assert found["clients"] == ["fe80::11:22ff:fe33:4455"] * 4
    assert found["upstream"] == [[COOKIE]] * 4
