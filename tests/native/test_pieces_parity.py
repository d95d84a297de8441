"""The pieces margin is made of, one native function each: ratios, weights, worst cases, profits, tokens, oracles."""

import ctypes as c
from collections.abc import Callable
from random import Random

import pytest
from library import (
    KINDS,
    Maybe,
    NativeError,
    OracleData,
    Wide,
    account,
    library,
    oracle_price,
    raw,
    small_result,
    validity,
    wide_result,
)
from msgspec import structs
from order_worlds import booked, maker_market, near, order_bytes, seen
from worlds import SLOT, TRANSLATOR, World, balance, position, signed, size, world

from drift_engine.core.margin_perp import worst_case_e9
from drift_engine.core.margin_weights import (
    asset_weight_e4,
    liability_weight_e4,
    net_user_pnl_e6,
    perp_ratio_e4,
    scaled_initial_e4,
)
from drift_engine.core.oracle_validity import GuardRails, Observation, Validity, multiplier_of, validity_of
from drift_engine.core.orders.rules import maker_fill_e9
from drift_engine.core.perp_position import claimable_e6
from drift_engine.core.spot_balance import token_amount
from drift_engine.core.types import MarginKind, PerpPosition, PerpSpec, PerpTotals, SpotBalance, SpotSpec, SpotTotals
from drift_engine.core.units import notional_e6
from drift_engine.venues.drift_v2.program import DRIFT_V2
from drift_engine.venues.translate import orders as translate_orders
from drift_engine.venues.wire.accounts import blank
from drift_engine.venues.wire.perp_market import PerpMarket
from drift_engine.venues.wire.spot_market import SpotMarket
from drift_engine.venues.wire.user import User

pytestmark = pytest.mark.no_cover  # tens of thousands of cases, and coverage comes from the unit tests

MARGIN_KINDS: tuple[MarginKind, ...] = ("initial", "fill", "maintenance")
AMM_AT = 40 - 8


def test_ratios_and_profits_of_perps(counted: Callable[[int], None]) -> None:
    random, cases = Random(1), 0
    for _ in range(150):
        exchange = world(random)
        for market in exchange.perps.values():
            ours, memory = exchange.markets[market.name], account(market.data)
            spec, totals = ours.spec, ours.totals
            assert isinstance(spec, PerpSpec)
            assert isinstance(totals, PerpTotals)
            for kind in MARGIN_KINDS:
                base, high = size(random, 10**13, zero=0.1), random.random() < 0.5
                code = c.c_uint8(KINDS[kind])
                native = small_result("perp_market_get_margin_ratio", memory, Wide.of(base), code, high)
                mine = perp_ratio_e4(spec, base, kind, leveraged=high)
                assert (0 if ours.status == "settlement" else mine) == native
            price = ours.oracle_e6 or 1
            amm = c.c_void_p(c.addressof(memory) + AMM_AT)
            assert net_user_pnl_e6(totals, price) == wide_result("math_calculate_net_user_pnl", amm, c.c_int64(price))
            library().perp_market_get_open_interest.restype = Wide
            interest = library().perp_market_get_open_interest(memory)
            assert max(abs(totals.base_long_e9), abs(totals.base_short_e9)) == interest.low + (interest.high << 64)
            cases += 5 + _position(random, exchange, market.market_index, price)
    counted(cases)


def _position(random: Random, exchange: World, index: int, price: int) -> int:
    held = position(random, index)
    view = blank(DRIFT_V2, User)
    view.put_perp(0, held)
    start = view.layout.offsets["perp_positions"]
    memory, market = raw(bytes(view.data[start : start + 96])), exchange.perps[index]
    name = market.name
    amounts = held.base_asset_amount, held.quote_asset_amount, held.quote_entry_amount
    ours = PerpPosition(name, *amounts, open_bids_e9=held.open_bids, open_asks_e9=held.open_asks)
    contract = c.c_uint8(market.contract_type)
    native = wide_result("perp_position_worst_case_base_asset_amount", memory, c.c_int64(price), contract)
    assert worst_case_e9(ours, exchange.markets[name], price) == native
    pnl = wide_result("perp_position_get_unrealized_pnl", memory, c.c_int64(price))
    assert ours.quote_e6 + notional_e6(ours.base_e9, price) == pnl
    excess = signed(random, 10**12)
    claimable = wide_result("perp_position_get_claimable_pnl", memory, c.c_int64(price), Wide.of(excess))
    assert claimable_e6(ours, price, excess) == claimable
    return 3


def test_weights_and_tokens_of_spots(counted: Callable[[int], None]) -> None:
    random, cases = Random(2), 0
    for _ in range(150):
        exchange = world(random)
        for view in exchange.spots.values():
            ours, memory = exchange.markets[view.name], account(view.data)
            spec, totals = ours.spec, ours.totals
            assert isinstance(spec, SpotSpec)
            assert isinstance(totals, SpotTotals)
            price, tokens = ours.oracle_e6 or 1, size(random, 10**15, zero=0.1)
            initial = scaled_initial_e4(spec, token_amount(totals.deposits_scaled_e9, ours), price)
            for kind in MARGIN_KINDS:
                code, wide = c.c_uint8(KINDS[kind]), Wide.of(tokens)
                asset = small_result("spot_market_get_asset_weight", memory, wide, c.c_int64(price), code)
                assert asset_weight_e4(spec, tokens, kind, initial_e4=initial) == asset
                owed = small_result("spot_market_get_liability_weight", memory, wide, code)
                assert liability_weight_e4(spec, tokens, kind) == owed
            held = balance(random, view.market_index)
            side = c.c_uint8(held.balance_type)
            native = wide_result("spot_balance_get_token_amount", Wide.of(held.scaled_balance), memory, c.byref(side))
            scaled = -held.scaled_balance if held.balance_type else held.scaled_balance
            assert abs(token_amount(SpotBalance(view.name, scaled).scaled_e9, ours)) == native
            cases += 7
    counted(cases)


def test_oracles_are_read_alike(counted: Callable[[int], None]) -> None:
    random, cases = Random(3), 0
    for _ in range(300):
        exchange = world(random)
        accounts = {key: (owner, data) for key, owner, data in exchange.accounts.oracles}
        views: list[PerpMarket | SpotMarket] = [*exchange.perps.values(), *exchange.spots.values()]
        for view in views:
            if bytes(view.oracle) in accounts:
                owner, data = accounts[bytes(view.oracle)]
                reading = exchange.readings[view.name]
                native = oracle_price(view.oracle_source, owner, data, SLOT)
                assert (reading.price_e6, reading.confidence_e6) == (native.price, native.confidence)
                assert reading.delay_slots == native.delay
                cases += 1
    counted(cases)


def test_an_oracle_is_as_valid(counted: Callable[[int], None]) -> None:
    random, seen_validities = Random(4), set[Validity]()
    rails = GuardRails(10, 120, 20_000, 5)
    for _ in range(3_000):
        market, oracle = maker_market(random)
        market.mm_oracle_price = random.choice((oracle, oracle * random.randrange(1, 9), 0))
        market.mm_oracle_slot = SLOT - random.randrange(200)
        market.oracle_slot_delay_override = random.choice((0, 2, -1, 50))
        market.oracle_low_risk_slot_delay_override = random.choice((0, 3, -1, 50))
        confidence = size(random, oracle)
        price = market.mm_oracle_price
        found = validity_of(
            Observation(
                price, confidence, SLOT - market.mm_oracle_slot, market.historical_oracle_data.last_oracle_price_twap,
                multiplier_of(TRANSLATOR.perp_spec(market).tier), True, False, market.oracle_slot_delay_override,
                market.oracle_low_risk_slot_delay_override,
            ),
            rails,
        )  # fmt: skip
        data = OracleData(0, 0, oracle, confidence, 0, 1)
        assert found == validity(account(market.data), data, SLOT, structs.astuple(rails))
        seen_validities.add(found)
    counted(3_000)
    assert seen_validities >= {"non_positive", "too_volatile", "too_uncertain", "stale_for_margin", "valid"}


def test_what_the_maker_fills(counted: Callable[[int], None]) -> None:
    random, refused, filled = Random(5), 0, 0
    for _ in range(4_000):
        market, oracle = maker_market(random)
        spec, _, maker = seen(market)
        held = booked(random, oracle)
        order, memory = translate_orders.order(held), raw(order_bytes(held))
        limit = random.choice((None, near(random, oracle, 60)))
        existing, tier = signed(random, 10**12, zero=0.2), (c.c_uint32 * 8)(1, 1_000, random.choice((0, 2)), 10_000)
        try:
            native = native_fill(memory, account(market.data), limit, existing, tier)
        except NativeError:
            refused += 1
            continue
        assert maker_fill_e9(order, spec, maker, limit, existing, (tier[2], tier[3])) == native
        filled += native > 0
    counted(4_000 - refused)
    assert refused < 400
    assert filled > 200


def native_fill(order: object, market: object, limit: int | None, existing: int, tier: object) -> int:
    out = (c.c_uint64 * 6)()
    library().math_calculate_base_asset_amount_for_amm_to_fulfill(
        c.byref(out), order, market, Maybe.of(limit), Maybe.of(None), c.c_int64(existing), tier
    )
    if out[0] & 0xFF:
        raise NativeError(out[0] >> 32)
    return int(out[1])
