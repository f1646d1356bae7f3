"""What a feature declares: one ``Route`` an operation, from which both the server and the OpenAPI document are made."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Annotated, TypeVar

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from admin_api import fields as f
from admin_api.journal import Actor
from admin_api.rest.auth import Principal, Scope
from admin_api.services import Services

M = TypeVar("M", bound=BaseModel)

API = "/api/v1"
JSON_TYPE = "application/json"


Digits = Annotated[int, BeforeValidator(f.digits)]


class Parameters(BaseModel):
    """Root of path and query parameters: texts that are read as what they stand for; unknown ones are refused."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)


class NoParameters(Parameters):
    """A route without parameters of that kind."""


class ItemPath(Parameters):
    """The path of one resource."""

    id: Annotated[Digits, Field(ge=1, le=f.MAX_ID)]


@dataclass(frozen=True, slots=True)
class Editor:
    """In whose name, and when, rows are written: a caller of the API, or an import."""

    login: str
    now_s: float


@dataclass(frozen=True, slots=True)
class Call:
    """A request that passed authentication and validation."""

    services: Services
    principal: Principal
    request_id: str
    remote: str
    path: BaseModel
    query: BaseModel
    raw_query: Mapping[str, str]
    body: bytes
    if_match: str | None
    address: str  # the request's path, for links

    def path_as(self, model: type[M]) -> M:
        """The path parameters, of the type that the route declared."""
        return _as(model, self.path)

    def query_as(self, model: type[M]) -> M:
        """The query parameters, of the type that the route declared."""
        return _as(model, self.query)

    @property
    def item_id(self) -> int:
        """The identifier in the path."""
        return self.path_as(ItemPath).id

    @property
    def actor(self) -> Actor:
        """The caller as the journal names it."""
        return Actor(self.principal.login, self.principal.token_id, self.request_id, self.remote)

    @property
    def editor(self) -> Editor:
        """The caller as rows name it."""
        return Editor(self.principal.login, self.services.clock())

    def now_s(self) -> float:
        """The time."""
        return self.services.clock()


@dataclass(frozen=True, slots=True)
class Reply:
    """What is answered: a model as JSON, or octets of the route's media type, or nothing (204)."""

    body: BaseModel | bytes | None = None
    status: HTTPStatus = HTTPStatus.OK
    headers: Mapping[str, str] = field(default_factory=dict)


Handler = Callable[[Call], Awaitable[Reply]]


@dataclass(frozen=True, slots=True)
class Route:
    """One operation.

    ``scope`` None: open to everybody. ``for_agencies``: also open to tokens restricted to an agency (the handler then
    restricts what it shows); closed unless said. ``partial``: the body may leave out any field of ``body`` (PATCH).
    """

    method: str
    path: str
    tag: str
    summary: str
    handle: Handler
    scope: Scope | None
    operation: str
    response: type[BaseModel] | None = None
    status: HTTPStatus = HTTPStatus.OK
    path_schema: type[BaseModel] = NoParameters
    query_schema: type[BaseModel] = NoParameters
    body: type[BaseModel] | None = None
    text_body: str = ""  # the media type of a body that is no JSON; the handler reads it
    max_body_size_bytes: int | None = None  # where it is another than the service's
    partial: bool = False
    preconditioned: bool = False  # needs If-Match
    etag: bool = False
    limited: bool = False  # failures (403) count as failed attempts of the address
    publishes: bool = False
    paged: bool = False
    for_agencies: bool = False
    media_type: str = JSON_TYPE
    free_form: bool = False  # answers JSON that no schema describes
    errors: tuple[HTTPStatus, ...] = ()
    description: str = ""


def _as(model: type[M], value: BaseModel) -> M:
    if not isinstance(value, model):
        raise TypeError(f"the route declares {type(value).__name__}, its handler asks for {model.__name__}")
    return value
