"""``python -m saring.process KIND``: where every process of the program begins.

Reads its orders, makes sure that it dies with its parent, and runs the part that ``KIND`` names. Imports are inside
the branches: a worker must not load what only the API needs.
"""

from __future__ import annotations

import ctypes
import os
import signal
import sys

from saring.interpreted import install_from_environment

# Before anything that imports a hot module.
install_from_environment()

from saring import logs  # noqa: E402 -- the switch above must come first
from saring.memory import share_one_pool  # noqa: E402 -- as above
from saring.orders import Orders, OrdersError, read_orders  # noqa: E402 -- as above
from saring.stop_signals import release  # noqa: E402 -- as above

KINDS = ("worker", "loader", "api", "sync", "loader-once", "sync-run", "prepare", "replay")
PR_SET_PDEATHSIG = 1


def die_with_parent(parent_pid: int) -> None:
    """SIGTERM for us when the parent ends, however it ends (prctl(2), PR_SET_PDEATHSIG)."""
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(PR_SET_PDEATHSIG, signal.SIGTERM, 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "prctl(PR_SET_PDEATHSIG)")
    # It may have ended before the call above; then no signal will ever come.
    if os.getppid() != parent_pid:
        raise SystemExit(0)


def run(kind: str, orders: Orders) -> int:
    """Runs one kind of process to its end; returns the exit status. Signals wait until ``stop_signals.release``."""
    if kind == "worker":
        from saring.process_worker import run_worker_process

        return run_worker_process(orders)
    if kind in {"loader", "api", "sync"}:
        share_one_pool()
    if kind == "loader":
        from saring.process_loader import run_loader_process

        return run_loader_process(orders)
    if kind in {"api", "sync"}:
        # They have nothing to finish before they begin.
        release(signal.SIGTERM)
    if kind == "api":
        from saring.process_api import run_api_process

        return run_api_process(orders)
    if kind == "sync":
        from saring.process_sync import run_sync_process

        return run_sync_process(orders)
    release()
    if kind == "loader-once":
        from saring.process_loader import run_loader_once

        return run_loader_once(orders)
    if kind == "sync-run":
        from saring.process_sync_run import run_sync_once

        return run_sync_once(orders)
    if kind == "replay":
        from saring.replay_process import run_replay_process

        return run_replay_process(orders)
    from saring.process_prepare import run_prepare_process

    return run_prepare_process(orders)


def main(arguments: list[str]) -> int:
    """The process's whole life. ``arguments``: the kind, and for people reading ``ps`` perhaps a number."""
    if not arguments or arguments[0] not in KINDS:
        print(f"usage: python -m saring.process {'|'.join(KINDS)} (see `saring serve`)", file=sys.stderr)
        return 2
    try:
        orders = read_orders(sys.stdin.buffer)
    except OrdersError as error:
        print(error, file=sys.stderr)
        return 2
    die_with_parent(orders.parent_pid)
    logs.configure(orders.log_level, orders.log_format, "-".join(arguments))
    return run(arguments[0], orders)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
