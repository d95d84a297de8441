"""The application: which path is answered by what."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route
from starlette.types import ASGIApp, Scope

from drift_engine.dashboard import reads
from drift_engine.dashboard.answers import QueryError, said
from drift_engine.dashboard.assets import asset
from drift_engine.dashboard.guard import Guard, Refusal
from drift_engine.dashboard.room import Room
from drift_engine.dashboard.security import Doorkeeper


def make_app(room: Room, doorkeeper: Doorkeeper, host: str, port: int) -> ASGIApp:
    """Return the application of a server that listens on a host and port."""

    @asynccontextmanager
    async def lifespan(_app: Starlette) -> AsyncIterator[None]:
        async with room.open():
            yield

    app = Starlette(routes=_routes(), lifespan=lifespan)
    app.state.room, app.state.doorkeeper = room, doorkeeper
    for kind, handler in _HANDLERS.items():
        app.add_exception_handler(kind, handler)

    def tell(scope: Scope, refusal: Refusal) -> None:
        room.refusals[refusal[1]] = room.refusals.get(refusal[1], 0) + 1

    return Guard(app, host, port, tell)


def _routes() -> list[BaseRoute]:
    one = "/api/engines/{name}"
    return [
        Route("/health", reads.health),
        Route("/api/engines", reads.engines),
        Route(one, reads.engine),
        Route(f"{one}/history", reads.history),
        Route(f"{one}/decisions", reads.decisions),
        Route(f"{one}/logs", reads.logs),
        Route(f"{one}/replica", reads.replica),
        Route("/api/opportunities", reads.opportunities),
        Route("/api/strategies", reads.strategies),
        Route("/api/stream", reads.stream),
        Route("/", asset),
        Route("/static/{path:path}", asset),
    ]


async def _bad_query(_request: Request, error: Exception) -> Response:
    return said("bad_query", str(error), 400)


async def _unknown_engine(_request: Request, _error: Exception) -> Response:
    return said("unknown_engine", "there is no engine of that name", 404)


async def _refused(_request: Request, error: Exception) -> Response:
    status = error.status_code if isinstance(error, HTTPException) else 500
    words = {404: ("not_found", "there is nothing here"), 405: ("wrong_method", "not with this method")}
    code, message = words.get(status, ("refused", "the request was refused"))
    return said(code, message, status)


_HANDLERS = {QueryError: _bad_query, reads.UnknownEngineError: _unknown_engine, HTTPException: _refused}
