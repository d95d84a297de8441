"""Liquidating others. Source: ``instructions/keeper.rs`` of both programs.

``remaining`` are the maps of both accounts, with the markets that change hands writable. Amounts: base 1e9, a token's
own units, quote 1e6; ``limit_price`` 1e6.
"""

from collections.abc import Sequence

from solders.instruction import AccountMeta, Instruction
from solders.pubkey import Pubkey

from drift_engine.venues.instructions.call import Call
from drift_engine.venues.instructions.trader import Trader
from drift_engine.venues.program import Program

_BOTH = "state authority! liquidator* liquidator_stats* user* user_stats*"
_SPOT = (
    "asset_market_index u16, liability_market_index u16, "
    "liquidator_max_liability_transfer u128, limit_price option<u64>"
)
LIQUIDATE_PERP = Call(
    "liquidate_perp",
    _BOTH,
    "market_index u16, liquidator_max_base_asset_amount u64, limit_price option<u64>",
)
LIQUIDATE_PERP_WITH_FILL = Call("liquidate_perp_with_fill", _BOTH, "market_index u16")
LIQUIDATE_SPOT = Call("liquidate_spot", _BOTH, _SPOT)
LIQUIDATE_SPOT_WITHOUT_STATS = Call("liquidate_spot", "state authority! liquidator* user*", _SPOT)
LIQUIDATE_BORROW_FOR_PERP_PNL = Call(
    "liquidate_borrow_for_perp_pnl",
    _BOTH,
    "perp_market_index u16, spot_market_index u16, liquidator_max_liability_transfer u128, limit_price option<u64>",
)
LIQUIDATE_PERP_PNL_FOR_DEPOSIT = Call(
    "liquidate_perp_pnl_for_deposit",
    _BOTH,
    "perp_market_index u16, spot_market_index u16, liquidator_max_pnl_transfer u128, limit_price option<u64>",
)
SET_BEING_LIQUIDATED = Call("set_user_status_to_being_liquidated", "state user* authority!")


def liquidate_perp(
    program: Program,
    liquidator: Trader,
    victim: Trader,
    market_index: int,
    max_base_e9: int,
    limit_price_e6: int | None = None,
    remaining: Sequence[AccountMeta] = (),
) -> Instruction:
    """Take over a perp position at the liquidator's discount."""
    values = (market_index, max_base_e9, limit_price_e6)
    return LIQUIDATE_PERP.build(program, _both(program, liquidator, victim), values, remaining)


def liquidate_perp_with_fill(
    program: Program,
    liquidator: Trader,
    victim: Trader,
    market_index: int,
    remaining: Sequence[AccountMeta] = (),
) -> Instruction:
    """Close a perp position against makers (pairs behind the maps) and the AMM."""
    keys = _both(program, liquidator, victim)
    return LIQUIDATE_PERP_WITH_FILL.build(program, keys, (market_index,), remaining)


def liquidate_spot(
    program: Program,
    liquidator: Trader,
    victim: Trader,
    asset_market_index: int,
    liability_market_index: int,
    max_liability: int,
    limit_price_e6: int | None = None,
    remaining: Sequence[AccountMeta] = (),
) -> Instruction:
    """Repay a borrow for a deposit. Velocity's takes no UserStats."""
    values = (asset_market_index, liability_market_index, max_liability, limit_price_e6)
    keys = _both(program, liquidator, victim)
    if program.name == "velocity":
        state, signer, taker, _, user, _ = keys
        return LIQUIDATE_SPOT_WITHOUT_STATS.build(program, (state, signer, taker, user), values, remaining)
    return LIQUIDATE_SPOT.build(program, keys, values, remaining)


def liquidate_borrow_for_perp_pnl(
    program: Program,
    liquidator: Trader,
    victim: Trader,
    perp_market_index: int,
    spot_market_index: int,
    max_liability: int,
    limit_price_e6: int | None = None,
    remaining: Sequence[AccountMeta] = (),
) -> Instruction:
    """Repay a borrow for positive perp PnL."""
    values = (perp_market_index, spot_market_index, max_liability, limit_price_e6)
    return LIQUIDATE_BORROW_FOR_PERP_PNL.build(program, _both(program, liquidator, victim), values, remaining)


def liquidate_perp_pnl_for_deposit(
    program: Program,
    liquidator: Trader,
    victim: Trader,
    perp_market_index: int,
    spot_market_index: int,
    max_pnl_e6: int,
    limit_price_e6: int | None = None,
    remaining: Sequence[AccountMeta] = (),
) -> Instruction:
    """Take over negative perp PnL for a deposit."""
    values = (perp_market_index, spot_market_index, max_pnl_e6, limit_price_e6)
    return LIQUIDATE_PERP_PNL_FOR_DEPOSIT.build(program, _both(program, liquidator, victim), values, remaining)


def set_user_status_to_being_liquidated(
    program: Program, victim: Trader, signer: Pubkey, remaining: Sequence[AccountMeta] = ()
) -> Instruction:
    """Mark an account that is under its maintenance margin."""
    return SET_BEING_LIQUIDATED.build(program, (program.state, victim.user, signer), (), remaining)


def _both(program: Program, liquidator: Trader, victim: Trader) -> tuple[Pubkey, ...]:
    mine = (liquidator.signer, liquidator.user, liquidator.user_stats)
    return (program.state, *mine, victim.user, victim.user_stats)
