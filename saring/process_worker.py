"""A resolver worker: hands over to ``resolver.worker``, which owns its loop and signals."""

from __future__ import annotations

from resolver.worker import run_worker
from saring.orders import Orders


def run_worker_process(orders: Orders) -> int:
    """Answers queries until SIGTERM."""
    if orders.worker is None:
        raise ValueError("orders for a worker without its settings")
    run_worker(orders.worker)
    return 0
