"""Velocity's errors by number: Drift v2's, with five names retired, and its own after them (``error.rs``).

Numbers to 6373 are held here; later builds declare more, whose names the program's log gives.
"""

from drift_engine.venues.shared_errors import SHARED, numbered

_RETIRED = {
    6284: "DepreciatedPredictionMarketOrder",
    6290: "DeprecatedHighLeverageModeConfig",
    6310: "Deprecated1",
    6311: "Deprecated2",
    6314: "DeprecatedCouldNotDeserializeHighLeverageModeConfig",
}
_OWN = numbered(
    """
    InvalidInsuranceFundWithdrawalRecipient SpotDlobTradingDisabled InvalidAdminTier
    WithdrawGuardThresholdNotionalTooLarge InvalidProtocolFeeRecipient InsufficientProtocolFees
    InvalidNativeStateAccount InvalidNativePerpMarketAccount IsolatedPositionDisabled EquityBelowFloor
    InvalidEquityFloorTransfer IFDepositMintsZeroShares LiquidationWorsensAccountHealth
    PerpBankruptcyMustPrecedeSpot InvalidRevenueShareRecipient DailyDepositLimit ReservedSpotMarketName
    CannotModifyBuilderOrder InvalidAccountExtension InvalidEquityBreakerReset InvalidNativeInstructionData
    MmOracleUpdateDisabled SpotMarketInterestStaleForMargin UnsettledRevenueShareOnDelist
    RevenueShareOrderNotForfeitable
    """,
    first=max(SHARED) + 1,
)
ERRORS = {**SHARED, **_RETIRED, **_OWN}
