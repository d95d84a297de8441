"""The control protocol: JSON lines over a Unix socket that only its owner may open.

A request is ``{"id": n, "do": WORD, ...}``, its answer
``{"id": n, "ok": bool, "code": str, "message": str, "data": any}``. After a ``follow`` was answered the connection
carries a stream: lines without an ``id``. A hole in a stream is told as ``{"gap": {"after": a, "next": b}}``: the
messages between ``a`` and ``b`` were not sent and can be read elsewhere.
"""

from collections.abc import Collection
from typing import Any

import msgspec
from msgspec import Struct

from drift_engine.core.near_names import near

REQUEST_BYTES = 64 * 1024
LINE_BYTES = 8 * 1024 * 1024
encode = msgspec.json.Encoder(enc_hook=str).encode


class Answer(Struct, frozen=True):
    """What came of a request: ``code`` is a word for programs, ``message`` a line for people."""

    ok: bool
    code: str = "done"
    message: str = ""
    data: Any = None
    id: int | None = None


def yes(code: str = "done", message: str = "", data: Any = None) -> Answer:
    """Return the answer to what was done."""
    return Answer(ok=True, code=code, message=message, data=data)


def no(code: str, message: str, data: Any = None) -> Answer:
    """Return the answer to what was not done."""
    return Answer(ok=False, code=code, message=message, data=data)


def no_engine(name: str, known: Collection[str], has: str = "the fleet has") -> Answer:
    """Return the answer where a fleet has no engine of a name: the near one, and all it has."""
    meant = near(name, known)
    perhaps = f"did you mean {meant!r}? " if meant else ""
    return no("unknown_engine", f"no engine {name!r}; {perhaps}{has} {', '.join(known)}")


class Request(Struct, frozen=True):
    """A request as it came: its word, its number, and everything in it."""

    do: str
    id: int | None
    fields: dict[str, Any]

    def text(self, name: str, default: str = "") -> str:
        """Return a field that must be text. Raises ``BadRequestError``."""
        value = self.fields.get(name, default)
        if not isinstance(value, str):
            raise BadRequestError(f"{name!r} must be text")
        return value

    def count(self, name: str, default: int, most: int) -> int:
        """Return a field that must be a whole number of 0 or more, ``most`` at most. Raises ``BadRequestError``."""
        value = self.fields.get(name, default)
        if not isinstance(value, int) or isinstance(value, bool) or value < 0:
            raise BadRequestError(f"{name!r} must be a whole number of 0 or more")
        return min(value, most)

    def mapping(self, name: str) -> dict[str, str]:
        """Return a field that must be an object; its values as text. Raises ``BadRequestError``."""
        value = self.fields.get(name, {})
        if not isinstance(value, dict):
            raise BadRequestError(f"{name!r} must be an object")
        return {str(key): str(found) for key, found in value.items()}


class BadRequestError(ValueError):
    """A request is not of the form it should have."""


def parse(line: bytes) -> Request:
    """Return the request of a line. Raises ``BadRequestError``."""
    try:
        fields = msgspec.json.decode(line, type=dict[str, Any])
    except (msgspec.DecodeError, UnicodeDecodeError):
        raise BadRequestError("a request is one JSON object on a line") from None
    do, number = fields.get("do"), fields.get("id")
    if not isinstance(do, str):
        raise BadRequestError("a request names what to do: {'do': WORD}")
    return Request(do, number if isinstance(number, int) and not isinstance(number, bool) else None, fields)


def line(message: object) -> bytes:
    """Return a message as a line."""
    return encode(message) + b"\n"


def gap(after: int, following: int) -> bytes:
    """Return the line that tells of a hole in a stream."""
    return line({"gap": {"after": after, "next": following}})
