"""The Jito block engine: bundles that land whole or not at all, and transactions sent past the public mempool.

A send is made once and comes back as a value: accepted, refused, or unknown with the id it can be looked up by. Reads
wait and ask again where the engine says *too many*; sends do not. The engine takes one request a second, address and
region by default: a ``Pacer`` keeps to it, to be shared by clients of one region. The key (``uuid``) goes in a header
and is never shown.

Source: Jito's documentation at commit b5ef793.
"""

import base64
from collections.abc import Mapping, Sequence
from typing import TypeVar

import aiohttp
from msgspec import Raw, Struct
from solders.pubkey import Pubkey

from drift_engine.core.client import VenueUnavailableError
from drift_engine.venues.http import (
    DEFAULT_TIMEOUT_S,
    Answer,
    HttpService,
    InvalidRequestError,
    MalformedAnswerError,
    RateLimitedError,
    RefusedError,
)
from drift_engine.venues.jito.messages import (
    MAX_IDS,
    BundleAck,
    BundleStatus,
    InflightStatus,
    Sent,
    TipFloor,
    TransactionAck,
    WireInflight,
    WireStatus,
    WireTipFloor,
    bundle_id,
    signatures_of,
)
from drift_engine.venues.jito.pacing import Pacer

T = TypeVar("T")

_HOST = "block-engine.jito.wtf"
_MAINNET_REGIONS = ("amsterdam", "dublin", "frankfurt", "london", "ny", "slc", "singapore", "tokyo")
MAINNET = {"mainnet": f"https://mainnet.{_HOST}"} | {
    name: f"https://{name}.mainnet.{_HOST}" for name in _MAINNET_REGIONS
}
TESTNET = {"testnet": f"https://testnet.{_HOST}"} | {
    name: f"https://{name}.testnet.{_HOST}" for name in ("dallas", "ny")
}
TIP_FLOOR_URL = "https://bundles.jito.wtf"
DEFAULT_INTERVAL_S = 1.0
READ_TRIES = 3
_TOO_MANY = {-32097, -32429}
_NULL = b"null"


class _Error(Struct):
    code: int
    message: str


class _Reply(Struct):
    result: Raw = Raw()
    error: _Error | None = None


class _Rows(Struct):
    value: list[Raw]


class _Sending(Struct):
    sent: Sent
    reason: str | None = None
    retry_after_s: float | None = None
    told: str | None = None
    bundle_id: str | None = None


class BlockEngine(HttpService):
    """One region's block engine, by its address (``MAINNET["frankfurt"]``)."""

    def __init__(
        self,
        base_url: str = MAINNET["mainnet"],
        *,
        uuid: str | None = None,
        pacer: Pacer | None = None,
        timeout_s: float = DEFAULT_TIMEOUT_S,
        session: aiohttp.ClientSession | None = None,
    ) -> None:
        headers = {} if uuid is None else {"x-jito-auth": uuid}
        super().__init__(
            base_url, name="block engine", timeout_s=timeout_s, headers=headers, secrets=(uuid or "",), session=session
        )
        self.pacer = pacer or Pacer(DEFAULT_INTERVAL_S)
        self._requests = 0

    async def send_bundle(self, transactions: Sequence[bytes]) -> BundleAck:
        """Send up to five signed transactions as one bundle, once. Accepted is not landed: see ``outcome``.

        Raises ``InvalidRequestError`` where they make no bundle; nothing was sent then.
        """
        signatures, own_id = signatures_of(transactions), bundle_id(transactions)
        params = [[base64.b64encode(raw).decode() for raw in transactions], {"encoding": "base64"}]
        sending = await self._send("/api/v1/bundles", "sendBundle", params)
        return BundleAck(
            bundle_id=own_id,
            signatures=signatures,
            sent=sending.sent,
            reason=sending.reason,
            retry_after_s=sending.retry_after_s,
            reported_id=sending.told if sending.told != own_id else None,
        )

    async def send_transaction(self, transaction: bytes, *, bundle_only: bool = True) -> TransactionAck:
        """Send one signed transaction, once; with ``bundle_only`` it costs nothing where it fails."""
        (signature,) = signatures_of([transaction])
        params = [base64.b64encode(transaction).decode(), {"encoding": "base64"}]
        query = {"bundleOnly": "true"} if bundle_only else {}
        sending = await self._send("/api/v1/transactions", "sendTransaction", params, query)
        return TransactionAck(
            signature=signature,
            sent=sending.sent,
            reason=sending.reason,
            retry_after_s=sending.retry_after_s,
            bundle_id=sending.bundle_id,
        )

    async def bundle_statuses(self, ids: Sequence[str]) -> tuple[BundleStatus | None, ...]:
        """Return what the chain has of up to five bundles, in their order; ``None`` where it has nothing (yet)."""
        rows = await self._statuses("getBundleStatuses", ids, WireStatus)
        found = {row.bundle_id: row.value() for row in rows}
        return tuple(found.get(each) for each in ids)

    async def inflight_statuses(self, ids: Sequence[str]) -> tuple[InflightStatus | None, ...]:
        """Return what the engine knows of up to five bundles of the last five minutes, in their order."""
        rows = await self._statuses("getInflightBundleStatuses", ids, WireInflight)
        found = {row.bundle_id: row.value() for row in rows}
        return tuple(found.get(each) for each in ids)

    async def tip_accounts(self) -> tuple[Pubkey, ...]:
        """Return the accounts a tip may go to. None of them may come from a lookup table."""
        told = await self._ask("/api/v1/getTipAccounts", "getTipAccounts", [], list[str])
        return self.convert(told, lambda keys: tuple(Pubkey.from_string(key) for key in keys))

    async def _send(self, path: str, method: str, params: object, query: Mapping[str, str] | None = None) -> _Sending:
        """Call once, whatever comes of it."""
        try:
            told, answer = await self._call(path, method, params, str, query)
        except RateLimitedError as refusal:
            return _Sending("refused", str(refusal), refusal.retry_after_s)
        except RefusedError as refusal:
            return _Sending("refused", str(refusal))
        except VenueUnavailableError as silence:
            return _Sending("unknown", str(silence))
        return _Sending("accepted", told=told, bundle_id=answer.headers.get("x-bundle-id"))

    async def _statuses(self, method: str, ids: Sequence[str], kind: type[T]) -> list[T]:
        if not 1 <= len(ids) <= MAX_IDS:
            raise InvalidRequestError(f"{method} takes 1 to {MAX_IDS} bundle ids, not {len(ids)}")
        told = await self._ask(f"/api/v1/{method}", method, [list(ids)], Raw)
        rows = [] if bytes(told) == _NULL else self.decode(bytes(told), _Rows).value
        return [self.decode(bytes(row), kind) for row in rows if bytes(row) != _NULL]

    async def _ask(self, path: str, method: str, params: object, kind: type[T]) -> T:
        """Call and, where the engine says *too many*, wait and call again: this changes nothing."""
        for _ in range(READ_TRIES - 1):
            try:
                return (await self._call(path, method, params, kind))[0]
            except RateLimitedError:
                continue  # the pacer makes the next turn late enough
        return (await self._call(path, method, params, kind))[0]

    async def _call(
        self, path: str, method: str, params: object, kind: type[T], query: Mapping[str, str] | None = None
    ) -> tuple[T, Answer]:
        await self.pacer.turn()
        self._requests += 1
        body = {"jsonrpc": "2.0", "id": self._requests, "method": method, "params": params}
        answer = await self.request("POST", path, query=query, body=body)
        try:
            return self._result(answer, kind), answer
        except RateLimitedError as refusal:
            self.pacer.rest(refusal.retry_after_s or self.pacer.interval_s)
            raise

    def _result(self, answer: Answer, kind: type[T]) -> T:
        error = self._error(answer)
        if error is not None and (answer.status == 429 or error.code in _TOO_MANY):
            raise self.refusal(Answer(429, answer.headers, b""), error.message)
        if answer.status != 200:
            raise self.refusal(answer, error.message if error else None)
        if error is not None:
            raise RefusedError(self.name, error.code, self.clean(error.message))
        reply = self.decode(answer.body, _Reply)
        return self.decode(bytes(reply.result), kind)

    def _error(self, answer: Answer) -> _Error | None:
        try:
            return self.decode(answer.body, _Reply).error
        except MalformedAnswerError:
            return None  # no JSON-RPC: the status, or reading the result, says what it is


class TipFloors(HttpService):
    """The public service that tells what landed bundles tipped."""

    def __init__(
        self,
        base_url: str = TIP_FLOOR_URL,
        *,
        timeout_s: float = DEFAULT_TIMEOUT_S,
        session: aiohttp.ClientSession | None = None,
    ) -> None:
        super().__init__(base_url, name="tip floor", timeout_s=timeout_s, session=session)

    async def now(self) -> TipFloor:
        """Return the tip floor, in lamports. The service prints SOL with the noise of binary floating point."""
        answer = await self.request("GET", "/api/v1/bundles/tip_floor")
        if answer.status != 200:
            raise self.refusal(answer)
        rows = self.decode(answer.body, list[WireTipFloor])
        if len(rows) != 1:
            raise MalformedAnswerError(f"{self.name}: {len(rows)} rows instead of one")
        return self.convert(rows[0], WireTipFloor.value)
