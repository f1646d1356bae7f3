"""The order of SOAs in AXFR and IXFR, by RFC 5936, RFC 1995 and RFC 1982; no sockets."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from blocklists.transfer.failure import TransferError, TransferFailure
from blocklists.transfer.framing import Framing, Place
from blocklists.transfer.serial import is_newer
from blocklists.transfer.soa import Soa

# What comes: a number is an SOA of that serial, "rr" an RR, "|" the end of a message.
Step = int | str


def run(held: int | None, steps: Sequence[Step]) -> tuple[Framing, list[Place]]:
    """A transfer from beginning to end; the places of its RRs."""
    framing = Framing("The primary", held)
    places: list[Place] = []
    for step in steps:
        if isinstance(step, int):
            framing.soa(Soa(step, 3600, 600, 86_400))
        elif step == "|":
            framing.message_ended()
        else:
            if framing.place <= Place.UNDECIDED:
                framing.record()
            places.append(framing.place)
    return framing, places


def failure(held: int | None, steps: Sequence[Step]) -> TransferError:
    with pytest.raises(TransferError) as caught:
        run(held, steps)
    return caught.value


def test_a_zone_begins_and_ends_with_its_soa() -> None:
    # RFC 5936 2.2: the first RR of an AXFR is the SOA, and so is the last.
    framing, places = run(None, [5, "rr", "rr", "|", "rr", "|", 5, "|"])
    assert (framing.done, framing.whole, places) == (True, True, [Place.WHOLE] * 3)


def test_a_zone_of_its_soa_alone_is_whole() -> None:
    framing, _ = run(None, [5, "|", 5, "|"])
    assert (framing.done, framing.whole) == (True, True)


def test_one_rr_a_message_is_a_transfer_too() -> None:
    # RFC 5936 3.2: servers may send one RR a message; the first has the SOA alone.
    framing, _ = run(None, [5, "|", "rr", "|", 5, "|"])
    assert framing.done
    framing, _ = run(4, [5, "|", "rr", "|", 5, "|"])
    assert (framing.done, framing.whole) == (True, True)


def test_a_transfer_without_its_last_soa_is_not_done() -> None:
    framing, _ = run(None, [5, "rr", "|", "rr", "|"])
    assert not framing.done


def test_a_transfer_that_ends_with_another_serial_is_discarded() -> None:
    error = failure(None, [5, "rr", 6])
    assert error.code is TransferFailure.SERIAL
    assert "serial 6, begun with 5" in error.sentence


@pytest.mark.parametrize("steps", [["rr"], [5, "rr", 5, "rr"], [5, "rr", 5, 5]])
def test_nothing_stands_before_the_first_soa_nor_behind_the_last(steps: Sequence[Step]) -> None:
    assert failure(None, steps).code is TransferFailure.WRONG_ANSWER


def test_an_ixfr_is_answered_with_the_whole_zone_where_the_second_rr_is_no_soa() -> None:
    # RFC 1995 4: where incremental transfer is not available the entire zone is returned, the first and the last RR of
    # the response being its SOA.
    framing, places = run(3, [5, "rr", "rr", 5])
    assert (framing.done, framing.whole, places) == (True, True, [Place.WHOLE, Place.WHOLE])


def test_one_delta_has_what_went_then_what_came() -> None:
    # RFC 1995 4: a difference sequence is one change of the serial: deleted RRs, the older SOA first, then added RRs,
    # the newer SOA first.
    framing, places = run(4, [5, 4, "rr", 5, "rr", "rr", 5])
    assert (framing.done, framing.whole, framing.deltas) == (True, False, 1)
    assert places == [Place.GONE, Place.COME, Place.COME]


def test_several_deltas_follow_one_another() -> None:
    framing, places = run(2, [5, 2, "rr", 3, "|", "rr", 3, 4, "rr", 4, "|", "rr", 5, "|", 5])
    assert (framing.done, framing.deltas) == (True, 3)
    assert places == [Place.GONE, Place.COME, Place.COME, Place.GONE]


def test_one_soa_not_newer_than_ours_means_up_to_date() -> None:
    # RFC 1995 2: a query with the same serial as the server's, or a newer one, is answered with the server's SOA alone.
    framing, _ = run(5, [5, "|"])
    assert (framing.done, framing.up_to_date) == (True, True)


def test_a_single_older_soa_is_a_serial_that_went_back() -> None:
    error = failure(9, [5, "|"])
    assert error.code is TransferFailure.SERIAL
    assert "older than 9" in error.sentence


@pytest.mark.parametrize(
    "steps",
    [
        [5, 3, "rr", 5, 5],  # from another serial than ours
        [6, 4, "rr", 5, "rr", 6],  # one that belongs between is left out
        [5, 4, "rr", 4, "rr", 5],  # a delta that moves nothing
        [5, 4, "rr", 3],  # or backwards
    ],
)
def test_a_gap_between_deltas_is_mended_by_asking_for_the_whole_zone(steps: Sequence[Step]) -> None:
    assert failure(4, steps).code is TransferFailure.INCREMENTAL


@pytest.mark.parametrize(
    ("candidate", "held", "newer"),
    [
        (1, 0, True),
        (0, 1, False),
        (44, 44, False),
        # RFC 1982 5.2: serials count round.
        (0, 2**32 - 1, True),
        (2**31 - 1, 0, True),
        # RFC 1982 3.2: 2^31 apart, neither is greater.
        (2**31, 0, False),
        (0, 2**31, False),
        (2026010100, 4_294_967_295, True),
    ],
)
def test_serials_are_compared_in_a_circle(candidate: int, held: int, newer: bool) -> None:
    assert is_newer(candidate, held) is newer


def test_a_serial_that_wraps_round_is_newer() -> None:
    framing, _ = run(2**32 - 1, [1, 2**32 - 1, "rr", 0, "rr", 0, 1, "rr", 1])
    assert (framing.done, framing.deltas) == (True, 2)
