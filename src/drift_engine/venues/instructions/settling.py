"""Settling PnL and funding, and bringing markets up to date. Source: ``instructions/keeper.rs`` of both programs.

Anyone may send these. Settling PnL takes its perp markets and the quote spot market writable in ``remaining``; settling
funding takes every perp market of the account writable; updating AMMs takes only their oracles and markets.
"""

from collections.abc import Sequence

from solders.instruction import AccountMeta, Instruction
from solders.pubkey import Pubkey

from drift_engine.venues import addresses
from drift_engine.venues.directory import QUOTE_INDEX, PerpTerms, SpotTerms
from drift_engine.venues.errors import EncodeError
from drift_engine.venues.instructions.call import Call
from drift_engine.venues.instructions.metas import read, write
from drift_engine.venues.instructions.trader import Trader
from drift_engine.venues.program import Program
from drift_engine.venues.wire.order_enums import SettleMode

MAX_AMMS = 5
_SETTLE = "state user* authority! spot_market_vault"
SETTLE_PNL = Call("settle_pnl", _SETTLE, "market_index u16")
SETTLE_MULTIPLE_PNLS = Call("settle_multiple_pnls", _SETTLE, "market_indexes vec<u16>, mode u8")
SETTLE_FUNDING_PAYMENT = Call("settle_funding_payment", "state user*")
UPDATE_FUNDING_RATE = Call("update_funding_rate", "state perp_market* oracle", "market_index u16")
UPDATE_AMMS = Call("update_amms", "state authority!", "market_indexes vec<u16>")
UPDATE_SPOT_MARKET_CUMULATIVE_INTEREST = Call(
    "update_spot_market_cumulative_interest", "state spot_market* oracle spot_market_vault"
)


def settle_pnl(
    program: Program, settlee: Trader, market_index: int, signer: Pubkey, remaining: Sequence[AccountMeta] = ()
) -> Instruction:
    """Turn a position's unsettled PnL into quote. Positive PnL of others may be settled only by themselves (6093)."""
    return SETTLE_PNL.build(program, _settle(program, settlee, signer), (market_index,), remaining)


def settle_multiple_pnls(
    program: Program,
    settlee: Trader,
    market_indexes: Sequence[int],
    signer: Pubkey,
    mode: SettleMode = SettleMode.TRY,
    remaining: Sequence[AccountMeta] = (),
) -> Instruction:
    """Settle several positions; ``SettleMode.MUST`` fails them all where one fails."""
    keys = _settle(program, settlee, signer)
    return SETTLE_MULTIPLE_PNLS.build(program, keys, (market_indexes, mode), remaining)


def settle_funding_payment(program: Program, settlee: Trader, remaining: Sequence[AccountMeta] = ()) -> Instruction:
    """Settle funding of every perp position of the account."""
    return SETTLE_FUNDING_PAYMENT.build(program, (program.state, settlee.user), (), remaining)


def update_funding_rate(program: Program, market: PerpTerms) -> Instruction:
    """Set a market's new funding rate, once its period has passed."""
    return UPDATE_FUNDING_RATE.build(program, (program.state, market.address, market.oracle), (market.index,))


def update_amms(program: Program, markets: Sequence[PerpTerms], signer: Pubkey) -> Instruction:
    """Bring AMMs up to their oracles. Oracles come first, then the markets, writable; no spot markets.

    Raises ``EncodeError`` for more than five, which the program refuses (``handle_update_amms``).
    """
    if len(markets) > MAX_AMMS:
        raise EncodeError(f"{len(markets)} AMMs at once; the program updates {MAX_AMMS}")
    oracles = [read(key) for key in dict.fromkeys(market.oracle for market in markets)]
    perps = [write(key) for key in dict.fromkeys(market.address for market in markets)]
    indexes = [market.index for market in markets]
    return UPDATE_AMMS.build(program, (program.state, signer), (indexes,), oracles + perps)


def update_spot_market_cumulative_interest(program: Program, market: SpotTerms) -> Instruction:
    """Accrue a spot market's interest. Fills and withdrawals on Velocity need it fresh (6371)."""
    keys = (program.state, market.address, market.oracle, market.vault)
    return UPDATE_SPOT_MARKET_CUMULATIVE_INTEREST.build(program, keys)


def _settle(program: Program, settlee: Trader, signer: Pubkey) -> tuple[Pubkey, ...]:
    vault = addresses.spot_market_vault(program.program_id, QUOTE_INDEX)
    return program.state, settlee.user, signer, vault
