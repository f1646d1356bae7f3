"""Runs a process that does one thing and gives a result: preparing, a sync.

It shares our terminal, so that its progress bar is seen; the result comes back through a pipe of its own.
"""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import json
import os
from collections.abc import Mapping

from saring.child import describe_exit
from saring.orders import Orders, command_of, encode_orders

MAX_RESULT_BYTES = 1024 * 1024
END_S = 5.0


class OneShotError(Exception):
    """It failed; the text is its own account where it gave one."""


async def run_one_shot(kind: str, orders: Orders, stop: asyncio.Event) -> Mapping[str, object]:
    """The result of ``python -m saring.process KIND``. Ended early, with an empty result, when ``stop`` is set.

    Raises ``OneShotError``.
    """
    reader, writer = os.pipe()
    try:
        told = dataclasses.replace(orders, result_fd=writer)
        process = await asyncio.create_subprocess_exec(
            *command_of(kind),
            stdin=asyncio.subprocess.PIPE,
            pass_fds=(writer,),
            process_group=0,
        )
        os.close(writer)
        writer = -1
        assert process.stdin is not None
        process.stdin.write(encode_orders(told))
        process.stdin.close()
        collected = asyncio.create_task(asyncio.to_thread(_read_all, reader))
        await _wait(process, stop)
        return _result(kind, await collected, process.returncode, stop)
    finally:
        if writer >= 0:
            os.close(writer)
        os.close(reader)


async def _wait(process: asyncio.subprocess.Process, stop: asyncio.Event) -> None:
    """Until the process ends; ends it where ``stop`` is set or we are cancelled."""
    ended = asyncio.create_task(process.wait())
    stopped = asyncio.create_task(stop.wait())
    try:
        await asyncio.wait({ended, stopped}, return_when=asyncio.FIRST_COMPLETED)
    finally:
        stopped.cancel()
        if process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                process.terminate()
            try:
                await asyncio.wait_for(ended, END_S)
            except TimeoutError:
                process.kill()
                await process.wait()


def _read_all(descriptor: int) -> bytes:
    data = b""
    while len(data) < MAX_RESULT_BYTES and (chunk := os.read(descriptor, 65_536)):
        data += chunk
    return data


def _result(kind: str, data: bytes, code: int | None, stop: asyncio.Event) -> Mapping[str, object]:
    if code == 0:
        value = json.loads(data or b"{}")
        return value if isinstance(value, dict) else {}
    if stop.is_set():
        return {}
    try:
        account = str(json.loads(data)["error"])
    except (ValueError, KeyError, TypeError):
        account = f"{kind} ended with {describe_exit(code or 0)}; its messages are above"
    raise OneShotError(account)


def give_result(orders: Orders, result: Mapping[str, object]) -> None:
    """For the process itself: hands ``result`` back."""
    if orders.result_fd >= 0:
        os.write(orders.result_fd, json.dumps(result).encode())
