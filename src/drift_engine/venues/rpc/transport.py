"""How a request reaches a node: which endpoint, when, how often, and for how long at the most.

One connection to each endpoint is kept and used again; more are opened only while others are busy. A read that fails on
one endpoint is asked of the next, and after a round over all of them again, after a pause that doubles and is jittered.
What is not a read is asked once. All waiting of a call, for rate limits too, counts against one deadline; a wait that
would pass it is not begun. Errors name endpoints by scheme and host: keys in addresses stay out of them, and so do the
causes that would spell the whole address (``from None``).
"""

import asyncio
import email.utils
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import TypeVar

import aiohttp

from drift_engine.core.units import MILLISECOND_NS, SECOND_NS
from drift_engine.venues.endpoints import Endpoint, Endpoints
from drift_engine.venues.rpc.errors import RpcError, RpcRateLimitedError, RpcUnavailableError, RpcUnreadError
from drift_engine.venues.urls import without_tokens

T = TypeVar("T")
HEADERS = {"Content-Type": "application/json"}


@dataclass(frozen=True, slots=True)
class Policy:
    """How patient to be. ``timeout_ms`` is for a whole call with its waits, ``attempt_ms`` for one request of it.

    ``retries`` is the number of further requests for a read. The pause before the second round is ``backoff_ms``, then
    doubles. ``rate_per_s`` limits each endpoint, 0 is no limit; a batch counts as many as it holds. ``cooldown_ms`` is
    how long an endpoint that failed is left alone, doubling up to ``cooldown_max_ms``.
    """

    timeout_ms: int = 15_000
    attempt_ms: int = 4_000
    retries: int = 3
    backoff_ms: int = 1_000
    backoff_max_ms: int = 4_000
    rate_per_s: float = 0
    burst: int = 10
    cooldown_ms: int = 1_000
    cooldown_max_ms: int = 30_000
    connections: int = 4


class MalformedError(Exception):
    """An answer that is not what was asked for. Raised by decoders; the endpoint counts as failed."""


class Transport:
    """Posts requests to endpoints; ``clock`` is monotonic, in nanoseconds; ``jitter`` is in 0..1."""

    def __init__(
        self,
        endpoints: Endpoints,
        policy: Policy,
        clock: Callable[[], int],
        sleep: Callable[[float], Awaitable[None]],
        jitter: Callable[[], float],
    ) -> None:
        self.endpoints = endpoints
        self._policy = policy
        self._clock, self._sleep, self._jitter = clock, sleep, jitter
        self._session: aiohttp.ClientSession | None = None

    async def open(self) -> None:
        """Be ready to ask; no connection is made before the first question."""
        connector = aiohttp.TCPConnector(limit=0, limit_per_host=self._policy.connections, keepalive_timeout=75)
        self._session = aiohttp.ClientSession(connector=connector, headers=HEADERS, raise_for_status=False)

    async def close(self) -> None:
        """Close the kept connections."""
        session, self._session = self._session, None
        if session is not None:
            await session.close()

    async def ask(
        self,
        what: str,
        body: bytes,
        decode: Callable[[bytes], T],
        *,
        safe: bool,
        cost: int = 1,
        only: Endpoint | None = None,
        try_unread: bool = True,
    ) -> T:
        """Return the decoded answer. ``what`` names the question in errors; ``only`` is the one endpoint to ask.

        ``try_unread``: an answer that cannot be read is worth another try.

        Raises ``RpcUnavailableError`` where no endpoint answers in time, ``RpcRateLimitedError`` where the last word
        was "too many requests", and ``RpcError`` where a node refused.
        """
        deadline_ns = self._clock() + self._policy.timeout_ms * MILLISECOND_NS
        tried: set[Endpoint] = set()
        pause_ns, attempt = self._policy.backoff_ms * MILLISECOND_NS, 0
        while True:
            endpoint = only or self.endpoints.pick(self._clock(), tried, probe=safe)
            await self._wait_for_turn(endpoint, what, cost, deadline_ns)
            try:
                return await self._attempt(endpoint, what, body, decode, deadline_ns, safe=safe)
            except (RpcUnavailableError, RpcError) as error:
                attempt += 1
                if not safe or attempt > self._policy.retries or not _worth_repeating(error, try_unread=try_unread):
                    raise
                if self._clock() >= deadline_ns:
                    raise
                last = error
            tried.add(endpoint)
            if only is not None or len(tried) == len(self.endpoints.all):
                tried.clear()
                await self._pause(int(pause_ns * (0.5 + self._jitter() / 2)), deadline_ns, last)
                pause_ns = min(pause_ns * 2, self._policy.backoff_max_ms * MILLISECOND_NS)

    async def _wait_for_turn(self, endpoint: Endpoint, what: str, cost: int, deadline_ns: int) -> None:
        now_ns = self._clock()
        wait_ns = max(endpoint.bucket.take(cost, now_ns), endpoint.paused_until_ns - now_ns)
        if wait_ns > 0:
            message = f"{what}: {endpoint.name} takes no more requests for {wait_ns // MILLISECOND_NS} ms"
            await self._pause(wait_ns, deadline_ns, RpcRateLimitedError(message, wait_ns))

    async def _pause(self, wait_ns: int, deadline_ns: int, otherwise: Exception) -> None:
        if self._clock() + wait_ns >= deadline_ns:
            raise otherwise
        await self._sleep(wait_ns / SECOND_NS)

    async def _attempt(
        self,
        endpoint: Endpoint,
        what: str,
        body: bytes,
        decode: Callable[[bytes], T],
        deadline_ns: int,
        *,
        safe: bool,
    ) -> T:
        left_ns = min(self._policy.attempt_ms * MILLISECOND_NS, deadline_ns - self._clock())
        try:
            async with asyncio.timeout(left_ns / SECOND_NS):
                result = decode(await self._post_anew(endpoint, what, body, safe=safe))
        except TimeoutError:
            raise self._down(endpoint, what, f"no answer in {left_ns // MILLISECOND_NS} ms") from None
        except MalformedError as error:
            raise self._down(endpoint, what, str(error), RpcUnreadError) from None
        except aiohttp.ServerDisconnectedError as error:
            raise self._down(endpoint, what, _reason(error), RpcUnreadError) from None
        except (aiohttp.ClientError, OSError) as error:
            raise self._down(endpoint, what, _reason(error)) from None
        except RpcError as error:
            endpoint.healed()
            if error.limited:
                raise self._limited(endpoint, what, None) from error
            raise
        endpoint.healed()
        return result

    async def _post_anew(self, endpoint: Endpoint, what: str, body: bytes, *, safe: bool) -> bytes:
        """Post; a read that met a kept connection which the node had closed meanwhile is posted once more."""
        try:
            return await self._post(endpoint, what, body)
        except (aiohttp.ServerDisconnectedError, ConnectionResetError):
            if not safe:
                raise
        return await self._post(endpoint, what, body)

    async def _post(self, endpoint: Endpoint, what: str, body: bytes) -> bytes:
        if self._session is None:
            raise RuntimeError("the RPC client is not open: use it in an 'async with'")
        async with self._session.post(endpoint.url, data=body, allow_redirects=False) as response:
            if response.status == 429:
                raise self._limited(endpoint, what, _retry_after_ns(response.headers))
            answer = await response.read()
            if response.status != 200 and not (response.status < 500 and b'"error"' in answer):
                raise MalformedError(f"HTTP {response.status}")
            return answer

    def _down(
        self, endpoint: Endpoint, what: str, why: str, kind: type[RpcUnavailableError] = RpcUnavailableError
    ) -> RpcUnavailableError:
        endpoint.failed(self._clock())
        return kind(f"{what}: {endpoint.name} did not answer: {why}")

    def _limited(self, endpoint: Endpoint, what: str, wait_ns: int | None) -> RpcRateLimitedError:
        wait_ns = self._policy.backoff_ms * MILLISECOND_NS if wait_ns is None else wait_ns
        endpoint.pause(self._clock() + wait_ns)
        message = f"{what}: {endpoint.name} refused: too many requests, again in {wait_ns // MILLISECOND_NS} ms"
        return RpcRateLimitedError(message, wait_ns)


def _worth_repeating(error: RpcUnavailableError | RpcError, *, try_unread: bool) -> bool:
    if isinstance(error, RpcError):
        return error.behind
    return try_unread or not isinstance(error, RpcUnreadError)


def _reason(error: Exception) -> str:
    """Say what broke, without the address that aiohttp puts into its messages."""
    cause = error.os_error if isinstance(error, aiohttp.ClientConnectorError) else error
    known = cause.strerror if isinstance(cause, OSError) else None
    return without_tokens(known or type(error).__name__)


def _retry_after_ns(headers: Mapping[str, str]) -> int | None:
    """Read Retry-After: seconds, or a date that is told against the answer's own."""
    asked, sent = headers.get("Retry-After", ""), headers.get("Date", "")
    if asked.strip().isdecimal():
        return int(asked) * SECOND_NS
    try:
        until, since = email.utils.parsedate_to_datetime(asked), email.utils.parsedate_to_datetime(sent)
        return max(0, int((until - since).total_seconds() * SECOND_NS))
    except (TypeError, ValueError):
        return None
