"""The facts a policy is made of: tenants, categories, lists, services, rules, schedules.

All are frozen and hold only what was decided by people; nothing here depends on the time of day (``resolve.py``) or on
a query (``decide.py``). The whole of it is one ``Policy``, which the publisher writes into a snapshot generation.

Identifiers are the control database's primary keys: positive, stable, never reused. 0 means "none". Times are Unix
seconds; times of day are minutes after local midnight.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum, StrEnum

from blocklists.rule import ListRule, RuleAction


class Action(StrEnum):
    """What a rule does with a name it matches."""

    BLOCK = "block"
    ALLOW = "allow"
    OBSERVE = "observe"
    REDIRECT = "redirect"
    SAFE_SEARCH = (
        "safe_search"  # with a SEARCH target: where it is let through, the engine answers in its filtered mode
    )


class AnswerKind(StrEnum):
    """How a blocked (or redirected) name is answered."""

    NXDOMAIN = "nxdomain"
    NODATA = "nodata"
    NULL = "null"  # 0.0.0.0 and ::
    PAGE = "page"  # the address of a block page
    REFUSED = "refused"
    REDIRECT = "redirect"  # CNAME to another name


class ScopeKind(StrEnum):
    """Whose rule it is."""

    REGENCY = "regency"
    AGENCY = "agency"
    UNIT = "unit"


class TargetKind(StrEnum):
    """What a rule speaks of."""

    CATEGORY = "category"  # value: category code
    LIST = "list"  # value: list code
    SERVICE = "service"  # value: service code
    NAME = "name"  # value: exactly this name
    WILDCARD = "wildcard"  # value: this name and every name below it
    REGEX = "regex"  # value: matched against the name in lower case, without trailing dot
    NETWORK = "network"  # value: CIDR, matched against addresses in answers
    SEARCH = "search"  # value: a code of ``safe_search.py``, as "google" or "youtube-strict"; "all" for every engine
    BYPASS = "bypass"  # value: a ``Bypass``


class Bypass(StrEnum):
    """What clients do to get around their resolver, so far as a resolver can tell them not to."""

    CANARY = "canary"  # use-application-dns.net: Firefox turns its own DoH off where this name does not exist
    PRIVATE_RELAY = "private_relay"  # mask.icloud.com, mask-h2.icloud.com (Apple: "Prepare your network for iCloud")
    ECH = "ech"  # encrypted ClientHello: its keys are taken out of HTTPS and SVCB answers (RFC 9848)


class Language(StrEnum):
    """Language of texts that users see (EDE, block page)."""

    ID = "id"
    EN = "en"


class UnknownClients(StrEnum):
    """What a client of no registered network gets."""

    REFUSE = "refuse"
    REGENCY = "regency"  # the regency's policy
    PRIVATE_ONLY = "private_only"  # the regency's policy for private addresses, REFUSED for public ones


@dataclass(frozen=True, slots=True)
class BlockAnswer:
    """The answer to a blocked name. ``address4``/``address6`` for PAGE, ``name`` for REDIRECT."""

    kind: AnswerKind = AnswerKind.NXDOMAIN
    ttl_s: int = 60
    address4: str = ""
    address6: str = ""
    name: str = ""


@dataclass(frozen=True, slots=True)
class Basis:
    """The official letter a rule rests on."""

    number: str = ""
    date: str = ""  # ISO 8601 date
    signer: str = ""
    note: str = ""
    document_sha256: str = ""  # of the PDF, in hexadecimal


@dataclass(frozen=True, slots=True)
class Scope:
    """Whose rule it is; ``id`` is the agency's or unit's, 0 for the regency."""

    kind: ScopeKind = ScopeKind.REGENCY
    id: int = 0


@dataclass(frozen=True, slots=True)
class Target:
    """What a rule speaks of; see ``TargetKind`` for the meaning of ``value``."""

    kind: TargetKind
    value: str


@dataclass(frozen=True, slots=True)
class Window:
    """A span of local time on some days. ``end_min <= start_min`` means that it ends on the next day."""

    days: tuple[int, ...]  # 0 = Monday ... 6 = Sunday: the day on which the window starts
    start_min: int
    end_min: int


@dataclass(frozen=True, slots=True)
class Period:
    """Days with windows of their own instead of the schedule's, as in Ramadan. No windows: closed on these days.

    A window belongs to the day on which it starts, so a night that begins before the period runs on into it.
    """

    title: str
    from_date: str  # ISO 8601 date, the first day
    until_date: str  # the last day
    windows: tuple[Window, ...] = ()


@dataclass(frozen=True, slots=True)
class Schedule:
    """When a rule holds: inside any window, in the zone's local time, unless the day is a holiday it skips.

    ``periods`` go before ``windows``, the first that holds the day; a holiday goes before both.
    """

    id: int
    code: str
    title: str
    zone: str = "Asia/Jakarta"
    windows: tuple[Window, ...] = ()
    skip_holidays: bool = False
    periods: tuple[Period, ...] = ()
    skip_joint_leave: bool = True  # where skip_holidays: whether joint leave counts as a holiday


class Reading(StrEnum):
    """How a scope reads a schedule that rules name."""

    SCHEDULE = "schedule"  # as another schedule
    ALWAYS = "always"  # as open at all hours
    NEVER = "never"  # as never open: rules with this schedule do not bind the scope


@dataclass(frozen=True, slots=True)
class ScheduleOverride:
    """An agency or unit that reads a schedule in its own way: other office hours, or a unit that works in shifts.

    It holds for all rules that name the schedule, whoever's they are. The unit's own goes before its agency's.
    Overrides do not follow each other: the other schedule is taken as it is written.
    """

    scope: Scope  # an agency or a unit
    schedule_id: int
    reading: Reading
    other_id: int = 0  # for SCHEDULE


@dataclass(frozen=True, slots=True)
class Holiday:
    """A national holiday or joint leave."""

    date: str  # ISO 8601 date
    title: str
    joint_leave: bool = False  # cuti bersama


@dataclass(frozen=True, slots=True)
class Category:
    """A kind of content. *Negative* ones are blocked for everybody; *conditional* ones only where a rule says so."""

    id: int
    code: str
    title: str
    negative: bool = False
    answer: BlockAnswer | None = None  # None: the regency's default
    observe: bool = False  # what its lists and services would block in the LISTS layer is counted, not blocked


@dataclass(frozen=True, slots=True)
class ListInfo:
    """A compiled list as policy sees it. Its entries are in the index under the same ``id``."""

    id: int
    code: str
    title: str
    category_ids: tuple[int, ...]
    national: bool = False  # blocks by it are EDE 16 Censored
    version: str = ""
    observe: bool = False  # its entries never block, in no layer: they are counted


@dataclass(frozen=True, slots=True)
class Service:
    """A named set of names inside a category (YouTube, TikTok, ...), each with the names below it."""

    id: int
    code: str
    title: str
    category_id: int
    names: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Rule:
    """One decision of a person, with the letter it rests on."""

    id: int
    scope: Scope
    target: Target
    action: Action
    title: str = ""
    answer: BlockAnswer | None = None  # None: the category's, else the regency's
    schedule_id: int = 0
    valid_from_s: int | None = None
    valid_until_s: int | None = None  # exclusive
    mandatory: bool = False  # regency rules only: layer 1, no exception relaxes it
    exception: bool = False  # layer 2; counts only with an approver
    important: bool = False
    basis: Basis = Basis()
    author: str = ""
    approver: str = ""


@dataclass(frozen=True, slots=True)
class Agency:
    """A *perangkat daerah* (OPD)."""

    id: int
    code: str
    name: str
    allow_list_only: bool = False


@dataclass(frozen=True, slots=True)
class Unit:
    """A part of an agency with a network of its own."""

    id: int
    code: str
    name: str
    agency_id: int
    allow_list_only: bool = False


@dataclass(frozen=True, slots=True)
class Network:
    """An address range of an agency, or of one of its units (``unit_id`` 0: the agency as a whole)."""

    cidr: str
    agency_id: int
    unit_id: int = 0


class Identification(StrEnum):
    """How a forwarder tells us which of the clients behind it asks. Void from everybody else."""

    CLIENT_SUBNET = "client_subnet"  # EDNS client subnet (RFC 7871) with a whole address
    MAC = "mac"  # dnsmasq --add-mac: option 65001 (six octets) or 65073 (text or base64)
    CPE_ID = "cpe_id"  # dnsmasq --add-cpe-id: option 65074


@dataclass(frozen=True, slots=True)
class Forwarder:
    """A router or resolver of ours that asks for many clients behind NAT.

    ``cidr``: its own address or range, as we see it. It is believed only in what ``trusts`` names and only about the
    agencies of ``agency_ids``: an office's router cannot speak for another office. What it does not tell, or is not
    believed in, leaves the query with the tenant of the forwarder's own address.
    """

    id: int
    cidr: str
    title: str
    agency_ids: tuple[int, ...]
    trusts: tuple[Identification, ...] = ()


@dataclass(frozen=True, slots=True)
class Device:
    """A client known by what a forwarder calls it. ``value``: ``aa:bb:cc:dd:ee:ff``, or a CPE's text."""

    kind: Identification  # MAC or CPE_ID
    value: str
    agency_id: int
    unit_id: int = 0


@dataclass(frozen=True, slots=True)
class Pause:
    """An agency or unit let off for a short while: conditional content only.

    Until it ends, no rule of layers 4 to 6 (unit, agency, regency) blocks, redirects or narrows for its clients.
    Mandatory rules, exceptions, lists of negative categories and an allow-list-only default hold on.
    """

    id: int
    scope: Scope  # an agency or a unit
    from_s: int
    until_s: int  # exclusive; never open-ended
    author: str = ""
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Regency:
    """What holds for all agencies unless they say otherwise."""

    name: str
    zone: str = "Asia/Jakarta"
    language: Language = Language.ID
    answer: BlockAnswer = BlockAnswer()
    unknown_clients: UnknownClients = UnknownClients.PRIVATE_ONLY
    allow_list_only: bool = False
    admin_networks: tuple[str, ...] = ()  # whose clients may ask NAME.explain.saring


@dataclass(frozen=True, slots=True)
class Policy:
    """Everything people decided, at one revision of the control database."""

    regency: Regency
    agencies: tuple[Agency, ...] = ()
    units: tuple[Unit, ...] = ()
    networks: tuple[Network, ...] = ()
    categories: tuple[Category, ...] = ()
    lists: tuple[ListInfo, ...] = ()
    services: tuple[Service, ...] = ()
    rules: tuple[Rule, ...] = ()
    schedules: tuple[Schedule, ...] = ()
    holidays: tuple[Holiday, ...] = ()
    protected: tuple[str, ...] = ()  # names (with all below) that no downloaded list can block
    schedule_overrides: tuple[ScheduleOverride, ...] = ()
    forwarders: tuple[Forwarder, ...] = ()
    devices: tuple[Device, ...] = ()
    pauses: tuple[Pause, ...] = ()
    revision: int = 0


class Verdict(IntEnum):
    """What became of a query. Stored in the query log: numbers are never reused."""

    ALLOWED = 0
    BLOCKED = 1
    REDIRECTED = 2
    OBSERVED = 3  # allowed, and an observe rule would have blocked it
    REFUSED = 4  # not our client, or a query we never answer
    INVALID = 5  # FORMERR, NOTIMP, BADVERS
    LOCAL = 6  # answered by Saring about itself (CH TXT, whoami, canary name)


class Layer(IntEnum):
    """The layer that decided, in the order in which layers are asked (DESIGN 5). Stored in the query log."""

    NONE = 0
    MANDATORY = 1
    EXCEPTION = 2
    PROTECTED = 3
    UNIT = 4
    AGENCY = 5
    REGENCY = 6
    LISTS = 7
    DEFAULT = 8


class Via(IntEnum):
    """Which part of the exchange the decision is about. Stored in the query log."""

    QUESTION = 0
    ALIAS = 1  # a CNAME or DNAME target
    ADDRESS = 2  # an address in the answer
    SERVICE_BINDING = 3  # an HTTPS/SVCB target or hint
    NAMESERVER = 4  # a nameserver of the zone that the answer came from, or its address
    REBINDING = 5  # an address of our own networks in an answer from outside, whatever rules say of it


class Ede(IntEnum):
    """Extended DNS Error codes that a decision can carry (RFC 8914; numbers are IANA's)."""

    NONE = -1
    BLOCKED = 15
    CENSORED = 16
    FILTERED = 17
    PROHIBITED = 18


@dataclass(frozen=True, slots=True)
class Decision:
    """A verdict on one name (or address) for one view, with its whole reason.

    ``answer`` is set for BLOCKED and REDIRECTED. ``matched`` is the listed or ruled name in lower-case wire form
    (``b""`` where no name matched). ``ede_text`` is ready for the wire. ``allow_layer`` is the layer that let the name
    through, for ALLOWED the same as ``layer``; for OBSERVED ``layer`` is the observing rule's and ``allow_layer`` the
    allow's, which is what an answer's targets are weighed against (``decide.combine``). ``list_rule``: the rule of the
    list, where it was no plain entry; where it states an answer and no person's rule does, that answer goes before
    ``answer``, of which then only the TTL holds.
    """

    verdict: Verdict
    layer: Layer
    rule_id: int = 0
    list_id: int = 0
    category_id: int = 0
    matched: bytes = b""
    answer: BlockAnswer | None = None
    ede: Ede = Ede.NONE
    ede_text: str = ""
    via: Via = Via.QUESTION
    allow_layer: Layer = Layer.NONE
    list_rule: ListRule | None = None

    @property
    def stated(self) -> ListRule | None:
        """The rule of the list that says how to answer; None where ``answer`` says it all."""
        rule = self.list_rule
        if rule is None or self.answer is None or rule.action is RuleAction.BLOCK:
            return None
        return rule
