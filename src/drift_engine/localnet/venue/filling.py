"""Orders filled against the modelled book, and a fill booked as the program books one against its vAMM.

At which price and how much is ``simulation.dealing``'s answer, the same as in the simulated venue: takers at the mark,
half the spread and their impact away, where the order's limit (of its auction, while that runs) allows it; post-only
orders at their limit, once the mark is through it. The fee is the tier's, the position ``core``'s, the totals the
market's. The market itself is the other side: what users hold, it owes.

Source: ``controller/orders.rs`` fill_perp_order, fulfill_perp_order_with_amm, update_order_after_fill; ``math/fees.rs``
calculate_fee_for_fulfillment_with_amm; ``state/user.rs`` update_taker_volume_30d, increment_total_fees.
"""

from typing import NamedTuple

from msgspec import structs
from solders.pubkey import Pubkey

from drift_engine.core.fees import maker_rebate_e6, taker_fee_e6
from drift_engine.core.margin_scopes import Ask
from drift_engine.core.oracle_validity import accepts
from drift_engine.core.orders.auction import UNIT_MS, limit_price_e6
from drift_engine.core.orders.rules import unfilled_e9
from drift_engine.localnet.venue import actions, amm, funding
from drift_engine.localnet.venue.actions import WHY
from drift_engine.localnet.venue.figures import status_of
from drift_engine.localnet.venue.maps import Maps
from drift_engine.localnet.venue.margin import scopes
from drift_engine.localnet.venue.positions import paid, traded
from drift_engine.localnet.venue.refusals import require
from drift_engine.localnet.venue.slots import BANKRUPT, BEING_LIQUIDATED, position
from drift_engine.localnet.venue.words import counts_as_open
from drift_engine.simulation import dealing
from drift_engine.simulation.models import Fills, Impact, Volume
from drift_engine.venues.translate import oracles as translate_oracles
from drift_engine.venues.translate import orders as translate_orders
from drift_engine.venues.wire.enums import OrderAction, OrderStatus
from drift_engine.venues.wire.order_enums import Direction
from drift_engine.venues.wire.perp_market import PerpMarket
from drift_engine.venues.wire.user import Order, PerpPosition, User
from drift_engine.venues.wire.user_stats import UserStats

_FILL_PAUSED = 4
_DAY_S = 86_400


class Book(NamedTuple):
    """The modelled book: what a taker pays beside fees, and how far through a resting order the mark must go."""

    impact: Impact = Impact()
    fills: Fills = Fills()


class Deal(NamedTuple):
    """A fill that was decided: base and quote, signed by what the order's owner gets."""

    base_e9: int
    quote_e6: int


def fill(
    maps: Maps, user: User, address: Pubkey, stats: UserStats, slot: int, book: Book, *, auction_pct: int | None = None
) -> int:
    """Fill what of an order fills now, and return how much did.

    ``auction_pct`` takes the auction as that far along, as a taking order may; else it is where the slot says. An order
    whose time is over, or that could only raise exposure where it may only reduce, is cancelled.
    """
    frame, order = maps.frame, user.order_slots()[slot]
    market = maps.perp(order.market_index)
    funding.settle(frame, user, address, market)
    open_for = status_of(market) in ("active", "reduce_only") and not market.paused_operations & _FILL_PAUSED
    require(open_for, "MarketFillOrderPaused", "Market not active")
    word = translate_orders.order(order)
    require(not word.triggers or word.triggered, "OrderMustBeTriggeredFirst", "Order must be triggered first")
    if user.status & (BANKRUPT | BEING_LIQUIDATED):
        frame.say("user is being liquidated")
        return 0
    if _ended(maps, user, address, slot):
        return 0
    deal = decided(maps, user, order, book, auction_pct)
    if deal is None:
        return 0
    decreasing = _decreases(position(user, order.market_index), deal.base_e9)
    booked(maps, user, address, stats, slot, deal)
    _require_fill_margin(maps, user, decreasing=decreasing)
    _ended(maps, user, address, slot)
    held = position_or_none(user, order.market_index)
    if held is not None and not (held.base_asset_amount or held.open_bids or held.open_asks):
        actions.cancel_closing_triggers(maps, user, address, order.market_index, address)
    funding.update_rate(frame, market, maps.price(market))
    return abs(deal.base_e9)


def decided(maps: Maps, user: User, order: Order, book: Book, auction_pct: int | None = None) -> Deal | None:
    """Return what the modelled book gives an order now, ``None`` where nothing."""
    market, frame, word = maps.perp(order.market_index), maps.frame, translate_orders.order(order)
    base_e9 = unfilled_e9(word) if word.long else -unfilled_e9(word)
    if order.reduce_only:
        held_e9 = position(user, order.market_index).base_asset_amount
        base_e9 = dealing.reducible_e9(base_e9, held_e9, market.order_step_size)
    reading, mark_e6 = maps.price(market), amm.reserve_price_e6(market)
    valid = accepts(
        "oracle_order_price",
        translate_oracles.validity(market, reading, frame.state().oracle_guard_rails),
    )
    if base_e9 == 0 or not valid:
        return None
    slot_ms = frame.program.rules.slot_ms(frame.state(), frame.slot)
    elapsed_ms = (frame.slot - order.slot) * slot_ms
    if auction_pct is not None:
        elapsed_ms = order.auction_duration * UNIT_MS * min(auction_pct, 100) // 100
    limit_e6 = limit_price_e6(word, elapsed_ms, market.order_tick_size, reading.price_e6)
    if order.post_only:
        through_e6 = book.fills.through_ticks * market.order_tick_size
        reached = limit_e6 is not None and dealing.is_reached(limit_e6, base_e9, mark_e6, through_e6)
        return _deal(base_e9, limit_e6, maker=True) if reached and limit_e6 is not None else None
    any_price_e6 = (1 << 63) if base_e9 > 0 else 0
    price_e6 = dealing.taken_at_e6(
        book.impact, mark_e6, base_e9, any_price_e6 if limit_e6 is None else limit_e6, market.order_tick_size
    )
    return None if price_e6 is None else _deal(base_e9, price_e6, maker=False)


def _deal(base_e9: int, price_e6: int, *, maker: bool) -> Deal:
    return Deal(base_e9, dealing.exchanged_e6(base_e9, price_e6, maker=maker))


def booked(maps: Maps, user: User, address: Pubkey, stats: UserStats, slot: int, deal: Deal) -> None:
    """Book a fill: position, fee, totals, volume, the order itself; and tell of it."""
    frame, order = maps.frame, user.order_slots()[slot]
    market, before = maps.perp(order.market_index), position(user, order.market_index)
    maker, quote_e6 = order.post_only, deal.quote_e6
    fee_e6 = _fee_e6(maps, stats, market, abs(quote_e6), maker=maker)
    long = deal.base_e9 > 0
    side_e6 = amm.ask_e6(market) if long else amm.bid_e6(market)
    amm.remember_mark(market, frame.now, amm.estimated(market, side_e6, long=long), side_e6)
    after = paid(traded(before, market, deal.base_e9, quote_e6), market, -fee_e6)
    _put(user, before, after)
    market.base_asset_amount_with_amm += deal.base_e9
    _count_fee(market, stats, fee_e6)
    _count_volume(market, stats, abs(quote_e6), frame.now, long=deal.base_e9 > 0, maker=maker)
    size_e9 = abs(deal.base_e9)
    filled = structs.replace(
        order,
        base_asset_amount_filled=order.base_asset_amount_filled + size_e9,
        quote_asset_amount_filled=order.quote_asset_amount_filled + abs(quote_e6),
    )
    full = filled.base_asset_amount_filled == filled.base_asset_amount
    if full:
        filled = structs.replace(filled, status=OrderStatus.FILLED)
    user.put_order(slot, filled)
    if counts_as_open(order):
        actions.count_open(user, order, -size_e9)
    _tell(maps, address, market, filled, before, Told(size_e9, abs(quote_e6), fee_e6))
    market.last_fill_price = abs(quote_e6) * 10**9 // size_e9
    if full:
        actions.closed(user, slot, filled, OrderStatus.FILLED)


class Told(NamedTuple):
    """What a fill's event says: base and quote, unsigned, and the fee (negative for a rebate)."""

    base_e9: int
    quote_e6: int
    fee_e6: int


def position_or_none(user: User, market_index: int) -> PerpPosition | None:
    """Return the position in a market, where anything is held in it."""
    return next((held for held in user.perp_positions() if held.market_index == market_index), None)


def _put(user: User, before: PerpPosition, after: PerpPosition) -> None:
    user.put_perp(user.perp_slots().index(before), after)


def _fee_e6(maps: Maps, stats: UserStats, market: PerpMarket, quote_e6: int, *, maker: bool) -> int:
    frame = maps.frame
    tier = frame.program.rules.fee_tier(frame.state(), stats, frame.now)
    if maker:
        return -maker_rebate_e6(quote_e6, tier, market.fee_adjustment)
    addon = market.taker_fee_addon_tenth_bps if "taker_fee_addon_tenth_bps" in market.layout else 0
    return taker_fee_e6(quote_e6, tier, market.fee_adjustment, addon)


def _count_fee(market: PerpMarket, stats: UserStats, fee_e6: int) -> None:
    market.total_fee += max(fee_e6, 0) if "total_fee" in market.layout else 0
    market.total_exchange_fee += max(fee_e6, 0)
    market.total_fee_minus_distributions += fee_e6
    market.net_revenue_since_last_funding += fee_e6
    fees = stats.fees
    stats.fees = structs.replace(
        fees,
        total_fee_paid=fees.total_fee_paid + max(fee_e6, 0),
        total_fee_rebate=fees.total_fee_rebate + max(-fee_e6, 0),
    )


def _count_volume(market: PerpMarket, stats: UserStats, quote_e6: int, now: int, *, long: bool, maker: bool) -> None:
    if maker:
        volume = Volume(stats.maker_volume_30d, stats.last_maker_volume_30d_ts).after(quote_e6, now)
        stats.maker_volume_30d, stats.last_maker_volume_30d_ts = volume.volume_e6, now
    else:
        volume = Volume(stats.taker_volume_30d, stats.last_taker_volume_30d_ts).after(quote_e6, now)
        stats.taker_volume_30d, stats.last_taker_volume_30d_ts = volume.volume_e6, now
    since = max(1, now - market.last_trade_ts)
    market.volume_24h = market.volume_24h * max(0, _DAY_S - since) // _DAY_S + quote_e6
    market.last_trade_ts = now


def _decreases(held: PerpPosition, base_e9: int) -> bool:
    return held.base_asset_amount * base_e9 < 0 and abs(base_e9) <= abs(held.base_asset_amount)


def _ended(maps: Maps, user: User, address: Pubkey, slot: int) -> bool:
    """Cancel an order whose time is over, or which may only reduce and has nothing to; say whether it was."""
    order = user.order_slots()[slot]
    if order.status != OrderStatus.OPEN:
        return True
    why = None
    if actions.expires(order, maps.frame.now):
        why = WHY.ORDER_EXPIRED
    elif order.reduce_only:
        held_e9 = position(user, order.market_index).base_asset_amount
        if unfilled_e9(translate_orders.order(order), held_e9) < maps.perp(order.market_index).order_step_size:
            why = WHY.REDUCE_ONLY_ORDER_INCREASED_POSITION
    if why is not None:
        actions.cancelled(maps, user, address, slot, why, address)
    return why is not None


def _require_fill_margin(maps: Maps, user: User, *, decreasing: bool) -> None:
    ask = Ask() if decreasing else Ask(cross="fill")
    found = scopes(maps, user, ask)
    if not found.sound:
        cross = found.cross
        maps.frame.say(
            f"taker breached fill requirements (margin requirement {cross.requirement_e6}) "
            f"(total_collateral {cross.collateral_e6})"
        )
    require(found.sound, "InsufficientCollateral")


def _tell(maps: Maps, address: Pubkey, market: PerpMarket, order: Order, before: PerpPosition, told: Told) -> None:
    event = actions.action_record(maps.frame.now, address, order, OrderAction.FILL, maps.price(market).price_e6)
    entry_e6, base_e9 = _existing(before, order, told.base_e9)
    side = "maker" if order.post_only else "taker"
    event = structs.replace(
        event,
        action_explanation=WHY.ORDER_FILLED_WITH_AMM,
        filler=address,
        filler_reward=0,
        fill_record_id=market.next_fill_record_id,
        base_asset_amount_filled=told.base_e9,
        quote_asset_amount_filled=told.quote_e6,
        taker_fee=max(told.fee_e6, 0),
        maker_fee=told.fee_e6 if told.fee_e6 < 0 else None,
        quote_asset_amount_surplus=0,
        **{f"{side}_existing_quote_entry_amount": entry_e6, f"{side}_existing_base_asset_amount": base_e9},
    )
    market.next_fill_record_id += 1
    maps.frame.emit_stack(event)


def _existing(before: PerpPosition, order: Order, base_e9: int) -> tuple[int | None, int | None]:
    """Return what a closing fill says of the position it met: its entry's share, and its base where it was turned."""
    held_e9, entry_e6 = abs(before.base_asset_amount), abs(before.quote_entry_amount)
    closes = (before.base_asset_amount > 0) != (order.direction == Direction.LONG)
    if held_e9 == 0 or not closes:
        return None, None
    return (entry_e6, held_e9) if base_e9 > held_e9 else (entry_e6 * base_e9 // held_e9, None)
