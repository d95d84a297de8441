"""How answers look, and how figures are read from a query."""

import time
from collections.abc import Callable, Hashable
from typing import Any

import msgspec
from starlette.requests import Request
from starlette.responses import Response

_encode = msgspec.json.Encoder(enc_hook=str).encode
_MOMENT_S = 1.0
_kept: dict[Hashable, tuple[float, bytes]] = {}


class QueryError(ValueError):
    """A query holds what is no figure. The message says which."""


def answer(document: Any, status: int = 200) -> Response:
    """Return a document as JSON that nobody keeps."""
    return Response(_encode(document), status, {"cache-control": "no-store"}, "application/json")


def kept_for_a_moment(key: Hashable, make: Callable[[], Any]) -> Response:
    """As ``answer``; who asks the same within a second gets the same, made once, however many they are."""
    now_s = time.monotonic()
    for old in [old for old, (made_s, _) in _kept.items() if now_s - made_s > _MOMENT_S]:
        del _kept[old]
    if key not in _kept:
        _kept[key] = now_s, _encode(make())
    return Response(_kept[key][1], 200, {"cache-control": "no-store"}, "application/json")


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
