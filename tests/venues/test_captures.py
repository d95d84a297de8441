"""Accounts captured on the chain (Drift v2) decode to the figures that are known of them."""

from pathlib import Path

from account_values import captured, captured_lines
from msgspec.structs import asdict

from drift_engine.venues import addresses
from drift_engine.venues.programs import DRIFT_V2
from drift_engine.venues.wire.accounts import blank, decode_as
from drift_engine.venues.wire.oracle_accounts import PrelaunchOracle, PythLazerOracle
from drift_engine.venues.wire.perp_market import PerpMarket
from drift_engine.venues.wire.spot_market import SpotMarket
from drift_engine.venues.wire.user import User
from drift_engine.venues.wire.user_stats import UserStats

DRIFT = DRIFT_V2.program_id
PERP_FACTS = {  # name: last update slot, step, tick, minimum, imf, initial, maintenance, liquidator, insurance, tier
    "SOL-PERP": (405286914, 10**7, 100, 10**7, 50, 500, 300, 7500, 7500, 1),
    "BTC-PERP": (348900662, 10**5, 10**5, 10**5, 4000, 500, 300, 5000, 7500, 0),
    "ETH-PERP": (405287065, 10**6, 10**4, 10**6, 250, 500, 200, 5000, 7500, 1),
}
SPOT_FACTS = {  # index: decimals, four weights, imf, optimal utilisation, rate there, max rate, liquidator, insurance
    0: (6, 10000, 10000, 10000, 10000, 0, 800000, 52500, 900000, 0, 5000),
    1: (9, 8000, 9000, 12000, 11000, 1250, 800000, 100000, 1500000, 7500, 22500),
    3: (8, 8000, 9000, 12000, 11000, 105000, 750000, 60000, 1500000, 7500, 32500),
    4: (8, 8000, 9000, 12000, 11000, 25000, 750000, 60000, 1500000, 7500, 32500),
}


def test_every_captured_user_decodes(shared: Path) -> None:
    users = [decode_as(User, DRIFT, data) for data in captured_lines(shared, "User.jsonl")]
    assert len(users) >= 53
    assert sum(len(user.perp_positions()) for user in users) >= 48
    assert sum(len(user.spot_positions()) for user in users) >= 77
    assert sum(len(user.orders()) for user in users) >= 19
    assert all(user.open_orders == len(user.orders()) for user in users)


def test_captured_users_are_what_they_would_be_written_as(shared: Path) -> None:
    for data in captured_lines(shared, "User.jsonl"):
        user, copy = decode_as(User, DRIFT, data), blank(DRIFT_V2, User)
        for name, value in asdict(user.snapshot()).items():
            if "*" not in user.layout.types[name]:
                setattr(copy, name, value)
        for slot in range(8):
            copy.put_spot(slot, user.spot_slots()[slot])
            copy.put_perp(slot, user.perp_slots()[slot])
        for slot, order in enumerate(user.order_slots()):
            copy.put_order(slot, order)
        assert copy.snapshot() == user.snapshot()


def test_every_captured_statistics_account_decodes(shared: Path) -> None:
    found = [decode_as(UserStats, DRIFT, data) for data in captured_lines(shared, "UserStats.jsonl")]
    assert found
    assert all(stats.number_of_sub_accounts <= stats.number_of_sub_accounts_created for stats in found)


def test_captured_perp_markets_have_the_known_facts(shared: Path) -> None:
    found = {
        (market.name, market.last_update_slot): (
            *(market.order_step_size, market.order_tick_size, market.min_order_size, market.imf_factor),
            *(market.margin_ratio_initial, market.margin_ratio_maintenance, market.liquidator_fee),
            *(market.if_liquidation_fee, market.contract_tier),
        )
        for _, data in captured(shared, "PerpMarket")
        for market in [decode_as(PerpMarket, DRIFT, data)]
    }
    for name, (slot, *facts) in PERP_FACTS.items():
        assert found[name, slot] == tuple(facts)


def test_captured_spot_markets_have_the_known_facts(shared: Path) -> None:
    found = [decode_as(SpotMarket, DRIFT, data) for _, data in captured(shared, "SpotMarket")]
    facts = [
        (
            *(market.decimals, market.initial_asset_weight, market.maintenance_asset_weight),
            *(market.initial_liability_weight, market.maintenance_liability_weight, market.imf_factor),
            *(market.optimal_utilization, market.optimal_borrow_rate, market.max_borrow_rate),
            *(market.liquidator_fee, market.if_liquidation_fee),
        )
        for market in found
    ]
    for index, expected in SPOT_FACTS.items():
        assert (index, expected) in [(market.market_index, fact) for market, fact in zip(found, facts, strict=True)]


def test_a_captured_market_lies_at_the_address_it_names(shared: Path) -> None:
    for address, data in captured(shared, "PerpMarket"):
        market = decode_as(PerpMarket, DRIFT, data)
        assert market.pubkey == addresses.perp_market(DRIFT, market.market_index)
        assert address in {None, str(market.pubkey)}
        assert market.historical_oracle_data.last_oracle_price > 0


def test_the_captured_portfolio_is_in_high_leverage_mode(shared: Path) -> None:
    folder = shared / "fixtures" / "margin_swift_failure"
    assert folder.is_dir()
    ((address, data),) = captured(shared, "User_")
    user = decode_as(User, DRIFT, data)
    assert address is not None
    assert user.margin_mode == 1
    perps = {held.market_index: held.base_asset_amount for held in user.perp_positions()}
    assert perps == {1: 300_000_000, 24: 20_000_000_000_000}


def test_captured_oracles_of_the_program_decode(shared: Path) -> None:
    lazer = [decode_as(PythLazerOracle, DRIFT, data) for _, data in captured(shared, "PythLazerOracle")]
    assert len(lazer) == 5
    assert {oracle.exponent for oracle in lazer} <= {-8, -9, -10}
    early = [decode_as(PrelaunchOracle, DRIFT, data) for _, data in captured(shared, "PrelaunchOracle")]
    assert len(early) == 3
    assert all(0 < oracle.price <= oracle.max_price for oracle in early)
