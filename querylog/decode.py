"""Sound records of spool windows into columns: numpy and Arrow from end to end, no object a row.

A record's sequence must follow the one before. Where it does not, what is missing was written and is no longer
readable: that hole becomes a gap of kind ``damaged``, exact by count.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from policy.model import Layer, Verdict, Via
from querylog.labels import Labeller
from querylog.record import CacheState, Transport
from querylog.row_columns import clients, enumerated, labelled, repeated
from querylog.spool_format import BODY_SIZE, FRAME_SIZE, KIND_GAP, KIND_ROW, GapKind, SegmentHeader
from querylog.spool_reader import Window
from querylog.store import Batch, Gap
from querylog.wire_text import name_column

_ROW_DTYPE: Final = np.dtype(
    [
        ("length", "<u4"),
        ("crc", "<u4"),
        ("time_us", "<u8"),
        ("sequence", "<u8"),
        ("client", "V16"),
        ("agency_id", "<u4"),
        ("unit_id", "<u4"),
        ("generation", "<u4"),
        ("rule_id", "<u4"),
        ("list_id", "<u4"),
        ("category_id", "<u4"),
        ("answer_digest", "<u4"),
        ("latency_us", "<u4"),
        ("rrtype", "<u2"),
        ("rcode", "<u2"),
        ("upstream", "<u2"),
        ("transport", "u1"),
        ("verdict", "u1"),
        ("layer", "u1"),
        ("via", "u1"),
        ("cache", "u1"),
        ("name_size", "u1"),
        ("matched_size", "u1"),
        ("kind", "u1"),
        ("pad", "V2"),
    ]
)
_GAP_DTYPE: Final = np.dtype(
    [
        ("length", "<u4"),
        ("crc", "<u4"),
        ("last_time_us", "<u8"),
        ("last_sequence", "<u8"),
        ("first_sequence", "<u8"),
        ("first_time_us", "<u8"),
        ("gap_kind", "u1"),
        ("pad", "V47"),
    ]
)
assert _ROW_DTYPE.itemsize == _GAP_DTYPE.itemsize == FRAME_SIZE + BODY_SIZE

Records = npt.NDArray[Any]


@dataclass(frozen=True, slots=True)
class Run:
    """Windows of one segment that stand one behind the other; ``expected`` is the first sequence due there."""

    header: SegmentHeader
    expected: int
    windows: list[Window] = field(default_factory=list)


def decode(runs: list[Run], labeller: Labeller) -> Batch:
    """All rows and gaps of the runs, in their order."""
    pieces: list[bytes] = []
    offsets: list[npt.NDArray[np.int64]] = []
    bounds = [0]
    base = 0
    for run in runs:
        records = 0
        for window in run.windows:
            pieces.append(window.data)
            offsets.append(np.array(window.offsets, np.int64) + base)
            base += len(window.data)
            records += len(window.offsets)
        bounds.append(bounds[-1] + records)
    data = np.frombuffer(b"".join(pieces), np.uint8)
    at = np.concatenate(offsets) if offsets else np.zeros(0, np.int64)
    records_all = _gather(data, at)
    sound = _consistent(records_all)
    gaps: list[Gap] = []
    workers: list[tuple[str, int, int]] = []
    for run, first, last in zip(runs, bounds, bounds[1:], strict=False):
        part = _only(records_all[first:last], sound[first:last])
        gaps += _written_gaps(run.header, part) + _holes(run, part)
        workers.append((run.header.node, run.header.worker, int(np.count_nonzero(part["kind"] == KIND_ROW))))
    is_row = sound & (records_all["kind"] == KIND_ROW)
    return Batch(_table(data, _only(at, is_row), _only(records_all, is_row), workers, labeller), tuple(gaps))


def _only(values: npt.NDArray[Any], wanted: npt.NDArray[np.bool_]) -> npt.NDArray[Any]:
    """The wanted ones, without a copy in the usual case that all are."""
    return values if wanted.all() else values[wanted]


def _gather(data: npt.NDArray[np.uint8], at: npt.NDArray[np.int64]) -> Records:
    """The fixed parts at the given offsets, frames included."""
    size = _ROW_DTYPE.itemsize
    if at.size == 0:
        return np.zeros(0, _ROW_DTYPE)
    every_offset = np.lib.stride_tricks.as_strided(data, (data.size - size + 1, size), (1, 1), writeable=False)
    return every_offset[at].view(_ROW_DTYPE)[:, 0]


def _consistent(records: Records) -> npt.NDArray[np.bool_]:
    """Names that fit the body, and a kind we know: the checksum does not say that our writer wrote it."""
    names = records["name_size"].astype(np.uint32) + records["matched_size"]
    row = (records["kind"] == KIND_ROW) & (records["length"] == names + BODY_SIZE)
    found: npt.NDArray[np.bool_] = row | (records["kind"] == KIND_GAP)
    return found


def _written_gaps(header: SegmentHeader, records: Records) -> list[Gap]:
    gaps = records[records["kind"] == KIND_GAP].view(_GAP_DTYPE)
    return [
        Gap(
            header.node,
            header.worker,
            int(gap["first_sequence"]),
            int(gap["last_sequence"]),
            int(gap["first_time_us"]),
            int(gap["last_time_us"]),
            _kind_text(int(gap["gap_kind"])),
        )
        for gap in gaps
    ]


def _kind_text(kind: int) -> str:
    try:
        return GapKind(kind).name.lower()
    except ValueError:
        return f"#{kind}"


def _holes(run: Run, records: Records) -> list[Gap]:
    """Damaged gaps where a sequence jumps. One that goes back is a writer's after a power loss: no hole."""
    if records.size == 0:
        return []
    lasts = records["sequence"].astype(np.int64)
    firsts = np.where(records["kind"] == KIND_GAP, records.view(_GAP_DTYPE)["first_sequence"].astype(np.int64), lasts)
    due = np.concatenate((np.array([run.expected], np.int64), lasts[:-1] + 1))
    times = records["time_us"].astype(np.int64)
    return [
        Gap(
            run.header.node,
            run.header.worker,
            int(due[hole]),
            int(firsts[hole]) - 1,
            int(times[hole - 1]) if hole else min(run.header.created_us, int(times[hole])),
            int(times[hole]),
            GapKind.DAMAGED.name.lower(),
        )
        for hole in np.flatnonzero(firsts > due)
    ]


def _table(
    data: npt.NDArray[np.uint8],
    at: npt.NDArray[np.int64],
    rows: Records,
    workers: list[tuple[str, int, int]],
    labeller: Labeller,
) -> pa.Table:
    counts = [count for _, _, count in workers]
    names = at + _ROW_DTYPE.itemsize
    name_size = rows["name_size"].astype(np.int64)
    generation = rows["generation"]

    def of_generation(name: str, text: Callable[[int, int], str]) -> pa.Array[Any]:
        return labelled(generation, rows[name], text)

    columns: dict[str, Any] = {
        "time_us": _integers(rows["time_us"], pa.int64()),
        "node": repeated([node for node, _, _ in workers], counts),
        "worker": pa.array(np.repeat(np.array([worker for _, worker, _ in workers], np.int32), counts)),
        "sequence": _integers(rows["sequence"], pa.int64()),
        "client": clients(rows["client"]),
        "agency": of_generation("agency_id", labeller.agency),
        "unit": of_generation("unit_id", labeller.unit),
        "generation": _integers(generation, pa.int64()),
        "transport": enumerated(rows["transport"], Transport),
        "name": name_column(data, names, name_size),
        "rrtype": _integers(rows["rrtype"], pa.int32()),
        "rcode": _integers(rows["rcode"], pa.int32()),
        "verdict": enumerated(rows["verdict"], Verdict),
        "layer": enumerated(rows["layer"], Layer),
        "via": enumerated(rows["via"], Via),
        "rule_id": _integers(rows["rule_id"], pa.int64()),
        "rule": of_generation("rule_id", labeller.rule_title),
        "letter": of_generation("rule_id", labeller.letter),
        "list": of_generation("list_id", labeller.list),
        "category": of_generation("category_id", labeller.category),
        "matched": name_column(data, names + name_size, rows["matched_size"].astype(np.int64)),
        "answer_digest": _integers(rows["answer_digest"], pa.int64()),
        "upstream": _integers(rows["upstream"], pa.int16()),
        "cache": enumerated(rows["cache"], CacheState),
        "latency_us": _integers(rows["latency_us"], pa.int64()),
    }
    return pa.table(columns)


def _integers(values: npt.NDArray[Any], kind: pa.DataType) -> pa.Array[Any]:
    return pa.array(np.ascontiguousarray(values).astype(kind.to_pandas_dtype()))
