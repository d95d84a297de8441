"""Margin as a played instruction asks for it, by ``core.margin_scopes`` on the accounts that were given.

Sources: ``math/margin.rs`` (meets_place_order_margin_requirement, validate_any_isolated_tier_requirements,
validate_spot_margin_trading), ``state/user.rs`` meets_withdraw_margin_requirement_and_increment_fuel_bonus,
``math/liquidation.rs`` validate_user_not_being_liquidated.
"""

from drift_engine.core.margin_scopes import Ask, Scopes, every, scopes_of, to_place
from drift_engine.core.oracle_validity import accepts
from drift_engine.core.types import MarginKind
from drift_engine.core.units import floor_div
from drift_engine.core.valuation import PriceUnknownError
from drift_engine.localnet.venue.balances import tokens_of
from drift_engine.localnet.venue.figures import account_of
from drift_engine.localnet.venue.maps import QUOTE, Maps
from drift_engine.localnet.venue.refusals import refuse, require
from drift_engine.localnet.venue.slots import BANKRUPT, BEING_LIQUIDATED, REDUCE_ONLY
from drift_engine.venues.translate import oracles as translate_oracles
from drift_engine.venues.wire.perp_market import PerpMarket
from drift_engine.venues.wire.spot_market import SpotMarket
from drift_engine.venues.wire.user import User

SETTLEMENT = every("maintenance", strict=True)
FILL = every("fill")
_ISOLATED_TIER = 5


def scopes(maps: Maps, user: User, ask: Ask) -> Scopes:
    """Return an account's margin in each scope."""
    account, markets = account_of(maps, user)
    try:
        return scopes_of(account, markets, ask)
    except PriceUnknownError as unknown:
        refuse("InvalidOracle", str(unknown))


def require_to_place(maps: Maps, user: User, *, risk_increasing: bool, isolated: str = "") -> None:
    """Refuse orders that leave too little margin."""
    found = scopes(maps, user, to_place(risk_increasing=risk_increasing, isolated=isolated))
    _require_sound(maps, found)
    _require_tiers(user, found)


def require_to_withdraw(maps: Maps, user: User) -> None:
    """Refuse a withdrawal that leaves too little margin, or that no valid oracle answers for."""
    require_to_swap(maps, user, "initial")
    require_margin_trading(maps, user)


def require_to_swap(maps: Maps, user: User, kind: MarginKind) -> None:
    """Refuse a swap that leaves too little margin; initial margin is asked for at strict prices."""
    found = scopes(maps, user, every(kind, strict=kind == "initial"))
    if any(scope.requirement_e6 for scope in found.scopes.values()) or found.perp_liabilities or found.spot_liabilities:
        require_valid_liabilities(maps, user)
    _require_tiers(user, found)
    _require_sound(maps, found)


def require_valid_liabilities(maps: Maps, user: User) -> None:
    """Refuse where the oracle of something owed is not valid for margin."""
    text = "User attempting to withdraw with outstanding liabilities when an oracle is invalid"
    owed: list[PerpMarket | SpotMarket] = [maps.perp(position.market_index) for position in user.perp_positions()]
    owed += [maps.spot(held.market_index) for held in user.spot_positions() if held.balance_type and held.market_index]
    rails = maps.frame.state().oracle_guard_rails
    for market in owed:
        valid = accepts("margin", translate_oracles.validity(market, maps.price(market), rails))
        require(valid, "InvalidOracle", text)


def require_not_liquidated(maps: Maps, user: User, buffer_e4: int) -> None:
    """Let a flagged account out of liquidation where its margin has recovered, refuse it otherwise."""
    if not user.status & (BEING_LIQUIDATED | BANKRUPT):
        return
    require(scopes(maps, user, every("maintenance", buffer_e4=buffer_e4)).cross.sound_buffered, "UserIsBeingLiquidated")
    leave_liquidation(user)


def leave_liquidation(user: User) -> None:
    """Take the flags of a liquidation away (exit_cross_margin_liquidation)."""
    user.status &= ~(BEING_LIQUIDATED | BANKRUPT)
    user.liquidation_margin_freed = 0


def require_margin_trading(maps: Maps, user: User) -> None:
    """Refuse spot orders that could borrow where the account does not trade on margin."""
    if user.is_margin_trading_enabled:
        for position in user.perp_positions():
            isolated = maps.perp(position.market_index).contract_tier == _ISOLATED_TIER
            require(not isolated, "IsolatedAssetTierViolation", "an isolated market doesn't allow margin trading")
        return
    bids_e6 = 0
    for balance in user.spot_positions():
        if balance.open_asks < 0:
            left = tokens_of(balance, maps.spot(balance.market_index)) + balance.open_asks
            require(left >= 0, "MarginTradingDisabled", "Open asks can lead to increased borrow")
        if balance.open_bids > 0:
            spot = maps.spot(balance.market_index)
            bids_e6 += floor_div(-balance.open_bids * maps.price(spot).price_e6, 10**spot.decimals)
    quote = user.spot_slots()[0]
    held = 0 if quote.empty else tokens_of(quote, maps.spot(QUOTE))
    require(bids_e6 == 0 or held + bids_e6 >= 0, "MarginTradingDisabled", "Open bids leads to increased borrow")


def _require_sound(maps: Maps, found: Scopes) -> None:
    if not found.sound:
        cross = found.cross
        maps.frame.say(f"total_collateral={cross.collateral_e6}, margin_requirement={cross.requirement_e6}")
        refuse("InsufficientCollateral")


def _require_tiers(user: User, found: Scopes) -> None:
    if user.status & REDUCE_ONLY:
        return
    if found.perp_tier_isolated:
        alone = found.perp_liabilities <= 1 and not user.is_margin_trading_enabled
        borrows = user.spot_slots()[0].balance_type and user.spot_slots()[0].scaled_balance
        quote_only = found.spot_liabilities == 0 or (found.spot_liabilities == 1 and borrows)
        require(alone and quote_only, "IsolatedAssetTierViolation")
    if found.spot_tier_isolated:
        require(found.perp_liabilities == 0 and found.spot_liabilities == 1, "IsolatedAssetTierViolation")
