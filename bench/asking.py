"""A load that looks at every answer: ``python -m bench.asking PORT NAMES [RATE]`` asks until its standard input ends.

Keeps ``WINDOW`` queries under way, or sends ``RATE`` a second whether answered or not. No query is sent twice: one
without an answer after two seconds is lost. At the end, one line of JSON: how many were asked and lost, each distinct
answer with its number (what follows the ID and flags up to the question's end is left out; the case of all else
counts), and latencies.
"""

from __future__ import annotations

import json
import select
import socket
import struct
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path

from dnswire.name import from_text

WINDOW = 64
LOST_S = 2.0
_IDS = 65_536

Waiting = dict[int, tuple[float, int]]  # by ID: when it was sent, and which question
_MAX_ANSWERS = 50  # distinct ones told; more than a handful is a finding by itself


@dataclass
class Asked:
    """What came of it; ``answers``: hexadecimal (code, counts, and what follows the question) -> how many."""

    asked: int = 0
    lost: int = 0
    answers: dict[str, int] = field(default_factory=dict)
    latencies_us: list[int] = field(default_factory=list)

    def note(self, message: bytes, question_end: int, latency_s: float) -> None:
        what = (bytes((message[3] & 15,)) + message[6:12] + message[question_end:]).hex()
        if what in self.answers or len(self.answers) < _MAX_ANSWERS:
            self.answers[what] = self.answers.get(what, 0) + 1
        self.latencies_us.append(int(latency_s * 1e6))

    def document(self) -> dict[str, object]:
        ordered = sorted(self.latencies_us) or [0]

        def at(share: float) -> int:
            return ordered[min(len(ordered) - 1, int(len(ordered) * share))]

        return {
            "asked": self.asked,
            "lost": self.lost,
            "answers": self.answers,
            "p50_us": at(0.5),
            "p99_us": at(0.99),
            "p999_us": at(0.999),
            "max_us": ordered[-1],
        }


def ask_until(end: int, port: int, names: list[str], rate: float | None) -> Asked:
    """Asks for the names in turn until the descriptor ``end`` can be read, then waits for what is under way."""
    questions = [from_text(name) + b"\0\1\0\1" for name in names]
    asked = Asked()
    waiting: Waiting = {}
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 << 20)
        client.connect(("127.0.0.1", port))
        client.setblocking(False)
        begun_s = time.perf_counter()
        ending = False
        while waiting or not ending:
            now_s = time.perf_counter()
            due = 0 if ending else _due(asked.asked, len(waiting), rate, now_s - begun_s)
            for _ in range(due):
                _send(client, questions, asked, waiting)
            patience_s = LOST_S if rate is None else max(0.0, begun_s + (asked.asked + 1) / rate - now_s)
            watched = [client.fileno()] if ending else [client.fileno(), end]
            ready, _, _ = select.select(watched, [], [], min(patience_s, 0.05))
            ending = ending or end in ready
            if client.fileno() in ready:
                _receive(client, questions, asked, waiting)
            _drop_lost(asked, waiting)
    return asked


def _due(asked: int, waiting: int, rate: float | None, since_s: float) -> int:
    if rate is None:
        return WINDOW - waiting
    return max(0, min(int(since_s * rate) - asked, _IDS // 2 - waiting))


def _send(client: socket.socket, questions: list[bytes], asked: Asked, waiting: Waiting) -> None:
    number = asked.asked % _IDS
    question = asked.asked % len(questions)
    waiting[number] = (time.perf_counter(), question)
    asked.asked += 1
    client.send(struct.pack(">HHHHHH", number, 0x0100, 1, 0, 0, 1) + questions[question] + _OPT)


# EDNS, so that the answer says why (RFC 8914).
_OPT = b"\0\0\x29\x04\xd0\0\0\0\0\0\0"


def _receive(client: socket.socket, questions: list[bytes], asked: Asked, waiting: Waiting) -> None:
    while True:
        try:
            message = client.recv(4096)
        except BlockingIOError:
            return
        found = waiting.pop(int.from_bytes(message[:2], "big"), None)
        if found is None:
            continue  # later than LOST_S: it counts as lost already
        sent_s, question = found
        asked.note(message, 12 + len(questions[question]), time.perf_counter() - sent_s)


def _drop_lost(asked: Asked, waiting: Waiting) -> None:
    limit_s = time.perf_counter() - LOST_S
    # In the order in which they were sent, so that the first one tells.
    while waiting and (oldest := next(iter(waiting.items())))[1][0] < limit_s:
        del waiting[oldest[0]]
        asked.lost += 1


def main(arguments: list[str]) -> None:
    rate = float(arguments[2]) if len(arguments) > 2 else None
    names = Path(arguments[1]).read_text(encoding="ascii").split()
    asked = ask_until(sys.stdin.fileno(), int(arguments[0]), names, rate)
    print(json.dumps(asked.document()))


if __name__ == "__main__":
    main(sys.argv[1:])
