"""Tokens in, out and across: deposits, withdrawals, transfers, isolated collateral and swaps.

Source: ``instructions/user.rs`` of both programs. Amounts are in the token's own units. Risk is checked after each, so
``remaining`` has to hold the maps (``remaining.py``), with the markets that are moved writable.
"""

from collections.abc import Sequence

from solders.instruction import AccountMeta, Instruction
from solders.pubkey import Pubkey
from solders.sysvar import INSTRUCTIONS
from solders.token import ID as TOKEN

from drift_engine.venues import addresses
from drift_engine.venues.instructions.call import Call
from drift_engine.venues.instructions.trader import Trader
from drift_engine.venues.program import Program

_IN = "state user* user_stats* authority! spot_market_vault* user_token_account* token_program"
_OUT = "state user* user_stats* authority! spot_market_vault* signer user_token_account* token_program"
_SWAP = (
    "state user* user_stats* authority! out_spot_market_vault* in_spot_market_vault* out_token_account* "
    "in_token_account* token_program signer instructions"
)
_ISOLATED = "spot_market_index u16, perp_market_index u16, amount u64"
DEPOSIT = Call("deposit", _IN, "market_index u16, amount u64, reduce_only bool")
WITHDRAW = Call("withdraw", _OUT, "market_index u16, amount u64, reduce_only bool")
TRANSFER_DEPOSIT = Call(
    "transfer_deposit",
    "from_user* to_user* user_stats* authority! state spot_market_vault",
    "market_index u16, amount u64",
)
DEPOSIT_ISOLATED = Call("deposit_into_isolated_perp_position", _IN, _ISOLATED)
WITHDRAW_ISOLATED = Call("withdraw_from_isolated_perp_position", _OUT, _ISOLATED)
TRANSFER_ISOLATED = Call(
    "transfer_isolated_perp_position_deposit",
    "user* user_stats* authority! state spot_market_vault",
    "spot_market_index u16, perp_market_index u16, amount i64",
)
BEGIN_SWAP = Call("begin_swap", _SWAP, "in_market_index u16, out_market_index u16, amount_in u64")
END_SWAP = Call(
    "end_swap",
    _SWAP,
    "in_market_index u16, out_market_index u16, limit_price option<u64>, reduce_only option<u8>",
)


def deposit(
    program: Program,
    owner: Trader,
    market_index: int,
    amount: int,
    token_account: Pubkey,
    *,
    reduce_only: bool = False,
    token_program: Pubkey = TOKEN,
    remaining: Sequence[AccountMeta] = (),
) -> Instruction:
    """Deposit tokens of ``token_account``, whose owner signs (``owner.signer``). ``reduce_only`` repays at most."""
    vault = addresses.spot_market_vault(program.program_id, market_index)
    keys = (program.state, owner.user, owner.user_stats, owner.signer, vault, token_account, token_program)
    return DEPOSIT.build(program, keys, (market_index, amount, reduce_only), remaining)


def withdraw(
    program: Program,
    owner: Trader,
    market_index: int,
    amount: int,
    token_account: Pubkey,
    *,
    reduce_only: bool = False,
    token_program: Pubkey = TOKEN,
    remaining: Sequence[AccountMeta] = (),
) -> Instruction:
    """Withdraw tokens to ``token_account``; the authority signs. ``reduce_only`` never borrows."""
    keys = _out(program, owner, market_index, token_account, token_program)
    return WITHDRAW.build(program, keys, (market_index, amount, reduce_only), remaining)


def transfer_deposit(
    program: Program,
    source: Trader,
    target: Trader,
    market_index: int,
    amount: int,
    remaining: Sequence[AccountMeta] = (),
) -> Instruction:
    """Move a balance between two sub-accounts of one authority, who signs. ``remaining`` is the source's."""
    vault = addresses.spot_market_vault(program.program_id, market_index)
    keys = (source.user, target.user, source.user_stats, source.authority, program.state, vault)
    return TRANSFER_DEPOSIT.build(program, keys, (market_index, amount), remaining)


def deposit_into_isolated_perp_position(
    program: Program,
    owner: Trader,
    spot_market_index: int,
    perp_market_index: int,
    amount: int,
    token_account: Pubkey,
    *,
    token_program: Pubkey = TOKEN,
    remaining: Sequence[AccountMeta] = (),
) -> Instruction:
    """Deposit collateral for one perp position alone. On Velocity's main network this is compiled out (6357)."""
    vault = addresses.spot_market_vault(program.program_id, spot_market_index)
    keys = (program.state, owner.user, owner.user_stats, owner.signer, vault, token_account, token_program)
    return DEPOSIT_ISOLATED.build(program, keys, (spot_market_index, perp_market_index, amount), remaining)


def withdraw_from_isolated_perp_position(
    program: Program,
    owner: Trader,
    spot_market_index: int,
    perp_market_index: int,
    amount: int,
    token_account: Pubkey,
    *,
    token_program: Pubkey = TOKEN,
    remaining: Sequence[AccountMeta] = (),
) -> Instruction:
    """Withdraw collateral of one perp position; the authority signs."""
    keys = _out(program, owner, spot_market_index, token_account, token_program)
    return WITHDRAW_ISOLATED.build(program, keys, (spot_market_index, perp_market_index, amount), remaining)


def transfer_isolated_perp_position_deposit(
    program: Program,
    owner: Trader,
    spot_market_index: int,
    perp_market_index: int,
    amount: int,
    remaining: Sequence[AccountMeta] = (),
) -> Instruction:
    """Move collateral into a perp position (``amount`` > 0) or back out of it (< 0; the least i64 takes all)."""
    vault = addresses.spot_market_vault(program.program_id, spot_market_index)
    keys = (owner.user, owner.user_stats, owner.signer, program.state, vault)
    return TRANSFER_ISOLATED.build(program, keys, (spot_market_index, perp_market_index, amount), remaining)


def begin_swap(
    program: Program,
    owner: Trader,
    in_market_index: int,
    out_market_index: int,
    amount_in: int,
    in_token_account: Pubkey,
    out_token_account: Pubkey,
    *,
    token_program: Pubkey = TOKEN,
    remaining: Sequence[AccountMeta] = (),
) -> Instruction:
    """Lend ``amount_in`` to the signer's token account for what stands between this and ``end_swap``."""
    keys = _swap(program, owner, in_market_index, out_market_index, in_token_account, out_token_account, token_program)
    return BEGIN_SWAP.build(program, keys, (in_market_index, out_market_index, amount_in), remaining)


def end_swap(
    program: Program,
    owner: Trader,
    in_market_index: int,
    out_market_index: int,
    in_token_account: Pubkey,
    out_token_account: Pubkey,
    *,
    limit_price: int | None = None,
    reduce_only: int | None = None,
    token_program: Pubkey = TOKEN,
    remaining: Sequence[AccountMeta] = (),
) -> Instruction:
    """Deposit what the swap brought. ``limit_price``: out per in, 1e6; ``reduce_only``: a ``SwapReduceOnly``."""
    keys = _swap(program, owner, in_market_index, out_market_index, in_token_account, out_token_account, token_program)
    return END_SWAP.build(program, keys, (in_market_index, out_market_index, limit_price, reduce_only), remaining)


def _out(
    program: Program, owner: Trader, market_index: int, token_account: Pubkey, token_program: Pubkey
) -> tuple[Pubkey, ...]:
    vault = addresses.spot_market_vault(program.program_id, market_index)
    who = (program.state, owner.user, owner.user_stats, owner.authority)
    return (*who, vault, program.signer, token_account, token_program)


def _swap(
    program: Program,
    owner: Trader,
    in_market_index: int,
    out_market_index: int,
    in_token_account: Pubkey,
    out_token_account: Pubkey,
    token_program: Pubkey,
) -> tuple[Pubkey, ...]:
    vaults = [addresses.spot_market_vault(program.program_id, each) for each in (out_market_index, in_market_index)]
    who = (program.state, owner.user, owner.user_stats, owner.signer)
    return (*who, *vaults, out_token_account, in_token_account, token_program, program.signer, INSTRUCTIONS)
