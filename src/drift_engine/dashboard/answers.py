"""How answers look, and how figures are read from a query."""

from typing import Any

import msgspec
from starlette.requests import Request
from starlette.responses import Response

_encode = msgspec.json.Encoder(enc_hook=str).encode


class QueryError(ValueError):
    """A query holds what is no figure. The message says which."""


def answer(document: Any, status: int = 200) -> Response:
    """Return a document as JSON that nobody keeps."""
    return Response(_encode(document), status, {"cache-control": "no-store"}, "application/json")


def said(code: str, message: str, status: int = 200, *, ok: bool = False, **more: Any) -> Response:
    """Return the answer to a command: ``{ok, code, message}``."""
    return answer({"ok": ok, "code": code, "message": message, **more}, status)


def whole(request: Request, name: str, default: int | None, lowest: int, highest: int) -> int | None:
    """Return a whole number of the query within bounds. Raises ``QueryError``."""
    text = request.query_params.get(name)
    if text is None or text == "":
        return default
    if not (text.isascii() and text.isdigit() and len(text) <= 20):
        raise QueryError(f"{name} must be a whole number")
    return max(lowest, min(int(text), highest))
