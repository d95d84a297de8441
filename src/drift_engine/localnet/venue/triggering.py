"""A waiting order triggered, by anyone with a sub-account.

Source: ``instructions/keeper.rs`` handle_trigger_order, ``controller/orders.rs`` trigger_order,
update_trigger_order_params; ``math/orders.rs`` order_satisfies_trigger_condition. No reward is paid to who triggers.
"""

from msgspec import structs
from solders.pubkey import Pubkey

from drift_engine.core.margin_scopes import every
from drift_engine.core.oracle_validity import accepts
from drift_engine.core.orders import baseline
from drift_engine.core.orders.auction import triggers_at
from drift_engine.core.orders.stats import trigger_price_e6
from drift_engine.core.types import PerpSpec
from drift_engine.core.units import E6
from drift_engine.localnet.venue import actions
from drift_engine.localnet.venue.actions import WHY
from drift_engine.localnet.venue.figures import translator
from drift_engine.localnet.venue.frame import Frame
from drift_engine.localnet.venue.maps import Maps, load_maps
from drift_engine.localnet.venue.margin import require_not_liquidated, scopes
from drift_engine.localnet.venue.pauses import require_open
from drift_engine.localnet.venue.refusals import require
from drift_engine.localnet.venue.slots import BANKRUPT, active, counted_auction, order_slot, position
from drift_engine.localnet.venue.words import SAFE_TRIGGER, counts_as_open
from drift_engine.venues.translate import oracles as translate_oracles
from drift_engine.venues.translate import orders as translate_orders
from drift_engine.venues.wire.enums import OrderAction
from drift_engine.venues.wire.perp_market import PerpMarket
from drift_engine.venues.wire.user import Order, PerpPosition, User

_TRIGGERED = 2
_OLD_SLOTS = 150
_SHORTEST_AUCTION = 20
_MEDIAN_TRIGGER_PRICE = 2


def trigger_order(frame: Frame, order_id: int) -> None:
    """Trigger an order whose price has come; it goes into its auction."""
    require_open(frame.state())
    user = frame.user()
    slot = order_slot(user, order_id)
    if slot is None:
        frame.say(f"order_id not found {order_id}")
        return
    maps, word = load_maps(frame), translate_orders.order(user.order_slots()[slot])
    require(word.triggers, "OrderNotTriggerable", "Order is not triggerable")
    if word.triggered:
        frame.say("Order is already triggered")
        return
    trigger(maps, user, frame.key("user"), slot, frame.key("filler"))


def trigger(maps: Maps, user: User, address: Pubkey, slot: int, filler: Pubkey) -> None:
    """Trigger a waiting order, or refuse; cancel it where it would take more margin than there is."""
    frame, order = maps.frame, user.order_slots()[slot]
    require_not_liquidated(maps, user, frame.state().liquidation_margin_buffer_ratio)
    require(not user.status & BANKRUPT, "UserBankrupt")
    market, before = maps.perp_to_change(order.market_index), position(user, order.market_index)
    price_e6 = _require_triggers(maps, market, order)
    fired = _fired(maps, market, order)
    user.put_order(slot, fired)
    if fired.auction_duration:
        counted_auction(user, 1)
    if counts_as_open(fired):
        actions.count_open(user, fired, fired.base_asset_amount)
    oracle_e6, after = maps.price(market).price_e6, position(user, order.market_index)
    event = actions.action_record(frame.now, address, fired, OrderAction.TRIGGER, oracle_e6)
    frame.emit(structs.replace(event, filler=filler, filler_reward=0, taker_fee=0, trigger_price=price_e6))
    riskier = _worst_e6(after, oracle_e6) > _worst_e6(before, oracle_e6)
    if riskier and not fired.reduce_only and not scopes(maps, user, every("initial", strict=True)).sound:
        actions.cancelled(maps, user, address, slot, WHY.INSUFFICIENT_FREE_COLLATERAL, filler)
    active(user, frame.slot)


def _require_triggers(maps: Maps, market: PerpMarket, order: Order) -> int:
    """Return the price that triggers the order, or refuse."""
    frame, reading = maps.frame, maps.price(market)
    rails = frame.state().oracle_guard_rails
    require(
        accepts("trigger", translate_oracles.validity(market, reading, rails)),
        "InvalidOracle",
    )
    average_e6 = market.historical_oracle_data.last_oracle_price_twap_5min
    apart_e6 = abs(reading.price_e6 - average_e6) * E6 // max(1, average_e6)
    near = apart_e6 <= max(rails.oracle_twap_5min_percent_divergence, E6 // 2)
    require(near, "OrderBreachesOraclePriceLimits", "oracle price vs twap too divergent")
    median = bool(frame.state().feature_bit_flags & _MEDIAN_TRIGGER_PRICE)
    spec = _spec(maps, market)
    price_e6 = trigger_price_e6(translate_orders.stats(market), spec.tier, reading.price_e6, frame.now, median=median)
    text = f"Order did not satisfy trigger condition. trigger_price: {price_e6}"
    require(triggers_at(translate_orders.order(order), price_e6), "OrderDidNotSatisfyTriggerCondition", text)
    return price_e6


def _fired(maps: Maps, market: PerpMarket, order: Order) -> Order:
    """Return the order in its auction (update_trigger_order_params)."""
    frame, flags = maps.frame, order.bit_flags
    if frame.slot - order.slot > _OLD_SLOTS and order.reduce_only:
        flags |= SAFE_TRIGGER
    fired = structs.replace(order, trigger_condition=order.trigger_condition + _TRIGGERED, slot=frame.slot)
    start_e6, end_e6, duration = baseline.trigger_auction(
        translate_orders.order(fired),
        translate_orders.stats(market),
        translate_orders.maker(market),
        _spec(maps, market),
        maps.price(market).price_e6,
        _SHORTEST_AUCTION,
    )
    if translate_orders.KINDS[order.order_type] == "trigger_market":
        flags |= translate_orders.ORACLE_TRIGGER
    return structs.replace(
        fired,
        bit_flags=flags,
        auction_duration=duration,
        auction_start_price=start_e6,
        auction_end_price=end_e6,
    )


def _spec(maps: Maps, market: PerpMarket) -> PerpSpec:
    return translator(maps.frame.program.name).perp_spec(market)


def _worst_e6(held: PerpPosition, oracle_e6: int) -> int:
    """Return the value of the worse of all bids or all asks filled (worst_case_liability_value)."""
    bids, asks = held.base_asset_amount + held.open_bids, held.base_asset_amount + held.open_asks
    return max(abs(bids), abs(asks)) * oracle_e6 // 10**9
