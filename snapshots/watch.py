"""Noticing that another generation became current, at the price of one system call."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Final

from snapshots.generation import Generation, GenerationDamaged, open_generation
from snapshots.layout import current_target, link_target, number_of

_log: Final = logging.getLogger(__name__)


class Watcher:
    """Watches ``current`` under ``root``. ``number``: the generation in use, 0 for none. One thread at a time."""

    __slots__ = ("_root", "_seen")

    def __init__(self, root: Path, number: int = 0) -> None:
        self._root = root
        self._seen = link_target(number) if number else ""

    def changed(self) -> bool:
        """Whether ``current`` names a generation that ``poll`` has not seen; costs one ``readlink``."""
        target = current_target(self._root)
        return target != self._seen and number_of(target) != 0

    def poll(self) -> Generation | None:
        """The generation that became current, open; None where nothing changed, or where it is damaged.

        A damaged one is logged and not tried again: the generation in use goes on, and the next publish heals it. One
        that gave way to the next while it was opened, and was pruned, is not damaged: the next ``poll`` opens that.
        """
        target = current_target(self._root)
        number = number_of(target)
        if target == self._seen or not number:
            return None
        self._seen = target
        try:
            return open_generation(self._root, number)
        except GenerationDamaged as fault:
            if current_target(self._root) != target:
                return None
            reason = {"generation": number, "reason": str(fault)}
            _log.error("the new generation is damaged: the one in use goes on", extra=reason)
            return None
