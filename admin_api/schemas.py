"""Shapes that several bodies share: the strict base, block answers, letters; and their rows' columns.

``*Input`` is what a client sends, ``*Output`` what it receives. Unknown fields are refused, and nothing is coerced: a
number in quotes is a mistake that the client wants to hear about.
"""

from __future__ import annotations

import datetime
import ipaddress
import re
from ipaddress import IPv4Address, IPv6Address
from typing import Annotated, Any, Self

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainSerializer,
    StringConstraints,
    ValidationInfo,
    WithJsonSchema,
    field_validator,
    model_validator,
)

from admin_api import fields as f
from admin_api.models.base import Answering, Lettered
from admin_api.models.tenants import DEVICE_LENGTH
from dnswire.constants import RRType
from policy import model as facts
from policy.letters import LetterFor
from policy.model import AnswerKind, BlockAnswer, Identification

Id = Annotated[int, Field(ge=1, le=f.MAX_ID)]


QueryId = Annotated[int, BeforeValidator(f.digits), Field(ge=1, le=f.MAX_ID)]
QueryYear = Annotated[int, BeforeValidator(f.digits), Field(ge=1970, le=2200)]


RFC3339_START = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt ]")


def instant_text(value: object) -> object:
    """Lets only RFC 3339 texts through, where pydantic would also read bare numbers as times. Raises ValueError."""
    if not isinstance(value, str | datetime.datetime) or (isinstance(value, str) and not RFC3339_START.match(value)):
        raise ValueError("not an RFC 3339 instant with offset, as 2026-01-31T08:00:00+07:00")
    return value


def rrtype_number(value: object) -> object:
    """The number of an RR type given as mnemonic, as TYPEnnn (RFC 3597) or as number. Raises ValueError."""
    if not isinstance(value, str):
        return value
    text = value.upper()
    if text in RRType.__members__:
        return RRType[text].value
    digits = text.removeprefix("TYPE")
    if digits.isascii() and digits.isdigit() and len(digits) <= 5 and int(digits) <= 65_535:
        return int(digits)
    raise ValueError("not an RR type; write for example A, AAAA, HTTPS, TYPE65 or 65")


def rrtype_text(number: int) -> str:
    """An RR type as people write it (RFC 3597 for those without a mnemonic here)."""
    return RRType(number).name if number in RRType.__members__.values() else f"TYPE{number}"


def canonical_address(text: str) -> str:
    """An IP address in its canonical spelling. Raises ValueError."""
    if "%" in text:
        raise ValueError("not an IP address without interface zone")
    try:
        return str(ipaddress.ip_address(text))
    except ValueError:
        raise ValueError("not an IP address") from None


RRTypeNumber = Annotated[
    int,
    BeforeValidator(rrtype_number),
    WithJsonSchema({"type": "string", "pattern": "^([A-Za-z][A-Za-z0-9]{0,9}|[0-9]{1,5})$"}),
]
Address = Annotated[str, StringConstraints(min_length=2, max_length=45), AfterValidator(canonical_address)]
QueryInstant = Annotated[AwareDatetime, BeforeValidator(instant_text), AfterValidator(f.bounded_instant)]


def rfc3339(value: datetime.datetime) -> str:
    """An instant as RFC 3339 text in UTC."""
    return value.astimezone(datetime.UTC).isoformat().replace("+00:00", "Z")


Instant = Annotated[
    AwareDatetime,
    Field(strict=False),  # what may be read as an instant is narrowed by the next line instead
    BeforeValidator(instant_text),
    AfterValidator(f.bounded_instant),
    PlainSerializer(rfc3339, when_used="json"),
]


class Strict(BaseModel):
    """Root of all bodies."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True, use_attribute_docstrings=True)


class Answer(Strict):
    """How a blocked name is answered."""

    kind: AnswerKind
    """nxdomain, nodata, null (0.0.0.0 and ::), page (the addresses), refused, redirect (CNAME to the name)."""
    ttl_s: Annotated[int, Field(ge=0, le=86_400)] = 60
    address4: IPv4Address | None = None
    """For kind page."""
    address6: IPv6Address | None = None
    """For kind page."""
    name: f.DnsName | None = None
    """For kind redirect."""

    @model_validator(mode="after")
    def _fits_its_kind(self) -> Self:
        addressed = self.address4 is not None or self.address6 is not None
        if (self.kind is AnswerKind.PAGE) != addressed:
            raise ValueError("address4 or address6 is given exactly when kind is page")
        if (self.kind is AnswerKind.REDIRECT) != (self.name is not None):
            raise ValueError("name is given exactly when kind is redirect")
        return self


class Basis(Strict):
    """The official letter that a decision rests on."""

    number: f.Short = ""
    date: f.IsoDate | None = None
    signer: f.Short = ""
    note: f.Note = ""
    document_sha256: f.Sha256 = ""
    """Of the letter's PDF, in hexadecimal, so that nobody can put another in its place."""


class Exacting(Strict):
    """What the regency demands of whoever decides something."""

    exception_max_days: Annotated[int, Field(ge=1, le=f.MAX_EXCEPTION_DAYS)] = 90
    """For how long an exception may hold at most."""
    pause_max_minutes: Annotated[int, Field(ge=1, le=f.MAX_PAUSE_MINUTES)] = 30
    """How long a pause of an agency or unit may last at most."""
    letters_for: Annotated[list[LetterFor], AfterValidator(f.distinct), Field(max_length=len(LetterFor))] = Field(
        default_factory=list
    )
    """Which rules must rest on an official letter: all, mandatory, exception, block (also redirect, safe search),
    allow. Exceptions for negative content always must."""
    letters_with_document: bool = False
    """Whether of such a letter the SHA-256 of its PDF is demanded, too."""


class DeviceName(Strict):
    """What a forwarder calls a client."""

    kind: Identification
    """mac or cpe_id."""
    value: Annotated[str, StringConstraints(pattern=f.PRINTABLE, min_length=1, max_length=DEVICE_LENGTH)]
    """aa:bb:cc:dd:ee:ff, or the CPE's text."""

    @field_validator("value")
    @classmethod
    def _fits_its_kind(cls, value: str, info: ValidationInfo) -> str:
        kind = info.data.get("kind")
        return f.device_value(kind, value) if isinstance(kind, Identification) else value


def put_answer(row: Answering, answer: Answer | None) -> None:
    """Writes an answer (None: the next wider one holds) into its row's columns."""
    row.answer_kind = answer.kind.value if answer else None
    row.answer_ttl_s = answer.ttl_s if answer else 60
    row.answer_address4 = str(answer.address4 or "") if answer else ""
    row.answer_address6 = str(answer.address6 or "") if answer else ""
    row.answer_name = (answer.name or "") if answer else ""


def answer_of(row: Answering) -> Answer | None:
    """The answer in a row's columns."""
    if row.answer_kind is None:
        return None
    return Answer(
        kind=AnswerKind(row.answer_kind),
        ttl_s=row.answer_ttl_s,
        address4=IPv4Address(row.answer_address4) if row.answer_address4 else None,
        address6=IPv6Address(row.answer_address6) if row.answer_address6 else None,
        name=row.answer_name or None,
    )


def block_answer_of(row: Answering) -> BlockAnswer | None:
    """The answer in a row's columns, as policy speaks of it."""
    if row.answer_kind is None:
        return None
    return BlockAnswer(
        kind=AnswerKind(row.answer_kind),
        ttl_s=row.answer_ttl_s,
        address4=row.answer_address4,
        address6=row.answer_address6,
        name=row.answer_name,
    )


def put_basis(row: Lettered, basis: Basis) -> None:
    """Writes a letter into its row's columns."""
    row.basis_number = basis.number
    row.basis_date = basis.date or ""
    row.basis_signer = basis.signer
    row.basis_note = basis.note
    row.basis_document_sha256 = basis.document_sha256


def basis_of(row: Lettered) -> Basis:
    """The letter in a row's columns."""
    return Basis(
        number=row.basis_number,
        date=row.basis_date or None,
        signer=row.basis_signer,
        note=row.basis_note,
        document_sha256=row.basis_document_sha256,
    )


def letter_of(row: Lettered) -> facts.Basis:
    """The letter in a row's columns, as policy speaks of it."""
    return facts.Basis(row.basis_number, row.basis_date, row.basis_signer, row.basis_note, row.basis_document_sha256)


def instant(seconds: float) -> datetime.datetime:
    """A Unix time as an instant in UTC."""
    return datetime.datetime.fromtimestamp(seconds, datetime.UTC)


def instant_us(microseconds: int) -> datetime.datetime:
    """A Unix time in microseconds as an instant in UTC, exactly."""
    return f.EARLIEST + datetime.timedelta(microseconds=microseconds)


def instant_or_none(seconds: float | None) -> datetime.datetime | None:
    """A Unix time, if there is one, as an instant in UTC."""
    return None if seconds is None else instant(seconds)


def seconds_or_none(value: datetime.datetime | None) -> int | None:
    """An instant as whole Unix seconds."""
    return None if value is None else int(value.timestamp())


def as_json(model: BaseModel) -> dict[str, Any]:
    """A body as the plain JSON values it is sent as."""
    return model.model_dump(mode="json")
