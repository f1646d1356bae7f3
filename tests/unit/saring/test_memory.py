"""Processes that work in bursts give back what a burst took."""

from __future__ import annotations

import subprocess
import sys

CODE = """
from saring.memory import give_back, share_one_pool
share_one_pool()
import pyarrow
def anonymous_kb():
    return sum(int(line.split()[1]) for line in open("/proc/self/status") if line.startswith("RssAnon"))
many = [bytes(100_000) for _ in range(1_000)]
last = bytes(100)  # above them: what is below is no longer the heap's end
few = anonymous_kb() - 60_000
del many
give_back()
print(pyarrow.default_memory_pool().backend_name, anonymous_kb() < few)
"""


def test_arrow_shares_the_pool_and_what_is_free_goes_back() -> None:
    done = subprocess.run([sys.executable, "-c", CODE], capture_output=True, text=True, check=False, timeout=60)
    assert (done.stdout.strip(), done.stderr) == ("system True", "")
