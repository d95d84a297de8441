"""How much of a token may leave, be borrowed and be deposited: the program's brakes on a whole market.

Source: ``math/spot_withdraw.rs`` (check_withdraw_limits and what it calls,
get_max_withdraw_for_market_with_token_amount), ``state/spot_market.rs`` validate_max_token_deposits_and_borrows.
Amounts are in the token's units.
"""

from drift_engine.core.units import E4, E6
from drift_engine.localnet.venue.balances import BORROW, DEPOSIT, tokens_of, totals
from drift_engine.localnet.venue.refusals import require
from drift_engine.localnet.venue.slots import spot_slot
from drift_engine.venues.wire.spot_market import SpotMarket
from drift_engine.venues.wire.user import User

_ANY = 1 << 127


def allows_withdrawal(market: SpotMarket, user: User, taken: int) -> bool:
    """Return whether a market lets tokens go; they are gone from the user's balance already."""
    deposits, borrows = totals(market)
    least, most = _bounds(market, deposits, borrows)
    slot = spot_slot(user, market.market_index)
    held = user.spot_slots()[slot or 0]
    allowed = deposits >= least and (held.balance_type != BORROW or borrows <= most)
    return allowed or _is_small(market, user, taken)


def most_withdrawable(market: SpotMarket, tokens: int) -> int:
    """Return what may be taken inside the program, where a balance of ``tokens`` may turn into a borrow."""
    deposits, borrows = totals(market)
    lesser = min(deposits, market.deposit_token_twap)
    cap = min(_most_borrowed(market, lesser), _ANY)
    room = max(0, min(max(0, cap - borrows), deposits - borrows))
    if limit := _borrow_cap(market):
        room = min(room, max(0, limit - borrows))
    return max(0, tokens) + room


def require_caps(market: SpotMarket, *, borrowed: bool) -> None:
    """Refuse more deposits, or more borrows, than a market takes."""
    deposits, borrows = totals(market)
    most = market.max_token_deposits
    require(most == 0 or deposits <= most, "MaxDeposit", f"max token amount ({most}) < deposits ({deposits})")
    if borrowed and (limit := _borrow_cap(market)):
        require(borrows <= limit, "MaxBorrows", f"max token amount ({limit}) < borrows ({borrows})")


def _borrow_cap(market: SpotMarket) -> int:
    if market.max_token_borrows_fraction == 0 or market.max_token_deposits == 0:
        return 0
    return market.max_token_deposits * market.max_token_borrows_fraction // E4


def _most_borrowed(market: SpotMarket, lesser: int) -> int:
    """Return the most that may be borrowed, by the day's averages (calculate_max_borrow_token_amount)."""
    third, part, rest = (3, 5, 14) if market.pool_id == 0 else (2, 3, 20)
    by_average = min(max(lesser // third, market.borrow_token_twap + lesser // part), lesser - lesser // rest)
    cap = _borrow_cap(market) if market.max_token_borrows_fraction else _ANY
    return min(max(market.withdraw_guard_threshold, by_average), cap)


def _bounds(market: SpotMarket, deposits: int, borrows: int) -> tuple[int, int]:
    """Return the least that must stay deposited, and the most that may be borrowed."""
    guard, average = market.withdraw_guard_threshold, market.deposit_token_twap
    most_used_e6 = max(market.optimal_utilization, market.utilization_twap + max(0, E6 - market.utilization_twap) // 2)
    least_by_use = min(borrows * E6 // most_used_e6, max(0, deposits - guard))
    least_by_average = average - max(average // 4, min(guard, average))
    most_by_use = max(most_used_e6 * deposits // E6, guard)
    lesser = min(deposits, average)
    return max(least_by_average, least_by_use), min(_most_borrowed(market, lesser), most_by_use)


def _is_small(market: SpotMarket, user: User, taken: int) -> bool:
    """Return whether a small depositor takes back his own (check_user_exception_to_withdraw_limits)."""
    held = user.spot_slots()[spot_slot(user, market.market_index) or 0]
    if user.total_deposits < user.total_withdraws or held.cumulative_deposits < 0 or held.balance_type != DEPOSIT:
        return False
    return tokens_of(held, market) + taken < market.withdraw_guard_threshold // 10
