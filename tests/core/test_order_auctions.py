"""What the program makes of an order's auction. Parity with its native code is in ``tests/native``."""

from typing import Any

import pytest
from core_books import perp_spec
from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs
from order_books import MAKER, SPEC, STATS, placing

from drift_engine.core.orders import baseline
from drift_engine.core.orders.auction_params import DRIFT_V2, RULES, VELOCITY, with_auction
from drift_engine.core.orders.maker import fallback_price_e6, fills_up_to_e9, liquidity_e9
from drift_engine.core.orders.stats import trigger_price_e6
from drift_engine.core.orders.terms import Order, OrderParams
from drift_engine.core.units import E6, E9


def auction(params: OrderParams) -> tuple[int | None, int | None, int | None]:
    return params.auction_start_e6, params.auction_end_e6, params.auction_duration


def test_a_quiet_market_starts_a_fraction_from_the_oracle() -> None:
    """A five-hundredth in A and B, a hundredth beyond, on the far side of the oracle."""
    quiet = structs.replace(STATS, volume_24h_e6=0)
    stale = structs.replace(STATS, mark_twap_s=60)
    tail = perp_spec(tier="C")
    assert baseline.start_offset_e6(quiet, MAKER, SPEC, long=True) == 199_800
    assert baseline.start_offset_e6(stale, MAKER, SPEC, long=False) == -200_200
    assert baseline.start_offset_e6(quiet, MAKER, tail, long=True) == 999_000


def test_the_start_follows_the_means() -> None:
    """Slow: bid less oracle is -0.10, with a tenth of the long spread -0.09; fast: 0 less a tenth of the short one."""
    assert baseline.start_offset_e6(STATS, MAKER, SPEC, long=True) == -100_000 + 9_990
    assert baseline.start_offset_e6(STATS, MAKER, SPEC, long=False) == 100_000 - 10_010
    apart = structs.replace(STATS, mark_twap_5min_e6=101 * E6)
    assert baseline.start_offset_e6(apart, MAKER, SPEC, long=True) == E6


def test_the_end_lies_beyond_the_book() -> None:
    """At least a thousandth beyond the far side; deviation or spread widen it, to a twentieth in B."""
    assert baseline.offsets_e6(STATS, MAKER, SPEC, 1, long=True) == (-90_010, 200_000)
    assert baseline.offsets_e6(STATS, MAKER, SPEC, 1, long=False) == (89_990, -200_000)
    wild = structs.replace(STATS, mark_std_e6=50 * E6)
    assert baseline.offsets_e6(wild, MAKER, SPEC, 2, long=True)[1] == 5_100_000


def test_a_market_order_gets_an_auction() -> None:
    """From 25 basis points before the baseline to the end; a limit doubles the buffer and cuts both."""
    assert auction(with_auction(OrderParams(), placing())) == (99_659_990, 100_200_000, 54)
    limited = with_auction(OrderParams(price_e6=100_100_000), placing())
    assert auction(limited) == (99_659_990, 100_100_000, 44)
    short = with_auction(OrderParams(long=False), placing())
    assert auction(short) == (100_339_990, 99_800_000, 54)


def test_an_oracle_order_gets_offsets() -> None:
    assert auction(with_auction(OrderParams(kind="oracle"), placing())) == (-340_010, 200_000, 54)
    own = with_auction(OrderParams(kind="oracle", offset_e6=-200_000), placing())
    assert auction(own) == (-450_000, -200_000, 25)
    short = with_auction(OrderParams(kind="oracle", long=False, offset_e6=300_000), placing())
    assert auction(short) == (550_000, 300_000, 25)


def test_too_aggressive_an_auction_is_pulled_back() -> None:
    params = OrderParams(auction_start_e6=102 * E6, auction_end_e6=104 * E6, auction_duration=200)
    assert auction(with_auction(params, placing())) == (99_909_990, 100_300_000, 200)
    roomy = structs.replace(params, auction_start_e6=100 * E6, auction_end_e6=100_350_000)
    assert auction(with_auction(roomy, placing(signed=True))) == (100 * E6, 100_350_000, 200)
    assert auction(with_auction(roomy, placing(prelaunch=True))) == (100 * E6, 100_350_000, 200)
    short = OrderParams(kind="oracle", long=False, auction_start_e6=-E6, auction_end_e6=-2 * E6, auction_duration=1)
    assert auction(with_auction(short, placing())) == (89_990, -300_000, 39)


def test_a_signed_order_keeps_its_duration_where_it_is_near() -> None:
    params = OrderParams(auction_start_e6=99 * E6, auction_end_e6=99_100_000, auction_duration=3)
    assert with_auction(params, placing(signed=True)) == params
    assert with_auction(params, placing()).auction_duration == 10


def test_velocity_leaves_signed_auctions_alone_in_safe_markets() -> None:
    params = OrderParams(auction_start_e6=102 * E6, auction_end_e6=104 * E6, auction_duration=2)
    assert with_auction(params, placing(rules=VELOCITY, signed=True)) is params
    tail = placing(rules=VELOCITY, signed=True, spec=perp_spec(tier="C"))
    assert with_auction(params, tail) != params
    limit = structs.replace(params, kind="limit", price_e6=104 * E6)
    assert with_auction(limit, placing(rules=VELOCITY, signed=True)) is limit
    assert RULES == {"drift_v2": DRIFT_V2, "velocity": VELOCITY}


def test_velocity_measures_by_the_narrower_range() -> None:
    """What was asked for spans 0.02; pulled back to the baseline it spans more, and Drift v2 measures that."""
    params = OrderParams(auction_start_e6=104 * E6, auction_end_e6=104_020_000, auction_duration=1)
    assert with_auction(params, placing()).auction_duration == 39
    assert with_auction(params, placing(rules=VELOCITY)).auction_duration == 2


def test_a_limit_order_that_crosses_gets_an_auction() -> None:
    """The vAMM asks 100.10: a limit beyond it starts at the baseline and ends at its price."""
    crossing = with_auction(OrderParams(kind="limit", price_e6=101 * E6), placing())
    assert auction(crossing) == (99_909_990, 101 * E6, 109)
    short = with_auction(OrderParams(kind="limit", long=False, price_e6=99 * E6), placing())
    assert auction(short) == (100_089_990, 99 * E6, 109)
    offset = with_auction(OrderParams(kind="limit", offset_e6=E6), placing())
    assert auction(offset) == (-90_010, E6, 109)


@pytest.mark.parametrize(
    "change",
    [{"price_e6": 100_100_000}, {"price_e6": 0}, {"price_e6": 101 * E6, "post_only": "must"},
     {"price_e6": 99_900_000, "long": False}],
)  # fmt: skip
def test_a_limit_order_that_does_not_cross_stays(change: dict[str, Any]) -> None:
    params = OrderParams(kind="limit", **change)
    assert with_auction(params, placing()) is params


def test_velocity_has_no_auctions_for_limits_with_an_offset() -> None:
    params = OrderParams(kind="limit", offset_e6=E6)
    assert with_auction(params, placing(rules=VELOCITY)) is params


def test_a_limit_orders_own_auction_is_bettered() -> None:
    params = OrderParams(kind="limit", price_e6=101 * E6, auction_duration=10)
    assert auction(with_auction(params, placing())) == (99_909_990, 101 * E6, 109)
    later = structs.replace(params, auction_start_e6=100 * E6, auction_end_e6=102 * E6)
    assert auction(with_auction(later, placing())) == (99_909_990, 101 * E6, 109)
    assert auction(with_auction(later, placing(signed=True)))[0] == 100 * E6
    sooner = structs.replace(later, auction_start_e6=99 * E6)
    assert auction(with_auction(sooner, placing())) == (99 * E6, 101 * E6, 200 - 20)
    offset = OrderParams(kind="limit", offset_e6=E6, auction_duration=10)
    assert auction(with_auction(offset, placing())) == (-90_010, E6, 109)


def test_a_trigger_order_waits_for_its_auction() -> None:
    params = OrderParams(kind="trigger_market", trigger_e6=5)
    assert with_auction(params, placing()) is params
    fired = Order(kind="trigger_market")
    assert baseline.trigger_auction(fired, STATS, MAKER, SPEC, 100 * E6, 20) == (-40_010, 250_000, 29)
    limited = Order(kind="trigger_limit", price_e6=100_100_000)
    assert baseline.trigger_auction(limited, STATS, MAKER, SPEC, 100 * E6, 50) == (99_959_990, 100_100_000, 50)
    tail = baseline.trigger_auction(fired, STATS, MAKER, perp_spec(tier="C"), 100 * E6, 20)
    assert tail[0] == -90_010 + 350_000


def test_a_predictions_prices_end_at_one() -> None:
    spec = perp_spec(contract="prediction", tick_e6=100)
    at = placing(spec=spec, oracle=990_000, volume_24h_e6=0, bid_twap_e6=990_000, ask_twap_e6=995_000,
                 oracle_twap_e6=990_000, oracle_last_e6=100 * E6)  # fmt: skip
    assert auction(with_auction(OrderParams(), at))[1] == E6 - 4_010
    crossing = with_auction(OrderParams(kind="limit", price_e6=2 * E6), at)
    assert auction(crossing)[0] == 991_980


def test_the_makers_prices_and_depth() -> None:
    assert (MAKER.price_e6, MAKER.bid_e6, MAKER.ask_e6) == (100 * E6, 99_900_000, 100_100_000)
    assert fills_up_to_e9(MAKER, 101 * E6, long=True) == 99_900_000_000 - 99_503_719_020
    assert fills_up_to_e9(MAKER, 99 * E6, long=True) == 0
    assert fills_up_to_e9(MAKER, 99 * E6, long=False) == 100_503_781_525 - 100_100_000_000
    assert fills_up_to_e9(structs.replace(MAKER, base_spread_e6=0), 101 * E6, long=True) == 496_280_980
    assert liquidity_e9(MAKER, 10**7, long=True) == 50 * E9
    assert liquidity_e9(structs.replace(MAKER, max_fill_fraction=100), 10**7, long=False) == E9


def test_the_price_after_the_auction() -> None:
    """Near the vAMM: a two-hundredth beyond with ten seconds left, a hundredth at the end; without it, by the means."""
    deep, dry = MAKER, structs.replace(MAKER, min_base_reserve=100 * E9, max_base_reserve=100 * E9)
    assert fallback_price_e6(deep, STATS, 100 * E6, 10, 1, 1, long=True) == 100_100_000 + 500_500
    assert fallback_price_e6(deep, STATS, 100 * E6, 0, 1, 1, long=False) == 99_900_000 - 999_000
    assert fallback_price_e6(dry, STATS, 100 * E6, 0, 1, 1, long=True) == 100_100_000 + 10 * E6
    assert fallback_price_e6(dry, STATS, 100 * E6, 60, 1, 1, long=False) == 99_900_000 - 2 * E6


def test_the_price_triggers_look_at() -> None:
    """``test_get_last_funding_basis``: 12.006794 right after an update, half of it after half an hour."""
    stats = structs.replace(
        STATS, funding_rate_e9=1_410_520_875, funding_oracle_twap_e6=109_198_342_833, oracle_twap_5min_e6=0,
        mark_twap_5min_e6=10**12,
    )  # fmt: skip
    oracle = 109_144_736_794
    assert trigger_price_e6(stats, "A", oracle, 0) - oracle == 12_006_794
    assert trigger_price_e6(stats, "A", oracle, 1_800) - oracle == 6_003_397
    assert trigger_price_e6(stats, "A", oracle, 3_600) == oracle
    assert trigger_price_e6(stats, "A", oracle, 0, median=False) == oracle
    assert trigger_price_e6(STATS, "A", 100 * E6, 0) == 100 * E6
    far = structs.replace(STATS, last_fill_e6=200 * E6, mark_twap_5min_e6=200 * E6)
    caps = [trigger_price_e6(far, tier, 100 * E6, 0) for tier in ("A", "C", "isolated")]
    assert caps == [100_200_000, 101 * E6, 102_500_000]


@given(st.booleans(), st.integers(1, 200 * E6) | st.just(0), st.booleans())
def test_a_derived_auction_is_well_formed(long: bool, limit: int, signed: bool) -> None:
    start, end, duration = auction(with_auction(OrderParams(long=long, price_e6=limit), placing(signed=signed)))
    assert start is not None
    assert end is not None
    assert duration is not None
    assert (start <= end) if long else (start >= end)
    assert 1 <= duration <= 180
    if limit:
        assert end <= limit if long else end >= limit
