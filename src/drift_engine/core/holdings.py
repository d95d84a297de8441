"""What the ledger holds: positions and balances put into a state, and the value of each kept as it changes.

Part of ``position_manager``, which alone calls it: each function changes one market's part of the account and returns
the change in its value, so that the caller can name the cause.
"""

from msgspec import structs

from drift_engine.core.perp_position import with_less_open, with_order
from drift_engine.core.spot_balance import add_tokens, decimals_of, token_amount
from drift_engine.core.types import EngineState as State
from drift_engine.core.types import Holding, Leg, Market, PerpPosition, SpotBalance
from drift_engine.core.units import E9, TENS
from drift_engine.core.valuation import perp_value_e6, spot_value_e6


def opened(position: PerpPosition, market: Market) -> PerpPosition:
    """Return a position about to be traded: one without base owes no funding of the time before."""
    if position.base_e9:
        return position
    return structs.replace(position, funding_cursor_e9=market.funding_cumulative_e9)


def set_perp(state: State, position: PerpPosition) -> int:
    """Put a position into the account, an empty one out of it, and return the change in its value."""
    _put_perp(state, position)
    worth_e6 = perp_value_e6(position, state.markets[position.market]) - position.quote_e6
    holding = Holding(position.base_e9, E9, worth_e6, position.quote_e6, truncates=position.base_e9 < 0)
    return _hold(state, position.market, holding)


def set_quote(state: State, position: PerpPosition) -> int:
    """Put a position into the account whose base has not changed, and return the change in its value."""
    holding = state.held.get(position.market)
    if holding is None or not position.base_e9:
        return set_perp(state, position)
    _put_perp(state, position)
    change_e6 = position.quote_e6 - holding.rest_e6
    holding.rest_e6 = position.quote_e6
    return change_e6


def open_order(state: State, leg: Leg) -> None:
    """Count a leg of a perp as an open order. It is worth nothing yet, so no value changes."""
    if state.markets[leg.market].spec.kind == "perp":
        _put_perp(state, with_order(state.account.perp(leg.market), leg.base_e9))


def close_order(state: State, leg: Leg, filled_e9: int) -> None:
    """Count a leg of a perp, and what of it has not filled, as open no more."""
    if state.markets[leg.market].spec.kind == "perp":
        _put_perp(state, with_less_open(state.account.perp(leg.market), leg.base_e9 - filled_e9, 1))


def _put_perp(state: State, position: PerpPosition) -> None:
    account = state.account
    if position.base_e9 or position.quote_e6:
        state.account = account.with_perp(position)
    elif position.open_orders:
        state.account = account.with_perp(_only_orders(position))
    else:
        perps = tuple(other for other in account.perps if other.market != position.market)
        state.account = structs.replace(account, perps=perps)


def _only_orders(position: PerpPosition) -> PerpPosition:
    """Return what is left of a position that is closed and settled: its open orders, and none of its history."""
    return PerpPosition(
        position.market,
        open_bids_e9=position.open_bids_e9,
        open_asks_e9=position.open_asks_e9,
        open_orders=position.open_orders,
        max_margin_ratio_e4=position.max_margin_ratio_e4,
    )


def move_tokens(state: State, market: str, tokens: int, *, leaving: bool = False) -> int:
    """Add a signed token amount to a balance and return the change in its value."""
    account = state.account
    scaled_e9 = add_tokens(account.spot(market).scaled_e9, tokens, state.markets[market], leaving=leaving)
    if scaled_e9:
        state.account = account.with_spot(SpotBalance(market, scaled_e9))
    else:
        spots = tuple(other for other in account.spots if other.market != market)
        state.account = structs.replace(account, spots=spots)
    return revalue_spot(state, market)


def revalue_spot(state: State, name: str) -> int:
    """Bring what a balance is worth up to date after it or its market changed, and return the change in its value."""
    market, account = state.markets[name], state.account
    balance = account.spot(name)
    value_e6 = spot_value_e6(balance, market, account.quote)
    if name == account.quote:
        return _hold(state, name, Holding(0, 1, 0, value_e6))
    return _hold(state, name, Holding(token_amount(balance.scaled_e9, market), TENS[decimals_of(market)], value_e6, 0))


def _hold(state: State, name: str, holding: Holding) -> int:
    """Keep what is held in a market, if it is anything, and return the change in its value."""
    before = state.held.get(name)
    value_e6 = holding.worth_e6 + holding.rest_e6
    if holding.amount or value_e6:
        state.held[name] = holding
    else:
        state.held.pop(name, None)
    return value_e6 - before.worth_e6 - before.rest_e6 if before else value_e6
