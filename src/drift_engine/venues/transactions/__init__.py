"""Transactions: built, signed, sent, and followed until it is proven what became of them.

``building`` compiles and signs them, ``order_template`` is the hot path of an order; ``blockhash`` is what is kept warm
so that who signs waits for nothing. ``sending`` hands them over and finds out their outcome.
"""

from drift_engine.venues.transactions.building import (
    MAX_COMPUTE_UNITS,
    Signed,
    Template,
    budget,
    compact,
    compact_length,
    compiled,
    fee_lamports,
    signed,
    signers_of,
)

__all__ = [
    "MAX_COMPUTE_UNITS",
    "Signed",
    "Template",
    "budget",
    "compact",
    "compact_length",
    "compiled",
    "fee_lamports",
    "signed",
    "signers_of",
]
