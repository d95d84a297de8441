"""What the program demands of the whole transaction that a swap is made in.

Between ``begin_swap`` and ``end_swap`` only programs that swap or move tokens may run, and behind them nothing that
writes. So the loan is back, or nothing happened.

Source: ``instructions/user.rs`` handle_begin_swap, ``ids.rs`` WHITELISTED_SWAP_PROGRAMS.
"""

from solders.instruction import AccountMeta, Instruction
from solders.pubkey import Pubkey

from drift_engine.localnet.tokens import TOKEN_PROGRAM
from drift_engine.localnet.venue.frame import Frame
from drift_engine.localnet.venue.refusals import require
from drift_engine.venues.instructions.funds import END_SWAP
from drift_engine.venues.instructions.tokens import ASSOCIATED_TOKEN

_SWAPPING = frozenset(
    map(
        Pubkey.from_string,
        (
            "srmqPvymJeFKQ4zGQed1GFppgkRHL9kaELCbyksJtPX",  # OpenBook
            "JUP3c2Uh3WA4Ng34tw6kPd2G4C5BB21Xo36Je1s32Ph",
            "JUP4Fb2cqiRUcaTHdrPC8h2gNsA2ETXiPDD33WcGuJB",
            "JUP6LkbZbjS1jKKwapdHNy74zcZ3tLUZoi5QNyVTaV4",
            "DF1ow4tspfHX9JwWJsAb9epbkA8hmpSEAtxXy1V27QBH",  # DFlow
            "T1TANpTeScyeqVzzgNViGDNrkQ6qHz9KrSBS4aNXvGT",  # Titan
        ),
    )
)
_OWNERS_TOO = frozenset(
    (
        ASSOCIATED_TOKEN,
        TOKEN_PROGRAM,
        Pubkey.from_string("TokenzQdBNbLqP5VEhdkAS6EPFLC1PHnBqCXEpPxuEb"),
        Pubkey.from_string("MarBmsSgKXdrN1egZf5sqe1TMai9K1rChYNDJgjq7aD"),
    )
)
_LIGHTHOUSE = Pubkey.from_string("L2TExMFKdjpN9kozasaurPirfHy9P8sbXoAN1qA3S95")
_CLOSE_ACCOUNT = 9
_SAME = {1: "user", 3: "authority", 4: "out_spot_market_vault", 5: "in_spot_market_vault"} | {
    6: "out_token_account",
    7: "in_token_account",
}


def require_end(frame: Frame) -> None:
    """Refuse a transaction that does not end the swap it begins."""
    call, ended = frame.invocation, False
    may_move = frame.user().delegate != frame.key("authority")
    for other in call.instructions[call.index + 1 :]:
        if other.program_id == call.program_id:
            require(not ended, "InvalidSwap", "the transaction must not contain a Drift instruction after FlashLoanEnd")
            ended = True
            _require_same(frame, other)
        elif ended:
            _require_harmless(frame, other)
        else:
            allowed = other.program_id in _SWAPPING or (may_move and other.program_id in _OWNERS_TOO)
            text = "only allowed to pass in ixs to ATA, openbook, Jupiter v3/v4/v6, dflow, or titan programs"
            require(allowed, "InvalidSwap", text)
            ours = any(meta.pubkey == call.program_id for meta in other.accounts)
            require(not ours, "InvalidSwap", "instructions between begin and end must not be drift instructions")
    require(ended, "InvalidSwap", "found no SwapEnd instruction in transaction")


def _require_same(frame: Frame, end: Instruction) -> None:
    require(bytes(end.data)[:8] == END_SWAP.head, "InvalidSwap", "last drift ix must be end of swap")
    metas, own = end.accounts, len(frame.named)
    for place, name in _SAME.items():
        same = place < len(metas) and metas[place].pubkey == frame.key(name)
        require(same, "InvalidSwap", f"the {name} passed to SwapBegin and End must match")
    text = "begin and end ix must have the same number of accounts"
    require(len(metas) - own == len(frame.rest), "InvalidSwap", text)
    same = _keys(metas[own:]) == _keys(frame.rest)
    require(same, "InvalidSwap", "begin and end ix must have the same accounts")


def _require_harmless(frame: Frame, after: Instruction) -> None:
    if after.program_id == _LIGHTHOUSE or _closes(frame, after):
        return
    writes = any(meta.is_writable for meta in after.accounts)
    require(not writes, "InvalidSwap", "instructions after swap end must not have writable accounts")


def _closes(frame: Frame, after: Instruction) -> bool:
    """Return whether an instruction closes one of the swap's token accounts."""
    closes = after.program_id in _OWNERS_TOO and bytes(after.data)[:1] == bytes([_CLOSE_ACCOUNT]) and after.accounts
    return bool(closes) and after.accounts[0].pubkey in (frame.key("in_token_account"), frame.key("out_token_account"))


def _keys(metas: list[AccountMeta] | tuple[AccountMeta, ...]) -> list[Pubkey]:
    return [meta.pubkey for meta in metas]
