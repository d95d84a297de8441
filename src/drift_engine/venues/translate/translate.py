"""Decoded accounts into core's words: what margin and every other rule is computed on.

A view of an account goes in with its protocol's record, a ``Market`` or an ``Account`` comes out. What the two
protocols keep differently is told apart here and nowhere in core. Nothing is made up: a market whose oracle was not
read has no price, and what needs one is then unknown.

Sources: ``state/perp_market.rs``, ``state/spot_market.rs`` and ``state/user.rs`` of both programs.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TypeVar

from drift_engine.core.types import (
    Account,
    AssetTier,
    Contract,
    Leverage,
    Market,
    MarketStatus,
    PerpSpec,
    PerpTotals,
    SpotSpec,
    SpotTotals,
)
from drift_engine.core.units import E6, rescale
from drift_engine.venues.errors import DecodeError
from drift_engine.venues.program import Program
from drift_engine.venues.translate.held import balance, held_positions, position
from drift_engine.venues.translate.names import Names
from drift_engine.venues.wire import perp_market as wire_perp
from drift_engine.venues.wire import spot_market as wire_spot
from drift_engine.venues.wire import user as wire_user
from drift_engine.venues.wire.enums import OracleSource
from drift_engine.venues.wire.oracles import OraclePrice
from drift_engine.venues.wire.records import FeeTier

T = TypeVar("T")

_STATUSES: dict[str, tuple[MarketStatus, ...]] = {
    "drift_v2": (
        "initialized", "active", "paused", "paused", "paused", "paused", "reduce_only", "settlement", "delisted",
    ),
    "velocity": ("initialized", "active", "reduce_only", "settlement", "delisted"),
}  # fmt: skip
_TIERS = ("A", "B", "C", "speculative", "highly_speculative", "isolated")
_ASSET_TIERS: tuple[AssetTier, ...] = ("collateral", "protected", "cross", "isolated", "unlisted")
_CONTRACTS: tuple[Contract, ...] = ("perpetual", "future", "prediction")
_LEVERAGES: tuple[Leverage, ...] = ("ordinary", "high", "high_maintenance")
_NO_FEES = FeeTier(0, 1, 0, 1, 0, 1, 0, 1)
_MULTIPLES: Mapping[int, int] = {
    OracleSource.PYTH_1K: 1_000, OracleSource.PYTH_1K_PULL: 1_000, OracleSource.PYTH_LAZER_1K: 1_000,
    OracleSource.PYTH_1M: E6, OracleSource.PYTH_1M_PULL: E6, OracleSource.PYTH_LAZER_1M: E6,
}  # fmt: skip
_BEING_LIQUIDATED, _BANKRUPT, _REDUCE_ONLY = 1, 2, 4
_MOST_DECIMALS = 19
"""``math/spot_balance.rs``: 10 to the power of 19 less the decimals has to be a number."""
_MIN_RATE_STEP_E6 = E6 // 200
_OPERATIONS = (
    "update_funding", "amm_fill", "fill", "settle_pnl", "settle_pnl_with_position", "liquidation",
    "amm_immediate_fill", "settle_revenue_pool",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Translator:
    """One protocol's accounts into core's words. ``fees`` is the tier that a market's fees are shown by."""

    program: Program
    fees: FeeTier = field(default=_NO_FEES)

    def perp_market(self, view: wire_perp.PerpMarket, oracle: OraclePrice | None, ts_ns: int = 0) -> Market:
        """Return a perp market at its oracle's price, without one where ``oracle`` is ``None``."""
        return Market(
            self.perp_spec(view),
            ts_ns,
            None if oracle is None else oracle.price_e6,
            _posted(oracle),
            view.historical_oracle_data.last_oracle_price_twap,
            0 if oracle is None else oracle.confidence_e6,
            mark_e6=_mark_e6(view),
            funding_e9=view.last_funding_rate,
            status=self._status(view.status, "perp", view.market_index),
            funding_cumulative_e9=view.cumulative_funding_rate_long,
            totals=self.perp_totals(view),
        )

    def perp_spec(self, view: wire_perp.PerpMarket) -> PerpSpec:
        """Return a perp market's facts."""
        if view.quote_spot_market_index != 0:
            raise DecodeError(f"{view.name} settles in spot market {view.quote_spot_market_index}; only 0 is known")
        drift = self.program.name == "drift_v2"
        return PerpSpec(
            view.name,
            view.market_index,
            view.name.removesuffix("-PERP"),
            self.program.quote,
            str(view.oracle),
            view.order_step_size,
            view.order_tick_size,
            view.min_order_size,
            view.margin_ratio_initial,
            view.margin_ratio_maintenance,
            view.imf_factor,
            view.unrealized_pnl_initial_asset_weight,
            view.unrealized_pnl_maintenance_asset_weight,
            view.liquidator_fee,
            view.if_liquidation_fee,
            self.fees.fee_numerator * E6 // self.fees.fee_denominator,
            -(self.fees.maker_rebate_numerator * E6 // self.fees.maker_rebate_denominator),
            _named(_TIERS, view.contract_tier, "contract tier", view.name),
            upnl_imf_e6=view.unrealized_pnl_imf_factor,
            upnl_max_imbalance_e6=view.unrealized_pnl_max_imbalance,
            leverage_initial_e4=view.high_leverage_margin_ratio_initial if drift else 0,
            leverage_maintenance_e4=view.high_leverage_margin_ratio_maintenance if drift else 0,
            contract=_named(_CONTRACTS, view.contract_type, "contract type", view.name) if drift else "perpetual",
            fee_adjustment_pct=view.fee_adjustment,
            taker_addon_tenth_bps=0 if drift else view.taker_fee_addon_tenth_bps,
            pool=view.pool_id,
            oracle_multiple=_MULTIPLES.get(view.oracle_source, 1),
        )

    def perp_totals(self, view: wire_perp.PerpMarket) -> PerpTotals:
        """Return what a perp market keeps of all its users."""
        base_e9 = view.base_asset_amount_with_amm
        cost_e6 = view.quote_asset_amount + view.net_unsettled_funding_pnl
        if self.program.name == "drift_v2":
            base_e9 += view.base_asset_amount_with_unsettled_lp
            cost_e6 += view.quote_asset_amount_with_unsettled_lp
        return PerpTotals(
            view.cumulative_funding_rate_short,
            base_e9,
            cost_e6,
            view.historical_oracle_data.last_oracle_price,
            view.expiry_price,
            view.expiry_ts,
            view.base_asset_amount_long,
            view.base_asset_amount_short,
            view.max_open_interest,
            frozenset(name for bit, name in enumerate(_OPERATIONS) if view.paused_operations >> bit & 1),
        )

    def spot_market(self, view: wire_spot.SpotMarket, oracle: OraclePrice | None, ts_ns: int = 0) -> Market:
        """Return a spot market at its oracle's price, without one where ``oracle`` is ``None``."""
        return Market(
            self.spot_spec(view),
            ts_ns,
            None if oracle is None else oracle.price_e6,
            _posted(oracle),
            view.historical_oracle_data.last_oracle_price_twap,
            0 if oracle is None else oracle.confidence_e6,
            status=self._status(view.status, "spot", view.market_index),
            interest_deposit_e10=view.cumulative_deposit_interest,
            interest_borrow_e10=view.cumulative_borrow_interest,
            totals=SpotTotals(
                view.historical_oracle_data.last_oracle_price_twap_5min,
                view.deposit_balance,
                view.borrow_balance,
                view.last_interest_ts,
            ),
        )

    def spot_spec(self, view: wire_spot.SpotMarket) -> SpotSpec:
        """Return a spot market's facts."""
        decimals = view.decimals
        if decimals > _MOST_DECIMALS:
            raise DecodeError(f"{view.name} has {decimals} decimals; balances are kept for up to {_MOST_DECIMALS}")
        return SpotSpec(
            view.name,
            view.market_index,
            view.name,
            str(view.oracle),
            decimals,
            rescale(view.order_step_size, decimals, 9),
            view.order_tick_size,
            rescale(view.min_order_size, decimals, 9),
            view.initial_asset_weight,
            view.maintenance_asset_weight,
            view.initial_liability_weight,
            view.maintenance_liability_weight,
            view.imf_factor,
            view.liquidator_fee,
            view.if_liquidation_fee,
            0,
            view.optimal_utilization,
            view.optimal_borrow_rate,
            view.max_borrow_rate,
            scale_initial_from_e6=view.scale_initial_asset_weight_start,
            min_rate_e6=view.min_borrow_rate * _MIN_RATE_STEP_E6,
            asset_tier=_named(_ASSET_TIERS, view.asset_tier, "asset tier", view.name),
            at_par=view.oracle_source == OracleSource.QUOTE_ASSET,
            pool=view.pool_id,
            oracle_multiple=_MULTIPLES.get(view.oracle_source, 1),
        )

    def account(self, view: wire_user.User, names: Names) -> Account:
        """Return a sub-account. Raises ``DecodeError`` where it holds something in a market that is not known."""
        drift, status = self.program.name == "drift_v2", view.status
        return Account(
            self.program.quote,
            tuple(balance(held, names) for held in view.spot_positions()),
            tuple(position(held, names) for held in held_positions(view)),
            view.max_margin_ratio,
            leverage=_named(_LEVERAGES, view.margin_mode, "margin mode", "the account") if drift else "ordinary",
            being_liquidated=bool(status & _BEING_LIQUIDATED),
            bankrupt=bool(status & _BANKRUPT),
            reduce_only=bool(status & _REDUCE_ONLY),
            margin_trading=view.is_margin_trading_enabled,
            equity_floor_e6=0 if drift else view.equity_floor,
            equity_floor_buffer_e6=0 if drift else view.equity_floor_buffer,
            pool=view.pool_id,
        )

    def _status(self, number: int, kind: str, index: int) -> MarketStatus:
        return _named(_STATUSES[self.program.name], number, "status", f"{kind} market {index}")


def _named(names: tuple[T, ...], number: int, what: str, whose: str) -> T:
    if number >= len(names):
        raise DecodeError(f"{what} {number} of {whose} is not known; this build knows 0 to {len(names) - 1}")
    return names[number]


def _posted(oracle: OraclePrice | None) -> int:
    """Return the slot a price was posted in, 0 where it has none: one that stands by definition."""
    return 0 if oracle is None else oracle.posted_slot or 0


def _mark_e6(view: wire_perp.PerpMarket) -> int | None:
    """Return the price at the vAMM's reserves (``math/amm.rs`` calculate_price), ``None`` where it has none."""
    base_e9 = view.base_asset_reserve
    return view.quote_asset_reserve * view.peg_multiplier // base_e9 if base_e9 else None
