"""The swift server: takes signed orders off chain and hands them to makers and keepers.

The message comes from elsewhere as bytes, signed; this only carries it. What was signed is the message's hex text
(newer Velocity servers put a prefix before it), so nothing is checked against the signature here. An order goes once:
the reply is a value, and where there is none, or the server failed while handing the order on, it is unknown and
``VenueUnavailableError`` is raised: look for the order by its uuid in the account of signed orders.

Source: ``src/swift_server.rs`` and ``src/types/messages.rs`` of the swift server at commit 5f9192d.
"""

import base64

import aiohttp
from msgspec import Struct
from solders.pubkey import Pubkey
from solders.signature import Signature

from drift_engine.venues.figures import U16, within
from drift_engine.venues.http import (
    DEFAULT_TIMEOUT_S,
    HttpService,
    InvalidRequestError,
    MalformedAnswerError,
)
from drift_engine.venues.market_id import MarketId

PROCESSED = "Order processed"
MIN_MESSAGE_BYTES = 9  # the discriminator and something


class SignedOrder(Struct, frozen=True, kw_only=True):
    """A signed order message: discriminator and borsh, as ``message``. ``signer`` is the delegate where one signed."""

    message: bytes
    signature: Signature
    authority: Pubkey
    signer: Pubkey
    market: MarketId | None = None
    network: str | None = None


class SwiftAccepted(Struct, frozen=True):
    """The server verified the order and handed it on. Nothing is filled yet."""


class SwiftRefused(Struct, frozen=True):
    """The server refused the order and did not hand it on: its ``message``, and more in ``error``."""

    message: str
    error: str | None


class SwiftHealth(Struct, frozen=True):
    """Whether the server calls itself healthy, and in its words why not."""

    healthy: bool
    detail: str


class _Reply(Struct):
    message: str
    error: str | None = None


class Swift(HttpService):
    """One swift server."""

    def __init__(
        self, base_url: str, *, timeout_s: float = DEFAULT_TIMEOUT_S, session: aiohttp.ClientSession | None = None
    ) -> None:
        super().__init__(base_url, name="swift", timeout_s=timeout_s, session=session)

    async def place(self, order: SignedOrder) -> SwiftAccepted | SwiftRefused:
        """Hand a signed order to the server, once.

        Raises ``RateLimitedError`` where it was not looked at, and ``VenueUnavailableError`` where nobody knows.
        """
        answer = await self.request("POST", "/orders", body=_body(order))
        if answer.status == 429 or answer.status >= 500 or answer.status in {301, 302, 307, 308, 404, 408}:
            raise self.refusal(answer, self._reason(answer.body))
        if answer.status == 200:
            reply = self.decode(answer.body, _Reply)
            if reply.message != PROCESSED:
                raise MalformedAnswerError(f"swift: answered 200 with {self.clean(reply.message)!r}")
            return SwiftAccepted()
        try:
            told = self.decode(answer.body, _Reply)
        except MalformedAnswerError:
            return SwiftRefused(self.clean(answer.text), None)  # the server's framework answers in plain text
        return SwiftRefused(self.clean(told.message), None if told.error is None else self.clean(told.error))

    async def health(self) -> SwiftHealth:
        """Return whether the server is healthy: 412 says no, and which part is not."""
        answer = await self.request("GET", "/health")
        if answer.status not in {200, 412}:
            raise self.refusal(answer)
        return SwiftHealth(answer.status == 200, self.clean(answer.text))

    def _reason(self, body: bytes) -> str | None:
        try:
            told = self.decode(body, _Reply)
        except MalformedAnswerError:
            return None
        return told.message if told.error is None else f"{told.message}: {told.error}"


def _body(order: SignedOrder) -> dict[str, object]:
    if len(order.message) < MIN_MESSAGE_BYTES:
        raise InvalidRequestError(
            f"an order message has a discriminator of 8 bytes and an order, not {len(order.message)}"
        )
    body: dict[str, object] = {
        "taker_authority": str(order.authority),
        "signing_authority": str(order.signer),
        "signature": base64.b64encode(bytes(order.signature)).decode(),
        "message": order.message.hex(),
    }
    if order.market is not None:
        body |= {"market_type": order.market.kind, "market_index": within(order.market.index, 0, U16, "market index")}
    if order.network is not None:
        body["network"] = order.network
    return body
