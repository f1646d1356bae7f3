"""The systemd units: hardened to the promised score, and nothing in them that systemd does not know."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

from tests.support.needs import need_program

DEPLOY = Path(__file__).resolve().parents[3] / "deploy"
UNITS = sorted((DEPLOY / "systemd").glob("*.service"))
MOST_EXPOSURE = 2.0


def test_exposure_is_at_most_two() -> None:
    analyze = need_program("systemd-analyze")
    assert UNITS
    for unit in UNITS:
        done = subprocess.run(
            [analyze, "security", "--offline=true", "--no-pager", str(unit)],
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )
        scored = re.search(r"Overall exposure level for \S+: ([0-9.]+)", done.stdout)
        assert scored, done.stdout + done.stderr
        assert float(scored[1]) <= MOST_EXPOSURE, done.stdout


def test_systemd_understands_every_line(tmp_path: Path) -> None:
    analyze = need_program("systemd-analyze")
    for unit in UNITS:
        # The program is not installed where tests run; everything else is checked as it is.
        text = re.sub(r"/opt/saring/current/bin/saring", "/bin/true", unit.read_text(encoding="utf-8"))
        copy = tmp_path / unit.name
        copy.write_text(text, encoding="utf-8")
        done = subprocess.run(
            [analyze, "verify", "--man=no", str(copy)], capture_output=True, text=True, check=False, timeout=60
        )
        complaints = [line for line in done.stderr.splitlines() if unit.name in line]
        assert not complaints, done.stderr


def test_port_53_is_the_only_privilege() -> None:
    for unit in UNITS:
        text = unit.read_text(encoding="utf-8")
        assert "\nAmbientCapabilities=CAP_NET_BIND_SERVICE\n" in text
        assert "\nCapabilityBoundingSet=CAP_NET_BIND_SERVICE\n" in text
        assert "\nUser=root\n" not in text
