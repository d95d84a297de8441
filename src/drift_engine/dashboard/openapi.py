"""The API's description of itself, made from the table of routes, so that neither can be without the other."""

import re
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from drift_engine import __version__
from drift_engine.dashboard.answers import answer
from drift_engine.dashboard.routes import WAYS, Way

_OUTCOME = {
    "type": "object",
    "required": ["ok", "code", "message"],
    "properties": {
        "ok": {"type": "boolean"},
        "code": {"type": "string", "description": "a word for programs"},
        "message": {"type": "string", "description": "a line for people"},
    },
}
_REFUSALS = {
    "401": "not unlocked",
    "403": "of another site",
    "404": "no such engine",
    "409": "understood, and not done",
    "413": "too large a body",
    "429": "too many at once",
    "503": "nobody there to do it",
    "504": "no answer in time",
}


def document() -> dict[str, Any]:
    """Return the OpenAPI document."""
    paths: dict[str, dict[str, Any]] = {}
    for way in WAYS:
        paths.setdefault(way.path, {})[way.method.lower()] = _operation(way)
    return {
        "openapi": "3.1.0",
        "info": {"title": "Drift Engine Risk-Center", "version": __version__},
        "paths": paths,
        "components": {
            "schemas": {"Outcome": _OUTCOME},
            "securitySchemes": {
                "token": {"type": "http", "scheme": "bearer"},
                "session": {"type": "apiKey", "in": "cookie", "name": "drift_session"},
            },
        },
    }


def _operation(way: Way) -> dict[str, Any]:
    inside = [
        {"name": name, "in": "path", "required": True, "schema": {"type": "string"}}
        for name in re.findall(r"{(\w+)}", way.path)
    ]
    asked = [
        {"name": name, "in": "query", "description": text, "schema": {"type": kind}}
        for name, (kind, text) in way.query.items()
    ]
    found: dict[str, Any] = {"summary": way.text, "parameters": inside + asked}
    return {**found, **(_command(way) if way.method == "POST" else _reading(way))}


def _reading(way: Way) -> dict[str, Any]:
    return {"responses": {"200": {"description": way.text, "content": {way.kind: {}}}}}


def _command(way: Way) -> dict[str, Any]:
    outcome = {"application/json": {"schema": {"$ref": "#/components/schemas/Outcome"}}}
    fields = {name: {"type": kind, "description": text} for name, (kind, text) in way.body.items()}
    schema = {"type": "object", "properties": fields}
    return {
        "requestBody": {"content": {"application/json": {"schema": schema}}},
        "responses": {
            "200": {"description": "done, or begun", "content": outcome},
            **{status: {"description": text, "content": outcome} for status, text in _REFUSALS.items()},
        },
        "security": [{"token": []}, {"session": []}],
    }


async def openapi(_request: Request) -> Response:
    """Send the document."""
    return answer(document())
