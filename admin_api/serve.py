"""Serving the application until told to stop."""

from __future__ import annotations

import asyncio
import logging
import socket

from aiohttp import web

from admin_api.app import create_app
from admin_api.services import Services

log = logging.getLogger("admin_api")

KEEPALIVE_S = 75.0
SHUTDOWN_S = 10.0


async def run_api(
    services: Services, host: str, port: int, stop: asyncio.Event, *, sock: socket.socket | None = None
) -> None:
    """Serves on ``host``:``port`` (or on the bound ``sock``) until ``stop`` is set; requests under way are finished.

    Raises OSError where the address cannot be bound.
    """
    runner = web.AppRunner(
        create_app(services),
        access_log=None,  # the middleware writes one structured line a request
        keepalive_timeout=KEEPALIVE_S,
        shutdown_timeout=SHUTDOWN_S,
        max_line_size=8190,
        max_field_size=8190,
    )
    await runner.setup()
    try:
        site: web.BaseSite = web.SockSite(runner, sock) if sock else web.TCPSite(runner, host, port)
        await site.start()
        log.info("admin API serves", extra={"addresses": [str(address) for address in runner.addresses]})
        await stop.wait()
    finally:
        await runner.cleanup()
        log.info("admin API stopped")
