"""Response rate limiting (Vixie and Schryver, 2012): an address that others forge must not be flooded by our answers.

What counts is (network of the client, what the answer says): whoever forges a victim's address wants the same large
answer many times, or denials below one zone. Real clients cache, and so seldom come near it; those that do are sent to
TCP by every ``slip``-th answer. Meant for resolvers that strangers can reach; off unless stated, and the fast lane then
rests, since every answer over UDP has to be looked at.
"""

from __future__ import annotations

from typing import Final

from dnswire.constants import FLAG_TC, HEADER_SIZE
from policy.networks import unmapped

_BUCKETS: Final = 1 << 16
_RCODE: Final = 0x0F


class ResponseRates:
    """Judges the answers of one worker. ``per_s``: answers of one kind to one network; ``slip``: see the module."""

    def __init__(self, per_s: float, slip: int) -> None:
        self._per_s = per_s
        self._slip = slip
        # By hash, in a table of fixed size: a flood of forged networks costs no memory, only some collisions.
        self._levels = [per_s] * _BUCKETS
        self._stamps_s = [0.0] * _BUCKETS
        self._over = 0
        self.limited = 0

    def pass_on(self, response: bytes, address: bytes, now_s: float) -> bytes:
        """What is sent in place of ``response`` to an address (4 or 16 octets): itself, its head with TC, nothing."""
        place = hash((_network(address), _kind(response))) % _BUCKETS
        gone_s = max(now_s - self._stamps_s[place], 0.0)
        level = min(self._levels[place] + gone_s * self._per_s, max(self._per_s, 1.0))
        self._stamps_s[place] = now_s
        if level >= 1.0:
            self._levels[place] = level - 1.0
            return response
        self._levels[place] = level
        self.limited += 1
        self._over += 1
        if self._slip and self._over % self._slip == 0:
            return _cut(response)
        return b""


def _network(address: bytes) -> bytes:
    short = unmapped(address)
    return short[:3] if len(short) == 4 else short[:7]


def _kind(response: bytes) -> bytes:
    """What an answer says, as far as flooding goes: its name and type, or of a denial or an error the name's parent."""
    end = _question_end(response)
    rcode = response[3] & _RCODE
    has_answer = response[6] or response[7]
    question = response[HEADER_SIZE:end].lower()
    if not has_answer and question:
        question = question[1 + question[0] :]  # random names below one zone are one kind
    return bytes((rcode,)) + question


def _question_end(response: bytes) -> int:
    if response[4] or not response[5]:
        return HEADER_SIZE
    offset = HEADER_SIZE
    while response[offset]:
        offset += 1 + response[offset]
    return offset + 5


def _cut(response: bytes) -> bytes:
    end = _question_end(response)
    flags = int.from_bytes(response[2:4], "big") | FLAG_TC
    return response[:2] + flags.to_bytes(2, "big") + response[4:6] + bytes(6) + response[HEADER_SIZE:end]
