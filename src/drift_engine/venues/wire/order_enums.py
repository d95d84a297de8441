"""The program's enumerations that orders and instructions carry, by their numbers (``state/user.rs``, order_params.rs).

Both protocols share them.
"""

from enum import IntEnum


class OrderType(IntEnum):
    """``OrderType``."""

    MARKET = 0
    LIMIT = 1
    TRIGGER_MARKET = 2
    TRIGGER_LIMIT = 3
    ORACLE = 4


class MarketType(IntEnum):
    """``MarketType``."""

    SPOT = 0
    PERP = 1


class Direction(IntEnum):
    """``PositionDirection``."""

    LONG = 0
    SHORT = 1


class PostOnly(IntEnum):
    """``PostOnlyParam``: what happens to an order that would take. ``SLIDE`` moves it to where it does not."""

    NONE = 0
    MUST = 1
    TRY = 2
    SLIDE = 3


class TriggerCondition(IntEnum):
    """``OrderTriggerCondition``; the last two are orders that have been triggered."""

    ABOVE = 0
    BELOW = 1
    TRIGGERED_ABOVE = 2
    TRIGGERED_BELOW = 3


class SizeDistribution(IntEnum):
    """``SizeDistribution`` of a scale order."""

    FLAT = 0
    ASCENDING = 1
    DESCENDING = 2


class SettleMode(IntEnum):
    """``SettlePnlMode``: whether one market that cannot be settled fails them all."""

    MUST = 0
    TRY = 1


class SwapReduceOnly(IntEnum):
    """``SwapReduceOnly``: which side of a swap may only shrink."""

    IN = 0
    OUT = 1


class SuccessCondition(IntEnum):
    """``PlaceAndTakeOrderSuccessCondition``: what a taking order must reach, else the transaction fails with 6289."""

    PARTIAL_FILL = 1
    FULL_FILL = 2


class ModifyPolicy(IntEnum):
    """``ModifyOrderPolicy``, bits: fail where the order is gone; take what was filled meanwhile off the new size."""

    MUST_MODIFY = 1
    EXCLUDE_PREVIOUS_FILL = 2


IMMEDIATE_OR_CANCEL = 1
"""``OrderParamsBitFlag``: what is not filled at once is cancelled."""
UPDATE_HIGH_LEVERAGE_MODE = 2
"""``OrderParamsBitFlag``, Drift v2 only: enter high-leverage mode with the order."""
