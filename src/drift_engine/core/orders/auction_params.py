"""What the program makes of an order's auction when it is placed: it derives it, mends it, or leaves it.

A market or oracle order without a complete auction gets one; one with a complete auction that is more aggressive than
twice the baseline is pulled back to it. A limit order that crosses the vAMM gets an auction, so that it is not matched
at once. The duration is never shorter than the prices ask for. The two programs differ in three rules, which are a
record. Signed messages are given more room in both.

Source: ``state/order_params.rs`` update_perp_auction_params and what it calls; Velocity's before its book. Trigger
orders get their auction when they fire (``baseline.trigger_auction``).
"""

from collections.abc import Mapping

from msgspec import Struct, structs

from drift_engine.core.orders import baseline
from drift_engine.core.orders.maker import Maker
from drift_engine.core.orders.stats import MarketStats
from drift_engine.core.orders.terms import OrderParams
from drift_engine.core.types import PerpSpec
from drift_engine.core.units import E6

_SIGNED_TOLERANCE = 10
_THOUSANDTH = 1_000


class AuctionRules(Struct, frozen=True):
    """What differs: whether a signed order's complete auction is left alone in safe markets, whether the duration is
    measured by the range that was asked for where that is the narrower, and whether limits with an offset get auctions.
    """

    keeps_signed: bool
    narrow_floor: bool
    offset_limits: bool


DRIFT_V2 = AuctionRules(keeps_signed=False, narrow_floor=False, offset_limits=True)
VELOCITY = AuctionRules(keeps_signed=True, narrow_floor=True, offset_limits=False)
RULES: Mapping[str, AuctionRules] = {"drift_v2": DRIFT_V2, "velocity": VELOCITY}


class Placing(Struct, frozen=True):
    """Where an order is placed: its market's facts, memory and vAMM, the oracle's price, the rules, signed or not."""

    spec: PerpSpec
    stats: MarketStats
    maker: Maker
    oracle_e6: int
    rules: AuctionRules = DRIFT_V2
    signed: bool = False


def with_auction(params: OrderParams, at: Placing) -> OrderParams:
    """Return an order as the program would change it before booking it."""
    if params.kind == "limit":
        return _limit(params, at)
    if params.kind in {"market", "oracle"}:
        return _taking(params, at)
    return params


def _complete(params: OrderParams) -> bool:
    return None not in {params.auction_duration, params.auction_start_e6, params.auction_end_e6}


def _kept(params: OrderParams, at: Placing) -> bool:
    """Return whether a signed order's own auction stands."""
    return at.rules.keeps_signed and at.signed and baseline.safe_tier(at.spec) and _complete(params)


def _taking(params: OrderParams, at: Placing) -> OrderParams:
    if not _complete(params):
        of_oracle, long = params.kind == "oracle", params.long
        if of_oracle:
            found = baseline.oracle_auction(at.stats, at.maker, at.spec, at.oracle_e6, params.offset_e6, long=long)
        else:
            found = baseline.market_auction(at.stats, at.maker, at.spec, at.oracle_e6, params.price_e6, long=long)
        start_e6, end_e6, duration = found
        return structs.replace(params, auction_start_e6=start_e6, auction_end_e6=end_e6, auction_duration=duration)
    if _kept(params, at):
        return params
    mended = params if at.stats.prelaunch else _pulled_back(params, at)
    return _lengthened(mended, params, at)


def _pulled_back(params: OrderParams, at: Placing) -> OrderParams:
    """Return an order whose start and end are no more aggressive than twice the baseline, but for some room."""
    room_e6 = abs(at.oracle_e6) // _THOUSANDTH if at.signed or not baseline.safe_tier(at.spec) else 0
    base_e6 = 0 if params.kind == "oracle" else at.oracle_e6
    limits = baseline.offsets_e6(at.stats, at.maker, at.spec, 2, long=params.long)
    own = params.auction_start_e6 or 0, params.auction_end_e6 or 0
    start_e6, end_e6 = (
        limit + base_e6 if _beyond(price - base_e6, limit, room_e6, long=params.long) else price
        for price, limit in zip(own, limits, strict=True)
    )
    return structs.replace(params, auction_start_e6=start_e6, auction_end_e6=end_e6)


def _beyond(offset_e6: int, limit_e6: int, room_e6: int, *, long: bool) -> bool:
    return offset_e6 > limit_e6 + room_e6 if long else offset_e6 < limit_e6 - room_e6


def _limit(params: OrderParams, at: Placing) -> OrderParams:
    offset_e6 = (params.offset_e6 or 0) if at.rules.offset_limits else 0
    if params.post_only != "no" or (offset_e6 == 0 and params.price_e6 == 0) or _kept(params, at):
        return params
    worst_e6, base_e6 = (offset_e6, at.oracle_e6) if offset_e6 else (params.price_e6, 0)
    start_offset_e6 = baseline.start_offset_e6(at.stats, at.maker, at.spec, long=params.long)
    start_e6 = at.oracle_e6 + start_offset_e6
    if at.spec.contract == "prediction":
        start_e6 = min(start_e6, E6)
    if params.auction_duration:
        found = _own_start(params, start_e6, start_offset_e6 if base_e6 else start_e6, at), _own_end(params, worst_e6)
    else:
        crossing = _crossing(start_e6, worst_e6, base_e6, at, long=params.long)
        if crossing is None:
            return params
        found = crossing, worst_e6
    nearer = min if params.long else max
    first_e6, last_e6 = (nearer(price, worst_e6) for price in found)
    return _lengthened(structs.replace(params, auction_start_e6=first_e6, auction_end_e6=last_e6), params, at)


def _crossing(start_e6: int, worst_e6: int, base_e6: int, at: Placing, *, long: bool) -> int | None:
    """Return where the auction of a limit order starts that crosses the vAMM, ``None`` where it does not cross."""
    last_e6 = at.stats.oracle_last_e6
    if long:
        quote_e6 = at.oracle_e6 + at.maker.ask_e6 - last_e6
        return min(start_e6, quote_e6) - base_e6 if worst_e6 > quote_e6 - base_e6 else None
    quote_e6 = at.oracle_e6 - (last_e6 - at.maker.bid_e6)
    return max(start_e6, quote_e6) - base_e6 if worst_e6 < quote_e6 - base_e6 else None


def _own_start(params: OrderParams, start_e6: int, better_e6: int, at: Placing) -> int:
    """Return the start of a limit order's own auction, or the baseline's where its price is better for the order.

    An offset is compared with the baseline's price, as the program does.
    """
    own_e6 = params.auction_start_e6
    if own_e6 is None:
        return better_e6
    room_e6 = abs(own_e6) // _THOUSANDTH if at.signed else 0
    better = start_e6 < own_e6 - room_e6 if params.long else start_e6 > own_e6 + room_e6
    return better_e6 if better else own_e6


def _own_end(params: OrderParams, worst_e6: int) -> int:
    return worst_e6 if params.auction_end_e6 is None else params.auction_end_e6


def _lengthened(mended: OrderParams, asked: OrderParams, at: Placing) -> OrderParams:
    """Return an order whose auction is as long as its prices ask for; a signed one's is left where that is near."""
    range_e6 = abs((mended.auction_end_e6 or 0) - (mended.auction_start_e6 or 0))
    if at.rules.narrow_floor and asked.auction_start_e6 is not None and asked.auction_end_e6 is not None:
        range_e6 = min(range_e6, abs(asked.auction_end_e6 - asked.auction_start_e6))
    least, own = baseline.duration_for(range_e6, abs(at.oracle_e6), at.spec), mended.auction_duration or 0
    if at.signed and abs(own - least) <= _SIGNED_TOLERANCE:
        return mended
    return structs.replace(mended, auction_duration=max(own, least))
