"""Jito's tips: the accounts, the rules, and what was paid lately.

The tip account must be write-locked by the message itself, not through a lookup table; a bundle pays 1,000 lamports at
the least. Addresses and rules: Jito's documentation of low latency transaction sending.
"""

from collections import deque
from collections.abc import Sequence

from solders.transaction import VersionedTransaction

from drift_engine.localnet.outcomes import Outcome
from drift_engine.venues.jito.messages import MIN_TIP_LAMPORTS, TIP_ACCOUNTS

LAMPORTS = 10**9
PERCENTILES = (25, 50, 75, 95, 99)
TIPS_KEPT = 1_000
EMA_WEIGHT = 0.1


def locks_tip_account(transaction: VersionedTransaction) -> bool:
    """Whether the message itself, without its lookup tables, write-locks a tip account."""
    message = transaction.message
    header, keys = message.header, message.account_keys
    signers = header.num_required_signatures
    writable = keys[: signers - header.num_readonly_signed_accounts]
    writable += keys[signers : len(keys) - header.num_readonly_unsigned_accounts]
    return not set(TIP_ACCOUNTS).isdisjoint(writable)


def paid(outcomes: Sequence[Outcome]) -> int:
    """Return what transactions paid to the tip accounts, in lamports."""
    return sum(
        after - before
        for outcome in outcomes
        for key, before, after in zip(outcome.keys, outcome.pre_balances, outcome.post_balances, strict=True)
        if key in TIP_ACCOUNTS
    )


class TipFloor:
    """What landed bundles paid lately; before any has landed, the minimum."""

    def __init__(self) -> None:
        self._tips: deque[int] = deque(maxlen=TIPS_KEPT)
        self._ema = float(MIN_TIP_LAMPORTS)

    def add(self, lamports: int) -> None:
        """Take in what a landed bundle paid."""
        self._tips.append(lamports)
        self._ema += EMA_WEIGHT * (self._percentile(50) - self._ema)

    def _percentile(self, percent: int) -> int:
        ordered = sorted(self._tips) or [MIN_TIP_LAMPORTS]
        return ordered[(len(ordered) - 1) * percent // 100]

    def shown(self, time: str) -> list[dict[str, object]]:
        """Return the tip floor as Jito shows it, in SOL; ``time`` in ISO 8601."""
        landed = {f"landed_tips_{each}th_percentile": self._percentile(each) / LAMPORTS for each in PERCENTILES}
        return [{"time": time, **landed, "ema_landed_tips_50th_percentile": self._ema / LAMPORTS}]
