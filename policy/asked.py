"""What people ask to have explained, and what is wrong with the question where it cannot be."""

from __future__ import annotations

from dataclasses import dataclass

from policy.explain import ByAddress, ByTenant, Who
from policy.model import Policy


@dataclass(frozen=True, slots=True)
class Asked:
    """A question to be explained.

    One of ``name`` (wire form) and ``address`` (4 or 16 octets: in an answer) is what it is about. Who asks: the client
    at address ``client``, else an agency's client, else any of the regency. ``at_s``: Unix seconds, None: now.
    ``generation``: by which policy; 0: by the one in force at that time. ``resolve``: upstreams are asked for real.
    ``lines``: the line of every list's entry is looked up, however long that takes.
    """

    name: bytes = b""
    address: bytes = b""
    rrtype: int = 1
    client: bytes = b""
    agency: str = ""  # code
    unit: str = ""  # code, of that agency
    at_s: float | None = None
    generation: int = 0
    resolve: bool = False
    lines: bool = False


class AskedWrong(ValueError):  # noqa: N818 -- names a fact about the question, not a fault of ours
    """It names what does not exist. ``field``: of ``Asked``; the message says what does."""

    def __init__(self, field: str, message: str) -> None:
        super().__init__(message)
        self.field = field


def who_asks(policy: Policy, asked: Asked) -> Who:
    """The client of the question, in that policy. Raises ``AskedWrong``."""
    if asked.client:
        return ByAddress(asked.client)
    if not asked.agency:
        return ByTenant(0)
    agency = next((one for one in policy.agencies if one.code == asked.agency), None)
    if agency is None:
        known = ", ".join(one.code for one in policy.agencies) or "none"
        raise AskedWrong("agency", f"there is no agency {asked.agency}; known are {known}")
    if not asked.unit:
        return ByTenant(agency.id)
    units = {one.code: one.id for one in policy.units if one.agency_id == agency.id}
    if asked.unit not in units:
        raise AskedWrong("unit", f"{asked.agency} has no unit {asked.unit}; known are {', '.join(units) or 'none'}")
    return ByTenant(agency.id, units[asked.unit])
