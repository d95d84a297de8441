"""The events that both protocols log."""

from drift_engine.venues.wire.events.liquidation import LiquidationRecord
from drift_engine.venues.wire.events.markets import (
    FundingRateRecord,
    InsuranceFundRecord,
    InsuranceFundStakeRecord,
    SpotInterestRecord,
    SpotMarketVaultDepositRecord,
)
from drift_engine.venues.wire.events.trading import (
    FundingPaymentRecord,
    OrderActionRecord,
    OrderRecord,
    SettlePnlRecord,
    SignedMsgOrderRecord,
)
from drift_engine.venues.wire.events.users import (
    DeleteUserRecord,
    DepositRecord,
    NewUserRecord,
    RevenueShareSettleRecord,
    SwapRecord,
)

SHARED = (
    NewUserRecord,
    DeleteUserRecord,
    DepositRecord,
    SwapRecord,
    RevenueShareSettleRecord,
    SpotInterestRecord,
    SpotMarketVaultDepositRecord,
    FundingRateRecord,
    InsuranceFundRecord,
    InsuranceFundStakeRecord,
    OrderRecord,
    OrderActionRecord,
    FundingPaymentRecord,
    SettlePnlRecord,
    SignedMsgOrderRecord,
    LiquidationRecord,
)
