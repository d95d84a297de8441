"""Swaps through other programs: tokens are lent for the time of a transaction, and what came back is booked.

Source: ``instructions/user.rs`` handle_begin_swap, handle_end_swap; ``math/spot_swap.rs``. The program takes no fee.
"""

from typing import NamedTuple

from drift_engine.core.margin_spot import strict_value_e6
from drift_engine.core.margin_weights import asset_weight_e4, liability_weight_e4, scaled_initial_e4
from drift_engine.core.types import SpotSpec
from drift_engine.core.units import E4, E6, tdiv
from drift_engine.localnet.venue.balances import counted, require_vault, tokens_of, totals
from drift_engine.localnet.venue.figures import spot_figures, status_of
from drift_engine.localnet.venue.frame import Frame
from drift_engine.localnet.venue.funds import taken_out
from drift_engine.localnet.venue.interest import accrued
from drift_engine.localnet.venue.limits import require_caps
from drift_engine.localnet.venue.maps import load_maps
from drift_engine.localnet.venue.margin import require_not_liquidated, require_to_swap
from drift_engine.localnet.venue.pauses import DEPOSIT, FILL, WITHDRAW, is_paused, require_not_paused
from drift_engine.localnet.venue.refusals import require
from drift_engine.localnet.venue.slots import BANKRUPT, REDUCE_ONLY, active, open_spot_slot
from drift_engine.localnet.venue.swap_transaction import require_end
from drift_engine.venues.wire.events.users import SwapRecord
from drift_engine.venues.wire.order_enums import SwapReduceOnly
from drift_engine.venues.wire.spot_market import SpotMarket
from drift_engine.venues.wire.user import User

_FILL_PAUSED, _DEPOSIT_PAUSED, _WITHDRAW_PAUSED = 2, 4, 8


def begin_swap(frame: Frame, in_market_index: int, out_market_index: int, amount_in: int) -> None:
    """Lend tokens to the signer until ``end_swap``, which must follow."""
    require_not_paused(frame.state(), FILL)
    maps = load_maps(frame, writable_spots=(in_market_index, out_market_index))
    user = frame.user()
    require(not user.status & BANKRUPT, "UserBankrupt")
    require_not_liquidated(maps, user, frame.state().liquidation_margin_buffer_ratio)
    for index in (in_market_index, out_market_index):
        market = maps.spot(index)
        open_for = status_of(market) in ("active", "reduce_only") and not market.paused_operations & _FILL_PAUSED
        require(open_for, "MarketFillOrderPaused", f"Swaps disabled for {index}")
        lent = market.flash_loan_amount or market.flash_loan_initial_token_amount
        require(not lent, "InvalidSwap", "begin_swap ended in invalid state")
        accrued(frame, market, maps.price(market))
    require(in_market_index != out_market_index, "InvalidSwap", "in and out market the same")
    require(amount_in, "InvalidSwap", "amount_out cannot be zero")
    lender, other, to = maps.spot(in_market_index), maps.spot(out_market_index), frame.key("in_token_account")
    lender.flash_loan_amount = amount_in
    lender.flash_loan_initial_token_amount = frame.ledger.token_amount(to)
    other.flash_loan_initial_token_amount = frame.ledger.token_amount(frame.key("out_token_account"))
    frame.ledger.move_tokens(frame.key("in_spot_market_vault"), to, frame.state().signer, amount_in)
    require_end(frame)


def end_swap(
    frame: Frame, in_market_index: int, out_market_index: int, limit_price: int | None, reduce_only: int | None
) -> None:
    """Take back what is left of the loan and what was swapped for it, and book both."""
    require_not_paused(frame.state(), FILL)
    maps = load_maps(frame, writable_spots=(in_market_index, out_market_index))
    paused = is_paused(frame.state(), DEPOSIT) and is_paused(frame.state(), WITHDRAW)
    require(not paused, "ExchangePaused")
    user, lender, other = frame.user(), maps.spot(in_market_index), maps.spot(out_market_index)
    text = f"withdraw from market {in_market_index} paused"
    require(not lender.paused_operations & _WITHDRAW_PAUSED, "MarketFillOrderPaused", text)
    require(lender.flash_loan_amount, "InvalidSwap", "the in_spot_market must have a flash loan amount set")
    text = f"deposit to market {out_market_index} paused"
    require(not other.paused_operations & _DEPOSIT_PAUSED, "MarketFillOrderPaused", text)
    gave = Leg(lender, maps.price(lender).price_e6, _held(user, lender))
    got = Leg(other, maps.price(other).price_e6, _held(user, other))
    amount_in = lender.flash_loan_amount - _taken_back(frame, lender, "in")
    taken_out(user, lender, amount_in, None)
    _require_may_borrow(user, gave, amount_in, reduce_only)
    require_vault(lender, frame.ledger.token_amount(frame.key("in_spot_market_vault")))
    amount_out = _taken_back(frame, other, "out")
    if limit_price is not None:
        price_e6 = amount_out * E6 // 10**other.decimals * 10**lender.decimals // amount_in
        text = f"swap_price ({price_e6}) < limit price ({limit_price})"
        require(price_e6 >= limit_price, "SwapLimitPriceBreached", text)
    require(amount_out, "InvalidSwap", "amount_out must be greater than 0")
    slot = open_spot_slot(user, out_market_index)
    user.put_spot(slot, counted(user.spot_slots()[slot], other, amount_out))
    _require_may_hold(user, got, amount_out, reduce_only)
    require_vault(other, frame.ledger.token_amount(frame.key("out_spot_market_vault")))
    for market in (lender, other):
        market.flash_loan_initial_token_amount = market.flash_loan_amount = 0
    require_caps(other, borrowed=False)
    better = sum(_worth_e6(leg, _held(user, leg.market)) - _worth_e6(leg, leg.tokens) for leg in (gave, got)) > 0
    require_to_swap(maps, user, "maintenance" if better else "initial")
    active(user, frame.slot)
    event = SwapRecord(
        ts=frame.now,
        user=frame.key("user"),
        amount_out=amount_out,
        amount_in=amount_in,
        out_market_index=out_market_index,
        in_market_index=in_market_index,
        out_oracle_price=got.oracle_e6,
        in_oracle_price=gave.oracle_e6,
        fee=0,
    )
    frame.emit(event)
    _require_fair(frame, gave, got, amount_in, amount_out)


class Leg(NamedTuple):
    """One side of a swap: its market, the oracle's price and the balance before."""

    market: SpotMarket
    oracle_e6: int
    tokens: int


def _held(user: User, market: SpotMarket) -> int:
    return tokens_of(user.spot_slots()[open_spot_slot(user, market.market_index)], market)


def _taken_back(frame: Frame, market: SpotMarket, side: str) -> int:
    """Move what the signer's token account has gained since the swap began into the vault, and return it."""
    account, vault = frame.key(f"{side}_token_account"), frame.key(f"{side}_spot_market_vault")
    gained = max(0, frame.ledger.token_amount(account) - market.flash_loan_initial_token_amount)
    if gained:
        frame.ledger.move_tokens(account, vault, frame.key("authority"), gained)
    return gained


def _require_may_borrow(user: User, gave: Leg, amount: int, reduce_only: int | None) -> None:
    """Refuse to give more than was held, where the market, the call or the account only lets a balance shrink."""
    if gave.tokens > 0 and gave.tokens >= amount:
        return
    index = gave.market.market_index
    text = f"swap lead to increase in liability for in market {index}"
    require(status_of(gave.market) != "reduce_only", "SpotMarketReduceOnly", "in spot market is reduce only")
    require(reduce_only != SwapReduceOnly.IN, "InvalidSwap", "reduce only violated. In position before < amount in")
    require(user.is_margin_trading_enabled, "MarginTradingDisabled", text)
    require(not user.status & REDUCE_ONLY, "UserReduceOnly", text)


def _require_may_hold(user: User, got: Leg, amount: int, reduce_only: int | None) -> None:
    """Refuse to get more than was owed, where the market, the call or the account only lets a balance shrink."""
    if got.tokens < 0 and -got.tokens >= amount:
        return
    text = f"swap lead to increase in deposit for in market {got.market.market_index}, can only pay off borrow"
    require(status_of(got.market) != "reduce_only", "SpotMarketReduceOnly", "out spot market is reduce only")
    require(reduce_only != SwapReduceOnly.OUT, "InvalidSwap", "reduce only violated. Out position before < amount out")
    require(not user.status & REDUCE_ONLY, "UserReduceOnly", text)


def _worth_e6(leg: Leg, tokens: int) -> int:
    """Return what a balance adds to free collateral, at strict prices (select_margin_type_for_swap)."""
    market, figures = leg.market, spot_figures(leg.market)
    spec, average_e6 = figures.spec, market.historical_oracle_data.last_oracle_price_twap_5min
    if not isinstance(spec, SpotSpec):
        return 0
    low_e6, high_e6 = min(leg.oracle_e6, average_e6), max(leg.oracle_e6, average_e6)
    value_e6 = strict_value_e6(tokens, market.decimals, low_e6, high_e6)
    if tokens < 0:
        return tdiv(value_e6 * liability_weight_e4(spec, tokens, "initial"), E4)
    scaled = scaled_initial_e4(spec, totals(market)[0], leg.oracle_e6) if spec.scale_initial_from_e6 else None
    return tdiv(value_e6 * asset_weight_e4(spec, tokens, "initial", initial_e4=scaled), E4)


def _require_fair(frame: Frame, gave: Leg, got: Leg, amount_in: int, amount_out: int) -> None:
    """Refuse a swap too far from the oracle or its average (validate_price_bands_for_swap)."""
    ratio_e4, leg, sold = gave.market.initial_liability_weight - E4, gave, True
    if ratio_e4:
        value_e6 = amount_out * got.oracle_e6 // 10**got.market.decimals
        price_e6 = value_e6 * 10**gave.market.decimals // amount_in
    else:
        ratio_e4, leg, sold = got.market.initial_liability_weight - E4, got, False
        price_e6 = amount_in * 10**got.market.decimals // amount_out
    average_e6 = leg.market.historical_oracle_data.last_oracle_price_twap_5min
    if sold and price_e6 > max(leg.oracle_e6, average_e6):
        return
    if not sold and price_e6 < min(leg.oracle_e6, average_e6):
        return
    most = max(frame.state().oracle_guard_rails.oracle_twap_5min_percent_divergence, E6 // 2)
    near = abs(tdiv((price_e6 - leg.oracle_e6) * E4, leg.oracle_e6)) < ratio_e4
    require(near, "PriceBandsBreached", "Fill Price Breaches Oracle Price Bands")
    near = abs(tdiv((price_e6 - average_e6) * E6, average_e6)) < most
    require(near, "PriceBandsBreached", "Fill Price Breaches Oracle TWAP Price Bands")
