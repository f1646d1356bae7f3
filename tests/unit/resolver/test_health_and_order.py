from __future__ import annotations

import pytest

from resolver.settings import UpstreamServer
from resolver.upstream.health import Health
from resolver.upstream.order import FastestFirst, StrictOrder
from resolver.upstream.server import literal


def fail(health: Health, now_s: float, times: int = 1) -> None:
    for _ in range(times):
        health.failed(now_s - 1.0, now_s, 1.5)


def test_down_after_so_many_failures_in_a_row() -> None:
    health = Health(failures_to_down=3)
    fail(health, 10.0, 2)
    assert not health.down
    health.answered(10.5)
    fail(health, 12.0, 2)
    assert not health.down
    assert health.failed(11.0, 12.0, 1.5)
    assert health.down


def test_a_slow_name_on_a_server_that_answers_others_is_no_failure() -> None:
    health = Health(failures_to_down=1)
    health.answered(10.0)
    assert not health.failed(9.0, 12.0, 1.5)
    assert (health.down, health.failures) == (False, 0)


def test_a_thousand_queries_lost_at_once_do_not_make_a_thousand_pauses() -> None:
    health = Health(3, first_backoff_s=1.0, max_backoff_s=30.0)
    fail(health, 10.0, 1_000)
    assert health.retry_s == 11.0


def test_pauses_double_up_to_their_limit_and_start_over_after_an_answer() -> None:
    health = Health(1, first_backoff_s=1.0, max_backoff_s=8.0)
    pauses = []
    now_s = 10.0
    for _ in range(6):
        fail(health, now_s)
        pauses.append(health.retry_s - now_s)
        now_s = health.retry_s
    assert pauses == [1, 2, 4, 8, 8, 8]
    assert health.answered(now_s)
    assert not health.answered(now_s)
    fail(health, now_s + 5)
    assert health.retry_s - now_s - 5 == 1


def test_round_trip_times_are_smoothed() -> None:
    health = Health()
    health.measured(0.08)
    assert health.rtt_s == 0.08
    health.measured(0.16)
    assert health.rtt_s == pytest.approx(0.09)


def test_strict_order_is_the_configured_one_with_the_dead_behind() -> None:
    servers = [Health(1), Health(1), Health(1)]
    order = StrictOrder(servers)
    assert order.plan(0.0) == (0, 1, 2)
    fail(servers[0], 10.0)
    order.changed()
    assert order.plan(10.0) == (1, 2, 0)
    servers[0].answered(11.0)
    order.changed()
    assert order.plan(11.0) == (0, 1, 2)


def test_where_all_are_down_the_one_to_be_tried_soonest_is_asked_first() -> None:
    servers = [Health(1), Health(1)]
    order = StrictOrder(servers)
    fail(servers[0], 20.0)
    fail(servers[1], 10.0)
    order.changed()
    assert order.plan(20.0) == (1, 0)


def test_fastest_first_and_every_server_gets_measured() -> None:
    servers = [Health(), Health(), Health()]
    order = FastestFirst(servers)
    assert order.plan(0.0) == (0, 1, 2)
    servers[0].measured(0.050)
    assert order.plan(1.0)[0] == 1, "not measured yet: try it"
    servers[1].measured(0.020)
    assert order.plan(2.0)[0] == 2
    servers[2].measured(0.030)
    assert order.plan(3.0) == (1, 2, 0)


def test_fastest_first_looks_at_the_others_now_and_then() -> None:
    servers = [Health(), Health(), Health()]
    for index, rtt_s in enumerate((0.01, 0.02, 0.03)):
        servers[index].measured(rtt_s)
    order = FastestFirst(servers)
    firsts = [order.plan(0.0)[0] for _ in range(640)]
    assert firsts.count(0) == 630
    assert {1, 2} <= set(firsts)
    fail(servers[1], 10.0, 3)
    fail(servers[2], 10.0, 3)
    order.changed()
    assert {order.plan(10.0)[0] for _ in range(640)} == {0}, "nobody waits for a server known to be down"


def test_every_plan_has_every_server_once() -> None:
    servers = [Health(1), Health(), Health()]
    fail(servers[0], 10.0)
    for order in (StrictOrder(servers), FastestFirst(servers)):
        assert all(sorted(order.plan(float(n))) == [0, 1, 2] for n in range(200))


@pytest.mark.parametrize("address", ["dns.google", "", "1.2.3", "192.0.2.1:53"])
def test_a_servers_address_is_an_address(address: str) -> None:
    with pytest.raises(ValueError, match="not an IPv4 or IPv6 address"):
        literal(UpstreamServer(address))


@pytest.mark.parametrize("port", [0, -1, 65_536])
def test_a_servers_port_is_a_port(port: int) -> None:
    with pytest.raises(ValueError, match="ports are 1 to 65535"):
        literal(UpstreamServer("192.0.2.1", port))
