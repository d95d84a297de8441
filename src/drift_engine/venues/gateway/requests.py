"""Requests to the gateway as JSON, checked first: what does not fit the protocol never leaves.

The gateway itself cuts surplus decimals off and wraps what is too large (``scale_decimal_to_u64``, ``as u64`` and
``as i32`` in its ``src/types.rs``), so every bound is held here. Decimals go as strings: a JSON number would pass
through binary floating point.
"""

from collections.abc import Mapping, Sequence
from decimal import Decimal

from drift_engine.venues.figures import I32, I64, U8, U16, U32, U64, human, parse, within
from drift_engine.venues.gateway.messages import (
    Cancel,
    CancelIds,
    CancelMarket,
    CancelUserIds,
    ModifyOrder,
    PlaceOrder,
    Scales,
    SendOptions,
    SwapOrder,
)
from drift_engine.venues.http import InvalidRequestError
from drift_engine.venues.market_id import MarketId

Json = dict[str, object]
MARGIN_PRECISION = 10_000


def market_json(market: MarketId) -> Json:
    """Return how a request names a market."""
    return {"marketIndex": within(market.index, 0, U16, "market index"), "marketType": market.kind}


def place_json(order: PlaceOrder, scales: Scales) -> Json:
    """Return one order to place. Raises ``InvalidRequestError``."""
    if order.oracle_offset_e6 is not None and order.price_e6:
        raise InvalidRequestError(
            f"order in {order.market}: the gateway ignores a price beside an oracle offset; give one"
        )
    return _without_none(
        {
            **market_json(order.market),
            "amount": _amount(order.amount, order.market, scales),
            "price": _price(order.price_e6, "price"),
            "orderType": order.kind,
            "postOnly": order.post_only,
            "reduceOnly": order.reduce_only,
            "userOrderId": within(order.user_order_id, 0, U8, "user order id"),
            "oraclePriceOffset": _offset(order.oracle_offset_e6),
            "maxTs": _optional(order.max_ts, -I64 - 1, I64, "max_ts"),
            "triggerPrice": None if order.trigger_price_e6 is None else _price(order.trigger_price_e6, "trigger price"),
            "triggerCondition": order.trigger_condition,
            "auctionDuration": _optional(order.auction_duration, 0, U8, "auction duration"),
            "auctionStartPrice": _optional(order.auction_start_e6, -I64 - 1, I64, "auction start"),
            "auctionEndPrice": _optional(order.auction_end_e6, -I64 - 1, I64, "auction end"),
        }
    )


def places_json(orders: Sequence[PlaceOrder], scales: Scales, kind: str = "tx") -> Json:
    """Return a request that places orders by one transaction (``tx``) or as signed messages (``swift``)."""
    return {"orders": [place_json(order, scales) for order in orders], "placeOrderType": kind}


def modifies_json(changes: Sequence[ModifyOrder], scales: Scales) -> Json:
    """Return a request that changes orders. The gateway reads all of them by the kind of id the first one has."""
    by_user_id = {_named_by_user_id(change) for change in changes}
    if len(by_user_id) > 1:
        raise InvalidRequestError(
            "one request names all its orders by order_id or all by user_order_id: make two requests"
        )
    return {"orders": [_modify_json(change, scales) for change in changes]}


def cancel_json(cancel: Cancel) -> Json:
    """Return a request to cancel. An empty one cancels everything, so an empty list of ids is refused."""
    if isinstance(cancel, CancelMarket):
        return market_json(cancel.market)
    if isinstance(cancel, CancelIds):
        return {"ids": _ids(cancel.ids, 0, U32, "order id")}
    if isinstance(cancel, CancelUserIds):
        return {"userIds": _ids(cancel.user_ids, 1, U8, "user order id")}
    return {}


def swap_json(swap: SwapOrder, scales: Scales) -> Json:
    """Return a swap request."""
    exact = MarketId("spot", swap.sell_market if swap.exact == "sold" else swap.buy_market)
    if swap.sell_market == swap.buy_market:
        raise InvalidRequestError(f"a swap needs two tokens, not {exact} twice")
    if swap.amount <= 0:
        raise InvalidRequestError(f"a swap's amount is positive, not {swap.amount}")
    return _without_none(
        {
            "inputMarket": within(swap.sell_market, 0, U16, "market index"),
            "outputMarket": within(swap.buy_market, 0, U16, "market index"),
            "exactIn": swap.exact == "sold",
            "amount": _amount(swap.amount, exact, scales),
            "slippageBps": within(swap.slippage_bps, 0, U16, "slippage_bps"),
            "useDirectRoutes": swap.direct_only,
            "excludeDexes": swap.exclude_dexes,
            "maxAccounts": _optional(swap.max_accounts, 1, U16, "max_accounts"),
        }
    )


def leverage_json(leverage: str) -> Json:
    """Return a request for a highest leverage: a whole number that divides 10,000.

    The gateway divides 1.0000 by what it gets and takes the quotient's digits for the margin ratio
    (``set_margin_ratio`` in its ``src/controller.rs``, with ``div_impl`` of rust_decimal). ``"2"`` becomes 5000, which
    is right; ``"2.0"`` becomes 500, which allows twenty times, and ``"3"`` overflows. So only what comes out right is
    sent, and sent as a whole number.
    """
    ratio = Decimal(parse(leverage, 9, "leverage")).scaleb(-9)
    if ratio < 1 or ratio != int(ratio) or MARGIN_PRECISION % int(ratio):
        raise InvalidRequestError(
            f"leverage {leverage}: the gateway gets only 1, 2, 4, 5, 8, 10, … (whole divisors of 10000) right"
        )
    return {"leverage": str(int(ratio))}


def query(options: SendOptions) -> Mapping[str, int]:
    """Return the query of a request that sends."""
    given = {
        "subAccountId": _optional(options.sub_account, 0, U16, "sub-account"),
        "computeUnitLimit": _optional(options.unit_limit, 1, U32, "unit_limit"),
        "computeUnitPrice": _optional(options.unit_price, 0, U64, "unit_price"),
        "ttl": _optional(options.ttl_s, 0, U16, "ttl_s"),
    }
    return {name: value for name, value in given.items() if value is not None}


def _modify_json(change: ModifyOrder, scales: Scales) -> Json:
    fields = (change.amount, change.price_e6, change.reduce_only, change.oracle_offset_e6, change.max_ts)
    if all(field is None for field in fields):
        raise InvalidRequestError(f"a change of an order in {change.market} changes nothing: give what is to be new")
    return _without_none(
        {
            **market_json(change.market),
            "amount": None if change.amount is None else _amount(change.amount, change.market, scales),
            "price": None if change.price_e6 is None else _price(change.price_e6, "price"),
            "userOrderId": change.user_order_id,
            "orderId": change.order_id,
            "reduceOnly": change.reduce_only,
            "oraclePriceOffset": _offset(change.oracle_offset_e6),
            "maxTs": _optional(change.max_ts, -I64 - 1, I64, "max_ts"),
        }
    )


def _named_by_user_id(change: ModifyOrder) -> bool:
    if (change.order_id is None) == (change.user_order_id is None):
        raise InvalidRequestError(
            f"a change in {change.market} names its order by order_id or user_order_id, one of them"
        )
    _optional(change.order_id, 0, U32, "order id")
    _optional(change.user_order_id, 1, U8, "user order id")
    return change.user_order_id is not None


def _amount(amount: int, market: MarketId, scales: Scales) -> str:
    decimals = scales.decimals(market)
    if amount == 0:
        raise InvalidRequestError(f"amount in {market} is zero: give what to buy (positive) or sell (negative)")
    within(abs(amount), 1, U64, f"amount in {market}")
    return human(amount, decimals)


def _price(price_e6: int, what: str) -> str:
    return human(within(price_e6, 0, U64, f"{what} (1e6)"), 6)


def _offset(offset_e6: int | None) -> str | None:
    return None if offset_e6 is None else human(within(offset_e6, -I32 - 1, I32, "oracle offset (1e6)"), 6)


def _optional(value: int | None, low: int, high: int, what: str) -> int | None:
    return None if value is None else within(value, low, high, what)


def _ids(ids: Sequence[int], low: int, high: int, what: str) -> list[int]:
    if not ids:
        raise InvalidRequestError(f"no {what} to cancel: give at least one, or ask for CancelAll")
    return [within(each, low, high, what) for each in ids]


def _without_none(fields: Json) -> Json:
    return {name: value for name, value in fields.items() if value is not None}
