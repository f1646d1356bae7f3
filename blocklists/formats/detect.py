"""Which format a list is in, by its first lines."""

from __future__ import annotations

import re
from typing import Final

from blocklists.formats.adblock import Adblock
from blocklists.formats.addresses import Addresses
from blocklists.formats.dnsmasq import Dnsmasq
from blocklists.formats.folder import HEAD
from blocklists.formats.harvest import Format
from blocklists.formats.hosts import Hosts
from blocklists.formats.odd import is_comment
from blocklists.formats.plain import Plain
from blocklists.formats.rpz import Rpz
from blocklists.formats.unbound import Unbound
from blocklists.formats.ut1 import Ut1
from blocklists.formats.wildcard import Wildcard

HEAD_SIZE: Final = 65_536
_MAX_LINES: Final = 1_000
# The atomic group is left by one way only: comments that could be divided in many must not take exponential time.
_HTML: Final = re.compile(
    rb"(?:\xef\xbb\xbf)?(?>(?:\s|<!--.*?-->|<\?xml[^>]*>)*)<(?:!doctype\s+html|html|head|body|script|title)\b",
    re.S | re.I,
)

# In the order in which a tie is settled: a format that says more about a line goes first.
FORMATS: Final[tuple[Format, ...]] = (
    Adblock(),
    Dnsmasq(),
    Unbound(),
    Rpz(),
    Hosts(),
    Wildcard(),
    Addresses(),
    Plain(),
    Ut1(),
)
BY_NAME: Final[dict[str, Format]] = {known.name: known for known in FORMATS}


def detect(head: bytes) -> Format:
    """The format that recognises most of the lines in the first ``HEAD_SIZE`` octets of a list.

    Where none recognises any, it is plain: every line is then counted as invalid, with its reason, and the
    admission gate refuses the list by those counts.
    """
    if head.startswith(HEAD):
        return BY_NAME["ut1"]
    lines = [line.strip() for line in head[:HEAD_SIZE].lower().replace(b"\r", b"\n").split(b"\n")]
    content = [line for line in lines if not is_comment(line)][:_MAX_LINES]
    scores = [(sum(map(known.recognises, content)), known) for known in FORMATS]
    best = max(score for score, _ in scores)
    if not best:
        return BY_NAME["plain"]
    return next(known for score, known in scores if score == best)


def is_html(head: bytes) -> bool:
    """Whether a list begins as a web page does: an error page in the place of the list."""
    return _HTML.match(head[:HEAD_SIZE]) is not None
