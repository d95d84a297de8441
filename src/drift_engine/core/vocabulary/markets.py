"""Markets: the facts that only an admin changes, and what is known of a market at one moment."""

from __future__ import annotations

from typing import ClassVar, Literal

from msgspec import Struct

Kind = Literal["perp", "spot"]
Contract = Literal["perpetual", "future", "prediction"]
AssetTier = Literal["collateral", "protected", "cross", "isolated", "unlisted"]
MarketStatus = Literal["initialized", "active", "reduce_only", "paused", "settlement", "delisted"]


class PerpSpec(Struct, frozen=True, gc=False, tag_field="kind", tag="perp"):
    """Facts of a perp market that only its admin changes.

    ``tier`` is the contract tier: ``"A"`` to ``"C"``, then ``speculative``, ``highly_speculative``, ``isolated``. Fees
    are fractions in 1e6 of the notional; a maker's fee is negative where it is a rebate. A margin ratio, weight factor
    or limit of 0 is the program's own way to say that a market has none: ``leverage_*_e4`` are the ratios of Drift's
    high-leverage mode, ``upnl_max_imbalance_e6`` is where unrealised profit starts to count less.
    ``oracle_multiple`` is how many units of the asset the oracle's price stands for.
    """

    name: str
    index: int
    asset: str
    quote: str
    oracle: str
    step_e9: int
    tick_e6: int
    min_order_e9: int
    margin_initial_e4: int
    margin_maintenance_e4: int
    imf_e6: int
    upnl_initial_e4: int
    upnl_maintenance_e4: int
    liquidator_fee_e6: int
    insurance_fee_e6: int
    taker_fee_e6: int
    maker_fee_e6: int
    tier: str
    upnl_imf_e6: int = 0
    upnl_max_imbalance_e6: int = 0
    leverage_initial_e4: int = 0
    leverage_maintenance_e4: int = 0
    contract: Contract = "perpetual"
    fee_adjustment_pct: int = 0
    taker_addon_tenth_bps: int = 0
    pool: int = 0
    oracle_multiple: int = 1
    kind: ClassVar[Literal["perp"]] = "perp"


class SpotSpec(Struct, frozen=True, gc=False, tag_field="kind", tag="spot"):
    """Facts of a spot market. Its token has ``decimals`` decimals; weights are in 1e4, rates in 1e6 a year.

    ``scale_initial_from_e6`` is the value of all deposits above which the initial asset weight falls, 0 for never.
    ``at_par`` says of a quote asset that it is worth one whatever its oracle says, as the program's QuoteAsset oracle
    does; where it is false the oracle's price counts.
    """

    name: str
    index: int
    asset: str
    oracle: str
    decimals: int
    step_e9: int
    tick_e6: int
    min_order_e9: int
    asset_initial_e4: int
    asset_maintenance_e4: int
    liability_initial_e4: int
    liability_maintenance_e4: int
    imf_e6: int
    liquidator_fee_e6: int
    insurance_fee_e6: int
    taker_fee_e6: int
    optimal_utilisation_e6: int
    optimal_rate_e6: int
    max_rate_e6: int
    scale_initial_from_e6: int = 0
    min_rate_e6: int = 0
    asset_tier: AssetTier = "collateral"
    at_par: bool = True
    pool: int = 0
    oracle_multiple: int = 1
    kind: ClassVar[Literal["spot"]] = "spot"


Spec = PerpSpec | SpotSpec


class PerpTotals(Struct, frozen=True, gc=False):
    """What a perp market's account says beyond its price, one figure for all its users.

    ``base_users_e9`` is what all users hold net against the vAMM, ``cost_basis_e6`` what they paid for it, unsettled
    funding with it (``math/amm.rs``, calculate_net_user_pnl), ``oracle_last_e6`` the oracle price the market last wrote
    down. ``funding_short_e9`` is the cumulative funding rate of shorts. ``expiry_e6`` is the price at which a market in
    settlement settles, ``expiry_s`` when it does so, 0 for never. ``paused`` names the operations that are paused, in
    the program's words. A limit of open interest of 0 is none.
    """

    funding_short_e9: int
    base_users_e9: int = 0
    cost_basis_e6: int = 0
    oracle_last_e6: int = 0
    expiry_e6: int = 0
    expiry_s: int = 0
    base_long_e9: int = 0
    base_short_e9: int = 0
    max_open_interest_e9: int = 0
    paused: frozenset[str] = frozenset()


class SpotTotals(Struct, frozen=True, gc=False):
    """What a spot market's account says beyond its price: the 5-minute mean of its oracle, and all balances, scaled."""

    oracle_twap_5min_e6: int
    deposits_scaled_e9: int = 0
    borrows_scaled_e9: int = 0
    interest_s: int = 0


class Market(Struct, frozen=True, gc=False):
    """All that is known of one market at one moment. A figure that is not known is ``None``.

    ``funding_e9`` is the last settled hourly rate, in quote per one base, positive when longs pay. ``deposit_rate_e6``
    and ``borrow_rate_e6`` are fractions a year. ``interest_*_e10`` are the cumulative interest of a spot market,
    ``funding_cumulative_e9`` the cumulative funding rate of a perp market (of its longs, where its shorts have another
    in ``totals``). ``totals`` is ``None`` where nobody read the market's account: what needs it is then not known.
    """

    spec: Spec
    ts_ns: int = 0
    oracle_e6: int | None = None
    oracle_slot: int = 0
    oracle_twap_e6: int | None = None
    oracle_confidence_e6: int = 0
    mark_e6: int | None = None
    bid_e6: int | None = None
    ask_e6: int | None = None
    funding_e9: int | None = None
    deposit_rate_e6: int | None = None
    borrow_rate_e6: int | None = None
    status: MarketStatus = "active"
    interest_deposit_e10: int = 10**10
    interest_borrow_e10: int = 10**10
    funding_cumulative_e9: int = 0
    totals: PerpTotals | SpotTotals | None = None

    @property
    def name(self) -> str:
        """The market's symbol, as ``SOL-PERP`` or ``SOL``."""
        return self.spec.name

    @property
    def kind(self) -> Kind:
        """Whether it is a perp or a spot market."""
        return self.spec.kind

    @property
    def step_e9(self) -> int:
        """Order sizes are multiples of this."""
        return self.spec.step_e9

    @property
    def tick_e6(self) -> int:
        """Prices are multiples of this."""
        return self.spec.tick_e6

    @property
    def min_order_e9(self) -> int:
        """The smallest order that is not reduce-only."""
        return self.spec.min_order_e9
