"""Profit and loss, settled between a position and the quote balance through the market's PnL pool.

Source: ``controller/pnl.rs`` settle_pnl, ``controller/amm.rs`` update_pool_balances, ``math/amm.rs``
calculate_net_user_pnl, ``state/user.rs`` get_claimable_pnl, ``instructions/keeper.rs`` handle_settle_pnl,
handle_settle_multiple_pnls. What the market's pools owe each other meanwhile is ``pools``.
"""

from drift_engine.core.oracle_validity import ERRORS, accepts
from drift_engine.core.perp_position import claimable_e6
from drift_engine.core.units import notional_e6
from drift_engine.localnet.program import ProgramError
from drift_engine.localnet.venue import amm, funding, pools
from drift_engine.localnet.venue.balances import moved, pool_tokens, require_vault, tokens_of
from drift_engine.localnet.venue.figures import status_of
from drift_engine.localnet.venue.frame import Frame
from drift_engine.localnet.venue.interest import accrued
from drift_engine.localnet.venue.limits import most_withdrawable
from drift_engine.localnet.venue.maps import QUOTE, Maps, load_maps
from drift_engine.localnet.venue.margin import SETTLEMENT, scopes
from drift_engine.localnet.venue.pauses import SETTLE_PNL, require_not_paused
from drift_engine.localnet.venue.positions import held, settled
from drift_engine.localnet.venue.refusals import refuse, require
from drift_engine.localnet.venue.slots import BANKRUPT, BEING_LIQUIDATED, perp_slot
from drift_engine.venues.translate import oracles as translate_oracles
from drift_engine.venues.wire.events.trading import SettlePnlRecord
from drift_engine.venues.wire.order_enums import SettleMode
from drift_engine.venues.wire.perp_market import PerpMarket
from drift_engine.venues.wire.spot_market import SpotMarket
from drift_engine.venues.wire.user import PerpPosition, User

_SETTLE_PAUSED, _SETTLE_WITH_POSITION_PAUSED = 8, 16


def settle_pnl(frame: Frame, market_index: int) -> None:
    """Settle one position's PnL."""
    require_not_paused(frame.state(), SETTLE_PNL)
    user = frame.user()
    require(user.pool_id == 0, "InvalidPoolId", "user have pool_id 0")
    maps = load_maps(frame, writable_perps=(market_index,), writable_spots=(QUOTE,))
    settle(maps, user, market_index)
    require_vault(maps.spot(QUOTE), frame.ledger.token_amount(frame.key("spot_market_vault")))


def settle_multiple_pnls(frame: Frame, market_indexes: tuple[int, ...], mode: int) -> None:
    """Settle several positions' PnL; by mode, one that cannot be settled fails them all or is left out."""
    require_not_paused(frame.state(), SETTLE_PNL)
    user = frame.user()
    maps = load_maps(frame, writable_perps=market_indexes, writable_spots=(QUOTE,))
    sound = scopes(maps, user, SETTLEMENT).sound
    for index in market_indexes:
        settle(maps, user, index, SettleMode(mode), sound=sound)
    require_vault(maps.spot(QUOTE), frame.ledger.token_amount(frame.key("spot_market_vault")))


def settle(
    maps: Maps, user: User, index: int, mode: SettleMode = SettleMode.MUST, *, sound: bool | None = None
) -> None:
    """Settle one position's PnL, or refuse; trying, say why not and leave it."""
    frame, market = maps.frame, maps.perp(index)
    reading = maps.price(market)
    amm.crank(market, reading, frame.state().oracle_guard_rails, frame.slot, frame.now)
    require(not user.status & BANKRUPT, "UserBankrupt")
    quote = maps.spot(QUOTE)
    accrued(frame, quote, None)
    amm.require_within_band(market, reading.price_e6, frame.state().oracle_guard_rails)
    funding.settle(frame, user, frame.key("user"), market)
    try:
        slot = _settleable(maps, user, market, sound=sound)
        pnl_e6 = _settled_with(maps, user, user.perp_slots()[slot], market, quote)
    except ProgramError as refusal:
        if mode == SettleMode.MUST or refusal.code < _FIRST_OWN:
            raise
        frame.say(f"Error {refusal.name} for market {index}")
        return
    _book(frame, user, slot, market, quote, pnl_e6, reading.price_e6)


_FIRST_OWN = 6_000


def _settleable(maps: Maps, user: User, market: PerpMarket, *, sound: bool | None) -> int:
    """Return the slot of a position that may be settled."""
    slot = perp_slot(user, market.market_index)
    if slot is None:
        refuse("UserHasNoPositionInMarket", f"User has no position in market {market.market_index}")
    position, reading, frame = user.perp_slots()[slot], maps.price(market), maps.frame
    if value_e6(position, reading.price_e6) < 0:
        sound = scopes(maps, user, SETTLEMENT).sound if sound is None else sound
        require(sound, "InsufficientCollateralForSettlingPNL", "Does not meet margin requirement while settling")
    if market.curve_update_intensity > 0:
        validity = translate_oracles.validity(market, reading, frame.state().oracle_guard_rails)
        if not accepts("settle_pnl", validity) and not market.last_oracle_valid:
            refuse(ERRORS[validity])
        fresh = market.last_update_slot == frame.slot or accepts("settle_pnl", validity)
        require(fresh, "AMMNotUpdatedInSameSlot", "AMM must be updated in a prior instruction within same slot")
    status, paused, name = status_of(market), market.paused_operations, "InvalidMarketStatusToSettlePnl"
    require(not paused & _SETTLE_PAUSED, name, "Cannot settle pnl under current market status")
    if position.base_asset_amount:
        require(not paused & _SETTLE_WITH_POSITION_PAUSED, name, "Cannot settle pnl with position")
        require(status == "active", name, "Cannot settle pnl with position under non-Active market")
    require(status in ("active", "reduce_only"), name, "Cannot settle pnl under current market status")
    return slot


def value_e6(position: PerpPosition, price_e6: int) -> int:
    """Return a position's unrealised PnL at a price (``math/position.rs``)."""
    return position.quote_asset_amount + notional_e6(position.base_asset_amount, max(price_e6, 0))


def _settled_with(maps: Maps, user: User, position: PerpPosition, market: PerpMarket, quote: SpotMarket) -> int:
    """Return what may be settled, after taking it from the market's PnL pool (or giving it there)."""
    price_e6, frame = maps.price(market).price_e6, maps.frame
    pool_e6, fees_e6 = pool_tokens(market.pnl_pool, quote), pool_tokens(market.fee_pool, quote) // 5
    users_e6 = (
        notional_e6(market.base_asset_amount_with_amm, price_e6)
        + market.quote_asset_amount
        + market.net_unsettled_funding_pnl
    )
    excess_e6 = pool_e6 + fees_e6 - max(users_e6, 0) if users_e6 < pool_e6 + fees_e6 else 0
    unsettled_e6 = claimable_e6(held(position), price_e6, excess_e6)
    shares = pools.balanced(market, quote, frame.now)
    if unsettled_e6 > 0:
        pnl_e6 = min(unsettled_e6, pool_tokens(market.pnl_pool, quote))
    else:
        pnl_e6 = max(unsettled_e6, -most_withdrawable(quote, tokens_of(user.spot_slots()[0], quote)))
    require(unsettled_e6, "NoUnsettledPnl", f"User has no unsettled pnl for market {market.market_index}")
    require(pnl_e6, "PnlPoolCantSettleUser", "Pnl Pool cannot currently settle with user")
    leaving = pnl_e6 > 0 and position.base_asset_amount == 0 and user.status & BEING_LIQUIDATED
    own = frame.key("authority") in (user.authority, user.delegate)
    others_may = pnl_e6 < 0 or excess_e6 > 0 or leaving or own
    require(others_may, "UserMustSettleTheirOwnPositiveUnsettledPNL")
    pools.paid_out(market, quote, pnl_e6, shares=shares)
    return pnl_e6


def _book(
    frame: Frame, user: User, slot: int, market: PerpMarket, quote: SpotMarket, pnl_e6: int, price_e6: int
) -> None:
    user.put_spot(0, moved(user.spot_slots()[0], quote, pnl_e6))
    after = settled(user.perp_slots()[slot], market, pnl_e6)
    user.put_perp(slot, after)
    user.settled_perp_pnl += pnl_e6
    event = SettlePnlRecord(
        ts=frame.now,
        user=frame.key("user"),
        market_index=market.market_index,
        pnl=pnl_e6,
        base_asset_amount=after.base_asset_amount,
        quote_asset_amount_after=after.quote_asset_amount,
        quote_entry_amount=after.quote_entry_amount,
        settle_price=price_e6,
        explanation=0,
    )
    frame.emit(event)
