"""What things are worth at the oracle."""

import pytest
from core_books import account, markets, perp, spot

from drift_engine.core.types import PerpPosition, SpotBalance
from drift_engine.core.units import E6, E9
from drift_engine.core.valuation import PriceUnknownError, equity_e6, oracle_price_e6, perp_value_e6, spot_value_e6


def test_a_perp_is_its_base_at_the_oracle_plus_its_quote() -> None:
    """calculate_user_equity_value_tests: half of 12.295081967 BTC short from 25,000, at 21,050: 24,282.786896 up.

    The program truncates the size's value first, so the last unit is by that rule.
    """
    position = PerpPosition("BTC-PERP", -(12_295_081_967 // 2), 153_688_524_588)
    assert perp_value_e6(position, perp(21_050 * E6, name="BTC-PERP")) == 24_282_786_896
    assert perp_value_e6(PerpPosition("SOL-PERP", 3, 0), perp(E9 - 1)) == 2
    assert perp_value_e6(PerpPosition("SOL-PERP", -3, 0), perp(E9 - 1)) == -2
    assert perp_value_e6(PerpPosition("SOL-PERP", 0, -7), perp(None)) == -7


def test_a_balance_is_floored_whatever_its_side() -> None:
    market = spot(100 * E6)
    assert spot_value_e6(SpotBalance("SOL", 19), market, "USDC") == 1
    assert spot_value_e6(SpotBalance("SOL", -19), market, "USDC") == -2
    assert spot_value_e6(SpotBalance("SOL", 0), spot(None), "USDC") == 0


def test_the_quote_asset_is_worth_its_amount() -> None:
    assert spot_value_e6(SpotBalance("USDC", 5 * E9), spot(None, name="USDC"), "USDC") == 5 * E6


def test_equity_is_the_sum() -> None:
    held = account(1_000, SpotBalance("SOL", -2 * E9), PerpPosition("SOL-PERP", 3 * E9, -280 * E6))
    assert equity_e6(held, markets(spot(90 * E6), perp(100 * E6))) == (1_000 - 180 + 20) * E6


def test_a_price_that_is_not_known_is_an_error() -> None:
    with pytest.raises(PriceUnknownError, match="SOL-PERP"):
        equity_e6(account(1, PerpPosition("SOL-PERP", 1)), markets(perp(None)))
    with pytest.raises(PriceUnknownError, match="SOL"):
        oracle_price_e6(spot(None))
