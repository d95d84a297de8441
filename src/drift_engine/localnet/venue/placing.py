"""Orders placed: one, several, spread over a range, or an old one changed.

What the program answers is ``core.orders.place``: this module gives it the accounts in its words, and writes down what
it says. Source: ``controller/orders.rs`` place_perp_order, modify_order, merge_modify_order_params_with_existing_order;
``instructions/user.rs`` handle_place_perp_order and those after it; ``state/scale_order_params.rs``.
"""

from collections.abc import Sequence
from typing import NamedTuple

from solders.pubkey import Pubkey

from drift_engine.core.orders.auction_params import RULES, Placing
from drift_engine.core.orders.place import Exchange, place
from drift_engine.core.types import Market, PerpSpec
from drift_engine.localnet.venue import actions
from drift_engine.localnet.venue.cancelling import last_order_id
from drift_engine.localnet.venue.figures import account_of, translator
from drift_engine.localnet.venue.frame import Frame
from drift_engine.localnet.venue.maps import Maps, load_maps
from drift_engine.localnet.venue.margin import require_not_liquidated, require_to_place
from drift_engine.localnet.venue.pauses import require_open
from drift_engine.localnet.venue.refusals import refuse, require
from drift_engine.localnet.venue.scale import expanded
from drift_engine.localnet.venue.slots import active, free_order_slot, open_perp_slot, order_slot
from drift_engine.localnet.venue.words import asked, booked
from drift_engine.venues.translate import orders as translate_orders
from drift_engine.venues.wire.enums import OrderAction
from drift_engine.venues.wire.events.trading import OrderRecord
from drift_engine.venues.wire.order_enums import IMMEDIATE_OR_CANCEL, MarketType, ModifyPolicy, PostOnly
from drift_engine.venues.wire.order_params import ModifyOrderParams, OrderParams, ScaleOrderParams
from drift_engine.venues.wire.user import ORDER_OPEN, Order, User

_MOST_AT_ONCE = 32


class Placed(NamedTuple):
    """An order that was placed, ``None`` where the program dropped it; and whether it adds risk."""

    order: Order | None
    riskier: bool


def place_perp_order(frame: Frame, params: OrderParams) -> None:
    """Place one order."""
    require_open(frame.state())
    maps = load_maps(frame)
    _require_waiting(params)
    placed(maps, frame.user(), frame.key("user"), params)


def place_orders(frame: Frame, params: Sequence[OrderParams]) -> None:
    """Place several orders, all or none; margin is asked for when the last has been placed."""
    require_open(frame.state())
    _place_all(load_maps(frame), frame.user(), params)


def place_scale_orders(frame: Frame, params: ScaleOrderParams) -> None:
    """Place orders spread over a range of prices."""
    require_open(frame.state())
    maps = load_maps(frame)
    if params.market_type == MarketType.SPOT:
        refuse("SpotDlobTradingDisabled", "spot is traded by swaps")
    _place_all(maps, frame.user(), expanded(params, maps.perp(params.market_index).order_step_size))


def modify_order(frame: Frame, order_id: int | None, params: ModifyOrderParams) -> None:
    """Cancel an order and place it changed, under a new id."""
    require_open(frame.state())
    maps, user = load_maps(frame), frame.user()
    wanted = order_id if order_id is not None else last_order_id(user)
    _modify(maps, user, order_slot(user, wanted), params, f"Order id {wanted} not found")


def modify_order_by_user_id(frame: Frame, user_order_id: int, params: ModifyOrderParams) -> None:
    """Cancel an order and place it changed, found by the id its owner gave it."""
    require_open(frame.state())
    maps, user = load_maps(frame), frame.user()
    orders = enumerate(user.order_slots())
    found = [slot for slot, order in orders if order.user_order_id == user_order_id and order.status == ORDER_OPEN]
    _modify(maps, user, found[0] if found else None, params, f"User order id {user_order_id} not found")


def placed(
    maps: Maps, user: User, address: Pubkey, params: OrderParams, *, first: bool = True, ask_margin: bool = True
) -> Placed:
    """Place an order, or refuse it."""
    frame = maps.frame
    require_not_liquidated(maps, user, frame.state().liquidation_margin_buffer_ratio)
    if first:
        actions.expire_all(maps, user, address)
    slot = free_order_slot(user)
    market = maps.perp(params.market_index)
    require(params.market_type == MarketType.PERP, "InvalidOrderMarketType", "must be perp order")
    account, markets = account_of(maps, user)
    figures = translator(frame.program.name).perp_market(market, maps.price(market), frame.now_ns)
    at = _placing(maps, figures, params)
    open_orders = [translate_orders.order(order) for order in user.orders()]
    state = frame.state()
    exchange = Exchange(state.min_perp_auction_duration, state.liquidation_margin_buffer_ratio, asks_margin=ask_margin)
    answer = place(
        asked(params),
        account,
        open_orders,
        markets | {figures.name: figures},
        at,
        exchange,
        frame.now,
        frame.slot,
    )
    if answer.refusal:
        refuse(answer.refusal)
    held = user.perp_slots()[open_perp_slot(user, params.market_index)]
    if answer.order is None:
        user.next_order_id += answer.numbered
        return Placed(None, riskier=False)
    order = booked(answer.order, params, user.next_order_id, held.base_asset_amount, frame.slot)
    user.next_order_id += 1
    actions.opened(user, order, slot)
    actions.tell(maps, address, order, OrderAction.PLACE, at.oracle_e6)
    frame.emit_stack(OrderRecord(ts=frame.now, user=address, order=order))
    active(user, frame.slot)
    return Placed(order, answer.risk_increasing)


def _placing(maps: Maps, figures: Market, params: OrderParams) -> Placing:
    market = maps.perp(params.market_index)
    spec = figures.spec
    if not isinstance(spec, PerpSpec):
        raise TypeError(f"{figures.name} is no perp market")
    oracle_e6 = maps.price(market).price_e6
    stats, maker = translate_orders.stats(market), translate_orders.maker(market)
    return Placing(spec, stats, maker, oracle_e6, RULES[maps.frame.program.name])


def _place_all(maps: Maps, user: User, params: Sequence[OrderParams]) -> None:
    require(len(params) <= _MOST_AT_ONCE, "DefaultError", "max 32 order params")
    riskier = False
    for index, each in enumerate(params):
        _require_waiting(each)
        if each.market_type == MarketType.SPOT:
            refuse("SpotDlobTradingDisabled", "spot is traded by swaps")
        asks = index == len(params) - 1 and not _asks_for_all(maps)
        riskier |= placed(maps, user, maps.frame.key("user"), each, first=index == 0, ask_margin=asks).riskier
    if params and _asks_for_all(maps):
        require_to_place(maps, user, risk_increasing=riskier)


def _asks_for_all(maps: Maps) -> bool:
    """Return whether the last of several orders answers for them all (Velocity), or for itself (Drift v2)."""
    return maps.frame.program.name == "velocity"


def _require_waiting(params: OrderParams) -> None:
    text = "immediate_or_cancel order must be in place_and_make or place_and_take"
    require(not params.bit_flags & IMMEDIATE_OR_CANCEL, "InvalidOrderIOC", text)


def _modify(maps: Maps, user: User, slot: int | None, params: ModifyOrderParams, missing: str) -> None:
    policy = params.policy or 0
    if slot is None:
        maps.frame.say(missing)
        require(not policy & ModifyPolicy.MUST_MODIFY, "OrderDoesNotExist")
        return
    order = user.order_slots()[slot]
    actions.cancelled(maps, user, maps.frame.key("user"), slot)
    active(user, maps.frame.slot)
    changed = _merged(order, params)
    if changed is not None:
        placed(maps, user, maps.frame.key("user"), changed)


def _merged(order: Order, params: ModifyOrderParams) -> OrderParams | None:
    """Return the order as it is asked for anew; what is not named stays. ``None``: nothing is left of it."""
    base_e9 = params.base_asset_amount
    if base_e9 is None:
        base_e9 = order.base_asset_amount - order.base_asset_amount_filled
    elif (params.policy or 0) & ModifyPolicy.EXCLUDE_PREVIOUS_FILL:
        base_e9 = max(0, base_e9 - order.base_asset_amount_filled)
        if base_e9 == 0:
            return None
    auction = (params.auction_duration, params.auction_start_price, params.auction_end_price)
    duration, start_e6, end_e6 = (None, None, None) if None in auction else auction
    kept_post_only = PostOnly.MUST if order.post_only else PostOnly.NONE
    return OrderParams(
        order_type=order.order_type,
        market_type=order.market_type,
        direction=_or(params.direction, order.direction),
        user_order_id=order.user_order_id,
        base_asset_amount=base_e9,
        price=_or(params.price, order.price),
        market_index=order.market_index,
        reduce_only=bool(_or(params.reduce_only, order.reduce_only)),
        post_only=_or(params.post_only, kept_post_only),
        max_ts=_or(params.max_ts, order.max_ts),
        trigger_price=_or(params.trigger_price, order.trigger_price),
        trigger_condition=_or(params.trigger_condition, order.trigger_condition % 2),
        oracle_price_offset=_or(params.oracle_price_offset, order.oracle_price_offset),
        auction_duration=duration,
        auction_start_price=start_e6,
        auction_end_price=end_e6,
    )


def _or(named: int | None, kept: int) -> int:
    return kept if named is None else named
