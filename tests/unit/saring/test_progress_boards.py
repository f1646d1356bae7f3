"""What people see of a sync: bars on a terminal, lines elsewhere."""

from __future__ import annotations

import io

from rich.console import Console

from blocklists.progress import Silent, SilentBoard
from saring.progress_bar import PLAIN_EVERY_S, BarBoard, PlainBoard


class Clock:
    """Seconds by hand."""

    def __init__(self) -> None:
        self.now_s = 0.0

    def __call__(self) -> float:
        return self.now_s


def test_plain_lines_tell_the_end_and_every_ten_seconds_between() -> None:
    clock, lines = Clock(), list[str]()
    judi = PlainBoard(clock, lines.append).line("judi")
    judi.start("fetch judi", 4_000_000)
    for _ in range(4):
        clock.now_s += PLAIN_EVERY_S / 2
        judi.advance(1_000_000)
    judi.done()
    judi.start("parse judi", 0)
    clock.now_s += 1
    judi.done()
    assert lines == [
        "judi: fetch: 2.0 MB, 50%",
        "judi: fetch: 4.0 MB, 100%",
        "judi: fetch: 4.0 MB in 20.0 s",
        "judi: parse: in 1.0 s",
    ]


def test_plain_lines_of_several_lists_do_not_mix() -> None:
    clock, lines = Clock(), list[str]()
    board = PlainBoard(clock, lines.append)
    one, two = board.line("satu"), board.line("index")
    one.start("fetch satu", 10)
    two.start("compile", 20_000)
    one.advance(10)
    two.advance(20_000)
    one.done()
    two.done()
    assert lines == ["satu: fetch: 10 B in 0.0 s", "index: compile: 20,000 in 0.0 s"]


def test_a_bar_a_list_goes_from_work_to_work() -> None:
    console = Console(width=120, force_terminal=True, record=True, file=io.StringIO())
    with BarBoard(console) as board:
        judi, other = board.line("judi"), board.line("slot")
        judi.advance(1)  # before anything began: nothing to move
        judi.done()
        judi.start("fetch judi", 2_000)
        judi.advance(2_000)
        judi.done()
        other.start("fetch slot", 0)
        other.advance(500)
        other.done()
        judi.start("parse judi", 0)
        judi.done()
        judi.start("compile", 10)
        judi.advance(5)
    text = console.export_text()
    assert "judi" in text
    assert "slot" in text
    assert "5 of 10" in text
    assert "500 B of 500 B" in text


def test_nobody_watches_a_silent_board() -> None:
    assert isinstance(SilentBoard().line("judi"), Silent)
