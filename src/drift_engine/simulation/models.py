"""How the simulated venue charges, delays, moves and fills: small frozen records, each an assumption in plain words.

Fees follow the program (``math/fees.rs``: the taker's rounds up, the maker's rebate down; ``math/orders.rs``
calculate_quote_asset_amount_for_maker_order: the quote rounds in the maker's favour). Spread, impact, latency and
partial fills are assumptions, since no order book is on record.
"""

from typing import Literal

from msgspec import Struct

from drift_engine.core import fees as core_fees
from drift_engine.core.types import PerpSpec, Spec
from drift_engine.core.units import E6, E9, MILLISECOND_NS, ceil_div, ceil_to_step, floor_to_step, show_scaled
from drift_engine.simulation.facts import QUOTE
from drift_engine.simulation.faults import Faults, draw

_MONTH_S = 30 * 86_400
_PERCENT_E6 = 10_000


class FeeTier(Struct, frozen=True):
    """The fees from a 30-day volume of makers' and takers' fills together; fractions of the quote in 1e6."""

    volume_e6: int
    taker_e6: int
    maker_e6: int


_TIERS = ((0, 1_000), (2, 900), (10, 800), (20, 700), (80, 600), (200, 500))
DRIFT_TIERS = tuple(FeeTier(millions * E6 * E6, taker_e6, -200) for millions, taker_e6 in _TIERS)
"""Source: ``state/state.rs`` FeeStructure::perps_default and ``math/fees.rs``: volumes in quote."""


class Fees(Struct, frozen=True):
    """The fee schedule of perps; without tiers nothing is charged. Spot swaps pay their own taker fee, which is 0."""

    tiers: tuple[FeeTier, ...] = DRIFT_TIERS

    def fee_e6(self, spec: Spec, quote_e6: int, volume_e6: int, *, maker: bool) -> int:
        """Return the fee on a fill's quote, in either sign: positive when paid, negative for a rebate."""
        if not self.tiers:
            return 0
        size_e6 = abs(quote_e6)
        if not isinstance(spec, PerpSpec):
            return ceil_div(size_e6 * spec.taker_fee_e6, E6)
        tier = self._tier(volume_e6)
        fractions = core_fees.FeeTier((tier.taker_e6, E6), (-tier.maker_e6, E6))
        if maker:
            return -core_fees.maker_rebate_e6(size_e6, fractions)
        return core_fees.taker_fee_e6(size_e6, fractions)

    def _tier(self, volume_e6: int) -> FeeTier:
        """Return the last tier the volume reaches, the first where it reaches none."""
        found = self.tiers[0]
        for tier in self.tiers:
            if volume_e6 < tier.volume_e6:
                break
            found = tier
        return found


class Volume(Struct, frozen=True):
    """A rolling 30-day volume. Source: ``math/stats.rs`` calculate_rolling_sum."""

    volume_e6: int = 0
    last_s: int = 0

    def after(self, quote_e6: int, now_s: int) -> "Volume":
        """Return the volume after a fill: what was counted before fades in a straight line."""
        kept_s = max(0, _MONTH_S - max(1, now_s - self.last_s))
        return Volume(self.volume_e6 * kept_s // _MONTH_S + abs(quote_e6), now_s)


class Latency(Struct, frozen=True):
    """How long an order takes to land, seeded by its plan, and how long a report takes to come back."""

    send_min_ns: int = 400 * MILLISECOND_NS
    send_max_ns: int = 800 * MILLISECOND_NS
    report_ns: int = 200 * MILLISECOND_NS

    def send_ns(self, seed: int, what: str) -> int:
        """Return how long one message takes to the venue."""
        return self.send_min_ns + draw(seed, f"send:{what}", self.send_max_ns - self.send_min_ns + 1)


class Impact(Struct, frozen=True):
    """What a taker pays beside fees: half the spread, and impact that grows in a straight line with the notional.

    ``depth_e6`` is the notional that moves the price by one per cent; 0 means that none does.
    """

    half_spread_e6: int = 100
    depth_e6: int = 5_000_000 * E6

    def slip_e6(self, notional_e6: int) -> int:
        """Return the distance from the reference price at which a notional fills, as a fraction in 1e6."""
        moved_e6 = ceil_div(notional_e6 * _PERCENT_E6, self.depth_e6) if self.depth_e6 else 0
        return self.half_spread_e6 + moved_e6

    def price_e6(self, reference_e6: int, base_e9: int, tick_e6: int) -> int:
        """Return the price at which a signed base amount fills, rounded to the tick against the taker."""
        slip_e6 = self.slip_e6(abs(base_e9) * reference_e6 // E9)
        away_e6 = ceil_div(reference_e6 * slip_e6, E6)
        if base_e9 > 0:
            return ceil_to_step(reference_e6 + away_e6, tick_e6)
        return max(tick_e6, floor_to_step(reference_e6 - away_e6, tick_e6))


class Fills(Struct, frozen=True):
    """When orders fill: takers by ``auction`` (from arrival on) or at the ``next_open``; makers when traded through.

    A resting order fills when the mark is ``through_ticks`` ticks beyond its limit.
    """

    taker: Literal["auction", "next_open"] = "auction"
    through_ticks: int = 1


class PartialFills(Struct, frozen=True):
    """A chance (in a million) that a leg fills in several parts, and that its last part is left to expire."""

    chance_e6: int = 0
    most_parts: int = 3
    leftover_e6: int = 0

    def split(self, seed: int, key: str, base_e9: int, step_e9: int, *, whole: bool) -> tuple[int, ...]:
        """Return the parts of a signed base amount that fill now; with ``whole`` nothing is left over."""
        if not self.chance_e6:
            return (base_e9,)
        steps = abs(base_e9) // step_e9
        parts = 2 + draw(seed, f"parts:{key}", max(1, self.most_parts - 1))
        if steps < parts or draw(seed, f"partial:{key}", E6) >= self.chance_e6:
            return (base_e9,)
        part_e9 = steps // parts * step_e9 * (1 if base_e9 > 0 else -1)
        last_e9 = base_e9 - part_e9 * (parts - 1)
        if not whole and draw(seed, f"leftover:{key}", E6) < self.leftover_e6:
            return (part_e9,) * (parts - 1)
        return (*(part_e9,) * (parts - 1), last_e9)


class LiquidationRules(Struct, frozen=True):
    """The figures of the program's State account that liquidation reads (``state/state.rs``).

    The buffer is the program's default. No State account is on record: how much may be liquidated at once, and over
    how many slots the rest, are assumed.
    """

    buffer_e4: int = 200
    duration_slots: int = 150
    initial_pct_e4: int = 2_000


class Models(Struct, frozen=True):
    """All models of one venue. ``tip_e6`` is paid from the quote balance for each plan that filled."""

    fees: Fees = Fees()
    latency: Latency = Latency()
    impact: Impact = Impact()
    fills: Fills = Fills()
    partial: PartialFills = PartialFills()
    liquidation: LiquidationRules = LiquidationRules()
    tip_e6: int = 0

    def assumptions(self) -> tuple[str, ...]:
        """Return what a reader of results must know, a line each."""
        waits_ns = (self.latency.send_min_ns, self.latency.send_max_ns, self.latency.report_ns)
        least_ms, most_ms, reports_ms = (wait_ns // MILLISECOND_NS for wait_ns in waits_ns)
        return (
            self._fee_line(),
            f"orders land after {least_ms}-{most_ms} ms, reports take {reports_ms} ms",
            self._fill_line(),
            f"liquidation: {self.liquidation.initial_pct_e4 / 100:g} % of a shortage at once, all of it after "
            f"{self.liquidation.duration_slots} slots (no State account is on record); liquidators act on every price",
            "margin is checked at current prices, without the program's strict five-minute averages",
            "a market's PnL pool always suffices to settle profits, as the engine asks daily and after each plan",
            "a perp order and its fill are checked for margin once, when it arrives",
        )

    def _fee_line(self) -> str:
        if not self.fees.tiers:
            return "no fees"
        first = self.fees.tiers[0]
        return (
            f"perp fees start at {first.taker_e6 / 100:g} bp for takers, {first.maker_e6 / 100:g} bp for makers, and "
            "fall with 30-day volume; spot swaps pay none"
        )

    def _fill_line(self) -> str:
        if self.fills.taker == "next_open":
            return f"takers fill at the next row's open, {self._cost_text()}"
        return f"takers fill at the mark (spot: the oracle) on arrival, {self._cost_text()}"

    def _cost_text(self) -> str:
        depth = f"one per cent for {show_scaled(self.impact.depth_e6, 6)} USD" if self.impact.depth_e6 else "none"
        return f"half spread {self.impact.half_spread_e6 / 100:g} bp, impact {depth}"


class VenueConfig(Struct, frozen=True):
    """What a simulated venue is made of. ``deposit_e6`` is paid into the quote balance at its first moment."""

    seed: int = 0
    deposit_e6: int = 10_000 * E6
    models: Models = Models()
    faults: Faults = Faults()
    quote: str = QUOTE


FREE_NEXT_OPEN = Models(
    fees=Fees(()),
    latency=Latency(0, 0, 0),
    impact=Impact(0, 0),
    fills=Fills("next_open"),
)
"""For comparisons with engines that fill at the next open and charge nothing."""
