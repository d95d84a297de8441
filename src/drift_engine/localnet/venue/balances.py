"""Spot balances on the wire, changed by the formula of ``core``, and the market's totals changed with them.

A deposit or a borrow of anyone (a user, a market's pool) is part of the market's total of its kind. Source:
``controller/spot_balance.rs`` update_spot_balances, ``controller/spot_position.rs``.
"""

from msgspec import structs

from drift_engine.core.spot_balance import add_tokens, token_amount
from drift_engine.core.types import Market
from drift_engine.localnet.venue.figures import spot_figures
from drift_engine.localnet.venue.refusals import require
from drift_engine.venues.wire.records import PoolBalance
from drift_engine.venues.wire.spot_market import SpotMarket
from drift_engine.venues.wire.user import SpotPosition

DEPOSIT, BORROW = 0, 1


def scaled_e9(position: SpotPosition) -> int:
    """Return a balance as one signed figure: positive for a deposit, negative for a borrow."""
    return -position.scaled_balance if position.balance_type == BORROW else position.scaled_balance


def tokens_of(position: SpotPosition, market: SpotMarket) -> int:
    """Return the signed token amount of a balance."""
    return token_amount(scaled_e9(position), spot_figures(market))


def pool_tokens(pool: PoolBalance, market: SpotMarket) -> int:
    """Return the token amount of a pool."""
    return token_amount(pool.scaled_balance, spot_figures(market))


def moved(position: SpotPosition, market: SpotMarket, tokens: int, *, leaving: bool = False) -> SpotPosition:
    """Return a balance after signed tokens were added, booked in the market."""
    after_e9 = _moved(scaled_e9(position), market, tokens, leaving=leaving)
    kind = position.balance_type if after_e9 == 0 else BORROW if after_e9 < 0 else DEPOSIT
    return structs.replace(position, scaled_balance=abs(after_e9), balance_type=kind)


def counted(position: SpotPosition, market: SpotMarket, tokens: int, *, leaving: bool = False) -> SpotPosition:
    """Return a balance after signed tokens came in or went out, counted among its cumulative deposits."""
    after = moved(position, market, tokens, leaving=leaving)
    return structs.replace(after, cumulative_deposits=position.cumulative_deposits + tokens)


def pool_moved(pool: PoolBalance, market: SpotMarket, tokens: int) -> PoolBalance:
    """Return a pool after signed tokens were added, booked in the market."""
    return structs.replace(pool, scaled_balance=_moved(pool.scaled_balance, market, tokens, leaving=False))


def _moved(before_e9: int, market: SpotMarket, tokens: int, *, leaving: bool) -> int:
    after_e9 = add_tokens(before_e9, tokens, spot_figures(market), leaving=leaving)
    market.deposit_balance += max(after_e9, 0) - max(before_e9, 0)
    market.borrow_balance += max(-after_e9, 0) - max(-before_e9, 0)
    if leaving and tokens < 0:
        deposits, borrows = totals(market)
        require(deposits >= borrows, "SpotMarketInsufficientDeposits", f"deposits ({deposits}) borrows ({borrows})")
    return after_e9


def totals(market: SpotMarket, figures: Market | None = None) -> tuple[int, int]:
    """Return the token amounts of all deposits and of all borrows, both positive."""
    known = figures or spot_figures(market)
    return token_amount(market.deposit_balance, known), -token_amount(-market.borrow_balance, known)


def require_vault(market: SpotMarket, vault: int) -> None:
    """Refuse to leave a vault with less than is owed (``math/spot_withdraw.rs`` validate_spot_market_vault_amount)."""
    deposits, borrows = totals(market)
    require(
        vault >= deposits - borrows,
        "SpotMarketVaultInvariantViolated",
        f"spot market vault={vault} holds less than remaining depositor claims={deposits - borrows}",
    )
