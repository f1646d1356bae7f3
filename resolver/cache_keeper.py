"""What is done for a worker's cache beside answering: read back at the start, saved now and then, flushed by order."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

from resolver.cache import Cache
from resolver.cache_file import load, save
from resolver.cache_orders import Orders

_log = logging.getLogger(__name__)

ORDERS_INTERVAL_S: Final = 0.2
SAVE_INTERVAL_S: Final = 300.0
# Entries between two turns of the event loop: reading one back takes 10 us, writing one 2.
_LOAD_PART: Final = 32
_SAVE_PART: Final = 128


class CacheKeeper:
    """Keeps one cache. ``path`` and ``orders_path`` may be None: nothing is saved, nobody gives orders."""

    def __init__(
        self,
        cache: Cache,
        path: Path | None,
        orders_path: Path | None,
        max_size_bytes: int,
        clock: Callable[[], float],
    ) -> None:
        self._cache = cache
        self._path = path
        self._orders = Orders(orders_path) if orders_path is not None else None
        self._max_size_bytes = max_size_bytes
        self._clock = clock

    @property
    def orders_done(self) -> int:
        """The number of the last order that was carried out."""
        return self._orders.done if self._orders is not None else 0

    async def run(self) -> None:
        """Reads back, then saves and takes orders until cancelled."""
        taking = asyncio.create_task(self._take_orders())
        try:
            await self._load()
            while True:
                await asyncio.sleep(SAVE_INTERVAL_S)
                await self._save()
        finally:
            taking.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await taking

    def save_now(self) -> None:
        """Saves all at once: for the end of the process."""
        for _ in self._saving():
            pass

    async def _load(self) -> None:
        if self._path is not None:
            parts = load(self._cache, self._path, self._max_size_bytes, _LOAD_PART, self._clock(), self._flushed)
            for _ in parts:
                await asyncio.sleep(0)

    async def _save(self) -> None:
        for _ in self._saving():
            await asyncio.sleep(0)

    def _saving(self) -> Iterator[None]:
        """Saves in parts; a disk that is full costs the saved cache, nothing else."""
        if self._path is None:
            return
        try:
            yield from save(self._cache, self._path, _SAVE_PART)
        except OSError as fault:
            _log.warning("the cache could not be saved", extra={"reason": str(fault)})

    def _flushed(self, name: bytes, stored_s: float) -> bool:
        return self._orders is not None and self._orders.flushed(name, stored_s)

    async def _take_orders(self) -> None:
        orders = self._orders
        while orders is not None:
            if orders.changed():
                forgotten = orders.carry_out(self._cache)
                if forgotten:
                    _log.info("cached answers forgotten by order", extra={"order": orders.done, "entries": forgotten})
            await asyncio.sleep(ORDERS_INTERVAL_S)
