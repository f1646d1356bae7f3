"""``python -m bench [part ...]``: measures, shows a table, writes ``var/bench/results.json``."""

from __future__ import annotations

import importlib
import os
import sys
import time
import traceback
from collections.abc import Callable
from types import ModuleType

from rich.console import Console

from bench import machine, report

WIDTH = 150
PARTS = ("blocklists", "policy", "querylog", "api", "resolver")

METHOD = (
    "Method: ours and each peer in the same run on the same machine, alternating; a figure is the median of the runs. "
    "Servers are pinned to core 0, load generator and upstream to core 1. CPU time is user + system from /proc. "
    "ours/peer below 1 means that ours needs less (for queries/s: that it does less).\n"
    "Caveats: a virtual machine's cores are shared with others, so compare ratios, not figures of different days; a "
    "load before the start (below) makes all figures worse; loopback has no network card and no interrupts."
)


def load(part: str) -> ModuleType | None:
    """The part's module; None where it is not there (any other import error is a fault and is raised)."""
    try:
        return importlib.import_module(f"bench.{part}")
    except ModuleNotFoundError as error:
        if error.name == f"bench.{part}":
            return None
        raise


def measure(part: str, console: Console) -> list[report.Row] | None:
    """The part's rows; None where it failed, which is shown."""
    console.rule(f"[bold]{part}", align="left")
    try:
        module = load(part)
        if module is None:
            console.print(f"bench/{part}.py is not there: nothing measured.")
            return []
        run: Callable[[], list[report.Row]] = module.run
        return run()
    except Exception:  # whatever one part runs into, the others are still worth measuring
        console.print(traceback.format_exc(), style="red", markup=False, highlight=False)
        return None


def main(arguments: list[str]) -> int:
    unknown = [part for part in arguments if part not in PARTS]
    if unknown:
        print(f"bench: no part named {', '.join(unknown)}; parts: {' '.join(PARTS)}", file=sys.stderr)
        return 2
    # In a file or a pipe there is no width to fit into.
    console = Console() if sys.stdout.isatty() else Console(width=WIDTH)
    facts = machine.facts()
    started_s = time.monotonic()
    measured = {part: measure(part, console) for part in arguments or PARTS}
    rows = [one for part_rows in measured.values() for one in part_rows or []]
    if rows:
        report.show(rows, console)
        report.keep(rows, facts, time.monotonic() - started_s)
    console.print(METHOD, highlight=False, markup=False)
    compiled = sum(facts["compiled"].values())
    programs = ", ".join(f"{name} {version}" for name, version in facts["programs"].items())
    console.print(
        f"Machine: {facts['cpu']}, {facts['cores']} cores, {facts['memory_gb']} GB, Linux {facts['kernel']}, load "
        f"{facts['load_at_start']:.2f} at the start; Python {facts['python']}, {compiled} of {len(facts['compiled'])} "
        f"hot modules compiled; {programs}. {'Full' if os.environ.get('BENCH_FULL') == '1' else 'Short'} runs.",
        highlight=False,
        markup=False,
    )
    if rows:
        console.print(f"Written to {report.RESULTS}.", highlight=False)
    return 1 if any(part_rows is None for part_rows in measured.values()) else 0


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except KeyboardInterrupt:
        sys.exit(130)
