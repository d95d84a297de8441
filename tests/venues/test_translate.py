"""Accounts of both programs into core's words: the same market, told by two layouts."""

from typing import Any

import pytest
from solders.pubkey import Pubkey

from drift_engine.core.orders.terms import Order
from drift_engine.core.types import Account, PerpPosition, PerpSpec, PerpTotals, SpotBalance, SpotSpec, SpotTotals
from drift_engine.core.units import E6, E9
from drift_engine.venues.drift_v2.program import DRIFT_V2
from drift_engine.venues.errors import DecodeError
from drift_engine.venues.program import Program
from drift_engine.venues.translate import Names, Translator
from drift_engine.venues.translate import orders as translate_orders
from drift_engine.venues.velocity.program import VELOCITY
from drift_engine.venues.wire import user as wire_user
from drift_engine.venues.wire.accounts import blank
from drift_engine.venues.wire.oracles import OraclePrice
from drift_engine.venues.wire.perp_market import PerpMarket
from drift_engine.venues.wire.records import FeeTier, HistoricalOracleData
from drift_engine.venues.wire.spot_market import SpotMarket

PROGRAMS = pytest.mark.parametrize("program", [DRIFT_V2, VELOCITY], ids=lambda program: program.name)
PRICE = OraclePrice(100 * E6, 5, 3, posted_slot=77)
NAMES = Names({0: "SOL-PERP"}, {0: "USDC", 1: "SOL"})


def perp(program: Program, **fields: Any) -> PerpMarket:
    view = blank(program, PerpMarket)
    facts = {
        "name": "SOL-PERP", "status": 1, "contract_tier": 1, "oracle_source": 13, "order_step_size": 10**7,
        "order_tick_size": 100, "min_order_size": 10**7, "margin_ratio_initial": 500, "margin_ratio_maintenance": 300,
        "base_asset_reserve": 2 * E9, "quote_asset_reserve": E9, "peg_multiplier": 200 * E6,
        "cumulative_funding_rate_long": 7, "cumulative_funding_rate_short": -5, "paused_operations": 0b10,
        "base_asset_amount_with_amm": 30, "quote_asset_amount": 11, "net_unsettled_funding_pnl": 4,
        "fee_adjustment": -7,
        "historical_oracle_data": HistoricalOracleData(99, 0, 0, 98, 97, 6), **fields,
    }  # fmt: skip
    for name, value in facts.items():
        setattr(view, name, value)
    return view


def spot(program: Program, **fields: Any) -> SpotMarket:
    view = blank(program, SpotMarket)
    facts = {
        "name": "SOL", "market_index": 1, "status": 1, "decimals": 9, "oracle_source": 12, "min_borrow_rate": 3,
        "cumulative_deposit_interest": 10**10, "cumulative_borrow_interest": 10**10, "order_step_size": 10**8,
        "min_order_size": 10**8, "asset_tier": 2, "historical_oracle_data": HistoricalOracleData(1, 0, 0, 2, 3, 4),
        **fields,
    }  # fmt: skip
    for name, value in facts.items():
        setattr(view, name, value)
    return view


@PROGRAMS
def test_a_perp_market(program: Program) -> None:
    market = Translator(program, FeeTier(100, 100_000, 20, 100_000, 1, 1, 1, 1)).perp_market(perp(program), PRICE, 5)
    spec = market.spec
    assert isinstance(spec, PerpSpec)
    assert (market.name, market.oracle_e6, market.oracle_slot, market.oracle_confidence_e6) == (
        "SOL-PERP",
        100 * E6,
        77,
        5,
    )
    assert (market.status, market.ts_ns, market.mark_e6, market.oracle_twap_e6) == ("active", 5, 100 * E6, 98)
    assert (spec.tier, spec.oracle_multiple, spec.taker_fee_e6, spec.maker_fee_e6) == ("B", 1_000, 1_000, -200)
    assert (spec.margin_initial_e4, spec.margin_maintenance_e4, spec.fee_adjustment_pct) == (500, 300, -7)
    assert spec.quote == program.quote
    assert market.totals == PerpTotals(-5, 30, 15, 99, paused=frozenset({"amm_fill"}))
    assert market.funding_cumulative_e9 == 7


def test_what_only_one_of_them_has() -> None:
    drift = perp(
        DRIFT_V2, high_leverage_margin_ratio_initial=100, high_leverage_margin_ratio_maintenance=66, contract_type=2,
        base_asset_amount_with_unsettled_lp=5, quote_asset_amount_with_unsettled_lp=6, last_funding_oracle_twap=8,
    )  # fmt: skip
    spec = Translator(DRIFT_V2).perp_spec(drift)
    assert (spec.leverage_initial_e4, spec.leverage_maintenance_e4, spec.contract) == (100, 66, "prediction")
    totals = Translator(DRIFT_V2).perp_totals(drift)
    assert (totals.base_users_e9, totals.cost_basis_e6) == (35, 21)
    assert translate_orders.stats(drift).funding_oracle_twap_e6 == 8
    velocity = Translator(VELOCITY).perp_spec(perp(VELOCITY, taker_fee_addon_tenth_bps=15, contract_type=2))
    assert (velocity.taker_addon_tenth_bps, velocity.contract) == (15, "perpetual")
    assert translate_orders.stats(perp(VELOCITY)).funding_oracle_twap_e6 == 0


@PROGRAMS
def test_a_spot_market(program: Program) -> None:
    market = Translator(program).spot_market(
        spot(program, deposit_balance=8, borrow_balance=9, last_interest_ts=10), PRICE
    )
    spec = market.spec
    assert isinstance(spec, SpotSpec)
    assert (spec.name, spec.decimals, spec.step_e9, spec.min_rate_e6) == ("SOL", 9, 10**8, 15_000)
    assert (spec.asset_tier, spec.at_par, spec.oracle_multiple) == ("cross", False, 1)
    assert market.totals == SpotTotals(3, 8, 9, 10)
    quote = Translator(program).spot_market(spot(program, oracle_source=2, decimals=6), OraclePrice(E6, 1, 0))
    assert isinstance(quote.spec, SpotSpec)
    assert quote.spec.at_par
    assert quote.oracle_slot == 0


@PROGRAMS
def test_statuses(program: Program) -> None:
    translator, settlement = Translator(program), 7 if program is DRIFT_V2 else 3
    told = [translator.perp_market(perp(program, status=number), None).status for number in (0, 1, settlement)]
    assert told == ["initialized", "active", "settlement"]
    with pytest.raises(DecodeError, match="status 9 of perp market 0 is not known"):
        translator.perp_market(perp(program, status=9), None)


@PROGRAMS
def test_what_was_not_read_has_no_price(program: Program) -> None:
    market = Translator(program).perp_market(perp(program, base_asset_reserve=0), None)
    assert (market.oracle_e6, market.oracle_slot, market.mark_e6) == (None, 0, None)
    assert Translator(program).spot_market(spot(program), None).oracle_e6 is None
    with pytest.raises(DecodeError, match="settles in spot market 3"):
        Translator(program).perp_spec(perp(program, quote_spot_market_index=3))
    with pytest.raises(DecodeError, match="contract tier 6 of SOL-PERP"):
        Translator(program).perp_spec(perp(program, contract_tier=6))


@PROGRAMS
def test_an_account(program: Program) -> None:
    view = blank(program, wire_user.User)
    view.status, view.max_margin_ratio, view.is_margin_trading_enabled = 1 | 4, 2_000, True
    view.put_spot(0, wire_user.SpotPosition(5 * E9))
    view.put_spot(1, wire_user.SpotPosition(7, 3, -2, 0, 1, 1, 2))
    held = wire_user.PerpPosition(
        1, 2, 3, 4, 5, 6, -7, 8, isolated_position_scaled_balance=9, max_margin_ratio=10, open_orders=11,
        position_flag=1 | 2,
    )  # fmt: skip
    view.put_perp(3, held)
    view.put_perp(0, wire_user.PerpPosition(max_margin_ratio=77))
    account = Translator(program).account(view, NAMES)
    position = PerpPosition("SOL-PERP", 2, 3, 5, 4, 6, -7, 11, 1, 8, 10, True, 9, being_liquidated=True)
    assert account == Account(
        program.quote,
        (SpotBalance("USDC", 5 * E9), SpotBalance("SOL", -7, 3, -2, 2)),
        (position, PerpPosition("SOL-PERP", max_margin_ratio_e4=77)),
        2_000,
        being_liquidated=True,
        reduce_only=True,
        margin_trading=True,
    )
    with pytest.raises(DecodeError, match="spot market 1, which was not read"):
        Translator(program).account(view, Names({0: "SOL-PERP"}, {0: "USDC"}))


def test_leverage_and_floors() -> None:
    drift, velocity = blank(DRIFT_V2, wire_user.User), blank(VELOCITY, wire_user.User)
    drift.margin_mode = 2
    velocity.equity_floor, velocity.equity_floor_buffer = 5, 6
    assert Translator(DRIFT_V2).account(drift, NAMES).leverage == "high_maintenance"
    floored = Translator(VELOCITY).account(velocity, NAMES)
    assert (floored.leverage, floored.equity_floor_e6, floored.equity_floor_buffer_e6) == ("ordinary", 5, 6)


def test_an_order_and_a_maker() -> None:
    held = wire_user.Order(
        slot=1, price=2, base_asset_amount=3, base_asset_amount_filled=4, trigger_price=5, auction_start_price=-6,
        auction_end_price=-7, max_ts=8, oracle_price_offset=-9, order_type=1, direction=1, reduce_only=True,
        trigger_condition=3, auction_duration=10, bit_flags=2, user_order_id=11,
    )  # fmt: skip
    assert translate_orders.order(held) == Order(
        kind="limit", long=False, base_e9=3, filled_e9=4, price_e6=2, reduce_only=True, max_ts_s=8, trigger_e6=5,
        trigger="triggered_below", offset_e6=-9, auction_duration=10, auction_start_e6=-6, auction_end_e6=-7, slot=1,
        oracle_trigger=True, user_order_id=11,
    )  # fmt: skip
    with pytest.raises(DecodeError, match="is of type 9"):
        translate_orders.order(wire_user.Order(order_type=9))
    maker = translate_orders.maker(perp(VELOCITY, long_spread=1_000, short_spread=2_000))
    assert (maker.price_e6, maker.ask_e6, maker.bid_e6) == (100 * E6, 100_100_000, 99_800_000)


def test_addresses_are_told() -> None:
    oracle = Pubkey(bytes(range(32)))
    assert Translator(VELOCITY).perp_spec(perp(VELOCITY, oracle=oracle)).oracle == str(oracle)
