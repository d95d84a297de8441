"""What each thing an account holds adds to its margin, for both kinds at once.

A *holding* is made once for a position or balance. All that does not depend on the price (worst-case sizes, ratios and
weights, token amounts) are its *facts*: prepared there, and again only when the market's own facts change. ``part``
then prices it with a few multiplications, exact to the unit. ``margin_monitor`` sums the parts.

Sources: ``math/margin.rs`` calculate_perp_position_value_and_pnl and
calculate_margin_requirement_and_total_collateral_and_liability_info, ``state/user.rs`` worst_case_liability_value and
simulate_fills_both_sides, ``state/perp_market.rs`` get_unrealized_asset_weight. Prices are current, not strict, and the
quote asset is worth one. A perp market in settlement asks no margin; its oracle is then the settlement price.
"""

from drift_engine.core.funding import payment_e6
from drift_engine.core.margin_weights import asset_weight_e4, liability_weight_e4, perp_ratio_e4, weighted_e6
from drift_engine.core.spot_balance import token_amount
from drift_engine.core.types import MarginKind, Market, PerpPosition, PerpSpec, SpotBalance, SpotSpec
from drift_engine.core.units import E4, E6, E9, ceil_div, floor_div
from drift_engine.core.valuation import PriceUnknownError

OPEN_ORDER_E6 = 10_000
UPNL_INITIAL_CAP_E6 = 100 * E6

Part = tuple[int, int, int, int, int, int, int, int, int]
"""Collateral and requirement by maintenance, both by initial, value, liability, what open spot orders change in the
quote balance (all in quote 1e6); then ``ts_ns`` and ``oracle_slot`` of the price it stands on.
"""

Side = tuple[int, int, int]
"""An amount, its maintenance ratio and its initial ratio."""


class PerpHolding:
    """A perp position, ready to be priced. ``account_ratio_e4`` is the account's own margin ratio, 0 for none."""

    __slots__ = ("_custom_e4", "_facts", "_position", "_sides")

    def __init__(self, position: PerpPosition, account_ratio_e4: int, market: Market) -> None:
        self._position = position
        self._custom_e4 = max(account_ratio_e4, position.max_margin_ratio_e4)
        self._prepare(market)

    def _prepare(self, market: Market) -> None:
        spec, position = market.spec, self._position
        if not isinstance(spec, PerpSpec):
            raise TypeError(f"{spec.name} is a spot market and holds no perp positions")
        base, cumulative = position.base_e9, market.funding_cumulative_e9
        self._facts = (
            spec,
            cumulative,
            market.status,
            base >= 0,
            abs(base),
            position.quote_e6,
            payment_e6(cumulative - position.funding_cursor_e9, base),
            *self._ratios_e4(spec, market, abs(base)),
            spec.upnl_maintenance_e4,
            spec.upnl_initial_e4,
            position.open_orders * OPEN_ORDER_E6,
        )
        self._sides: tuple[Side, Side] | None = None
        if position.open_bids_e9 or position.open_asks_e9:
            asks, bids = abs(base + position.open_asks_e9), abs(base + position.open_bids_e9)
            self._sides = (asks, *self._ratios_e4(spec, market, asks)), (bids, *self._ratios_e4(spec, market, bids))

    def _ratios_e4(self, spec: PerpSpec, market: Market, size_e9: int) -> tuple[int, int]:
        if market.status == "settlement":
            return 0, 0
        return perp_ratio_e4(spec, size_e9, "maintenance"), perp_ratio_e4(spec, size_e9, "initial", self._custom_e4)

    def part(self, market: Market) -> Part:
        """Return what the position adds at the market's oracle price. Raises ``PriceUnknownError``."""
        spec, cumulative, status, long, size, quote, unsettled, ratio, ratio_i, upnl, upnl_i, open_e6 = self._facts
        price = market.oracle_e6
        if price is None or price <= 0:
            raise PriceUnknownError(f"the price of {market.name} is not known")
        if market.spec is not spec or market.funding_cumulative_e9 != cumulative or market.status != status:
            self._prepare(market)
            return self.part(market)
        owed = size * price // E9
        value = quote + owed if long else quote - owed
        if self._sides:
            owed, ratio, ratio_i = _worst_side(self._sides, price)
        requirement, required = owed * ratio // E4, owed * ratio_i // E4
        if open_e6:
            requirement, required = requirement + open_e6, required + open_e6
        collateral = initial = value + unsettled if unsettled else value
        if collateral > 0:
            initial = min(collateral * upnl_i // E4, UPNL_INITIAL_CAP_E6) if upnl_i else 0
            if upnl != E4:
                collateral = collateral * upnl // E4
        return collateral, requirement, initial, required, value, owed, 0, market.ts_ns, market.oracle_slot


def _worst_side(sides: tuple[Side, Side], price_e6: int) -> Side:
    """Return liability and both ratios if all asks or all bids fill, whichever owes more; asks where they are equal."""
    (asks, asks_e4, asks_i_e4), (bids, bids_e4, bids_i_e4) = sides
    owed_asks, owed_bids = asks * price_e6 // E9, bids * price_e6 // E9
    return (owed_asks, asks_e4, asks_i_e4) if owed_asks >= owed_bids else (owed_bids, bids_e4, bids_i_e4)


class SpotHolding:
    """A spot balance other than the quote asset's, ready to be priced. ``account_ratio_e4`` as for a perp."""

    __slots__ = ("_balance", "_custom_e4", "_facts")

    def __init__(self, balance: SpotBalance, account_ratio_e4: int, market: Market) -> None:
        self._balance = balance
        self._custom_e4 = account_ratio_e4
        self._prepare(market)

    def _prepare(self, market: Market) -> None:
        spec = market.spec
        if not isinstance(spec, SpotSpec):
            raise TypeError(f"{spec.name} is a perp market and holds no balances")
        tokens = token_amount(self._balance.scaled_e9, market)
        weight_e4 = asset_weight_e4 if tokens > 0 else liability_weight_e4
        self._facts = (
            spec,
            market.interest_deposit_e10,
            market.interest_borrow_e10,
            tokens,
            10**spec.decimals,
            weight_e4(spec, tokens, "maintenance"),
            weight_e4(spec, tokens, "initial", self._custom_e4),
            self._balance.open_orders * OPEN_ORDER_E6,
        )

    def part(self, market: Market) -> Part:
        """Return what the balance adds at the market's oracle price. Raises ``PriceUnknownError``."""
        spec, deposit_e10, borrow_e10, tokens, unit, weight, weight_i, open_e6 = self._facts
        price = market.oracle_e6
        if price is None or price <= 0:
            raise PriceUnknownError(f"the price of {market.name} is not known")
        if (
            market.spec is not spec
            or market.interest_deposit_e10 != deposit_e10
            or market.interest_borrow_e10 != borrow_e10
        ):
            self._prepare(market)
            return self.part(market)
        if self._balance.open_bids or self._balance.open_asks:
            return self._worst_case(market, price)
        ages = market.ts_ns, market.oracle_slot
        if tokens >= 0:
            value = tokens * price // unit
            return value * weight // E4, open_e6, value * weight_i // E4, open_e6, value, 0, 0, *ages
        owed = ceil_div(-tokens * price, unit)
        return 0, owed * weight // E4 + open_e6, 0, owed * weight_i // E4 + open_e6, -owed, owed, 0, *ages

    def _worst_case(self, market: Market, price_e6: int) -> Part:
        """Return the part if all bids or all asks fill at the oracle, by whichever leaves less free collateral."""
        value = floor_div(self._facts[3] * price_e6, self._facts[4])
        collateral, requirement, worst, orders = self._simulated("maintenance", value, price_e6)
        initial, required, _, _ = self._simulated("initial", value, price_e6)
        owed = max(-worst, 0)
        return collateral, requirement, initial, required, value, owed, orders, market.ts_ns, market.oracle_slot

    def _simulated(self, kind: MarginKind, value_e6: int, price_e6: int) -> tuple[int, int, int, int]:
        """Return collateral, requirement, token value and change of the quote on the riskier side; asks where equal."""
        asks = self._filled(self._balance.open_asks, kind, value_e6, price_e6)
        bids = self._filled(self._balance.open_bids, kind, value_e6, price_e6)
        _, worst, quote, weighted = asks if asks[0] <= bids[0] else bids
        requirement = max(-weighted, 0) + max(-quote, 0) + self._balance.open_orders * OPEN_ORDER_E6
        return max(weighted, 0) + max(quote, 0), requirement, worst, quote

    def _filled(self, order: int, kind: MarginKind, value_e6: int, price_e6: int) -> tuple[int, int, int, int]:
        """Return free collateral, token value, change of the quote and weighted value if one side's orders all fill.

        Free collateral, which chooses the side, leaves the account's own ratio out, as the program does.
        """
        spec, _, _, tokens, unit, _, _, _ = self._facts
        quote = floor_div(-order * price_e6, unit)
        value, after = value_e6 - quote, tokens + order
        plain, custom = (
            weighted_e6(value, asset_weight_e4(spec, after, kind, own), liability_weight_e4(spec, after, kind, own))
            for own in (0, self._custom_e4)
        )
        return plain + quote, value, quote, custom
