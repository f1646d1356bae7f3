"""What one client may take: by rate, by what waits, by zone. Cached names are answered whatever waits."""

from __future__ import annotations

from querylog.record import Transport
from resolver.sources import SourceLimits
from tests.support.dns import ask, heard
from tests.support.fixtures_world import Worlds
from tests.support.world import SCHOOLS_CLIENT, sample_policy

TOO_MANY = "Too many queries of this client or for this zone wait for upstreams"


def test_over_the_rate_udp_slips_or_is_dropped_and_tcp_is_refused(world: Worlds) -> None:
    here = world(sample_policy(), limits=SourceLimits(client_qps=1, burst_s=2, slip=2))
    assert [here.ask("localhost").rcode for _ in range(2)] == ["NOERROR"] * 2
    assert here.raw(ask("localhost")) == b""
    slipped = heard(here.raw(ask("localhost")))
    assert ("tc" in slipped.flags, slipped.answer, slipped.rcode) == (True, (), "NOERROR")
    refused = here.ask("localhost", transport=Transport.TCP)
    assert (refused.rcode, refused.ede[0][0]) == ("REFUSED", 18)
    assert here.ask("localhost", host=SCHOOLS_CLIENT).rcode == "NOERROR"
    here.now_s += 2
    assert here.ask("localhost").rcode == "NOERROR"
    assert here.stats.limited == 3
    assert len(here.close()) == 6  # what was dropped was no answer


def test_a_new_generation_gives_no_new_burst(world: Worlds) -> None:
    here = world(sample_policy(), limits=SourceLimits(client_qps=1, burst_s=2, slip=0))
    assert [here.raw(ask("localhost")) != b"" for _ in range(3)] == [True, True, False]
    here.publish(sample_policy())
    assert here.raw(ask("localhost")) == b""


def test_rate_before_parsing(world: Worlds) -> None:
    """1 before 2: what is over the rate is not even read."""
    here = world(sample_policy(), limits=SourceLimits(client_qps=1, burst_s=1, slip=0))
    here.raw(ask("localhost"))
    assert here.raw(b"\0" * 12 + b"rubbish") == b""
    assert here.stats.limited == 1


def test_what_waits_for_one_client_is_bounded(world: Worlds) -> None:
    """DNSBomb: queries gathered behind slow upstreams, to be answered all at once."""
    here = world(sample_policy(), limits=SourceLimits(max_pending=3))
    here.upstream.zones["dikenal.example"] = ["dikenal.example. 300 IN A 192.0.2.1"]
    here.ask("dikenal.example")
    here.upstream.instant = False
    for number in range(3):
        assert here.ask_later(f"n{number}.z{number}.example") is None
    said = here.ask("n4.z4.example")
    assert (said.rcode, said.ede) == ("SERVFAIL", ((0, TOO_MANY),))
    assert here.ask("dikenal.example").addresses == ("192.0.2.1",)
    assert here.ask_later("n4.z4.example", host=SCHOOLS_CLIENT) is None
    here.upstream.land()
    assert here.ask_later("n5.z5.example") is None


def test_random_names_below_one_zone_leave_room_for_all_others(world: Worlds) -> None:
    """Water torture."""
    here = world(sample_policy())
    here.upstream.instant = False
    for number in range(256):
        assert here.ask_later(f"r{number}.korban.example") is None
    assert here.ask("r999.korban.example").rcode == "SERVFAIL"
    assert here.ask_later("www.kantor.example") is None
    here.upstream.land()
    assert (len(here.pressure), here.pressure.refused) == (0, 1)
    assert here.ask_later("r999.korban.example") is None


def test_many_who_wait_for_the_same_count_once(world: Worlds) -> None:
    here = world(sample_policy())
    here.upstream.instant = False
    here.upstream.joins = True
    for _ in range(300):
        assert here.ask_later("populer.korban.example") is None
    assert here.pressure.refused == 0
