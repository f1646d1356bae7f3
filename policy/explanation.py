"""The facts of an explanation: plain, nested, ready for JSON (``msgspec.json.encode``) and for a tree on a terminal."""

from __future__ import annotations

from dataclasses import dataclass

from policy.model import Action, BlockAnswer, Layer, TargetKind, Verdict, Via


@dataclass(frozen=True, slots=True)
class ClientFacts:
    """Who asked. ``path``: whose rules hold, the nearest first: ``("unit igd", "agency rsud", "regency ...")``."""

    address: str  # "" where the tenant was given instead
    network: str  # the longest registered range that holds the address
    agency_id: int
    agency: str  # code
    agency_name: str
    unit_id: int
    unit: str
    unit_name: str
    admitted: bool
    path: tuple[str, ...]
    allow_list_only: str  # the scope that is ("unit"), "" where none
    view: int
    paused_until_s: int | None = None  # let off until then; None: not at this instant
    strips_ech: bool = False  # whether encrypted ClientHello is taken out of the answers he gets


@dataclass(frozen=True, slots=True)
class ScheduleState:
    """A rule's schedule at the instant: ``state`` reads ``open until 2026-11-24 16:00:00 WIB``."""

    code: str
    title: str
    open: bool
    changes_s: int | None  # None: not within a year
    state: str


@dataclass(frozen=True, slots=True)
class Letter:
    """The official letter behind a rule, and who entered and approved it. ``document_sha256``: of its PDF."""

    number: str
    date: str
    signer: str
    note: str
    author: str
    approver: str
    document_sha256: str = ""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that matches the name, and what became of it.

    ``outcome``: one sentence; ``wins``: it made the verdict; ``counted``: it observed what it would have blocked.
    ``source``: what it is, such as ``rule 7 of agency rsud``, ``list trustpositif``, ``protected name``, ``default``.
    """

    layer: Layer
    layer_name: str
    source: str
    wins: bool
    counted: bool
    outcome: str
    action: Action
    matched: str = ""
    inheritance: str = ""  # "own", or "inherited from agency rsud"
    rule_id: int = 0
    title: str = ""
    target_kind: TargetKind | None = None
    target: str = ""
    important: bool = False
    list_id: int = 0
    list_code: str = ""
    list_title: str = ""
    list_version: str = ""
    list_line: int = 0  # where the list says it, as far as that is known without reading a long list
    list_text: str = ""
    list_file: str = ""  # of a list that is a folder
    national: bool = False
    category_id: int = 0
    category: str = ""
    service: str = ""
    letter: Letter | None = None
    schedule: ScheduleState | None = None
    valid_from_s: int | None = None
    valid_until_s: int | None = None


@dataclass(frozen=True, slots=True)
class VerdictFacts:
    """The decision in words. ``answer``: what is given instead of the upstream's; ``response`` tells it in one line."""

    verdict: Verdict
    verdict_name: str
    layer: Layer
    layer_name: str
    rule_id: int
    list_id: int
    category_id: int
    matched: str
    ede: int
    ede_text: str
    answer: BlockAnswer | None
    response: str


@dataclass(frozen=True, slots=True)
class HopFacts:
    """One thing that the upstream's answer leads to: a name, an address, a nameserver.

    ``decision`` is on it alone; ``outcome`` what that does to the whole, in one sentence; ``bars``: it is why the
    answer is kept from the client. ``addresses``: of a nameserver.
    """

    via: Via
    via_name: str
    subject: str
    addresses: tuple[str, ...]
    decision: VerdictFacts
    bars: bool
    outcome: str
    findings: tuple[Finding, ...]


@dataclass(frozen=True, slots=True)
class ResponseFacts:
    """What the client would be sent, made by the resolver's own code.

    ``text``: the message as ``dig`` shows one, empty where none is sent; ``wire`` its octets in hexadecimal. ``note``:
    why there is none, or what it rests on. ``verdict_name``, ``layer_name``, ``via_name``: what would be logged.
    """

    rcode: str
    size_bytes: int
    text: str
    wire: str
    note: str
    verdict_name: str
    layer_name: str
    via_name: str


@dataclass(frozen=True, slots=True)
class GenerationFacts:
    """Whose policy this is. ``current``: the generation in force now; ``note``: what to know about the choice."""

    number: int
    published_s: float
    published: str  # ISO 8601 in the regency's zone
    current: bool
    note: str


@dataclass(frozen=True, slots=True)
class Explanation:
    """Everything that has a say about a name for a client at an instant, winners and losers, in order of precedence.

    The last five are for who asks for more than the policy: ``hops`` what the upstream's answer leads to, ``upstream``
    that answer as text, ``response`` what the client would be sent, ``of_generation`` whose policy it is, ``owner``
    whose client an explained address is.
    """

    name: str
    rrtype: int
    at_s: float
    at: str  # ISO 8601 in the regency's zone
    valid_until_s: float | None  # None: nothing changes by itself
    revision: int
    client: ClientFacts
    decision: VerdictFacts
    findings: tuple[Finding, ...]
    hops: tuple[HopFacts, ...] = ()
    upstream: str = ""
    response: ResponseFacts | None = None
    of_generation: GenerationFacts | None = None
    owner: ClientFacts | None = None
