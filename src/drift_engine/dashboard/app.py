"""The application: which path is answered by what."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route
from starlette.types import ASGIApp, Scope

from drift_engine.dashboard.answers import QueryError, said
from drift_engine.dashboard.assets import asset, charts
from drift_engine.dashboard.audit import Audit
from drift_engine.dashboard.commands import BadBodyError
from drift_engine.dashboard.guard import TOO_LARGE, Guard, Refusal, TooLargeError
from drift_engine.dashboard.openapi import openapi
from drift_engine.dashboard.reads import UnknownEngineError
from drift_engine.dashboard.room import Room
from drift_engine.dashboard.routes import WAYS
from drift_engine.dashboard.security import Doorkeeper


def make_app(room: Room, doorkeeper: Doorkeeper, host: str, port: int) -> ASGIApp:
    """Return the application of a server that listens on a host and port."""
    audit = Audit(room.state_dir)

    @asynccontextmanager
    async def lifespan(_app: Starlette) -> AsyncIterator[None]:
        async with room.open():
            yield
        audit.flush()

    app = Starlette(routes=_routes(), lifespan=lifespan)
    app.state.room, app.state.doorkeeper, app.state.audit = room, doorkeeper, audit
    for kind, handler in _HANDLERS.items():
        app.add_exception_handler(kind, handler)

    def tell(scope: Scope, refusal: Refusal) -> None:
        room.refusals[refusal[1]] = room.refusals.get(refusal[1], 0) + 1
        audit.refused(f"locked at {(scope.get('client') or ('unknown',))[0]}", refusal[1])

    return Guard(app, host, port, tell)


def _routes() -> list[BaseRoute]:
    api = [Route(way.path, way.endpoint, methods=[way.method]) for way in WAYS]
    return [
        *api,
        Route("/api/openapi.json", openapi),
        Route("/", asset),
        Route("/static/{path:path}", asset),
        Route("/vendor/plotly.min.js", charts),
    ]


async def _bad_query(_request: Request, error: Exception) -> Response:
    return said("bad_query", str(error), 400)


async def _bad_body(_request: Request, error: Exception) -> Response:
    return said("bad_body", str(error), 400)


async def _unknown_engine(_request: Request, _error: Exception) -> Response:
    return said("unknown_engine", "there is no engine of that name", 404)


async def _refused(_request: Request, error: Exception) -> Response:
    status = error.status_code if isinstance(error, HTTPException) else 500
    words = {404: ("not_found", "there is nothing here"), 405: ("wrong_method", "not with this method")}
    code, message = words.get(status, ("refused", "the request was refused"))
    return said(code, message, status)


async def _too_large(request: Request, _error: Exception) -> Response:
    audit: Audit = request.app.state.audit
    audit.refused("locked" if request.client is None else f"locked at {request.client.host}", "too_large")
    return said("too_large", TOO_LARGE, 413)


async def _broken(_request: Request, _error: Exception) -> Response:
    return said("broken", "the server failed at this request; its log says how", 500)


_HANDLERS = {
    QueryError: _bad_query,
    BadBodyError: _bad_body,
    UnknownEngineError: _unknown_engine,
    TooLargeError: _too_large,
    HTTPException: _refused,
    Exception: _broken,
}
