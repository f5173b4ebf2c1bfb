"""What every app says of itself, whatever it carries: health, metrics, where the services are, and docs."""

from collections.abc import Callable, Coroutine, Mapping
from typing import Any, Final

import msgspec
from sanic import HTTPResponse, Request

from dateflicks.server.web.address import base_url
from dateflicks.server.web.answers import Health, Liveness, Readiness, ServiceHealth, Services
from dateflicks.server.web.context import declare
from dateflicks.server.web.docs import DOCS_HEADERS, docs_page
from dateflicks.server.web.openapi import openapi_document
from dateflicks.server.web.problems import RETRY_SECONDS
from dateflicks.server.web.service import Conditioned, Measured
from dateflicks.server.web.state import AppState

SYSTEM_PATHS: Final = frozenset(
    {"/health", "/livez", "/readyz", "/metrics", "/services", "/docs", "/docs/openapi.json"}
)
STUCK_SECONDS: Final = 1.0  # an event loop that was late by as much serves nobody well

SystemHandler = Callable[["Request[Any, Any]"], Coroutine[Any, Any, HTTPResponse]]


def system_handlers(state: AppState) -> Mapping[str, SystemHandler]:
    """The handlers by path; the documents are made once."""
    openapi = msgspec.json.encode(openapi_document(state.name, state.services))
    page = docs_page(state.name, state.services).encode()

    def health(_: "Request[Any, Any]") -> HTTPResponse:
        answer = health_of(state)
        return _told(answer, answer.status == "ok")

    def livez(_: "Request[Any, Any]") -> HTTPResponse:
        lag = state.metrics.lag
        return _told(Liveness("ok" if lag < STUCK_SECONDS else "stuck", round(lag, 3)), lag < STUCK_SECONDS)

    def readyz(_: "Request[Any, Any]") -> HTTPResponse:
        answer = readiness_of(state)
        return _told(answer, answer.status == "ready")

    async def metrics(request: "Request[Any, Any]") -> HTTPResponse:
        declare(request, "/metrics")
        if state.colleagues is not None:
            text = await state.colleagues.exposition()
        else:
            text = exposition_of(state)
        return HTTPResponse(text, content_type=state.metrics.content_type)

    def services(request: "Request[Any, Any]") -> HTTPResponse:
        return _json(msgspec.json.encode(Services(services_of(state, request))))

    def docs(_: "Request[Any, Any]") -> HTTPResponse:
        return HTTPResponse(page, content_type="text/html; charset=utf-8", headers=dict(DOCS_HEADERS))

    def document(_: "Request[Any, Any]") -> HTTPResponse:
        return _json(openapi)

    answers: dict[str, Callable[[Request[Any, Any]], HTTPResponse]] = {
        "/health": health,
        "/livez": livez,
        "/readyz": readyz,
        "/services": services,
        "/docs": docs,
        "/docs/openapi.json": document,
    }
    return {"/metrics": metrics, **{path: _handler(path, answer) for path, answer in answers.items()}}


def health_of(state: AppState) -> Health:
    """How this app is: degraded as soon as one of its services has no database."""
    each = {service.name: service.database_up() for service in state.services}
    is_up = all(each.values())
    notes = {service.name: service.condition for service in state.services if isinstance(service, Conditioned)}
    detail = {
        name: ServiceHealth("ok" if up else "degraded", "ok" if up else "down", notes.get(name, ""))
        for name, up in each.items()
    }
    return Health(
        status="stopping" if state.is_stopping else "ok" if is_up else "degraded",
        service=state.name,
        database="ok" if is_up else "down",
        services=detail if len(detail) > 1 else {},
        note=notes.get(state.name, ""),
    )


def readiness_of(state: AppState) -> Readiness:
    """Whether people should be sent here: the database, which is looked at all the time, answers, and nothing stops."""
    is_up = all(service.database_up() for service in state.services)
    return Readiness(
        status="stopping" if state.is_stopping else "ready" if is_up else "not-ready",
        database="ok" if is_up else "down",
        bus="up" if state.metrics.is_bus_up() else "away",
    )


def exposition_of(state: AppState) -> bytes:
    """What this process has counted, with what its services have to say at this moment."""
    for service in state.services:
        state.metrics.database_up.labels(service.name).set(1 if service.database_up() else 0)
        if isinstance(service, Measured):
            service.measure()
    return state.metrics.exposition()


def services_of(state: AppState, request: "Request[Any, Any]") -> dict[str, str]:
    """Where each service is: those of the settings, and ours where the caller found us or the settings say."""
    here = state.settings.public_url.rstrip("/") or base_url(request, state.proxies)
    return {service.name: here for service in state.services} | {
        name: url.rstrip("/") for name, url in state.settings.services.items()
    }


def _handler(path: str, answer: Callable[["Request[Any, Any]"], HTTPResponse]) -> SystemHandler:
    async def handle(request: "Request[Any, Any]") -> HTTPResponse:
        declare(request, path)
        return answer(request)

    return handle


def _told(answer: msgspec.Struct, is_good: bool) -> HTTPResponse:
    headers = {} if is_good else {"Retry-After": str(RETRY_SECONDS)}
    return _json(msgspec.json.encode(answer), 200 if is_good else 503, headers)


def _json(body: bytes, status: int = 200, headers: Mapping[str, str] | None = None) -> HTTPResponse:
    return HTTPResponse(body, status=status, headers=dict(headers or {}), content_type="application/json")
