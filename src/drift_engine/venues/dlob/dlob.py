"""The order book server over HTTP: books, makers, priority fees and auction parameters. All of it only reads.

What comes back is the server's view, some hundred milliseconds old: ``Book.stale`` says when that is too old, and the
chain alone is true. Markets are named by kind and index, never by name: the server's ``/topMakers`` forgets a name.

Source: ``src/index.ts`` of the dlob-server at commit ed8eba2.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import TypeVar

import aiohttp
from msgspec import Struct
from solders.pubkey import Pubkey

from drift_engine.venues.dlob.auction import AuctionAnswer, AuctionQuery, WireAuction, auction_query, query_text
from drift_engine.venues.dlob.messages import (
    Book,
    DeepBook,
    MakerAccount,
    PriorityFees,
    Side,
)
from drift_engine.venues.dlob.wire import WireBook, WireBooks, WireDeepBook, WireMaker, WireMarketFees
from drift_engine.venues.figures import U16, within
from drift_engine.venues.http import (
    DEFAULT_TIMEOUT_S,
    Answer,
    HttpService,
    MalformedAnswerError,
    NotFoundError,
)
from drift_engine.venues.market_id import MarketId

W = TypeVar("W")
MAX_DEPTH = 100


class _Refusal(Struct):
    error: str


class Dlob(HttpService):
    """One order book server."""

    def __init__(
        self, base_url: str, *, timeout_s: float = DEFAULT_TIMEOUT_S, session: aiohttp.ClientSession | None = None
    ) -> None:
        super().__init__(base_url, name="dlob", timeout_s=timeout_s, session=session)

    async def book(self, market: int, *, depth: int = MAX_DEPTH, indicative: bool = False) -> Book:
        """Return a perp market's book: up to ``depth`` levels a side, with makers' indicative quotes if asked for."""
        asked = _perp(market) | {
            "depth": within(depth, 1, MAX_DEPTH, "depth"),
            "includeIndicative": query_text(indicative),
        }
        book = self.convert(await self._get("/l2", asked, WireBook), WireBook.value)
        self._same_market([market], [book.market])
        return book

    async def books(self, markets: Sequence[int], *, depth: int = MAX_DEPTH) -> tuple[Book, ...]:
        """Return the books of several perp markets, in their order."""
        if not markets:
            return ()
        asked = {
            "marketIndex": _joined(within(market, 0, U16, "market index") for market in markets),
            "marketType": _joined(["perp"] * len(markets)),
            "depth": _joined([within(depth, 1, MAX_DEPTH, "depth")] * len(markets)),
        }
        wire = await self._get("/batchL2", asked, WireBooks)
        books = self.convert(wire, lambda found: tuple(book.value() for book in found.l2s))
        self._same_market(markets, [book.market for book in books])
        return books

    async def deep_book(self, market: int, *, indicative: bool = False) -> DeepBook:
        """Return a perp market's book order by order."""
        asked = _perp(market) | {"includeIndicative": query_text(indicative)}
        book = self.convert(await self._get("/l3", asked, WireDeepBook), WireDeepBook.value)
        self._same_market([market], [book.market])
        return book

    async def top_makers(self, market: int, side: Side, *, limit: int = 4) -> tuple[Pubkey, ...]:
        """Return the user accounts of the best resting orders on one side. The server may give fewer, or four."""
        found = await self._get("/topMakers", _makers(market, side, limit), list[str])
        return self.convert(found, lambda keys: tuple(Pubkey.from_string(key) for key in keys))

    async def top_maker_accounts(self, market: int, side: Side, *, limit: int = 4) -> tuple[MakerAccount, ...]:
        """Return the best makers with the bytes of their user accounts."""
        asked = _makers(market, side, limit) | {"includeAccounts": "true"}
        found = await self._get("/topMakers", asked, list[WireMaker])
        return self.convert(found, lambda makers: tuple(maker.value() for maker in makers))

    async def priority_fees(self, market: MarketId) -> PriorityFees | None:
        """Return the priority fees paid around a market, ``None`` where the server has none."""
        asked = {"marketIndex": within(market.index, 0, U16, "market index"), "marketType": market.kind}
        try:
            wire = await self._get("/priorityFees", asked, WireMarketFees)
        except NotFoundError as refusal:
            if refusal.reason == "Not found":
                return None
            raise
        self._same_market([market], [self.convert(wire, WireMarketFees.of)])
        return self.convert(wire, lambda fees: fees.value(market))

    async def priority_fees_of(self, markets: Sequence[MarketId]) -> tuple[PriorityFees | None, ...]:
        """Return the priority fees of several markets, in their order."""
        if not markets:
            return ()
        asked = {
            "marketIndex": _joined(within(market.index, 0, U16, "market index") for market in markets),
            "marketType": _joined(market.kind for market in markets),
        }
        wire = await self._get("/batchPriorityFees", asked, list[WireMarketFees])
        found = self.convert(wire, lambda rows: [(row.of(), row.value(row.of())) for row in rows])
        self._same_market(markets, [market for market, _ in found])
        return tuple(fees for _, fees in found)

    async def auction_params(self, asked: AuctionQuery) -> AuctionAnswer:
        """Return an order with the auction the server would give it now."""
        answer = self.convert(await self._get("/auctionParams", auction_query(asked), WireAuction), WireAuction.value)
        self._same_market([asked.market], [answer.params.market])
        if answer.params.direction != asked.direction:
            raise MalformedAnswerError(f"dlob: asked for a {asked.direction}, got a {answer.params.direction}")
        return answer

    async def health(self) -> bool:
        """Return whether the server says it is healthy: it is not where slots stopped coming in."""
        answer = await self.request("GET", "/health")
        if answer.status == 500 and answer.text == "NOK":
            return False
        if answer.status != 200:
            raise self.refusal(answer)
        return True

    async def _get(self, path: str, asked: Mapping[str, str | int], kind: type[W]) -> W:
        answer = await self.request("GET", path, query=asked)
        if answer.status != 200:
            raise self.refusal(answer, self._reason(answer))
        return self.decode(answer.body, kind)

    def _reason(self, answer: Answer) -> str:
        try:
            return self.decode(answer.body, _Refusal).error
        except MalformedAnswerError:
            return answer.text.removeprefix("Bad Request: ")

    def _same_market(self, asked: Sequence[object], got: Sequence[object]) -> None:
        if list(asked) != list(got):
            raise MalformedAnswerError(f"dlob: asked for markets {_joined(asked)}, got {_joined(got) or 'none'}")


def _perp(market: int) -> dict[str, str | int]:
    return {"marketIndex": within(market, 0, U16, "market index"), "marketType": "perp"}


def _makers(market: int, side: Side, limit: int) -> dict[str, str | int]:
    return _perp(market) | {"side": side, "limit": within(limit, 1, U16, "limit")}


def _joined(values: Iterable[object]) -> str:
    return ",".join(map(str, values))
