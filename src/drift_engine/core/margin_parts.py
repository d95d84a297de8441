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
from drift_engine.core.margin_lone import LonePerp
from drift_engine.core.margin_weights import (
    asset_weight_e4,
    liability_weight_e4,
    perp_ratios_e4,
    spot_weights_e4,
    weighted_e6,
)
from drift_engine.core.spot_balance import token_amount
from drift_engine.core.types import MarginKind, Market, MarketStatus, PerpPosition, PerpSpec, SpotBalance, SpotSpec
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

PerpFacts = tuple[int, int, int, int, PerpSpec, MarketStatus, bool, int, int, int, int, int]
"""What changes while the size stays: cumulative funding, quote, unsettled funding, what open orders require. Then the
market's facts and status, whether long, size, both ratios, both weights of unrealised profit.
"""


class PerpHolding:
    """A perp position, ready to be priced. ``account_ratio_e4`` is the account's own margin ratio, 0 for none."""

    __slots__ = ("_custom_e4", "_facts", "_position", "_sides", "name")

    def __init__(self, position: PerpPosition, account_ratio_e4: int, market: Market) -> None:
        custom_e4 = position.max_margin_ratio_e4
        self.name = position.market
        self._position = position
        self._facts: PerpFacts
        self._sides: tuple[Side, Side] | None
        self._custom_e4 = account_ratio_e4 if account_ratio_e4 > custom_e4 else custom_e4
        self._prepare(market)

    def takes(self, position: PerpPosition, market: Market) -> bool:
        """Take a position in the old one's place where no size and no ratio changed, and say whether it did."""
        old = self._position
        if (
            position.market != old.market
            or position.base_e9 != old.base_e9
            or position.open_bids_e9 != old.open_bids_e9
            or position.open_asks_e9 != old.open_asks_e9
            or position.max_margin_ratio_e4 != old.max_margin_ratio_e4
        ):
            return False
        self._position = position
        unsettled, open_e6 = _unsettled_e6(position, market), position.open_orders * OPEN_ORDER_E6
        self._facts = market.funding_cumulative_e9, position.quote_e6, unsettled, open_e6, *self._facts[4:]
        return True

    def _prepare(self, market: Market) -> None:
        spec, position = market.spec, self._position
        if not isinstance(spec, PerpSpec):
            raise TypeError(f"{spec.name} is a spot market and holds no perp positions")
        self._sides = None
        base = position.base_e9
        size = base if base >= 0 else -base
        self._facts = (
            market.funding_cumulative_e9,
            position.quote_e6,
            _unsettled_e6(position, market),
            position.open_orders * OPEN_ORDER_E6,
            spec,
            market.status,
            base >= 0,
            size,
            *self._ratios_e4(spec, market, size),
            spec.upnl_maintenance_e4,
            spec.upnl_initial_e4,
        )
        if position.open_bids_e9 or position.open_asks_e9:
            asks, bids = abs(base + position.open_asks_e9), abs(base + position.open_bids_e9)
            self._sides = (asks, *self._ratios_e4(spec, market, asks)), (bids, *self._ratios_e4(spec, market, bids))

    def _ratios_e4(self, spec: PerpSpec, market: Market, size_e9: int) -> tuple[int, int]:
        return (0, 0) if market.status == "settlement" else perp_ratios_e4(spec, size_e9, self._custom_e4)

    def part(self, market: Market) -> Part:
        """Return what the position adds at the market's oracle price. Raises ``PriceUnknownError``."""
        cumulative, quote, unsettled, open_e6, spec, status, long, size, ratio, ratio_i, upnl, upnl_i = self._facts
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

    def alone(self, tokens: int) -> "LonePerp | None":
        """Return a quicker way to the margin of this position and ``tokens`` of quote, where there is one."""
        cumulative, quote, unsettled, open_e6, spec, status, long, size, ratio, ratio_i, upnl, upnl_i = self._facts
        if self._sides or unsettled or upnl_i or upnl != E4 or tokens < 0:
            return None
        facts = spec, cumulative, status, long, size, quote + tokens, tokens, ratio, ratio_i, open_e6
        return LonePerp(facts)


def _unsettled_e6(position: PerpPosition, market: Market) -> int:
    moved_e9 = market.funding_cumulative_e9 - position.funding_cursor_e9
    return payment_e6(moved_e9, position.base_e9) if moved_e9 else 0


def _worst_side(sides: tuple[Side, Side], price_e6: int) -> Side:
    """Return liability and both ratios if all asks or all bids fill, whichever owes more; asks where they are equal."""
    (asks, asks_e4, asks_i_e4), (bids, bids_e4, bids_i_e4) = sides
    owed_asks, owed_bids = asks * price_e6 // E9, bids * price_e6 // E9
    return (owed_asks, asks_e4, asks_i_e4) if owed_asks >= owed_bids else (owed_bids, bids_e4, bids_i_e4)


class SpotHolding:
    """A spot balance other than the quote asset's, ready to be priced. ``account_ratio_e4`` as for a perp."""

    __slots__ = ("_custom_e4", "_facts", "balance", "name")

    def __init__(self, balance: SpotBalance, account_ratio_e4: int, market: Market) -> None:
        self.name = balance.market
        self.balance = balance
        self._custom_e4 = account_ratio_e4
        self._prepare(market)

    def _prepare(self, market: Market) -> None:
        spec = market.spec
        if not isinstance(spec, SpotSpec):
            raise TypeError(f"{spec.name} is a perp market and holds no balances")
        tokens = token_amount(self.balance.scaled_e9, market)
        self._facts = (
            spec,
            market.interest_deposit_e10,
            market.interest_borrow_e10,
            tokens,
            10**spec.decimals,
            *spot_weights_e4(spec, tokens, self._custom_e4),
            self.balance.open_orders * OPEN_ORDER_E6,
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
        if self.balance.open_bids or self.balance.open_asks:
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
        asks = self._filled(self.balance.open_asks, kind, value_e6, price_e6)
        bids = self._filled(self.balance.open_bids, kind, value_e6, price_e6)
        _, worst, quote, weighted = asks if asks[0] <= bids[0] else bids
        requirement = max(-weighted, 0) + max(-quote, 0) + self.balance.open_orders * OPEN_ORDER_E6
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
