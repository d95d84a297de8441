"""Oracle accounts that the venue's own program keeps: Pyth Lazer prices, and the price of a market before its launch.

Source: ``state/pyth_lazer_oracle.rs`` and ``state/oracle.rs`` (PrelaunchOracle) of both programs.
"""

from drift_engine.venues.wire.layout import Int, View, account_layout


class PythLazerOracle(View):
    """A Pyth Lazer feed: ``price`` and ``conf`` times ten to the ``exponent``; ``publish_time`` in microseconds."""

    price = Int()
    publish_time = Int()
    posted_slot = Int()
    exponent = Int()
    conf = Int()


class PrelaunchOracle(View):
    """The price of a market that has no oracle yet, 1e6."""

    price = Int()
    max_price = Int()
    confidence = Int()
    last_update_slot = Int()
    amm_last_update_slot = Int()
    perp_market_index = Int()


PYTH_LAZER_ORACLE = account_layout(
    "PythLazerOracle",
    """
    price i64
    publish_time, posted_slot u64
    exponent i32
    _ u8*4
    conf u64
    """,
)
PRELAUNCH_ORACLE = account_layout(
    "PrelaunchOracle",
    """
    price, max_price i64
    confidence, last_update_slot, amm_last_update_slot u64
    perp_market_index u16
    _ u8*70
    """,
)
