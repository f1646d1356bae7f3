"""The document a regency is imported from: its schema, in pydantic, and one complete small example.

The document is TOML. Everything has a ``code`` by which it is found again: importing the same document twice changes
nothing, importing an edited one changes what was edited, and nothing is ever deleted by an import. Unknown keys are
refused. ``seed.py`` writes it into the control database. A complete example::

    protected = ["go.id", "mubakab.go.id"]        # names that no downloaded list can block, with all names below;
                                                  # or { name = "go.id", note = "..." }, as in must_resolve
    must_resolve = ["bank.example"]               # names for which a list's update is held back if it would block them

    [regency]
    name = "Kabupaten Musi Banyuasin"
    zone = "Asia/Jakarta"                         # default of schedules and of times without an offset
    language = "id"                               # "id" | "en": language of what users see
    unknown_clients = "private_only"              # "refuse" | "regency" | "private_only"
    allow_list_only = false
    admin_networks = ["10.20.0.0/24"]             # whose clients may ask NAME.explain.saring
    exception_max_days = 366                      # for how long an exception may hold at most; default 90
    pause_max_minutes = 30                        # how long a pause may last at most
    letters_for = ["mandatory"]                   # which rules must rest on a letter: all mandatory exception block
                                                  # allow; default: none
    letters_with_document = false                 # and name the SHA-256 of its PDF
    answer = { kind = "nxdomain", ttl_s = 60 }    # kind: nxdomain nodata null page refused redirect
                                                  # page: address4 and/or address6; redirect: name

    [[agency]]
    code = "dinkes"                               # [a-z0-9_-], at most 40; codes are for good
    name = "Dinas Kesehatan"
    networks = ["10.20.4.0/22", "fd00:20:4::/48"]
    allow_list_only = false

    [[agency.unit]]                               # units of the agency above
    code = "puskesmas-sekayu"                     # unique within its agency
    name = "Puskesmas Sekayu"
    networks = ["10.20.5.0/24"]
    allow_list_only = false

    [[forwarder]]                                 # a router of ours that asks for many clients behind NAT
    cidr = "10.20.4.1"                            # its own address, as this resolver sees it
    title = "Router Dinas Kesehatan"
    agencies = ["dinkes"]                         # whose clients it may speak for
    trusts = ["client_subnet", "mac"]             # what it is believed in: client_subnet mac cpe_id

    [[device]]                                    # a client by what forwarders call it
    kind = "mac"                                  # mac | cpe_id
    value = "02:00:5e:10:00:01"
    title = "Laptop piket"                        # optional
    tenant = "unit:dinkes/puskesmas-sekayu"       # "agency:CODE" | "unit:AGENCY/UNIT"

    [[category]]
    code = "perjudian"
    title = "Perjudian"
    negative = true                               # blocked for everybody; false: only where a rule says so
    observe = false                               # its lists and services count what they would block, and let it pass
    answer = { kind = "page", address4 = "10.20.0.9", ttl_s = 30 }   # optional; otherwise the regency's

    [[category]]
    code = "media_sosial"
    title = "Media sosial"

    [[service]]                                   # a named set of names (each with all below) inside a category
    code = "tiktok"
    title = "TikTok"
    category = "media_sosial"
    names = ["tiktok.com", "tiktokv.com"]

    [[list]]                                      # a blocklist and where it comes from
    code = "trustpositif"
    title = "TrustPositif Komdigi"
    location = "https://lists.example.go.id/domains.txt"   # http(s) URL or a path
    format = "plain"                              # auto (default) | plain | hosts | wildcard | dnsmasq | unbound
                                                  # | adblock | rpz | ut1 | addresses
    # member = "blacklists/gambling"              # of a folder or tar archive: one category's folder, or a file
    # landing = ["block.example.id"]              # where the publisher sends what he blocks, beside what is known
    # sha256 = "..."                              # the only content that is taken
    # location = "rpz://10.0.0.5/rpz.example.go.id"          # a zone, transferred and kept up to date (AXFR, IXFR)
    # tsig_name = "saring"                        # its TSIG key; tsig_algorithm = "hmac-sha256" (default)
    # tsig_secret_file = "/run/secrets/tsig"      # or tsig_secret = "Base64", which then is in this document
    # subdomains = true                           # optional: entries cover names below; default: as the format means
    categories = ["perjudian"]
    national = true                               # blocks by it are EDE 16 Censored
    licence = "public"                            # optional, as are all below
    enabled = true
    observe = false                               # its entries count what they would block, and let it pass
    rewrites = false                              # it may send names to addresses of its choice
    max_size_bytes = 536870912
    shrink_limit = 0.2                            # refuse an update that lost more than this share of its entries
    min_entries = 1
    allow_private = false                         # may be fetched from private or loopback addresses
    max_age_s = 259200                            # alarms where its source had nothing that was let in for longer

    [[schedule]]
    code = "jam-kerja"
    title = "Jam kerja"
    zone = "Asia/Jakarta"                         # optional; default: the regency's
    skip_holidays = true
    skip_joint_leave = true                       # with skip_holidays: on joint leave, too (default)
    windows = [
        { days = ["mon", "tue", "wed", "thu"], start = "07:30", end = "12:00" },
        { days = ["mon", "tue", "wed", "thu"], start = "13:00", end = "16:00" },
        { days = ["fri"], start = "07:30", end = "11:30" },
        { days = ["sat"], start = "22:00", end = "04:00" },   # ends on the next day
    ]
    periods = [                                   # optional: days with windows of their own; none: closed
        { title = "Ramadan", from_date = 2027-02-08, until_date = 2027-03-09, windows = [
            { days = ["mon", "tue", "wed", "thu"], start = "08:00", end = "15:00" },
        ] },
    ]

    [[schedule]]
    code = "piket"
    title = "Piket malam"
    windows = [{ days = ["mon"], start = "20:00", end = "08:00" }]

    [[schedule_override]]                         # an agency or unit that reads a schedule in its own way
    scope = "unit:dinkes/puskesmas-sekayu"
    schedule = "jam-kerja"
    reading = "schedule"                          # schedule: as other says | always | never (not bound by it)
    other = "piket"

    [[holiday]]
    date = 2026-12-25
    title = "Hari Raya Natal"
    joint_leave = false                           # cuti bersama

    [[rule]]
    code = "medsos-jam-kerja"
    title = "Tanpa media sosial pada jam kerja"
    scope = "regency"                             # "regency" | "agency:CODE" | "unit:AGENCY/UNIT"
    target = "category:media_sosial"              # category: list: service: name: wildcard: regex: network:
                                                  # search: google bing duckduckgo youtube-strict youtube-moderate
                                                  # yandex ecosia pixabay brave, or all; bypass: canary private_relay
                                                  # ech
    action = "block"                              # block | allow | observe | redirect | safe_search (of search:)
    schedule = "jam-kerja"                        # optional
    mandatory = false                             # regency rules only: layer 1
    important = false
    # answer = { kind = "refused" }               # optional; redirect rules need kind "redirect" with a name
    basis = { number = "800/123/DISKOMINFO/2026", date = 2026-01-05, signer = "Bupati Musi Banyuasin", note = "" }
    # document_sha256 = "..." in basis: of the letter's PDF
    author = "seed"                               # optional

    [[exception]]                                 # something let through for a while, which two people decided
    code = "humas-boleh-tiktok"
    title = "Humas boleh TikTok sampai akhir tahun"
    scope = "unit:dinkes/puskesmas-sekayu"
    target = "service:tiktok"
    # schedule = "jam-kerja"                      # optional
    valid_from = 2026-01-01T00:00:00              # without offset: the regency's zone
    valid_until = 2027-01-01T00:00:00+07:00       # exclusive
    reason = "Humas mengelola akun resmi"
    contact = "humas, pesawat 112"                # optional
    basis = { number = "800/124/DISKOMINFO/2026", date = 2026-01-06, signer = "Kepala Dinas Kominfo" }
    requested_by = "sari"
    approved_by = "budi"                          # another person

All sections but ``[regency]`` may be absent. Whatever is missing in an entry takes the default shown.
"""

from __future__ import annotations

import datetime
import json
from collections.abc import Mapping
from typing import Annotated, Any, Self

from pydantic import AfterValidator, Field, StringConstraints, model_validator

from admin_api import fields as f
from admin_api.models.catalog import DEFAULT_MAX_AGE_S
from admin_api.schedule_schemas import Periods, Window
from admin_api.schemas import Answer, Basis, DeviceName, Exacting, Strict
from policy.model import Action, Identification, Language, Reading, UnknownClients

SCOPE = r"^(regency|agency:[a-z0-9_-]{1,40}|unit:[a-z0-9_-]{1,40}/[a-z0-9_-]{1,40})$"
TENANT = SCOPE.replace("regency|", "")
TARGET = r"^(category|list|service|name|wildcard|regex|network|search|bypass):[^\x00-\x1f\x7f]+$"


Networks = Annotated[list[f.Cidr], AfterValidator(f.distinct), Field(max_length=1000)]
Names = Annotated[list[f.DnsName], AfterValidator(f.distinct)]
UNNAMED_RULE = "rule-"  # and its number: what an export calls a rule without a code
Moment = Annotated[datetime.datetime, AfterValidator(f.bounded_moment)]


class NamedEntry(Strict):
    """A name with a note on it."""

    name: f.DnsName
    note: f.Note = ""


NotedNames = list[f.DnsName | NamedEntry]


class RegencyEntry(Exacting):
    """``[regency]``."""

    name: f.Title
    zone: f.Zone = "Asia/Jakarta"
    language: Language = Language.ID
    unknown_clients: UnknownClients = UnknownClients.PRIVATE_ONLY
    allow_list_only: bool = False
    admin_networks: Annotated[f.Cidrs, Field(max_length=f.MAX_ADMIN_NETWORKS)] = Field(default_factory=list)
    answer: Answer = Answer.model_validate_json('{"kind": "nxdomain"}')


class UnitEntry(Strict):
    """``[[agency.unit]]``."""

    code: f.Code
    name: f.Title
    networks: Networks = Field(default_factory=list)
    allow_list_only: bool = False


class AgencyEntry(Strict):
    """``[[agency]]``."""

    code: f.Code
    name: f.Title
    networks: Networks = Field(default_factory=list)
    allow_list_only: bool = False
    unit: list[UnitEntry] = Field(default_factory=list)


class ForwarderEntry(Strict):
    """``[[forwarder]]``."""

    cidr: f.Cidr
    title: f.Title
    agencies: Annotated[
        list[f.Code], AfterValidator(f.distinct), Field(min_length=1, max_length=f.MAX_FORWARDED_AGENCIES)
    ]
    trusts: Annotated[list[Identification], AfterValidator(f.distinct), Field(min_length=1, max_length=3)]


class DeviceEntry(DeviceName):
    """``[[device]]``."""

    title: f.Short = ""
    tenant: Annotated[str, StringConstraints(pattern=TENANT)]


class CategoryEntry(Strict):
    """``[[category]]``."""

    code: f.Code
    title: f.Title
    negative: bool = False
    observe: bool = False
    answer: Answer | None = None


class ServiceEntry(Strict):
    """``[[service]]``."""

    code: f.Code
    title: f.Title
    category: f.Code
    names: Annotated[Names, Field(min_length=1, max_length=f.MAX_SERVICE_NAMES)]


class ListEntry(Strict):
    """``[[list]]``."""

    code: f.Code
    title: f.Title
    location: f.Location
    format: f.ListFormat = "auto"
    subdomains: bool | None = None
    member: f.ListMember = ""
    landing: f.Landing = Field(default_factory=list)
    sha256: f.Sha256 = ""
    tsig_name: f.TsigName = ""
    tsig_algorithm: f.TsigAlgorithm = "hmac-sha256"
    tsig_secret: f.TsigSecret | None = None
    tsig_secret_file: f.SecretFile = ""
    categories: Annotated[list[f.Code], AfterValidator(f.distinct), Field(min_length=1, max_length=50)]
    national: bool = False
    licence: f.Short = ""
    enabled: bool = True
    observe: bool = False
    rewrites: bool = False
    max_size_bytes: f.ListSize = f.DEFAULT_LIST_SIZE_BYTES
    shrink_limit: f.Share = f.DEFAULT_SHRINK_LIMIT
    min_entries: f.EntryCount = 1
    allow_private: bool = False
    max_age_s: f.MaxAge = DEFAULT_MAX_AGE_S


class ScheduleEntry(Strict):
    """``[[schedule]]``."""

    code: f.Code
    title: f.Title
    zone: f.Zone | None = None
    skip_holidays: bool = False
    skip_joint_leave: bool = True
    windows: Annotated[list[Window], Field(min_length=1, max_length=f.MAX_WINDOWS)]
    periods: Periods = Field(default_factory=list)


class ScheduleOverrideEntry(Strict):
    """``[[schedule_override]]``."""

    scope: Annotated[str, StringConstraints(pattern=TENANT)]
    schedule: f.Code
    reading: Reading
    other: f.Code | None = None


class HolidayEntry(Strict):
    """``[[holiday]]``."""

    date: f.IsoDate
    title: f.Title
    joint_leave: bool = False


class RuleEntry(Strict):
    """``[[rule]]``."""

    code: f.Code
    title: f.Title
    scope: Annotated[str, StringConstraints(pattern=SCOPE)]
    target: Annotated[str, StringConstraints(pattern=TARGET, max_length=1100)]
    action: Action
    answer: Answer | None = None
    schedule: f.Code | None = None
    valid_from: Moment | None = None
    valid_until: Moment | None = None
    mandatory: bool = False
    important: bool = False
    basis: Basis = Basis()
    author: f.Short = "import"

    @model_validator(mode="before")
    @classmethod
    def _is_no_exception(cls, entry: Any) -> Any:
        if not isinstance(entry, dict):
            return entry
        if entry.get("exception") or entry.get("approver"):
            raise ValueError("a rule is no exception: write an [[exception]], with valid_until and approved_by")
        return {key: value for key, value in entry.items() if key not in ("exception", "approver")}


class ExceptionEntry(Strict):
    """``[[exception]]``: one that is approved already. Only what fills an empty database may bring such."""

    code: f.Code
    title: f.Title
    scope: Annotated[str, StringConstraints(pattern=SCOPE)]
    target: Annotated[str, StringConstraints(pattern=TARGET, max_length=1100)]
    schedule: f.Code | None = None
    valid_from: Moment
    valid_until: Moment
    reason: Annotated[str, StringConstraints(pattern=f.PRINTABLE, min_length=1, max_length=1000)]
    contact: f.Short = ""
    basis: Basis = Basis()
    requested_by: Annotated[str, StringConstraints(pattern=f.PRINTABLE, min_length=1, max_length=40)]
    approved_by: Annotated[str, StringConstraints(pattern=f.PRINTABLE, min_length=1, max_length=40)]

    @model_validator(mode="after")
    def _approved_by_another(self) -> Self:
        if self.approved_by == self.requested_by:
            raise ValueError("approved_by must be another person than requested_by")
        return self


class Document(Strict):
    """The whole document. Codes are unique within a section, networks within the document."""

    regency: RegencyEntry
    protected: NotedNames = Field(default_factory=list)
    must_resolve: NotedNames = Field(default_factory=list)
    agencies: Annotated[list[AgencyEntry], Field(alias="agency")] = Field(default_factory=list)
    forwarders: Annotated[list[ForwarderEntry], Field(alias="forwarder")] = Field(default_factory=list)
    devices: Annotated[list[DeviceEntry], Field(alias="device")] = Field(default_factory=list)
    categories: Annotated[list[CategoryEntry], Field(alias="category")] = Field(default_factory=list)
    services: Annotated[list[ServiceEntry], Field(alias="service")] = Field(default_factory=list)
    lists: Annotated[list[ListEntry], Field(alias="list")] = Field(default_factory=list)
    schedules: Annotated[list[ScheduleEntry], Field(alias="schedule")] = Field(default_factory=list)
    schedule_overrides: Annotated[list[ScheduleOverrideEntry], Field(alias="schedule_override")] = Field(
        default_factory=list
    )
    holidays: Annotated[list[HolidayEntry], Field(alias="holiday")] = Field(default_factory=list)
    rules: Annotated[list[RuleEntry], Field(alias="rule")] = Field(default_factory=list)
    exceptions: Annotated[list[ExceptionEntry], Field(alias="exception")] = Field(default_factory=list)


def unnamed_rule(code: str) -> int:
    """The number of a rule that an export calls so because it has no code; 0 for any other."""
    digits = code.removeprefix(UNNAMED_RULE)
    return int(digits) if digits != code and digits.isascii() and digits.isdigit() and len(digits) <= 10 else 0


def parse_document(document: Mapping[str, Any]) -> Document:
    """A document read from TOML. Raises pydantic's ``ValidationError`` with every mistake in it."""
    # By way of JSON, where strictness still lets dates and enumerations be written as texts.
    return Document.model_validate_json(json.dumps(document, default=_iso_text))


def _iso_text(value: object) -> str:
    if isinstance(value, datetime.date | datetime.time):
        return value.isoformat()
    raise TypeError(f"{type(value).__name__} has no place in an import document")
