"""The program's enumerations that accounts and events carry, by their numbers. Those of orders: ``wire.order_enums``.

Both protocols number them alike but for ``MarketStatus``, whose numbers a protocol's record translates. Accounts and
events keep the numbers; ``known`` makes a member of one, and refuses a number that the program does not have.

Source: ``state/{user,oracle,perp_market,spot_market,events,paused_operations,state}.rs`` of both programs.
"""

from enum import Enum, IntEnum, IntFlag
from typing import TypeVar

from drift_engine.venues.errors import DecodeError

E = TypeVar("E", bound=IntEnum)


def known(kind: type[E], number: int) -> E:
    """Return the member of that number; a number that the program does not have is refused."""
    try:
        return kind(number)
    except ValueError:
        raise DecodeError(f"{number} is no {kind.__name__}: this build knows 0 to {max(kind)}") from None


class MarketStatus(Enum):
    """What a market lets happen. Drift v2 has the four pauses as states, Velocity as paused operations."""

    INITIALIZED = "Initialized"
    ACTIVE = "Active"
    FUNDING_PAUSED = "FundingPaused"
    AMM_PAUSED = "AmmPaused"
    FILL_PAUSED = "FillPaused"
    WITHDRAW_PAUSED = "WithdrawPaused"
    REDUCE_ONLY = "ReduceOnly"
    SETTLEMENT = "Settlement"
    DELISTED = "Delisted"


class OracleSource(IntEnum):
    """How an oracle account is read. Velocity refuses the pull and Switchboard sources."""

    PYTH = 0
    SWITCHBOARD = 1
    QUOTE_ASSET = 2
    PYTH_1K = 3
    PYTH_1M = 4
    PYTH_STABLE_COIN = 5
    PRELAUNCH = 6
    PYTH_PULL = 7
    PYTH_1K_PULL = 8
    PYTH_1M_PULL = 9
    PYTH_STABLE_COIN_PULL = 10
    SWITCHBOARD_ON_DEMAND = 11
    PYTH_LAZER = 12
    PYTH_LAZER_1K = 13
    PYTH_LAZER_1M = 14
    PYTH_LAZER_STABLE_COIN = 15


class ContractTier(IntEnum):
    """How much insurance a perp market can draw, safest first."""

    A = 0
    B = 1
    C = 2
    SPECULATIVE = 3
    HIGHLY_SPECULATIVE = 4
    ISOLATED = 5


class ContractType(IntEnum):
    """What a perp market is a contract of."""

    PERPETUAL = 0
    FUTURE = 1
    PREDICTION = 2


class AssetTier(IntEnum):
    """What a token may be used for."""

    COLLATERAL = 0
    PROTECTED = 1
    CROSS = 2
    ISOLATED = 3
    UNLISTED = 4


class BalanceType(IntEnum):
    """``SpotBalanceType``."""

    DEPOSIT = 0
    BORROW = 1


class OrderStatus(IntEnum):
    """Where an order stands."""

    INIT = 0
    OPEN = 1
    FILLED = 2
    CANCELED = 3


class MarginMode(IntEnum):
    """Drift v2's leverage modes of a user."""

    DEFAULT = 0
    HIGH_LEVERAGE = 1
    HIGH_LEVERAGE_MAINTENANCE = 2


class OrderAction(IntEnum):
    """What happened to an order."""

    PLACE = 0
    CANCEL = 1
    FILL = 2
    TRIGGER = 3
    EXPIRE = 4


class OrderActionExplanation(IntEnum):
    """Why it happened."""

    NONE = 0
    INSUFFICIENT_FREE_COLLATERAL = 1
    ORACLE_PRICE_BREACHED_LIMIT_PRICE = 2
    MARKET_ORDER_FILLED_TO_LIMIT_PRICE = 3
    ORDER_EXPIRED = 4
    LIQUIDATION = 5
    ORDER_FILLED_WITH_AMM = 6
    ORDER_FILLED_WITH_AMM_JIT = 7
    ORDER_FILLED_WITH_MATCH = 8
    ORDER_FILLED_WITH_MATCH_JIT = 9
    MARKET_EXPIRED = 10
    RISK_INCREASING_ORDER = 11
    REDUCE_ONLY_ORDER_INCREASED_POSITION = 12
    ORDER_FILL_WITH_SERUM = 13
    NO_BORROW_LIQUIDITY = 14
    ORDER_FILL_WITH_PHOENIX = 15
    ORDER_FILLED_WITH_AMM_JIT_LP_SPLIT = 16
    ORDER_FILLED_WITH_LP_JIT = 17
    DERISK_LP = 18
    ORDER_FILLED_WITH_OPENBOOK_V2 = 19
    TRANSFER_PERP_POSITION = 20


class DepositDirection(IntEnum):
    """Which way tokens went."""

    DEPOSIT = 0
    WITHDRAW = 1


class DepositExplanation(IntEnum):
    """Why tokens moved."""

    NONE = 0
    TRANSFER = 1
    BORROW = 2
    REPAY_BORROW = 3
    REWARD = 4


class LiquidationType(IntEnum):
    """What was liquidated; the record's part of that name holds the figures."""

    LIQUIDATE_PERP = 0
    LIQUIDATE_SPOT = 1
    LIQUIDATE_BORROW_FOR_PERP_PNL = 2
    LIQUIDATE_PERP_PNL_FOR_DEPOSIT = 3
    PERP_BANKRUPTCY = 4
    SPOT_BANKRUPTCY = 5


class SettlePnlExplanation(IntEnum):
    """Why PnL was settled."""

    NONE = 0
    EXPIRED_POSITION = 1


class StakeAction(IntEnum):
    """What a staker of an insurance fund did."""

    STAKE = 0
    UNSTAKE_REQUEST = 1
    UNSTAKE_CANCEL_REQUEST = 2
    UNSTAKE = 3
    UNSTAKE_TRANSFER = 4
    STAKE_TRANSFER = 5
    ADMIN_DEPOSIT = 6


class UserStatus(IntFlag):
    """Flags of ``User.status``; the protected-maker one is Drift v2's, the vault one Velocity's."""

    BEING_LIQUIDATED = 1
    BANKRUPT = 2
    REDUCE_ONLY = 4
    ADVANCED_LP = 8
    PROTECTED_MAKER_ORDERS = 16
    VAULT_OWNED = 32


class PositionFlag(IntFlag):
    """Flags of ``PerpPosition.position_flag``; the last is Velocity's."""

    ISOLATED = 1
    BEING_LIQUIDATED = 2
    BANKRUPT = 4
    BANKRUPTCY_CLAIM = 8


class OrderFlag(IntFlag):
    """Flags of ``Order.bit_flags`` (``OrderBitFlag``); the last is Velocity's."""

    SIGNED_MESSAGE = 1
    ORACLE_TRIGGER_MARKET = 2
    SAFE_TRIGGER_ORDER = 4
    NEW_TRIGGER_REDUCE_ONLY = 8
    HAS_BUILDER = 16
    IS_ISOLATED_POSITION = 32
    PLACED_ON_CLOB = 64


class ExchangeStatus(IntFlag):
    """What the whole exchange has paused (``State.exchange_status``)."""

    DEPOSIT_PAUSED = 1
    WITHDRAW_PAUSED = 2
    AMM_PAUSED = 4
    FILL_PAUSED = 8
    LIQUIDATION_PAUSED = 16
    FUNDING_PAUSED = 32
    SETTLE_PNL_PAUSED = 64
    AMM_IMMEDIATE_FILL_PAUSED = 128


class PerpOperation(IntFlag):
    """What a perp market has paused (``PerpMarket.paused_operations``)."""

    UPDATE_FUNDING = 1
    AMM_FILL = 2
    FILL = 4
    SETTLE_PNL = 8
    SETTLE_PNL_WITH_POSITION = 16
    LIQUIDATION = 32
    AMM_IMMEDIATE_FILL = 64
    SETTLE_REV_POOL = 128


class SpotOperation(IntFlag):
    """What a spot market has paused (``SpotMarket.paused_operations``)."""

    UPDATE_CUMULATIVE_INTEREST = 1
    FILL = 2
    DEPOSIT = 4
    WITHDRAW = 8
    LIQUIDATION = 16
