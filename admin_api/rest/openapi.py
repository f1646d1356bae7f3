"""The OpenAPI 3.1 document, made from the routes that are served: it cannot say anything else than the server does."""

from __future__ import annotations

import copy
from collections.abc import Iterable
from http import HTTPStatus
from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import JsonSchemaMode, models_json_schema

from admin_api.rest.auth import Scope
from admin_api.rest.edit import GENERATION_HEADER, IN_FORCE_HEADER, WARNING_HEADER
from admin_api.rest.problem import PROBLEM_TYPE, ProblemBody
from admin_api.rest.route import JSON_TYPE, NoParameters, Route

Json = dict[str, Any]
REF = "#/components/schemas/{model}"
DESCRIPTION = (
    "Administration of Saring. Bearer tokens; refusals are RFC 9457 problem details that name every mistake at once; "
    "edits need If-Match with the ETag of what they were made from, and are in force (as a new snapshot generation) "
    "when the response arrives, unless its Saring-In-Force header says no."
)
HEADERS: dict[str, Json] = {
    "ETag": {"description": "The version, for If-Match.", "schema": {"type": "string"}, "required": True},
    "Link": {"description": 'The next page, rel="next"; absent on the last.', "schema": {"type": "string"}},
    "Location": {"description": "The new resource.", "schema": {"type": "string"}, "required": True},
    GENERATION_HEADER: {
        "description": "The snapshot generation that holds the edit; absent where nothing was published.",
        "schema": {"type": "string", "pattern": "^[0-9]+$"},
    },
    IN_FORCE_HEADER: {
        "description": "no: the edit is saved, but publishing failed; the next publication carries it.",
        "schema": {"type": "string", "enum": ["yes", "no"]},
    },
    WARNING_HEADER: {"description": "What people should know about it.", "schema": {"type": "string"}},
}
REASONS = {
    HTTPStatus.BAD_REQUEST: "The body is not JSON, or nested too deeply.",
    HTTPStatus.UNAUTHORIZED: "No token, or one that does not count.",
    HTTPStatus.FORBIDDEN: "The token may not do this.",
    HTTPStatus.NOT_FOUND: "There is no such resource (or none that this token may see).",
    HTTPStatus.CONFLICT: "The state of things forbids it; the detail says what.",
    HTTPStatus.PRECONDITION_FAILED: "Somebody changed the resource since it was read.",
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE: "The body is too large.",
    HTTPStatus.UNSUPPORTED_MEDIA_TYPE: "The body is not application/json.",
    HTTPStatus.UNPROCESSABLE_ENTITY: "Mistakes in fields, all of them named.",
    HTTPStatus.PRECONDITION_REQUIRED: "If-Match is missing.",
    HTTPStatus.TOO_MANY_REQUESTS: "Too many failed attempts from this address.",
    HTTPStatus.SERVICE_UNAVAILABLE: "A dependency cannot be reached, or too much at once.",
}


def openapi_document(routes: Iterable[Route], version: str) -> Json:
    """The document of the routes served, for the program's ``version``."""
    routes = list(routes)
    schemas = Schemas(routes)
    paths: dict[str, Json] = {}
    for route in routes:
        paths.setdefault(route.path, {})[route.method.lower()] = _operation(route, schemas)
    return {
        "openapi": "3.1.0",
        "info": {"title": "Saring admin API", "version": version, "description": DESCRIPTION},
        "jsonSchemaDialect": "https://json-schema.org/draft/2020-12/schema",
        "tags": [{"name": tag} for tag in dict.fromkeys(route.tag for route in routes)],
        "paths": paths,
        "components": {
            "schemas": schemas.components(),
            "securitySchemes": {
                "bearer": {
                    "type": "http",
                    "scheme": "bearer",
                    "description": "A token of this API. Scopes: " + ", ".join(scope.value for scope in Scope),
                }
            },
        },
    }


class Schemas:
    """The JSON schemas of all models that routes name, and where each is found in the document."""

    def __init__(self, routes: list[Route]) -> None:
        wanted: dict[tuple[type[BaseModel], JsonSchemaMode], None] = {(ProblemBody, "serialization"): None}
        for route in routes:
            wanted |= dict.fromkeys(_models(route))
        self._found, document = models_json_schema(list(wanted), ref_template=REF)
        self._definitions: dict[str, Json] = document.get("$defs", {})
        self._partial: dict[str, Json] = {}
        self._hidden: set[str] = set()

    def reference(self, model: type[BaseModel], mode: JsonSchemaMode) -> Json:
        """The reference to a model's schema."""
        return self._found[(model, mode)]

    def partial(self, model: type[BaseModel]) -> Json:
        """The reference to a body's schema in which any field may be left out."""
        schema = copy.deepcopy(self._definition(model, "validation"))
        schema.pop("required", None)
        for field in schema["properties"].values():
            field.pop("default", None)
        name = f"{model.__name__.removesuffix('Input')}Patch"
        schema["title"] = name
        self._partial[name] = schema
        return {"$ref": REF.format(model=name)}

    def parameters(self, model: type[BaseModel], place: str) -> list[Json]:
        """The fields of a parameter model, each as a parameter in ``place``."""
        if model is NoParameters:
            return []
        schema = self._definition(model, "validation")
        self._hidden.add(self._name(model, "validation"))
        required = set(schema.get("required", ()))
        return [
            {"name": name, "in": place, "required": name in required or place == "path"} | _parameter(field)
            for name, field in schema.get("properties", {}).items()
        ]

    def components(self) -> dict[str, Json]:
        """All schemas that the document refers to."""
        shown = {name: schema for name, schema in self._definitions.items() if name not in self._hidden}
        return dict(sorted((shown | self._partial).items()))

    def _name(self, model: type[BaseModel], mode: JsonSchemaMode) -> str:
        reference: str = self._found[(model, mode)]["$ref"]
        return reference.rsplit("/", 1)[1]

    def _definition(self, model: type[BaseModel], mode: JsonSchemaMode) -> Json:
        return self._definitions[self._name(model, mode)]


def _models(route: Route) -> list[tuple[type[BaseModel], JsonSchemaMode]]:
    models: list[tuple[type[BaseModel], JsonSchemaMode]] = [
        (model, "validation") for model in (route.path_schema, route.query_schema) if model is not NoParameters
    ]
    if route.body is not None:
        models.append((route.body, "validation"))
    if route.response is not None:
        models.append((route.response, "serialization"))
    return models


def _parameter(field: Json) -> Json:
    schema = {key: value for key, value in field.items() if key not in ("title", "description", "default")}
    # An optional parameter is left out, never sent as null.
    choices = [choice for choice in schema.pop("anyOf", []) if choice != {"type": "null"}]
    if len(choices) == 1:
        schema |= choices[0]
    elif choices:
        schema["anyOf"] = choices
    if field.get("default") is not None:
        schema["default"] = field["default"]
    described = {"description": field["description"]} if "description" in field else {}
    return {"schema": schema} | described


def _operation(route: Route, schemas: Schemas) -> Json:
    parameters = schemas.parameters(route.path_schema, "path") + schemas.parameters(route.query_schema, "query")
    if route.preconditioned:
        parameters.append(
            {
                "name": "If-Match",
                "in": "header",
                "required": True,
                "description": "The ETag of the version that the edit was made from.",
                "schema": {"type": "string", "minLength": 1, "maxLength": 500},
            }
        )
    operation: Json = {
        "operationId": route.operation,
        "tags": [route.tag],
        "summary": route.summary,
        "parameters": parameters,
        "responses": _responses(route, schemas),
        "security": [{"bearer": [route.scope.value]}] if route.scope else [],
    }
    if route.description:
        operation["description"] = route.description
    if route.body is not None:
        schema = schemas.partial(route.body) if route.partial else schemas.reference(route.body, "validation")
        operation["requestBody"] = {"required": True, "content": {JSON_TYPE: {"schema": schema}}}
    if route.text_body:
        operation["requestBody"] = {"required": True, "content": {route.text_body: {"schema": {"type": "string"}}}}
    return operation


def _responses(route: Route, schemas: Schemas) -> Json:
    success: Json = {"description": route.status.phrase}
    if route.response is not None:
        success["content"] = {route.media_type: {"schema": schemas.reference(route.response, "serialization")}}
    elif route.free_form:
        success["content"] = {route.media_type: {"schema": {"type": "object"}}}
    elif route.media_type != JSON_TYPE:
        success["content"] = {route.media_type: {"schema": {"type": "string"}}}
    headers = _headers(route)
    if headers:
        success["headers"] = {name: HEADERS[name] for name in headers}
    problem = schemas.reference(ProblemBody, "serialization")
    responses = {str(route.status.value): success}
    for status in sorted(_refusals(route)):
        responses[str(status.value)] = {
            "description": REASONS.get(status, status.phrase),
            "content": {PROBLEM_TYPE: {"schema": problem}},
        }
    return responses


def _headers(route: Route) -> list[str]:
    names = ["ETag"] if route.etag else []
    if route.status is HTTPStatus.CREATED and route.etag:
        names.append("Location")
    if route.paged:
        names.append("Link")
    if route.publishes:
        names += [GENERATION_HEADER, IN_FORCE_HEADER, WARNING_HEADER]
    return names


def _refusals(route: Route) -> set[HTTPStatus]:
    found = {HTTPStatus.SERVICE_UNAVAILABLE, *route.errors}
    if route.scope is not None:
        found |= {HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN, HTTPStatus.TOO_MANY_REQUESTS}
    if route.limited:
        found.add(HTTPStatus.TOO_MANY_REQUESTS)
    if route.path_schema is not NoParameters:
        found.add(HTTPStatus.NOT_FOUND)
    # Unknown query parameters are refused everywhere.
    found.add(HTTPStatus.UNPROCESSABLE_ENTITY)
    if route.body is not None or route.text_body:
        found |= {
            HTTPStatus.BAD_REQUEST,
            HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
            HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
        }
    if route.preconditioned:
        found |= {HTTPStatus.PRECONDITION_FAILED, HTTPStatus.PRECONDITION_REQUIRED}
    return found
