"""What an oracle account says: price, confidence and slot, in the program's scale.

Source: ``state/oracle.rs`` get_oracle_price, get_pyth_price, get_pyth_stable_coin_price and get_prelaunch_price. A
market says by its *source* how its oracle account is read; the same feed may stand for 1, 1,000 or 1,000,000 units.
"""

from typing import Protocol

from msgspec import Struct

from drift_engine.core.units import E6, tdiv
from drift_engine.venues.errors import DecodeError

QUOTE_ASSET, PRELAUNCH = 2, 6
_MULTIPLES = {0: 1, 3: 1_000, 4: E6, 5: 1, 7: 1, 8: 1_000, 9: E6, 10: 1, 12: 1, 13: 1_000, 14: E6, 15: 1}
_STABLE = frozenset({5, 10, 15})
_STABLE_BAND_E6 = 500


class Reading(Struct, frozen=True, gc=False):
    """An oracle's price and confidence, the slot it was posted in, and its sequence number where it has one.

    ``sufficient`` says whether enough publishers agreed.
    """

    price_e6: int
    confidence_e6: int
    slot: int
    sequence: int | None = None
    sufficient: bool = True


class Feed(Protocol):
    """A price feed as it lies in its account: ``price`` and ``conf`` times ten to the (negative) ``exponent``."""

    @property
    def price(self) -> int:
        """The price's digits."""

    @property
    def conf(self) -> int:
        """The confidence's digits."""

    @property
    def exponent(self) -> int:
        """Where the point is."""

    @property
    def posted_slot(self) -> int:
        """The slot it was posted in."""

    @property
    def publish_time(self) -> int:
        """When it was published."""


class Prelaunch(Protocol):
    """The program's own price of a market before its launch."""

    @property
    def price(self) -> int:
        """The price, 1e6."""

    @property
    def confidence(self) -> int:
        """The confidence, 1e6."""


def multiple_of(source: int) -> int:
    """Return how many units of its asset a price of this source stands for."""
    return _MULTIPLES.get(source, 1)


def quote_reading(slot: int) -> Reading:
    """Return what a quote asset without an oracle is worth: one, always."""
    return Reading(E6, 1, slot)


def prelaunch_reading(oracle: Prelaunch, slot: int) -> Reading:
    """Return a prelaunch oracle's price, which never ages."""
    return Reading(oracle.price, oracle.confidence, slot)


def feed_reading(source: int, feed: Feed) -> Reading:
    """Return a Pyth feed's price by a market's source. Raises ``DecodeError`` where it cannot be scaled."""
    multiple = _MULTIPLES.get(source)
    if multiple is None:
        raise DecodeError(f"oracle source {source} is not read from a price feed")
    precision = int(10 ** abs(feed.exponent))
    if precision <= multiple:
        raise DecodeError(f"a feed of {abs(feed.exponent)} decimals has no price of {multiple} units")
    precision //= multiple
    up, down = (1, precision // E6) if precision > E6 else (E6 // precision, 1)
    price_e6, confidence_e6 = tdiv(feed.price * up, down), feed.conf * up // down
    if source in _STABLE and abs(price_e6 - E6) <= min(_STABLE_BAND_E6, confidence_e6):
        price_e6 = E6
    return Reading(price_e6, confidence_e6, feed.posted_slot, max(0, feed.publish_time))
