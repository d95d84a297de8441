"""The order book server's WebSocket: books about every 400 ms, trades, priority fees, and a heartbeat every 5 s.

Iterate over a ``DlobStream``. When nothing at all was heard for three heartbeats, or the connection is lost, it is
opened again, the subscriptions are made again and ``on_gap`` is awaited before the next event: a book heals by
itself, trades of the gap are lost. A book with an older slot than the last one of its channel is dropped and counted.
Data is JSON inside a JSON string. What cannot be read is surfaced as ``DlobUnknown``.

Source: ``src/wsConnectionManager.ts`` of the dlob-server at commit ed8eba2.
"""

import re
import time
from collections.abc import Callable
from typing import Literal

import aiohttp
import msgspec
from msgspec import Raw, Struct

from drift_engine.venues.dlob.messages import Book, PriorityFees, Trade
from drift_engine.venues.dlob.wire import WireBook, WireFees, WireTrade
from drift_engine.venues.http import InvalidRequestError
from drift_engine.venues.market_id import MarketId, MarketKind
from drift_engine.venues.streams.live_socket import Patience
from drift_engine.venues.streams.service_stream import Hook, ServiceStream

ChannelName = Literal["orderbook", "orderbook_indicative", "trades", "priorityfees"]
GROUPINGS = (1, 10, 100, 500, 1000)
HEARTBEAT_S = 5.0
_CHANNEL = re.compile(
    r"(orderbook|trades|priorityFees)_(perp|spot)_([0-9]{1,5})(?:_grouped_([0-9]{1,4}))?(_indicative)?"
)


class Channel(Struct, frozen=True):
    """What to hear: a channel of a perp market by its name (``SOL-PERP``); ``grouping`` is in ticks, for books."""

    name: ChannelName
    market: str
    grouping: int = 1


class BookTold(Struct, frozen=True):
    """A book, of levels ``grouping`` ticks wide, with makers' indicative quotes or without."""

    book: Book
    grouping: int
    indicative: bool


class TradeTold(Struct, frozen=True):
    """A fill on a market."""

    trade: Trade


class FeesTold(Struct, frozen=True):
    """Priority fees around a market."""

    fees: PriorityFees


class Heartbeat(Struct, frozen=True):
    """The server is alive; it says nothing about the books."""


class Acknowledged(Struct, frozen=True):
    """The server took a subscription."""

    message: str


class ChannelRefused(Struct, frozen=True):
    """The server did not take a subscription: mostly a market it does not have."""

    channel: str
    error: str


class DlobUnknown(Struct, frozen=True):
    """Something the server told that nobody here can read, and why."""

    channel: str
    why: str
    raw: bytes


DlobEvent = BookTold | TradeTold | FeesTold | Heartbeat | Acknowledged | ChannelRefused | DlobUnknown


class _Frame(Struct):
    channel: str = ""
    data: Raw = Raw()
    message: str | None = None
    error: str | None = None


class DlobStream(ServiceStream[Channel, DlobEvent]):
    """Channels of one order book server, for ever: ``async for event in stream``."""

    def __init__(
        self,
        url: str,
        *,
        on_gap: Hook | None = None,
        patience: Patience | None = None,
        session: aiohttp.ClientSession | None = None,
        now_ns: Callable[[], int] = time.time_ns,
    ) -> None:
        self.dropped = 0
        self._slots: dict[str, int] = {}
        super().__init__(
            url,
            "dlob stream",
            on_gap=on_gap,
            patience=patience or Patience(silence_s=3 * HEARTBEAT_S),
            session=session,
            now_ns=now_ns,
        )

    async def subscribe(self, channel: Channel) -> None:
        """Hear a channel on this connection and every later one."""
        if channel.grouping not in GROUPINGS:
            raise InvalidRequestError(f"grouping {channel.grouping} is none of {', '.join(map(str, GROUPINGS))}")
        await self._subscribe(channel)

    async def unsubscribe(self, channel: Channel) -> None:
        """Hear a channel no more."""
        await self._unsubscribe(channel)

    def _request(self, what: Literal["subscribe", "unsubscribe"], wanted: Channel) -> bytes:
        asked = {"type": what, "marketType": "perp", "channel": wanted.name, "market": wanted.market}
        if wanted.name.startswith("orderbook"):
            return msgspec.json.encode({**asked, "grouping": wanted.grouping})
        return msgspec.json.encode(asked)

    def _read(self, text: str) -> DlobEvent | None:
        try:
            frame = msgspec.json.decode(text, type=_Frame)
        except (msgspec.MsgspecError, ValueError, RecursionError) as error:
            return DlobUnknown("", str(error), text.encode())
        if frame.error is not None:
            return ChannelRefused(frame.channel, frame.error)
        if frame.message is not None:
            return Acknowledged(frame.message)
        if frame.channel == "heartbeat":
            return Heartbeat()
        return self._told(frame, text)

    def _told(self, frame: _Frame, text: str) -> DlobEvent | None:
        named = _CHANNEL.fullmatch(frame.channel)
        if named is None:
            return DlobUnknown(frame.channel, "no such channel is known here", text.encode())
        try:
            event = _event(named, _unwrapped(frame.data))
        except (msgspec.MsgspecError, ValueError, RecursionError) as error:
            return DlobUnknown(frame.channel, str(error), text.encode())
        return None if isinstance(event, BookTold) and self._outdated(frame.channel, event.book) else event

    def _outdated(self, channel: str, book: Book) -> bool:
        if book.slot is None:
            return False
        last = self._slots.get(channel, book.slot)
        self._slots[channel] = max(last, book.slot)
        self.dropped += book.slot < last
        return book.slot < last


def _event(named: re.Match[str], data: bytes) -> DlobEvent:
    what, kind, index, grouping, indicative = named.groups()
    market = MarketId(_kind(kind), int(index))
    if what == "priorityFees":
        fees = msgspec.json.decode(data, type=WireFees).value(market)
        if fees is None:
            raise ValueError("priority fees without a level")
        return FeesTold(fees)
    if what == "trades":
        trade = msgspec.json.decode(data, type=WireTrade).value()
        return TradeTold(trade)
    book = msgspec.json.decode(data, type=WireBook).value()
    if market != MarketId("perp", book.market):
        raise ValueError(f"a book of perp market {book.market} in the channel of {market}")
    return BookTold(book, int(grouping or 1), indicative is not None)


def _kind(text: str) -> MarketKind:
    return "spot" if text == "spot" else "perp"


def _unwrapped(data: Raw) -> bytes:
    """Return the JSON inside the string that ``data`` is; a publisher that encodes once more is borne with."""
    inner = bytes(data)
    for _ in range(2):
        if not inner.startswith(b'"'):
            break
        inner = msgspec.json.decode(inner, type=str).encode()
    return inner
