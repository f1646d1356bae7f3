"""An answer of which a part is not passed on, read as if it had come so."""

from __future__ import annotations

from dnswire import edns, name
from dnswire.answer import Answer, parse_answer
from dnswire.constants import HEADER_SIZE, MAX_MESSAGE_SIZE
from dnswire.errors import WireError

_RR_HEAD = 10  # type, class, TTL, size of RDATA (RFC 1035 3.2.1)


def without_additional(answer: Answer) -> Answer:
    """``answer`` without its additional section, which is for convenience alone (RFC 2181 5.4.1)."""
    message = answer.message
    offset = answer.question_end
    for _ in range(answer.ancount + answer.nscount):
        offset = name.skip(message, offset) + _RR_HEAD
        offset += int.from_bytes(message[offset - 2 : offset], "big")
    return read_again(answer, message[:10] + bytes(2) + message[HEADER_SIZE:offset])


def read_again(answer: Answer, message: bytes) -> Answer:
    """The facts of ``message``, made from ``answer``, with its Extended DNS Errors and RCODE.

    Raises ``WireError`` where it is longer than a message can be.
    """
    if len(message) > MAX_MESSAGE_SIZE:
        raise WireError("it does not fit into a message any more")
    if answer.ede or answer.rcode > 15:
        # They are not of the message that is kept; ``parse_answer`` takes them from an OPT RR.
        options = b"".join([edns.ede(code, text) for code, text in answer.ede])
        arcount = int.from_bytes(message[10:12], "big") + 1
        message = message[:10] + arcount.to_bytes(2, "big") + message[HEADER_SIZE:]
        message += edns.opt(0, answer.rcode, False, options)
    return parse_answer(message)
