"""Orders and amounts from figures people write, or from ours, checked against the market before anything is signed.

The program rounds what is too precise, silently and its own way (``standardize_base_asset_amount``,
``standardize_price`` in ``math/orders.rs``): what it would round is refused here, with the nearest figures that it
takes. Unknown markets, wrong signs and figures that do not fit 64 bits are refused as well.
"""

from decimal import Decimal
from typing import TypedDict, Unpack

from drift_engine.core.units import ceil_to_step, floor_to_step, parse_scaled, show_scaled
from drift_engine.venues.directory import Directory, PerpTerms, SpotTerms
from drift_engine.venues.errors import EncodeError
from drift_engine.venues.wire.order_enums import Direction, MarketType, OrderType, PostOnly, TriggerCondition
from drift_engine.venues.wire.order_params import OrderParams

Figure = str | Decimal | int
"""A human figure; whole numbers count units, not the smallest parts. No floats: they carry digits nobody wrote."""
U64_MAX = (1 << 64) - 1
BASE_DECIMALS = 9
PRICE_DECIMALS = 6


class Settings(TypedDict, total=False):
    """What else an order may say, as in ``OrderParams``."""

    order_type: int
    user_order_id: int
    reduce_only: bool
    post_only: int
    bit_flags: int
    max_ts: int | None
    trigger_price: int | None
    trigger_condition: int
    oracle_price_offset: int | None
    auction_duration: int | None
    auction_start_price: int | None
    auction_end_price: int | None
    builder_idx: int | None
    builder_fee_tenth_bps: int | None


def order(terms: PerpTerms | SpotTerms, base: int, price_e6: int = 0, **settings: Unpack[Settings]) -> OrderParams:
    """Return an order in the program's scales: ``base`` > 0 buys, < 0 sells; a price of 0 is none.

    ``base`` is 1e9 on perps and the token's own units on spot. Raises ``EncodeError``.
    """
    size, decimals = abs(base), _decimals(terms)
    _check_words(settings)
    _check_size(terms, size, decimals, reduce_only=settings.get("reduce_only", False))
    _check_price(terms, price_e6, settings.get("order_type", OrderType.LIMIT))
    return OrderParams(
        market_type=MarketType.PERP if isinstance(terms, PerpTerms) else MarketType.SPOT,
        market_index=terms.index,
        direction=Direction.LONG if base > 0 else Direction.SHORT,
        base_asset_amount=size,
        price=price_e6,
        **settings,
    )


def perp_order(
    directory: Directory, market: int | str, base: Figure, price: Figure = 0, **settings: Unpack[Settings]
) -> OrderParams:
    """Return a perp order from human figures, ``perp_order(d, "SOL-PERP", "-1.5", "150.25")``.

    Raises ``EncodeError``.
    """
    terms = directory.perp(market)
    return order(terms, *_figures(terms, base, price), **settings)


def spot_order(
    directory: Directory, market: int | str, base: Figure, price: Figure = 0, **settings: Unpack[Settings]
) -> OrderParams:
    """Return a spot order from human figures. Raises ``EncodeError``; that a protocol has none, its builder says."""
    terms = directory.spot(market)
    return order(terms, *_figures(terms, base, price), **settings)


def token_amount(directory: Directory, market: int | str, figure: Figure) -> int:
    """Return an amount of a spot market's token in its own units. Raises ``EncodeError``, also for 0 and less."""
    terms = directory.spot(market)
    amount = _parsed(figure, terms.decimals, f"amount of {terms.symbol}")
    if not 0 < amount <= U64_MAX:
        raise EncodeError(f"amount of {terms.symbol} = {figure} is not within {show_scaled(1, terms.decimals)} to u64")
    return amount


def is_priced(price: Figure) -> bool:
    """Whether a price is one: 0 is none, however it is written. Raises ``EncodeError``."""
    return _parsed(price, PRICE_DECIMALS, "price") != 0


def _figures(terms: PerpTerms | SpotTerms, base: Figure, price: Figure) -> tuple[int, int]:
    size = _parsed(base, _decimals(terms), f"{terms.symbol} size")
    return size, _parsed(price, PRICE_DECIMALS, f"{terms.symbol} price")


def _parsed(figure: Figure, decimals: int, what: str) -> int:
    if isinstance(figure, float | bool):
        raise EncodeError(f"{what} = {figure!r} has to be text or a Decimal, not a {type(figure).__name__}")
    try:
        return parse_scaled(figure, decimals)
    except ValueError as error:
        raise EncodeError(f"{what}: {error}") from None


def _check_words(settings: Settings) -> None:
    """Refuse numbers that mean nothing: the program would not read the order."""
    said = (
        ("order_type", OrderType, settings.get("order_type")),
        ("post_only", PostOnly, settings.get("post_only")),
        ("trigger_condition", TriggerCondition, settings.get("trigger_condition")),
    )
    for name, words, number in said:
        if number is not None and number not in [word.value for word in words]:
            known = ", ".join(f"{word.value} {word.name}" for word in words)
            raise EncodeError(f"{name} = {number!r} means nothing; known are {known}")


def _check_size(terms: PerpTerms | SpotTerms, size: int, decimals: int, *, reduce_only: bool) -> None:
    step = terms.step_e9 if isinstance(terms, PerpTerms) else terms.step
    minimum = terms.minimum_e9 if isinstance(terms, PerpTerms) else terms.minimum
    _check_multiple(f"{terms.symbol} size", size, step, decimals)
    if size == 0:
        raise EncodeError(f"{terms.symbol} size = 0 orders nothing")
    if size < minimum and not reduce_only:
        shown = show_scaled(size, decimals)
        raise EncodeError(
            f"{terms.symbol} size = {shown} is under the market's least, {show_scaled(minimum, decimals)}"
        )


def _check_price(terms: PerpTerms | SpotTerms, price_e6: int, order_type: int) -> None:
    if price_e6 < 0:
        raise EncodeError(f"{terms.symbol} price = {show_scaled(price_e6, PRICE_DECIMALS)} is negative")
    if price_e6 == 0 and order_type == OrderType.TRIGGER_LIMIT:
        raise EncodeError(f"{terms.symbol} price = 0: a trigger-limit order needs its limit")
    _check_multiple(f"{terms.symbol} price", price_e6, terms.tick_e6, PRICE_DECIMALS)


def _check_multiple(what: str, figure: int, step: int, decimals: int) -> None:
    shown = show_scaled(figure, decimals)
    if figure > U64_MAX:
        raise EncodeError(f"{what} = {shown} does not fit u64, which holds up to {show_scaled(U64_MAX, decimals)}")
    if step > 0 and figure % step:
        below, above = floor_to_step(figure, step), ceil_to_step(figure, step)
        nearest = f"{show_scaled(below, decimals)} or {show_scaled(above, decimals)}"
        raise EncodeError(f"{what} = {shown} is no multiple of {show_scaled(step, decimals)}; take {nearest}")


def _decimals(terms: PerpTerms | SpotTerms) -> int:
    return BASE_DECIMALS if isinstance(terms, PerpTerms) else terms.decimals
