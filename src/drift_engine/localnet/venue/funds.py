"""Tokens in, out and across: deposit, withdraw, transfer_deposit.

Source: ``instructions/user.rs`` handle_deposit, handle_withdraw, handle_transfer_deposit, and
``controller/spot_position.rs``.
"""

from typing import NamedTuple

from solders.pubkey import Pubkey

from drift_engine.core.withdrawable import withdrawable
from drift_engine.localnet.venue.balances import BORROW, DEPOSIT, counted, require_vault, tokens_of
from drift_engine.localnet.venue.figures import account_of, status_of
from drift_engine.localnet.venue.frame import Frame
from drift_engine.localnet.venue.interest import accrued
from drift_engine.localnet.venue.limits import allows_withdrawal, require_caps
from drift_engine.localnet.venue.maps import load_maps
from drift_engine.localnet.venue.margin import leave_liquidation, require_to_withdraw
from drift_engine.localnet.venue.pauses import DEPOSIT as DEPOSITS
from drift_engine.localnet.venue.pauses import WITHDRAW as WITHDRAWALS
from drift_engine.localnet.venue.pauses import require_not_paused
from drift_engine.localnet.venue.refusals import refuse, require
from drift_engine.localnet.venue.slots import BANKRUPT, BEING_LIQUIDATED, active, open_spot_slot
from drift_engine.venues.wire.enums import DepositDirection
from drift_engine.venues.wire.events.users import DepositRecord
from drift_engine.venues.wire.oracles import OraclePrice
from drift_engine.venues.wire.spot_market import SpotMarket
from drift_engine.venues.wire.user import SpotPosition, User

_NONE, _TRANSFER, _BORROW, _REPAY = range(4)  # DepositExplanation
_WITHDRAW_PAUSED = 8
_PROTECTED = 1
_U64 = (1 << 64) - 1


class Told(NamedTuple):
    """What an event says of a movement beyond the accounts."""

    direction: DepositDirection
    amount: int
    explanation: int
    transfer_user: Pubkey | None = None
    signer: Pubkey | None = None


def deposit(frame: Frame, market_index: int, amount: int, reduce_only: bool) -> None:
    """Take tokens into a balance."""
    require_not_paused(frame.state(), DEPOSITS)
    maps, user = load_maps(frame, writable_spots=(market_index,)), frame.user()
    require(amount, "InsufficientDeposit")
    require(not user.status & BANKRUPT, "UserBankrupt")
    market = maps.spot(market_index)
    reading = maps.price(market)
    require_same_pool(user, market)
    require(market.status != 0, "MarketBeingInitialized", "Market is being initialized")
    accrued(frame, market, reading)
    slot = open_spot_slot(user, market_index)
    held = user.spot_slots()[slot]
    if (status_of(market) == "reduce_only" or reduce_only) and held.balance_type == BORROW:
        amount = min(-tokens_of(held, market), amount)
    _count_in(user, amount, reading, market)
    after = counted(held, market, amount)
    user.put_spot(slot, after)
    _require_no_dust(after, market)
    if after.balance_type == DEPOSIT and after.scaled_balance > 0:
        require(status_of(market) == "active", "MarketActionPaused", "spot_market not active")
    active(user, frame.slot)
    frame.ledger.move_tokens(
        frame.key("user_token_account"), frame.key("spot_market_vault"), frame.key("authority"), amount
    )
    signer = frame.key("authority")
    foreign = signer if signer not in (user.authority, user.delegate) else None
    told = Told(DepositDirection.DEPOSIT, amount, _REPAY if held.balance_type == BORROW else _NONE, signer=foreign)
    _tell(frame, market, user, frame.key("user"), reading, told)
    require_caps(market, borrowed=False)


def withdraw(frame: Frame, market_index: int, amount: int, reduce_only: bool) -> None:
    """Give tokens out of a balance; it may turn into a borrow."""
    require_not_paused(frame.state(), WITHDRAWALS)
    maps, user = load_maps(frame, writable_spots=(market_index,)), frame.user()
    require(not user.status & BANKRUPT, "UserBankrupt")
    market = maps.spot(market_index)
    reading = maps.price(market)
    accrued(frame, market, reading)
    slot = open_spot_slot(user, market_index)
    if reduce_only or status_of(market) == "reduce_only":
        held = user.spot_slots()[slot]
        require(held.balance_type == DEPOSIT, "ReduceOnlyWithdrawIncreasedRisk")
        amount = min(amount, withdrawable(*account_of(maps, user), market.name), tokens_of(held, market))
    taken_out(user, market, amount, reading)
    require_to_withdraw(maps, user)
    _note_fuel(frame, user)
    if user.status & BEING_LIQUIDATED:
        leave_liquidation(user)
    active(user, frame.slot)
    borrowed = user.spot_slots()[slot].balance_type == BORROW
    told = Told(DepositDirection.WITHDRAW, amount, _BORROW if borrowed else _NONE)
    _tell(frame, market, user, frame.key("user"), reading, told)
    vault = frame.key("spot_market_vault")
    frame.ledger.move_tokens(vault, frame.key("user_token_account"), frame.state().signer, amount)
    require_vault(market, frame.ledger.token_amount(vault))
    require_caps(market, borrowed=borrowed)


def transfer_deposit(frame: Frame, market_index: int, amount: int) -> None:
    """Move a deposit between two sub-accounts of one authority."""
    require_not_paused(frame.state(), DEPOSITS, WITHDRAWALS)
    giver, taker = frame.user("from_user"), frame.user("to_user")
    require(not taker.status & BANKRUPT, "UserBankrupt", "to_user bankrupt")
    require(not giver.status & BANKRUPT, "UserBankrupt", "from_user bankrupt")
    same = frame.key("from_user") == frame.key("to_user")
    require(not same, "CantTransferBetweenSameUserAccount", "cant transfer between the same user account")
    maps = load_maps(frame, writable_spots=(market_index,))
    market = maps.spot(market_index)
    reading = maps.price(market)
    accrued(frame, market, reading)
    require_same_pool(giver, market)
    taken_out(giver, market, amount, reading)
    require_to_withdraw(maps, giver)
    _note_fuel(frame, giver)
    if giver.status & BEING_LIQUIDATED:
        leave_liquidation(giver)
    active(giver, frame.slot)
    told = Told(DepositDirection.WITHDRAW, amount, _TRANSFER, frame.key("to_user"))
    _tell(frame, market, giver, frame.key("from_user"), reading, told)
    require_same_pool(taker, market)
    _count_in(taker, amount, reading, market)
    slot = open_spot_slot(taker, market_index)
    after = counted(taker.spot_slots()[slot], market, amount)
    taker.put_spot(slot, after)
    _require_no_dust(after, market)
    told = Told(DepositDirection.DEPOSIT, amount, _TRANSFER, frame.key("from_user"))
    _tell(frame, market, taker, frame.key("to_user"), reading, told)
    active(taker, frame.slot)
    require_vault(market, frame.ledger.token_amount(frame.key("spot_market_vault")))


def taken_out(user: User, market: SpotMarket, amount: int, reading: OraclePrice | None) -> None:
    """Take tokens out of a balance within the market's limits; ``reading`` counts them among the withdrawals."""
    if reading is not None:
        user.total_withdraws = min(_U64, user.total_withdraws + amount * reading.price_e6 // 10**market.decimals)
    slot = open_spot_slot(user, market.market_index)
    after = counted(user.spot_slots()[slot], market, -amount, leaving=True)
    user.put_spot(slot, after)
    limit = f"Spot Market {market.market_index} has hit daily withdraw limit. Attempted withdraw amount of {amount}"
    require(allows_withdrawal(market, user, amount), "DailyWithdrawLimit", limit)
    open_for = status_of(market) in ("active", "reduce_only", "settlement")
    require(open_for and not market.paused_operations & _WITHDRAW_PAUSED, "MarketWithdrawPaused")
    protected = market.asset_tier == _PROTECTED and after.balance_type == BORROW
    require(not protected, "ProtectedAssetTierViolation", "has Protected status and cannot be borrowed")


def require_same_pool(user: User, market: SpotMarket) -> None:
    """Refuse a market of another pool."""
    text = f"user pool id ({user.pool_id}) != market pool id ({market.pool_id})"
    require(user.pool_id == market.pool_id, "InvalidPoolId", text)


def _count_in(user: User, amount: int, reading: OraclePrice, market: SpotMarket) -> None:
    user.total_deposits = min(_U64, user.total_deposits + amount * reading.price_e6 // 10**market.decimals)


def _require_no_dust(held: SpotPosition, market: SpotMarket) -> None:
    if tokens_of(held, market) == 0 and held.scaled_balance:
        refuse("InvalidSpotPosition", "deposit left user with invalid position")


def _note_fuel(frame: Frame, user: User) -> None:
    """Note when Drift's bonus was last brought up to date; none of our markets pays one."""
    if "last_fuel_bonus_update_ts" in user.layout and user.last_fuel_bonus_update_ts:
        user.last_fuel_bonus_update_ts = frame.now


def _tell(frame: Frame, market: SpotMarket, user: User, address: Pubkey, reading: OraclePrice, told: Told) -> None:
    event = DepositRecord(
        ts=frame.now,
        user_authority=frame.key("authority") if told.transfer_user else user.authority,
        user=address,
        direction=told.direction,
        deposit_record_id=market.next_deposit_record_id,
        amount=told.amount,
        market_index=market.market_index,
        oracle_price=reading.price_e6,
        market_deposit_balance=market.deposit_balance,
        market_withdraw_balance=market.borrow_balance,
        market_cumulative_deposit_interest=market.cumulative_deposit_interest,
        market_cumulative_borrow_interest=market.cumulative_borrow_interest,
        total_deposits_after=user.total_deposits,
        total_withdraws_after=user.total_withdraws,
        explanation=told.explanation,
        transfer_user=told.transfer_user,
        signer=told.signer,
        user_token_amount_after=tokens_of(user.spot_slots()[open_spot_slot(user, market.market_index)], market),
    )
    market.next_deposit_record_id += 1
    frame.emit(event)
