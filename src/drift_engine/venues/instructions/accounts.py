"""Sub-accounts: opening, closing, and what their owner may set. Source: ``instructions/user.rs`` of both programs.

Most of these the authority has to sign itself: the program derives the account's address from who signs.
"""

from collections.abc import Sequence

from solders.instruction import AccountMeta, Instruction
from solders.pubkey import Pubkey
from solders.system_program import ID as SYSTEM
from solders.sysvar import RENT

from drift_engine.venues import addresses
from drift_engine.venues.errors import EncodeError
from drift_engine.venues.instructions.call import Call
from drift_engine.venues.instructions.metas import read, write
from drift_engine.venues.instructions.trader import Trader
from drift_engine.venues.program import Program

NAME_BYTES = 32
_OPEN = "user* user_stats* state* authority payer*! rent system_program"
_OWN = "user* authority!"
INITIALIZE_USER_STATS = Call("initialize_user_stats", "user_stats* state* authority payer*! rent system_program")
INITIALIZE_USER = Call("initialize_user", _OPEN, "sub_account_id u16, name u8*32")
DELETE_USER = Call("delete_user", "user* user_stats* state* authority*!")
RECLAIM_RENT = Call("reclaim_rent", "user* user_stats* state authority! rent")
UPDATE_USER_DELEGATE = Call("update_user_delegate", _OWN, "sub_account_id u16, delegate pubkey")
UPDATE_USER_CUSTOM_MARGIN_RATIO = Call("update_user_custom_margin_ratio", _OWN, "sub_account_id u16, margin_ratio u32")
UPDATE_USER_PERP_POSITION_CUSTOM_MARGIN_RATIO = Call(
    "update_user_perp_position_custom_margin_ratio",
    _OWN,
    "sub_account_id u16, perp_market_index u16, margin_ratio u16",
)
UPDATE_USER_NAME = Call("update_user_name", _OWN, "sub_account_id u16, name u8*32")
UPDATE_USER_MARGIN_TRADING_ENABLED = Call(
    "update_user_margin_trading_enabled", _OWN, "sub_account_id u16, margin_trading_enabled bool"
)
UPDATE_USER_POOL_ID = Call("update_user_pool_id", _OWN, "sub_account_id u16, pool_id u8")
UPDATE_USER_REDUCE_ONLY = Call("update_user_reduce_only", _OWN, "sub_account_id u16, reduce_only bool")


def initialize_user_stats(program: Program, owner: Trader, payer: Pubkey | None = None) -> Instruction:
    """Open an authority's statistics, once, before its first sub-account."""
    keys = (owner.user_stats, program.state, owner.authority, payer or owner.authority, RENT, SYSTEM)
    return INITIALIZE_USER_STATS.build(program, keys)


def initialize_user(
    program: Program,
    owner: Trader,
    name: str = "Main Account",
    payer: Pubkey | None = None,
    referrer: Trader | None = None,
    whitelist_token: Pubkey | None = None,
) -> Instruction:
    """Open a sub-account; their numbers go up one by one. ``whitelist_token``: the payer's account of State's mint.

    Raises ``EncodeError`` where the name has more than 32 bytes.
    """
    keys = (owner.user, owner.user_stats, program.state, owner.authority, payer or owner.authority, RENT, SYSTEM)
    remaining = [*(referrer.pair() if referrer else ())]
    if whitelist_token:
        remaining.append(read(whitelist_token))
    return INITIALIZE_USER.build(program, keys, (owner.sub_account_id, padded_name(name)), remaining)


def delete_user(program: Program, owner: Trader, *, escrow: bool = False) -> Instruction:
    """Close an empty sub-account; its rent goes to the authority, which has to sign itself.

    ``escrow`` appends the authority's revenue-share escrow, existing or not, as Velocity's newest builds want it. Off
    by default, as the published IDL has it; a build that does not want it ignores it.
    """
    remaining: Sequence[AccountMeta] = ()
    if escrow:
        remaining = [write(addresses.revenue_share_escrow(program.program_id, owner.authority))]
    keys = (owner.user, owner.user_stats, program.state, owner.authority)
    return DELETE_USER.build(program, keys, (), remaining)


def reclaim_rent(program: Program, owner: Trader) -> Instruction:
    """Take back the lamports that a sub-account holds over its rent."""
    keys = (owner.user, owner.user_stats, program.state, owner.authority, RENT)
    return RECLAIM_RENT.build(program, keys)


def update_user_delegate(program: Program, owner: Trader, delegate: Pubkey | None) -> Instruction:
    """Let another key trade for the sub-account (never withdraw); ``None`` takes it away."""
    keys = (owner.user, owner.authority)
    return UPDATE_USER_DELEGATE.build(program, keys, (owner.sub_account_id, delegate or Pubkey.default()))


def update_user_custom_margin_ratio(program: Program, owner: Trader, margin_ratio_e4: int) -> Instruction:
    """Ask for at least this initial margin ratio of every perp position (1e4; 0 takes the wish back)."""
    keys = (owner.user, owner.authority)
    return UPDATE_USER_CUSTOM_MARGIN_RATIO.build(program, keys, (owner.sub_account_id, margin_ratio_e4))


def update_user_perp_position_custom_margin_ratio(
    program: Program, owner: Trader, market_index: int, margin_ratio_e4: int
) -> Instruction:
    """Ask for at least this initial margin ratio of one perp position (1e4; 0 takes the wish back). A delegate may."""
    values = (owner.sub_account_id, market_index, margin_ratio_e4)
    return UPDATE_USER_PERP_POSITION_CUSTOM_MARGIN_RATIO.build(program, (owner.user, owner.signer), values)


def update_user_name(program: Program, owner: Trader, name: str) -> Instruction:
    """Name the sub-account. Raises ``EncodeError`` where the name has more than 32 bytes."""
    values = (owner.sub_account_id, padded_name(name))
    return UPDATE_USER_NAME.build(program, (owner.user, owner.authority), values)


def update_user_margin_trading_enabled(
    program: Program, owner: Trader, *, enabled: bool, remaining: Sequence[AccountMeta] = ()
) -> Instruction:
    """Allow spot borrowing by trading, or no more; the account's margin is checked, so it wants its maps."""
    keys = (owner.user, owner.authority)
    return UPDATE_USER_MARGIN_TRADING_ENABLED.build(program, keys, (owner.sub_account_id, enabled), remaining)


def update_user_pool_id(
    program: Program, owner: Trader, pool_id: int, remaining: Sequence[AccountMeta] = ()
) -> Instruction:
    """Move an empty sub-account to another pool of markets; its margin is checked, so it wants its maps."""
    keys = (owner.user, owner.authority)
    return UPDATE_USER_POOL_ID.build(program, keys, (owner.sub_account_id, pool_id), remaining)


def update_user_reduce_only(program: Program, owner: Trader, *, reduce_only: bool) -> Instruction:
    """Let the sub-account only reduce, or trade freely again."""
    keys = (owner.user, owner.authority)
    return UPDATE_USER_REDUCE_ONLY.build(program, keys, (owner.sub_account_id, reduce_only))


def padded_name(name: str) -> bytes:
    """Return a name as the program keeps it: 32 bytes, filled with spaces. Raises ``EncodeError``."""
    raw = name.encode()
    if len(raw) > NAME_BYTES:
        raise EncodeError(f"name {name!r} has {len(raw)} bytes; the program keeps {NAME_BYTES}")
    return raw.ljust(NAME_BYTES)
