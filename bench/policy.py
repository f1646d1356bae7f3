"""What policy costs: a decision on a name nobody speaks of and on a listed one, resolving, publishing.

There is no peer that decides per agency; where one number is compared, the peer is the same work without the policy.
"""

from __future__ import annotations

import shutil
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from bench.government import AT_S, government
from bench.repeated import repeated_query_us
from bench.replay import replay_rows
from bench.report import Row, row
from blocklists.asker import ANYBODY, Asker, Client
from blocklists.index import Match
from dnswire import name as wire
from policy.decide import decide
from policy.document import encode
from policy.explain import ByTenant, explain_prepared
from policy.model import Policy
from policy.prepare import prepare
from policy.resolve import at
from policy.review import Surroundings, review
from policy.view import View
from snapshots.publish import publish

_DECISIONS = 40_000


def run() -> list[Row]:
    """The rows of ``make bench B=policy``."""
    policy = government()
    prepared = prepare(policy)
    resolved = at(prepared, AT_S)
    around = Surroundings(now_s=AT_S)
    client = resolved.client(bytes((10, 3, 7, 1)))
    miss, rule, listed = (
        wire.from_text(text) for text in ("www.kantor.example.org", "a.situs17.example", "judi.example")
    )
    by_list = (Match(2, 1, False),)
    ours, plain = repeated_query_us((policy, _plain(policy)), "10.3.7.1", AT_S)
    return [
        row("policy", "decide, nothing speaks of the name", "us", _per_call_us(client.view, (), miss), at_most=5),
        row("policy", "decide, a rule by name", "us", _per_call_us(client.view, (), rule), at_most=20),
        row("policy", "decide, a listed name", "us", _per_call_us(client.view, by_list, listed), at_most=25),
        row("policy", "client by longest prefix, 5,000 networks", "us", _client_us(resolved.client), at_most=5),
        row("policy", "prepare, once a generation", "ms", _best_ms(lambda: prepare(policy)), at_most=200),
        row("policy", "review, at each edit", "ms", _best_ms(lambda: review(policy, around)), at_most=1000),
        row("policy", "resolve, at each schedule's edge", "ms", _best_ms(lambda: at(prepared, AT_S)), at_most=100),
        row("policy", "encode the policy document", "ms", _best_ms(lambda: encode(policy)), at_most=100),
        row(
            "policy",
            "explain a name",
            "ms",
            _best_ms(lambda: explain_prepared(prepared, _NoLists(), ByTenant(1, 60), rule, 1, AT_S)),
            at_most=500,
        ),
        row("policy", "publish an edit", "ms", _publish_ms(), at_most=1000),
        row("policy", "a query asked before", "us", ours, plain, "a policy of one rule", ratio_at_most=1.03),
        *replay_rows(),
    ]


def _plain(policy: Policy) -> Policy:
    """The same agencies and networks with a single rule."""
    return replace(policy, rules=policy.rules[:1], services=(), schedule_overrides=(), pauses=())


class _NoLists:
    rules = None

    def asker(self, client: Client) -> Asker:
        return ANYBODY

    def ask(self, name: bytes, rrtype: int, asker: Asker) -> tuple[Match, ...]:
        return ()


def _per_call_us(view: View, matches: tuple[Match, ...], name: bytes) -> float:
    best = float("inf")
    for _ in range(3):
        start_ns = time.process_time_ns()
        for _ in range(_DECISIONS):
            decide(view, matches, name, 1)
        best = min(best, time.process_time_ns() - start_ns)
    return best / _DECISIONS / 1000


def _client_us(client: Callable[[bytes], object]) -> float:
    addresses = [bytes((10, number % 20, number % 250, 9)) for number in range(_DECISIONS)]
    start_ns = time.process_time_ns()
    for address in addresses:
        client(address)
    return (time.process_time_ns() - start_ns) / _DECISIONS / 1000


def _best_ms(work: Callable[[], object]) -> float:
    best = float("inf")
    for _ in range(3):
        start_ns = time.process_time_ns()
        work()
        best = min(best, time.process_time_ns() - start_ns)
    return best / 1e6


def _publish_ms() -> float:
    """Wall time: an edit waits for the disk too."""
    policy = government()
    root = Path(tempfile.mkdtemp(prefix="saring-bench-"))
    try:
        publish(root, policy, None, AT_S)
        start_s = time.perf_counter()
        publish(root, policy, None, AT_S)
        return (time.perf_counter() - start_s) * 1000
    finally:
        shutil.rmtree(root)
