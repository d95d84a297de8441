"""What the program answers to an order: the order as it is booked, or the name of the error, or nothing at all.

The checks come in the program's order, so that an order that is wrong in two ways is refused by the same name. A
``TryPostOnly`` order that would trade, and an order that is late already, are neither placed nor refused.

Sources: ``controller/orders.rs`` place_perp_order and get_auction_params, ``math/orders.rs`` get_price_for_perp_order,
``math/margin.rs`` meets_place_order_margin_requirement and validate_any_isolated_tier_requirements,
``math/liquidation.rs`` validate_user_not_being_liquidated. Velocity adds the equity floor.
"""

from collections.abc import Mapping, Sequence

from msgspec import Struct, structs

from drift_engine.core.equity import below_floor
from drift_engine.core.margin_scopes import CROSS, Ask, Scopes, every, scopes_of, to_place
from drift_engine.core.orders import rules
from drift_engine.core.orders.auction_params import Placing, with_auction
from drift_engine.core.orders.largest import whole_margin_e9
from drift_engine.core.orders.maker import Maker
from drift_engine.core.orders.steps import price_on_tick, size_on_step
from drift_engine.core.orders.terms import MAX_LEVERAGE, Order, OrderParams
from drift_engine.core.types import Account, Market, PerpPosition, PerpSpec, PerpTotals

ORDER_SLOTS = 32
PERP_SLOTS = 8
_I64_MAX = 2**63 - 1


class Answer(Struct, frozen=True):
    """What became of an order: booked, refused by name, or neither (dropped without an error).

    ``numbered`` says that an order's id was used up, also where the order was dropped.
    """

    order: Order | None = None
    refusal: str | None = None
    risk_increasing: bool = False
    numbered: bool = False


class Exchange(Struct, frozen=True):
    """What the exchange's settings say of placing: the shortest auction, and the buffer of liquidation margin.

    ``per_scope`` is how newer builds ask for margin: initial of the scope that grows alone; Drift v2 of January 2026
    asks it of all. ``asks_margin`` is off for all but the last of several orders placed at once.
    """

    min_auction_duration: int = 0
    liquidation_buffer_e4: int = 200
    per_scope: bool = True
    asks_margin: bool = True


class _Refusal(Exception):  # noqa: N818 — it never leaves this file: a refusal is an answer
    """The program's error."""


def place(
    params: OrderParams,
    account: Account,
    orders: Sequence[Order],
    markets: Mapping[str, Market],
    at: Placing,
    exchange: Exchange,
    now_s: int,
    slot: int,
) -> Answer:
    """Return what the program would answer to an order in the market of ``at`` at a time and slot.

    ``orders`` are the account's open orders. Raises ``PriceUnknownError`` where margin is not known.
    """
    try:
        return _placed(params, account, orders, markets, at, exchange, now_s, slot)
    except _Refusal as refusal:
        return Answer(refusal=str(refusal))


def _placed(
    params: OrderParams,
    account: Account,
    orders: Sequence[Order],
    markets: Mapping[str, Market],
    at: Placing,
    exchange: Exchange,
    now_s: int,
    slot: int,
) -> Answer:
    name, market = at.spec.name, markets[at.spec.name]
    _check_account(account, params, orders, markets, exchange)
    _check_market(account, market, now_s)
    position = account.perp(name)
    size_e9 = _size(params, account, markets, at.spec)
    params = with_auction(params, at)
    order = _booked(params, at, exchange, size_e9, now_s, slot, forced=market.status == "reduce_only")
    if order.max_ts_s and order.max_ts_s < now_s:
        return Answer()
    refusal = rules.validate_order(
        order,
        at.spec,
        None if "amm_fill" in market_paused(market) else at.maker,
        at.oracle_e6,
        no_offset_limits=not at.rules.offset_limits,
    )
    if refusal == "PlacePostOnlyLimitFailure" and params.post_only == "try":
        return Answer(numbered=True)
    _refuse(refusal or ("CastingFailure" if order.base_e9 > _I64_MAX and not order.triggers else None))
    increasing = rules.risk_increasing(order, position)
    ask = _ask(position, increasing=increasing, per_scope=exchange.per_scope)
    if exchange.asks_margin:
        _check_margin(with_order(account, position, order), markets, ask, increasing=increasing)
    if market.status == "reduce_only":
        _refuse(rules.only_reduces(order, position.base_e9))
    if increasing:
        _refuse(_too_much_interest(market, order))
    return Answer(order, risk_increasing=increasing, numbered=True)


def market_paused(market: Market) -> frozenset[str]:
    """Return which operations are paused in a perp market."""
    return market.totals.paused if isinstance(market.totals, PerpTotals) else frozenset()


def with_order(account: Account, position: PerpPosition, order: Order) -> Account:
    """Return an account with one more open order in a position; a waiting trigger order adds to no side."""
    bids_e9 = order.base_e9 if order.long and not order.triggers else 0
    asks_e9 = order.base_e9 if not order.long and not order.triggers else 0
    changed = structs.replace(
        position,
        open_bids_e9=position.open_bids_e9 + bids_e9,
        open_asks_e9=position.open_asks_e9 - asks_e9,
        open_orders=position.open_orders + 1,
    )
    others = tuple(held for held in account.perps if held.market != position.market)
    return structs.replace(account, perps=(*others, changed))


def _refuse(refusal: str | None) -> None:
    if refusal is not None:
        raise _Refusal(refusal)


def _check_account(
    account: Account,
    params: OrderParams,
    orders: Sequence[Order],
    markets: Mapping[str, Market],
    exchange: Exchange,
) -> None:
    isolated = [held for held in account.perps if held.isolated and (held.being_liquidated or held.bankrupt)]
    if account.being_liquidated or account.bankrupt or isolated:
        scopes = scopes_of(account, markets, every("maintenance", buffer_e4=exchange.liquidation_buffer_e4)).scopes
        flagged = [CROSS] if account.being_liquidated or account.bankrupt else [held.market for held in isolated]
        if not all(scopes[scope].sound_buffered for scope in flagged):
            raise _Refusal("UserIsBeingLiquidated")
    if account.bankrupt or any(held.bankrupt for held in isolated):
        raise _Refusal("UserBankrupt")
    if account.reduce_only and not params.reduce_only:
        raise _Refusal("UserReduceOnly")
    if len(orders) >= ORDER_SLOTS:
        raise _Refusal("MaxNumberOfOrders")
    if params.user_order_id and any(order.user_order_id == params.user_order_id for order in orders):
        raise _Refusal("UserOrderIdAlreadyInUse")


def _check_market(account: Account, market: Market, now_s: int) -> None:
    if market.status == "initialized":
        raise _Refusal("MarketBeingInitialized")
    if account.pool != 0:
        raise _Refusal("InvalidPoolId")
    expiry_s = market.totals.expiry_s if isinstance(market.totals, PerpTotals) else 0
    if market.status in {"settlement", "delisted"} or (expiry_s and now_s >= expiry_s):
        raise _Refusal("MarketPlaceOrderPaused")
    held = {position.market for position in account.perps}
    if market.name not in held and len(held) >= PERP_SLOTS:
        raise _Refusal("MaxNumberOfPositions")


def _size(params: OrderParams, account: Account, markets: Mapping[str, Market], spec: PerpSpec) -> int:
    if params.base_e9 < spec.step_e9:
        raise _Refusal("OrderAmountTooSmall")
    if params.base_e9 == MAX_LEVERAGE and not (params.triggers and params.reduce_only):
        whole_e9 = whole_margin_e9(account, markets, spec.name, long=params.long)
        if whole_e9 is None:
            raise _Refusal("CastingFailure")
        return whole_e9
    return size_on_step(params.base_e9, spec.step_e9)


def _booked(
    params: OrderParams, at: Placing, exchange: Exchange, size_e9: int, now_s: int, slot: int, *, forced: bool
) -> Order:
    """Return the order as it lies in the account: on step and tick, its auction at least the exchange's shortest."""
    start_e6, end_e6, duration = _auction(params, at.spec.tick_e6, exchange.min_auction_duration)
    max_ts_s = params.max_ts_s
    if max_ts_s is None:
        max_ts_s = now_s + max(30, duration // 2 + 10) if params.kind in {"market", "oracle"} else 0
    return Order(
        kind=params.kind,
        long=params.long,
        base_e9=size_e9,
        price_e6=_price(params, at.maker, at.spec.tick_e6),
        reduce_only=params.reduce_only or forced,
        post_only=params.post_only != "no",
        immediate=params.immediate,
        max_ts_s=max_ts_s,
        trigger_e6=price_on_tick(params.trigger_e6 or 0, at.spec.tick_e6, long=params.long),
        trigger=params.trigger,
        offset_e6=params.offset_e6 or 0,
        auction_duration=duration,
        auction_start_e6=start_e6,
        auction_end_e6=end_e6,
        slot=slot,
        user_order_id=params.user_order_id,
    )


def _auction(params: OrderParams, tick_e6: int, least: int) -> tuple[int, int, int]:
    start_e6, end_e6, duration = params.auction_start_e6, params.auction_end_e6, params.auction_duration
    if params.triggers or start_e6 is None or end_e6 is None or duration is None:
        return 0, 0, 0
    on_tick = price_on_tick(start_e6, tick_e6, long=params.long), price_on_tick(end_e6, tick_e6, long=params.long)
    return *on_tick, 0 if params.kind == "limit" and duration == 0 else max(duration, least)


def _price(params: OrderParams, maker: Maker, tick_e6: int) -> int:
    """Return an order's price on the tick; one that slides stays a tick away from the vAMM's."""
    price_e6 = price_on_tick(params.price_e6, tick_e6, long=params.long)
    if params.post_only == "slide":
        if params.long and price_e6 >= maker.ask_e6:
            price_e6 = maker.ask_e6 - tick_e6
        elif not params.long and price_e6 <= maker.bid_e6:
            price_e6 = maker.bid_e6 + tick_e6
    if price_e6 < 0:
        raise _Refusal("MathError")
    return price_e6


def _ask(position: PerpPosition, *, increasing: bool, per_scope: bool) -> Ask:
    if not per_scope:
        return every("initial" if increasing else "maintenance", strict=True)
    return to_place(risk_increasing=increasing, isolated=position.market if position.isolated else CROSS)


def _check_margin(account: Account, markets: Mapping[str, Market], ask: Ask, *, increasing: bool) -> None:
    scopes = scopes_of(account, markets, ask)
    if not scopes.sound:
        raise _Refusal("InsufficientCollateral")
    if increasing and below_floor(account, markets):
        raise _Refusal("EquityBelowFloor")
    if not account.reduce_only and _breaks_tiers(account, scopes):
        raise _Refusal("IsolatedAssetTierViolation")


def _breaks_tiers(account: Account, scopes: Scopes) -> bool:
    """Return whether a liability of an isolated tier stands beside others it may not stand beside."""
    if scopes.perp_tier_isolated:
        only_quote = scopes.spot_liabilities == 1 and account.spot(account.quote).scaled_e9 < 0
        if scopes.perp_liabilities > 1 or account.margin_trading or (scopes.spot_liabilities and not only_quote):
            return True
    return scopes.spot_tier_isolated and not (scopes.perp_liabilities == 0 and scopes.spot_liabilities == 1)


def _too_much_interest(market: Market, order: Order) -> str | None:
    totals = market.totals
    if not isinstance(totals, PerpTotals) or totals.max_open_interest_e9 == 0:
        return None
    open_e9 = totals.base_long_e9 + order.base_e9 if order.long else totals.base_short_e9 - order.base_e9
    return "MaxOpenInterest" if abs(open_e9) > totals.max_open_interest_e9 else None
