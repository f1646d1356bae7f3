"""The names by which clients are told whether they may get around their resolver.

The canary name is special: it does not exist for anybody unless a rule of people lets it pass, and no list is asked.
The others are names like any, of which rules speak.
"""

from __future__ import annotations

from typing import Final

from dnswire.name import from_text
from policy.model import Bypass, Decision, Layer

# support.mozilla.org/kb/canary-domain-use-application-dnsnet
CANARY: Final = from_text("use-application-dns.net")

NAMES: Final[dict[str, tuple[bytes, ...]]] = {
    Bypass.CANARY: (CANARY,),
    # developer.apple.com/icloud/prepare-your-network-for-icloud-private-relay
    Bypass.PRIVATE_RELAY: (from_text("mask.icloud.com"), from_text("mask-h2.icloud.com")),
}

# Of the others there is nothing to count: the canary name does not exist anyway, and ECH is no question.
COUNTED: Final = frozenset((Bypass.PRIVATE_RELAY,))

_RULE_LAYERS: Final = frozenset((Layer.MANDATORY, Layer.EXCEPTION, Layer.UNIT, Layer.AGENCY, Layer.REGENCY))


def hides_canary(name: bytes, decision: Decision) -> bool:
    """Whether ``name`` (lower-case wire form) is the canary name, and no rule lets it pass.

    A rule that only counts lets nothing pass: what it would have blocked stays as it is.
    """
    return name == CANARY and decision.allow_layer not in _RULE_LAYERS
