"""What a measurement says, how it is shown, and where it is kept."""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, TypedDict

from rich.console import Console
from rich.table import Table

RESULTS = Path("var/bench/results.json")


class Row(TypedDict):
    """One figure of ours beside a peer's. ``ratio`` = ours / peer; ``target`` as text; ``met`` None: no target."""

    area: str
    name: str
    unit: str
    ours: float | None
    peer: float | None
    peer_name: str
    ratio: float | None
    target: str
    met: bool | None


def row(
    area: str,
    name: str,
    unit: str,
    ours: float | None,
    peer: float | None = None,
    peer_name: str = "",
    at_most: float | None = None,
    at_least: float | None = None,
    ratio_at_most: float | None = None,
) -> Row:
    """A row; the target is a bound on our figure (``at_most``, ``at_least``) or on ours / peer (``ratio_at_most``)."""
    ratio = ours / peer if ours is not None and peer else None
    target, met = "", None
    if ratio_at_most is not None:
        target = f"<= {ratio_at_most:g} x {peer_name}"
        met = ratio <= ratio_at_most if ratio is not None else None
    elif at_most is not None:
        target = f"<= {at_most:g}"
        met = ours <= at_most if ours is not None else None
    elif at_least is not None:
        target = f">= {at_least:g}"
        met = ours >= at_least if ours is not None else None
    return Row(
        area=area,
        name=name,
        unit=unit,
        ours=ours,
        peer=peer,
        peer_name=peer_name,
        ratio=ratio,
        target=target,
        met=met,
    )


def show(rows: Sequence[Row], console: Console) -> None:
    """Two tables: what is compared with several others, a column each; and the rest, a section a part."""
    groups: dict[tuple[str, str], list[Row]] = {}
    for one in rows:
        groups.setdefault((one["area"], one["name"]), []).append(one)
    beside_many = [group for group in groups.values() if len({one["peer_name"] for one in group} - {""}) > 1]
    others = [one for group in groups.values() if group not in beside_many for one in group]
    if beside_many:
        console.print(_many(beside_many))
    if others:
        console.print(_one_by_one(others))


def _many(groups: Sequence[Sequence[Row]]) -> Table:
    peers = list(dict.fromkeys(one["peer_name"] for group in groups for one in group if one["peer_name"]))
    table = Table(title="Saring beside other servers, measured in this run", title_justify="left")
    table.add_column("what", overflow="fold", min_width=30)
    table.add_column("unit")
    for heading in ("ours", *peers, "ours/peer"):
        table.add_column(heading, justify="right", overflow="fold")
    table.add_column("target")
    for group in groups:
        values = {one["peer_name"]: one["peer"] for one in group}
        judged = next((one for one in group if one["target"]), None)
        table.add_row(
            group[0]["name"],
            group[0]["unit"],
            figure(group[0]["ours"]),
            *(figure(values.get(peer)) for peer in peers),
            f"{judged['ratio']:.2f}" if judged and judged["ratio"] is not None else "",
            _judged(judged) if judged else "",
        )
    return table


def _one_by_one(rows: Sequence[Row]) -> Table:
    table = Table(title="Saring by itself or beside one other, measured in this run", title_justify="left")
    table.add_column("part")
    table.add_column("what", overflow="fold")
    table.add_column("unit")
    for heading in ("ours", "peer"):
        table.add_column(heading, justify="right")
    table.add_column("peer is")
    table.add_column("ours/peer", justify="right")
    table.add_column("target")
    for index, one in enumerate(rows):
        last = index + 1 == len(rows) or rows[index + 1]["area"] != one["area"]
        table.add_row(
            one["area"],
            one["name"],
            one["unit"],
            figure(one["ours"]),
            figure(one["peer"]),
            one["peer_name"],
            f"{one['ratio']:.2f}" if one["ratio"] is not None else "",
            _judged(one),
            end_section=last,
        )
    return table


def _judged(one: Row) -> str:
    if not one["target"] or one["met"] is None:
        return one["target"]
    return f"[green]{one['target']} met[/]" if one["met"] else f"[red]{one['target']} NOT met[/]"


def figure(value: float | None) -> str:
    """Three significant digits, thousands grouped; empty where nothing was measured."""
    if value is None:
        return ""
    if abs(value) >= 100:
        return f"{value:,.0f}"
    return f"{value:.3g}"


def keep(rows: Sequence[Row], machine: dict[str, Any], took_s: float, path: Path = RESULTS) -> None:
    """Writes the rows of this run, with what they were measured on; those of parts not run now are kept."""
    areas = {one["area"] for one in rows}
    kept = [one for one in _before(path) if one.get("area") not in areas]
    document = {
        "measured_at": time.strftime("%Y-%m-%dT%H:%M:%S%z"),
        "took_s": round(took_s, 1),
        "machine": machine,
        "rows": [*kept, *rows],
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_suffix(".tmp")
    beside.write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")
    beside.replace(path)


def _before(path: Path) -> list[Row]:
    try:
        rows: list[Row] = json.loads(path.read_text(encoding="utf-8"))["rows"]
    except (OSError, ValueError, KeyError, TypeError):
        return []
    return rows
