"""The OpenAPI 3.1 document of an app, made from what its services declare.

A WebSocket is no GET with an answer, so feeds are not among the paths: they stand under `x-websocket`, with the frames
that each side may send, and are described in the text as well.
"""

from collections.abc import Iterable, Mapping, Sequence
from http import HTTPStatus
from typing import Any, Final

import msgspec

from dateflicks import __version__
from dateflicks.protocol.problem import Problem
from dateflicks.server.web.answers import Health, Liveness, Readiness, Services
from dateflicks.server.web.bearer import SUBPROTOCOL
from dateflicks.server.web.route import PARAMETER_MAX_CHARACTERS, Auth, Route
from dateflicks.server.web.service import Feed, Service

Json = dict[str, Any]

_REF: Final = "#/components/schemas/{name}"
_SECURITY: Final[Mapping[Auth, list[Json]]] = {
    "none": [],
    "optional": [{}, {"token": []}],
    "user": [{"token": []}],
    "user-or-ticket": [{"token": []}, {"ticket": []}],
}
RULES_TEXT: Final = (
    "Bodies are JSON in camelCase; unknown fields are ignored. Errors are RFC 9457 problems"
    " (`application/problem+json`), with `errors` naming the fields of a body that does not fit."
    " Lists take `limit` (1 to 200, else 50) and `cursor`, and answer `items` and `next`."
)
FEEDS_TEXT: Final = (
    "WebSockets carry text frames of JSON, at most 16 KiB each. The token stands in the Authorization"
    f" header, or in the subprotocols `{SUBPROTOCOL}, bearer.TOKEN`. Who sends it in the header is refused in HTTP"
    " (401, 403, 404), who sends it as a subprotocol by a close code (4401, 4403, 4404), which is all that a page"
    " can see."
    " Their frames are under `x-websocket`:"
)
_SCHEMES: Final[Json] = {
    "token": {"type": "http", "scheme": "bearer", "description": "A person's token, from `POST /tokens`."},
    "ticket": {"type": "http", "scheme": "bearer", "description": "The ticket of an accepted session."},
}
_SECONDS: Final[Json] = {
    "schema": {"type": "integer", "minimum": 1}, "required": True, "description": "Seconds to wait.",
}  # fmt: skip
_HEADERS: Final[Mapping[int, Json]] = {
    401: {"WWW-Authenticate": {"schema": {"const": "Bearer"}, "required": True}},
    415: {"Accept": {"schema": {"const": "application/json"}, "required": True}},
    429: {"Retry-After": _SECONDS},
    503: {"Retry-After": _SECONDS},
}


def openapi_document(name: str, services: Sequence[Service]) -> Json:
    """The whole document."""
    schemas = Schemas(services)
    paths: dict[str, Json] = {}
    for service in services:
        for route in service.routes:
            paths.setdefault(route.path, {})[route.method.lower()] = _operation(service, route, schemas)
    for path, operation in _system_operations(schemas).items():
        paths.setdefault(path, {})["get"] = operation
    return {
        "openapi": "3.1.0",
        "info": {"title": f"DATEFLICKS: {name}", "version": __version__, "description": _description(services)},
        "tags": [
            *({"name": service.name, "description": service.summary} for service in services),
            {"name": "system", "description": "What every service says of itself."},
        ],
        "paths": paths,
        "components": {"schemas": schemas.components, "securitySchemes": _SCHEMES},
        "x-websocket": [_feed(service, feed, schemas) for service in services for feed in service.feeds],
    }


class Schemas:
    """The JSON Schemas of all structs that the services name, and references to them."""

    def __init__(self, services: Sequence[Service]) -> None:
        kinds = list(dict.fromkeys([Problem, Health, Liveness, Readiness, Services, *_structs(services)]))
        references, self.components = msgspec.json.schema_components(kinds, ref_template=_REF)
        self._references = dict(zip(kinds, references, strict=True))

    def reference(self, kind: type) -> Json:
        """A reference to the schema of a struct."""
        return dict(self._references[kind])

    def properties(self, kind: type) -> tuple[Mapping[str, Json], Sequence[str]]:
        """The schema of each field of a struct, and which of them are required."""
        name = self._references[kind]["$ref"].rsplit("/", 1)[1]
        schema = self.components[name]
        return schema["properties"], schema.get("required", ())


def _structs(services: Sequence[Service]) -> Iterable[type]:
    for service in services:
        for route in service.routes:
            yield from (kind for kind in (route.body, route.query, route.answer) if kind is not None)
        for feed in service.feeds:
            yield from (*feed.client, *feed.server)


def _operation(service: Service, route: Route, schemas: Schemas) -> Json:
    operation: Json = {
        "tags": [service.name],
        "operationId": operation_id(route.method, route.path),
        "summary": route.summary,
        "security": _SECURITY[route.auth],
        "parameters": [*_path_parameters(route.parameters), *_query_parameters(route, schemas)],
        "responses": {str(route.status): _answer(route.status, route.answer, schemas)},
    }
    if route.description:
        operation["description"] = route.description
    if route.body is not None:
        operation["requestBody"] = {
            "required": route.body_required,
            "content": {"application/json": {"schema": schemas.reference(route.body)}},
        }
    for status in route.statuses:
        operation["responses"][str(status)] = _problem(status, schemas)
    return operation


def operation_id(method: str, path: str) -> str:
    """A name for programs, such as `postSessionsIdAccept`."""
    words = [word for part in path.split("/") for word in part.strip("{}").replace(".", "-").split("-") if word]
    return method.lower() + "".join(word[0].upper() + word[1:] for word in words)


def _path_parameters(names: Iterable[str]) -> list[Json]:
    schema = {"type": "string", "minLength": 1, "maxLength": PARAMETER_MAX_CHARACTERS}
    return [{"name": name, "in": "path", "required": True, "schema": schema} for name in names]


def _query_parameters(route: Route, schemas: Schemas) -> list[Json]:
    if route.query is None:
        return []
    properties, required = schemas.properties(route.query)
    return [
        {"name": name, "in": "query", "required": name in required, "schema": schema}
        for name, schema in properties.items()
    ]


def _answer(status: int, kind: type | None, schemas: Schemas) -> Json:
    answer: Json = {"description": HTTPStatus(status).phrase}
    if kind is not None:
        answer["content"] = {"application/json": {"schema": schemas.reference(kind)}}
    return answer


def _problem(status: int, schemas: Schemas) -> Json:
    answer: Json = {
        "description": HTTPStatus(status).phrase,
        "content": {"application/problem+json": {"schema": schemas.reference(Problem)}},
    }
    if status in _HEADERS:
        answer["headers"] = _HEADERS[status]
    return answer


def _system_operations(schemas: Schemas) -> dict[str, Json]:
    def operation(path: str, summary: str, content_type: str, schema: Json) -> Json:
        content = {content_type: {"schema": schema}}
        return {
            "tags": ["system"],
            "operationId": operation_id("get", path),
            "summary": summary,
            "security": [],
            "parameters": [],
            "responses": {"200": {"description": "OK", "content": content}},
        }

    def condition(path: str, summary: str, kind: type, otherwise: str) -> Json:
        found = operation(path, summary, "application/json", schemas.reference(kind))
        content = {"application/json": {"schema": schemas.reference(kind)}}
        found["responses"]["503"] = {"description": otherwise, "headers": _HEADERS[503], "content": content}
        return found

    away = "The database is out of reach, or the server is stopping"
    text = {"type": "string"}
    where = schemas.reference(Services)
    return {
        "/health": condition("/health", "Whether it works", Health, away),
        "/livez": condition("/livez", "Whether the process is worth keeping", Liveness, "Its event loop is stuck"),
        "/readyz": condition("/readyz", "Whether to send people here", Readiness, away),
        "/metrics": operation("/metrics", "Metrics for Prometheus", "text/plain", text),
        "/services": operation("/services", "Where each service is", "application/json", where),
        "/docs": operation("/docs", "This documentation, to read", "text/html", text),
        "/docs/openapi.json": operation("/docs/openapi.json", "This document", "application/json", {"type": "object"}),
    }


def _feed(service: Service, feed: Feed, schemas: Schemas) -> Json:
    return {
        "service": service.name,
        "path": feed.path,
        "summary": feed.summary,
        "description": feed.description,
        "security": _SECURITY[feed.auth],
        "subprotocols": [SUBPROTOCOL, "bearer.TOKEN"],
        "client": [schemas.reference(kind) for kind in feed.client],
        "server": [schemas.reference(kind) for kind in feed.server],
        "closeCodes": {str(code): meaning for code, meaning in close_codes(feed).items()},
    }


def close_codes(feed: Feed) -> Mapping[int, str]:
    """What the codes mean with which a feed may be closed."""
    return feed.close_codes if feed.close_codes is not None else _CLOSE_CODES


_CLOSE_CODES: Final[Mapping[int, str]] = {
    1002: "what RFC 6455 does not allow",
    1007: "text that is no UTF-8",
    1008: "no sign of life for too long",
    1011: "something went wrong here",
    1012: "the server restarts; come back within 0 to 5 s, spread",
    1013: "too slow in reading",
    4400: "bad frame, after an error frame; do not come back by yourself",
    4401: "no or bad token",
    4403: "not a member; do not come back by yourself",
    4404: "no such session; do not come back by yourself",
    4409: "replaced by a newer connection; do not come back by yourself",
    4429: "too many frames",
}


def _description(services: Sequence[Service]) -> str:
    feeds = [f"- `{feed.path}`: {feed.summary}" for service in services for feed in service.feeds]
    return "\n\n".join([RULES_TEXT, *([FEEDS_TEXT, *feeds] if feeds else [])])
