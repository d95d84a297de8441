"""HTTP to the services beside the chain: one request, one answer or one error, never a second try.

What an error says about the request it belongs to is in its type:

==========================  ==========================================================================
``InvalidRequestError``     it was refused here: nothing left this process
``RefusedError``            the service read it and said no: it had no effect
``UnreachableError``        no connection came about: nothing was sent
``VenueUnavailableError``   no answer, a failure inside the service, or an answer nobody can read: a
                            send may or may not have happened, and is not repeated
==========================  ==========================================================================

``UnreachableError``, ``FailedAnswerError`` and ``MalformedAnswerError`` are kinds of it, so whoever
handles that one as *unknown* is right. aiohttp repeats a DELETE by itself when a kept connection breaks, and a send of
the gateway is a DELETE: ``_once`` turns such a break into an error it does not repeat. Redirects are not followed, as
they would send a second time. URLs, headers and echoes of them are cleared of secrets before anything is shown.
"""

import asyncio
import re
from collections.abc import Callable, Mapping
from typing import Self, TypeVar
from urllib.parse import urlsplit

import aiohttp
import msgspec
from aiohttp.client_middlewares import ClientHandlerType

from drift_engine.core.client import VenueUnavailableError
from drift_engine.venues.urls import checked_url, shown, without_tokens

T = TypeVar("T")
W = TypeVar("W")

DEFAULT_TIMEOUT_S = 10.0
MAX_SHOWN = 300
MAX_BODY_BYTES = 32 * 1024 * 1024
_HIDDEN = "…"
_OPAQUE = re.compile(r"[A-Za-z0-9_-]{16,}")


class InvalidRequestError(ValueError):
    """A request cannot be made as asked: what, where and how to mend it. Nothing was sent."""


class RefusedError(Exception):
    """A service read a request and refused it: it had no effect. ``status`` is HTTP's, ``reason`` the service's."""

    def __init__(self, service: str, status: int, reason: str) -> None:
        super().__init__(f"{service} refused ({status}): {reason}")
        self.service = service
        self.status = status
        self.reason = reason


class NotFoundError(RefusedError):
    """A service does not know what it was asked for (404)."""


class RateLimitedError(RefusedError):
    """Too many requests (429): this one was not looked at. ``retry_after_s`` is the wait asked for, if any."""

    def __init__(self, service: str, reason: str, retry_after_s: float | None = None) -> None:
        super().__init__(service, 429, reason)
        self.retry_after_s = retry_after_s


class UnreachableError(VenueUnavailableError):
    """No connection to the service came about: nothing was sent."""


class FailedAnswerError(VenueUnavailableError):
    """The service failed inside (5xx, or gave up waiting): what was asked of it may have happened."""

    def __init__(self, service: str, status: int, reason: str) -> None:
        super().__init__(f"{service} failed ({status}): {reason}")
        self.service = service
        self.status = status
        self.reason = reason


class MalformedAnswerError(VenueUnavailableError):
    """The answer has not the documented shape: what was asked may have happened."""


class Answer(msgspec.Struct, frozen=True):
    """What a service answered: HTTP status, headers with lower-case names, and the body as it came."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def text(self) -> str:
        """The body as text; bytes that are none are shown replaced."""
        return self.body.decode(errors="replace")


class HttpService:
    """One service at one address, over kept connections. ``secrets`` never appear in what it raises or shows."""

    def __init__(
        self,
        base_url: str,
        *,
        name: str,
        timeout_s: float = DEFAULT_TIMEOUT_S,
        headers: Mapping[str, str] | None = None,
        secrets: tuple[str, ...] = (),
        session: aiohttp.ClientSession | None = None,
    ) -> None:
        self.name = name
        self.shown_url = service_url(base_url, ("http", "https"))
        self._base = base_url.rstrip("/")
        self._timeout_s = timeout_s
        self._headers = dict(headers or {})
        self._secrets = tuple(filter(None, (*secrets, *_secrets_of(base_url))))
        self._session = session
        self._owned = session is None

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.name} at {self.shown_url})"

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def close(self) -> None:
        """Close the connections, where they are this service's own."""
        if self._owned and self._session is not None:
            await self._session.close()
            self._session = None

    async def request(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, str | int] | None = None,
        body: object = None,
        timeout_s: float | None = None,
    ) -> Answer:
        """Send once and return the answer, whatever its status. ``body`` is sent as JSON where it is not ``None``.

        Raises ``UnreachableError`` where nothing was sent and ``VenueUnavailableError`` where nobody answered in time.
        """
        if self._session is None:
            self._session = aiohttp.ClientSession()
        data = None if body is None else msgspec.json.encode(body)
        kind = {} if body is None else {"Content-Type": "application/json"}
        limit = self._timeout_s if timeout_s is None else timeout_s
        try:
            async with self._session.request(
                method,
                self._base + path,
                params=dict(query or {}),
                data=data,
                headers={**self._headers, **kind},
                timeout=aiohttp.ClientTimeout(total=limit, connect=limit),
                allow_redirects=False,
                middlewares=(_once,),
            ) as response:
                return Answer(response.status, _lowered(response.headers), await self._read(response))
        except (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError) as error:
            raise UnreachableError(f"{self.name} at {self.shown_url} is not reachable: {_kind(error)}") from None
        except (TimeoutError, asyncio.TimeoutError):  # noqa: UP041 - two types before Python 3.11
            raise VenueUnavailableError(f"{self.name} at {self.shown_url}: no answer in {limit:g} s") from None
        except (aiohttp.ClientError, OSError) as error:
            raise VenueUnavailableError(f"{self.name} at {self.shown_url}: connection lost: {_kind(error)}") from None

    async def _read(self, response: aiohttp.ClientResponse) -> bytes:
        chunks, size = [], 0
        async for chunk in response.content.iter_any():
            size += len(chunk)
            if size > MAX_BODY_BYTES:
                raise MalformedAnswerError(f"{self.name}: the answer is longer than {MAX_BODY_BYTES} bytes")
            chunks.append(chunk)
        return b"".join(chunks)

    def refusal(self, answer: Answer, reason: str | None = None) -> RefusedError | FailedAnswerError:
        """Return the error of an answer that is no success; ``reason`` is the service's own, else the body's text."""
        shown = self.clean(answer.text if reason is None else reason) or "no reason given"
        if answer.status == 429:
            return RateLimitedError(self.name, shown, _seconds(answer.headers.get("retry-after")))
        if answer.status >= 500 or answer.status == 408:
            return FailedAnswerError(self.name, answer.status, shown)
        if 300 <= answer.status < 400:
            shown = "a redirect, which is not followed: give the address it leads to"
        kind = NotFoundError if answer.status == 404 else RefusedError
        return kind(self.name, answer.status, shown)

    def decode(self, body: bytes | str, kind: type[T]) -> T:
        """Return a JSON body as a value of ``kind``. Raises ``MalformedAnswerError``."""
        try:
            return msgspec.json.decode(body, type=kind)
        except (msgspec.MsgspecError, ValueError, RecursionError) as error:
            raise MalformedAnswerError(f"{self.name}: {self.clean(str(error))}") from None

    def convert(self, wire: W, make: Callable[[W], T]) -> T:
        """Return ``make(wire)``. Raises ``MalformedAnswerError`` where a figure, key or signature in it is none."""
        try:
            return make(wire)
        except InvalidRequestError:
            raise
        except ValueError as error:
            raise MalformedAnswerError(f"{self.name}: {self.clean(str(error))}") from None

    def clean(self, text: str) -> str:
        """Return a service's text fit to be shown: on one line, not long, without secrets."""
        for secret in self._secrets:
            text = text.replace(secret, _HIDDEN)
        flat = " ".join(text.split())
        return flat if len(flat) <= MAX_SHOWN else flat[:MAX_SHOWN] + _HIDDEN


def service_url(url: str, schemes: tuple[str, ...]) -> str:
    """Return how a service's URL may be shown. Raises ``InvalidRequestError`` where it is none, or has a query."""
    try:
        parts = urlsplit(checked_url(url, schemes))
    except ValueError as error:
        raise InvalidRequestError(str(error)) from None
    if parts.query or parts.fragment:
        raise InvalidRequestError(f"{shown(url)}: an address has no query; hand a key over by the client's parameter")
    return shown(url)


def _secrets_of(url: str) -> tuple[str, ...]:
    parts = urlsplit(url)
    keys = tuple(part for part in parts.path.split("/") if _OPAQUE.fullmatch(part))
    return (parts.username or "", parts.password or "", *keys)


def _lowered(headers: Mapping[str, str]) -> dict[str, str]:
    return {name.lower(): value for name, value in headers.items()}


def _seconds(text: str | None) -> float | None:
    try:
        seconds = float(text) if text else None
    except ValueError:
        return None
    return seconds if seconds is not None and 0 <= seconds < 3_600 else None


def _kind(error: Exception) -> str:
    cause = error.os_error if isinstance(error, aiohttp.ClientConnectorError) else error
    return without_tokens(getattr(cause, "strerror", None) or type(cause).__name__)


class _ConnectionCutError(aiohttp.ClientError):
    """A connection broke after the request began: not one of the errors aiohttp repeats."""


async def _once(request: aiohttp.ClientRequest, handler: ClientHandlerType) -> aiohttp.ClientResponse:
    try:
        return await handler(request)
    except (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError):
        raise
    except (aiohttp.ClientOSError, aiohttp.ServerDisconnectedError) as error:
        raise _ConnectionCutError(type(error).__name__) from None
