"""Step 3 of a query's way, for forwarders: what the EDNS options of a query say of the client behind it.

Nobody but a registered forwarder is listened to, and no option ever goes further: upstreams get queries that we build
ourselves. A device behind a forwarder can put options into its own queries, so the forwarder has to strip them
(dnsmasq: ``strip-subnet``, ``strip-mac``); what two options of a kind say is no claim, or a lie could ride along.
"""

from __future__ import annotations

from typing import Final

from dnswire.client_options import ClientSubnet, read_client_subnet, read_cpe_id, read_mac
from dnswire.constants import EdnsOption
from dnswire.edns import options
from dnswire.errors import WireError
from policy.forwarders import Claim, Speaker

_ECS: Final = int(EdnsOption.ECS)
_MAC_CODES: Final = (int(EdnsOption.DNSMASQ_MAC), int(EdnsOption.DNSMASQ_MAC_TEXT))
_CPE_ID: Final = int(EdnsOption.DNSMASQ_CPE_ID)


def claim_of(raw: bytes, speaker: Speaker) -> tuple[Claim, bytes]:
    """What the options ``raw`` of a query claim, as far as the forwarder is trusted in it; and the response's options.

    RFC 7871 7.2.2: whether a response has an ECS option "is predicated on whether the client originally included the
    option". A forwarder that is not trusted in it is spoken to as by a server without ECS (7.2.1: "MUST NOT include").
    An address shortened to a prefix names nobody. Raises ``WireError`` for an ECS option to be answered with FORMERR.
    """
    subnet: ClientSubnet | None = None
    macs: set[bytes] = set()
    cpe_ids: set[str] = set()
    for code, data in options(raw):
        if code == _ECS and speaker.subnet:
            if subnet is not None:
                raise WireError("more than one client subnet")
            subnet = read_client_subnet(data)
        elif code in _MAC_CODES and speaker.mac:
            macs.add(read_mac(code, data))
        elif code == _CPE_ID and speaker.cpe_id:
            cpe_ids.add(read_cpe_id(data))
    claim = Claim(
        subnet.whole if subnet is not None else b"",
        macs.pop() if len(macs) == 1 else b"",
        cpe_ids.pop() if len(cpe_ids) == 1 else "",
    )
    return claim, subnet.echo if subnet is not None else b""
