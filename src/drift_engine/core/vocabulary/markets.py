"""Markets: the facts that only an admin changes, and what is known of a market at one moment."""

from __future__ import annotations

from typing import ClassVar, Literal

from msgspec import Struct

Kind = Literal["perp", "spot"]
MarketStatus = Literal["active", "reduce_only", "paused", "settlement", "delisted"]


class PerpSpec(Struct, frozen=True, gc=False, tag_field="kind", tag="perp"):
    """Facts of a perp market that only its admin changes. ``tier`` is the contract tier, ``"A"`` to ``"C"`` and beyond.

    Fees are fractions in 1e6 of the notional; a maker's fee is negative where it is a rebate.
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
    kind: ClassVar[Literal["perp"]] = "perp"


class SpotSpec(Struct, frozen=True, gc=False, tag_field="kind", tag="spot"):
    """Facts of a spot market. Its token has ``decimals`` decimals; weights are in 1e4, rates in 1e6 a year."""

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
    kind: ClassVar[Literal["spot"]] = "spot"


Spec = PerpSpec | SpotSpec


class Market(Struct, frozen=True, gc=False):
    """All that is known of one market at one moment. A figure that is not known is ``None``.

    ``funding_e9`` is the last settled hourly rate, in quote per one base, positive when longs pay. ``deposit_rate_e6``
    and ``borrow_rate_e6`` are fractions a year. ``interest_*_e10`` are the cumulative interest of a spot market,
    ``funding_cumulative_e9`` the cumulative funding rate of a perp market.
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
