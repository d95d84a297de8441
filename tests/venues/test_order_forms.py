"""Orders from human and from scaled figures: what the market does not take is refused, with what it would take."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs
from solders.pubkey import Pubkey
from solders.token import ID as TOKEN

from drift_engine.venues.directory import Directory, PerpTerms, SpotTerms
from drift_engine.venues.errors import EncodeError
from drift_engine.venues.trader.order_forms import Figure, order, perp_order, spot_order, token_amount
from drift_engine.venues.wire.order_enums import Direction, MarketType, OrderType, PostOnly

ANY = Pubkey(bytes([1]) * 32)
SOL = PerpTerms(0, "SOL-PERP", ANY, ANY, 12, 0, 10**7, 1_000, 10**8)
USDT = SpotTerms(0, "USDT", ANY, ANY, 2, ANY, ANY, TOKEN, 6, 10_000, 100, 10_000)
BOOK = Directory("velocity", [SOL], [USDT])


def test_human_figures() -> None:
    made = perp_order(BOOK, "SOL-PERP", "-1.5", Decimal("150.25"), post_only=PostOnly.MUST, max_ts=7)
    assert (made.market_type, made.market_index, made.direction) == (MarketType.PERP, 0, Direction.SHORT)
    assert (made.base_asset_amount, made.price) == (1_500_000_000, 150_250_000)
    assert (made.post_only, made.max_ts, made.order_type) == (PostOnly.MUST, 7, OrderType.LIMIT)
    bought = spot_order(BOOK, 0, 2, "1")
    assert (bought.market_type, bought.direction, bought.base_asset_amount) == (
        MarketType.SPOT,
        Direction.LONG,
        2_000_000,
    )
    assert perp_order(BOOK, 0, "0.01", reduce_only=True).base_asset_amount == 10**7


@pytest.mark.parametrize(
    ("base", "price", "message"),
    [
        ("0.015", "150", "SOL-PERP size = 0.015000000 is no multiple of 0.010000000; take 0.010000000 or 0.020000000"),
        ("1.0000000001", "150", "SOL-PERP size: '1.0000000001' has more than 9 decimals"),
        ("1", "150.0005", "price = 150.000500 is no multiple of 0.001000; take 150.000000 or 150.001000"),
        ("1", "150.0000001", "SOL-PERP price: '150.0000001' has more than 6 decimals"),
        ("1", "-1", "price = -1.000000 is negative"),
        ("0", "1", "size = 0 orders nothing"),
        ("0.05", "1", "size = 0.050000000 is under the market's least, 0.100000000"),
        ("18446744073.71", "1", "does not fit u64, which holds up to 18446744073.709551615"),
        ("1", "18446744073709.552", "does not fit u64"),
        ("one", "1", "SOL-PERP size: 'one' is not a number"),
        ("NaN", "1", "not a finite number"),
        (1.5, "1", "size = 1.5 has to be text or a Decimal, not a float"),
    ],
)
def test_what_the_market_does_not_take(base: Figure, price: Figure, message: str) -> None:
    with pytest.raises(EncodeError) as caught:
        perp_order(BOOK, "SOL-PERP", base, price)
    assert message in str(caught.value)
    assert len(str(caught.value).splitlines()) == 1


@pytest.mark.parametrize("name", ["order_type", "post_only", "trigger_condition"])
def test_a_number_that_means_nothing(name: str) -> None:
    perp_order(BOOK, "SOL-PERP", 1, 150, **{name: 1})  # type: ignore[arg-type]
    with pytest.raises(EncodeError, match=f"{name} = 9 means nothing; known are 0 "):
        perp_order(BOOK, "SOL-PERP", 1, 150, **{name: 9})  # type: ignore[arg-type]


def test_unknown_markets_and_missing_limits() -> None:
    with pytest.raises(EncodeError, match=r"unknown velocity perp market 'BTC-PERP'; known are 0 SOL-PERP"):
        perp_order(BOOK, "BTC-PERP", 1, 1)
    with pytest.raises(EncodeError, match="unknown velocity spot market 3"):
        token_amount(BOOK, 3, 1)
    with pytest.raises(EncodeError, match="a trigger-limit order needs its limit"):
        perp_order(BOOK, 0, 1, order_type=OrderType.TRIGGER_LIMIT)


def test_the_least_size_and_a_trigger_limit_with_its_limit_are_taken() -> None:
    assert perp_order(BOOK, 0, "0.1", "1").base_asset_amount == 10**8
    trigger = perp_order(BOOK, 0, 1, "150", order_type=OrderType.TRIGGER_LIMIT, trigger_price=149 * 10**6)
    assert (trigger.price, trigger.trigger_price) == (150 * 10**6, 149 * 10**6)


def test_a_market_without_steps_takes_every_figure() -> None:
    free = structs.replace(USDT, step=0, minimum=0, tick_e6=0)
    made = order(free, -1_234_567, 1_000_003)
    assert (made.base_asset_amount, made.price, made.direction) == (1_234_567, 1_000_003, Direction.SHORT)


def test_token_amounts() -> None:
    assert token_amount(BOOK, "USDT", "12.345678") == 12_345_678
    for figure, message in (
        ("0.0000001", "has more than 6 decimals"),
        ("0", "is not within"),
        ("-1", "is not within"),
        ("18446744073709.551616", "is not within"),
    ):
        with pytest.raises(EncodeError, match=message):
            token_amount(BOOK, "USDT", figure)
    assert token_amount(BOOK, "USDT", "18446744073709.551615") == 2**64 - 1


@given(base=st.integers(-(2**66), 2**66), price=st.integers(-10, 2**65))
def test_a_made_order_says_what_was_asked_for(base: int, price: int) -> None:
    try:
        made = order(SOL, base, price)
    except EncodeError:
        taken = 10**8 <= abs(base) < 2**64 and base % 10**7 == 0 and 0 <= price < 2**64 and price % 1_000 == 0
        assert not taken
    else:
        assert made.base_asset_amount * (1 if made.direction == Direction.LONG else -1) == base
        assert made.price == price
