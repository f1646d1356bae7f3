"""The Prometheus text of ``/metrics``, from the same files as ``saring status``.

Labels are agencies, categories, lists, workers; never names or clients: what somebody looked up is personal data, and a
label a name would be a time series a name.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, Final

from prometheus_client import CollectorRegistry, Metric, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, InfoMetricFamily
from prometheus_client.registry import Collector

from saring.list_health import ListView
from saring.status import ProgramStatus, WorkerView


class _StatusCollector(Collector):
    """Turns one status into metric families."""

    def __init__(self, status: ProgramStatus) -> None:
        self._status = status

    def collect(self) -> Iterable[Metric]:
        """All families."""
        yield from _program(self._status)
        yield from _lists(self._status)
        yield from _workers(self._status.workers)


def render(status: ProgramStatus) -> bytes:
    """``status`` in Prometheus' text format."""
    registry = CollectorRegistry()
    registry.register(_StatusCollector(status))
    return generate_latest(registry)


def _program(status: ProgramStatus) -> Iterator[Metric]:
    yield InfoMetricFamily("saring", "Version and node.", value={"version": status.version, "node": status.node})
    yield _gauge("saring_generation", "Number of the current snapshot generation.", status.generation)
    yield _gauge("saring_published_timestamp_seconds", "When it was published.", status.published_s)
    yield _gauge("saring_unpublished_edits", "Edits that no generation holds yet.", status.unpublished)
    yield _gauge("saring_pauses_running", "Agencies and units that are let off now.", len(status.pauses))
    yield _gauge("saring_spool_size_bytes", "Disk space of the spool.", status.spool_size_bytes)
    yield _gauge("saring_next_sync_timestamp_seconds", "When lists are fetched next.", status.next_sync_s)
    up = GaugeMetricFamily("saring_process_up", "Whether the process runs.", labels=["process"])
    restarts = CounterMetricFamily("saring_process_restarts", "Starts after the first.", labels=["process"])
    for process in status.processes:
        up.add_metric([process.name], 1 if process.pid else 0)
        restarts.add_metric([process.name], process.restarts)
    yield up
    yield restarts


def _lists(status: ProgramStatus) -> Iterator[Metric]:
    yield _gauge("saring_lists_size_bytes", "Disk space of all kept versions of all lists.", status.lists_size_bytes)
    lists = [one for one in status.lists if one.enabled]
    for name, text, value in _LIST_GAUGES:
        family = GaugeMetricFamily(f"saring_list_{name}", text, labels=["list"])
        for one in lists:
            family.add_metric([one.code], value(one))
        yield family
    age = GaugeMetricFamily(
        "saring_list_age_seconds", "Since the source last had what is served, or an update was let in.", labels=["list"]
    )
    result = GaugeMetricFamily("saring_list_last_result", "1 for what the last try came to.", labels=["list", "result"])
    for one in lists:
        if one.age_s >= 0:
            age.add_metric([one.code], one.age_s)
        for kind in _RESULTS:
            result.add_metric([one.code, kind], 1 if one.result == kind else 0)
    yield age
    yield result


_RESULTS: Final = ("good", "refused", "failed", "never")
_LIST_GAUGES: Final[tuple[tuple[str, str, Callable[[ListView], float]], ...]] = (
    ("entries", "Names in the list's version in use.", lambda one: one.entries),
    ("fetched_timestamp_seconds", "When its source answered last.", lambda one: one.fetched_s),
    ("changed_timestamp_seconds", "When the version in use came into force.", lambda one: one.changed_s),
    ("max_age_seconds", "The age at which it counts as stale.", lambda one: one.max_age_s),
    ("stale", "Whether it is older than that.", lambda one: one.stale),
    ("failing", "Whether the last try failed or was refused.", lambda one: bool(one.trouble)),
    ("size_bytes", "Disk space of its kept versions.", lambda one: one.size_bytes),
)


def _workers(workers: tuple[WorkerView, ...]) -> Iterator[Metric]:
    up = GaugeMetricFamily("saring_worker_answering", "Whether the worker reports.", labels=["worker"])
    generation = GaugeMetricFamily("saring_worker_generation", "Generation it answers by.", labels=["worker"])
    gaps = CounterMetricFamily("saring_log_gaps", "Answers that could not be logged.", labels=["worker"])
    for worker in workers:
        label = [str(worker.number)]
        up.add_metric(label, 1 if worker.answering else 0)
        generation.add_metric(label, worker.generation)
        gaps.add_metric(label, worker.gaps)
    yield from (up, generation, gaps)
    yield _counts(workers, "saring_answers_transport", "Answers by transport.", "transport", "queries")
    yield _counts(workers, "saring_answers_verdict", "Answers by verdict.", "verdict", "verdicts")
    yield _counts(workers, "saring_answers_rcode", "Answers by response code.", "rcode", "rcodes")
    yield _counts(workers, "saring_hits_category", "Decisions by category.", "category", "by_category")
    yield _counts(workers, "saring_hits_list", "Decisions by list.", "list", "by_list")
    yield _by_agency(workers)
    yield from _cache(workers)
    yield from _upstreams(workers)
    yield from _groups(workers)


def _counts(workers: tuple[WorkerView, ...], name: str, text: str, label: str, key: str) -> Metric:
    """One counter with the worker and one more label."""
    family = CounterMetricFamily(name, text, labels=["worker", label])
    for worker in workers:
        for value, count in _numbers(worker.raw.get(key)):
            family.add_metric([str(worker.number), value], count)
    return family


def _by_agency(workers: tuple[WorkerView, ...]) -> Metric:
    family = CounterMetricFamily(
        "saring_answers_agency", "Answers by agency and verdict.", labels=["worker", "agency", "verdict"]
    )
    for worker in workers:
        agencies = worker.raw.get("by_agency")
        for agency, verdicts in agencies.items() if isinstance(agencies, dict) else ():
            for verdict, count in _numbers(verdicts):
                family.add_metric([str(worker.number), str(agency), verdict], count)
    return family


def _cache(workers: tuple[WorkerView, ...]) -> Iterator[Metric]:
    names = sorted({name for worker in workers for name, _ in _numbers(worker.raw.get("cache"))})
    for name in names:
        family = GaugeMetricFamily(f"saring_cache_{name}", f"Cache: {name}.", labels=["worker"])
        for worker in workers:
            value = dict(_numbers(worker.raw.get("cache"))).get(name)
            if value is not None:
                family.add_metric([str(worker.number)], value)
        yield family


def _upstreams(workers: tuple[WorkerView, ...]) -> Iterator[Metric]:
    families: dict[str, GaugeMetricFamily] = {}
    for worker in workers:
        entries = worker.raw.get("upstreams")
        for entry in entries if isinstance(entries, list) else ():
            server = _server(entry)
            for name, value in _numbers(entry):
                if name in {"port", "number"}:
                    continue
                family = families.setdefault(
                    name,
                    GaugeMetricFamily(f"saring_upstream_{name}", f"Upstream: {name}.", labels=["worker", "upstream"]),
                )
                family.add_metric([str(worker.number), server], value)
    yield from families.values()


def _groups(workers: tuple[WorkerView, ...]) -> Iterator[Metric]:
    families: dict[str, GaugeMetricFamily] = {}
    for worker in workers:
        groups = worker.raw.get("upstream_groups")
        for group, totals in groups.items() if isinstance(groups, dict) else ():
            for name, value in _numbers(totals):
                text = f"Group of upstreams: {name}."
                family = families.setdefault(
                    name, GaugeMetricFamily(f"saring_upstream_group_{name}", text, labels=["worker", "group"])
                )
                family.add_metric([str(worker.number), str(group)], value)
    yield from families.values()


def _server(entry: Any) -> str:
    if not isinstance(entry, Mapping):
        return "?"
    address = entry.get("server") or entry.get("address")
    if address and entry.get("group"):
        # One machine may be asked by several transports, and in several groups.
        return f"{entry['group']}/{address}:{entry.get('port', '')}"
    return str(address or entry.get("number") or "?")


def _numbers(value: Any) -> list[tuple[str, float]]:
    if not isinstance(value, Mapping):
        return []
    return [(str(key), float(number)) for key, number in value.items() if isinstance(number, int | float)]


def _gauge(name: str, text: str, value: float) -> Metric:
    return GaugeMetricFamily(name, text, value=value)
