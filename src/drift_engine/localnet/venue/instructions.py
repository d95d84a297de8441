"""The instructions the venue plays, and what Anchor demands of each one's accounts beside writable and signer flags.

Names, order, flags and arguments are those of ``venues.instructions``, read the other way round. Source of the
constraints: the ``Accounts`` structs in ``instructions/user.rs`` and ``instructions/keeper.rs`` of Drift v2 and of
Velocity.

=============  ======================================================================================
``init``       not there yet: made at the address that the authority derives
``has_one``    its ``authority`` is the authority that signs
``can_sign``   the signer is its authority or its delegate (``can_sign_for_user``)
``stats_of``   the statistics of the user's authority (``is_stats_for_user``)
``derived``    the sub-account that the signing authority derives
``vault``      the vault of the spot market that an argument names; ``quote_vault`` that of market 0
``owned``      a token account of the authority
``signer_of``  the address that signs for the program's vaults
``sysvar``     where the runtime shows a transaction's own instructions
=============  ======================================================================================
"""

from collections.abc import Mapping
from dataclasses import dataclass

from drift_engine.venues.instructions import accounts, fills, funds, orders, settling
from drift_engine.venues.instructions.call import Call

ISOLATED = {call.head: call.name for call in (funds.DEPOSIT_ISOLATED, funds.WITHDRAW_ISOLATED, funds.TRANSFER_ISOLATED)}
_ORDER = {"user": "can_sign"}
_TAKE = {"user": "can_sign", "user_stats": "stats_of"}
_OWN = {"user": "derived"}
_VAULT = {"spot_market_vault": "vault"}
_SETTLE = {"spot_market_vault": "quote_vault"}
_SWAP = _TAKE | {
    "out_spot_market_vault": "vault",
    "in_spot_market_vault": "vault",
    "out_token_account": "owned",
    "in_token_account": "owned",
    "signer": "signer_of",
    "instructions": "sysvar",
}


@dataclass(frozen=True, slots=True)
class Played:
    """One instruction that is played, with its constraints by account name."""

    call: Call
    constraints: Mapping[str, str]


_PLAYED = (
    Played(accounts.INITIALIZE_USER_STATS, {"user_stats": "init"}),
    Played(accounts.INITIALIZE_USER, {"user": "init", "user_stats": "has_one"}),
    Played(accounts.DELETE_USER, {"user": "has_one", "user_stats": "has_one"}),
    Played(accounts.UPDATE_USER_DELEGATE, _OWN),
    Played(accounts.UPDATE_USER_CUSTOM_MARGIN_RATIO, _OWN),
    Played(accounts.UPDATE_USER_PERP_POSITION_CUSTOM_MARGIN_RATIO, _ORDER),
    Played(accounts.UPDATE_USER_MARGIN_TRADING_ENABLED, _OWN),
    Played(funds.DEPOSIT, _VAULT | {"user_stats": "stats_of", "user_token_account": "owned"}),
    Played(funds.WITHDRAW, _VAULT | {"user": "has_one", "user_stats": "has_one", "signer": "signer_of"}),
    Played(
        funds.TRANSFER_DEPOSIT,
        _VAULT | {"from_user": "has_one", "to_user": "has_one", "user_stats": "has_one"},
    ),
    Played(funds.BEGIN_SWAP, _SWAP),
    Played(funds.END_SWAP, _SWAP),
    Played(orders.PLACE_PERP_ORDER, _ORDER),
    Played(orders.PLACE_ORDERS, _ORDER),
    Played(orders.PLACE_SCALE_ORDERS, _ORDER),
    Played(orders.CANCEL_ORDER, _ORDER),
    Played(orders.CANCEL_ORDERS, _ORDER),
    Played(orders.CANCEL_ORDERS_BY_IDS, _ORDER),
    Played(orders.CANCEL_ORDER_BY_USER_ID, _ORDER),
    Played(orders.MODIFY_ORDER, _ORDER),
    Played(orders.MODIFY_ORDER_BY_USER_ID, _ORDER),
    Played(fills.PLACE_AND_TAKE_PERP_ORDER, _TAKE),
    Played(fills.TRIGGER_ORDER, {"filler": "can_sign"}),
    Played(settling.SETTLE_PNL, _SETTLE),
    Played(settling.SETTLE_MULTIPLE_PNLS, _SETTLE),
    Played(settling.SETTLE_FUNDING_PAYMENT, {}),
    Played(settling.UPDATE_FUNDING_RATE, {}),
    Played(settling.UPDATE_AMMS, {}),
    Played(settling.UPDATE_SPOT_MARKET_CUMULATIVE_INTEREST, {}),
)
PLAYED = {one.call.head: one for one in _PLAYED}
"""By discriminator."""
