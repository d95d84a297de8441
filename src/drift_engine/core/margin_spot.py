"""What a spot balance adds to an account's margin.

Sources: ``math/margin.rs`` calculate_margin_requirement_and_total_collateral_and_liability_info, ``state/user.rs``
simulate_fills_both_sides and apply_user_custom_margin_ratio, ``math/spot_balance.rs`` get_strict_token_value. What is
owned rounds down and what is owed rounds up.
"""

from drift_engine.core.margin_parts import OPEN_ORDER_E6, PLAIN, Part, Terms, bounds_of, price_of
from drift_engine.core.margin_weights import (
    asset_weight_e4,
    liability_weight_e4,
    scaled_initial_e4,
    spot_weights_e4,
    weighted_e6,
)
from drift_engine.core.spot_balance import token_amount
from drift_engine.core.types import MarginKind, Market, SpotBalance, SpotSpec, SpotTotals
from drift_engine.core.units import E4, ceil_div, floor_div
from drift_engine.core.valuation import PriceUnknownError


def strict_value_e6(tokens: int, decimals: int, low_e6: int, high_e6: int) -> int:
    """Return the value of signed tokens, by the price of what is owned or of what is owed."""
    unit: int = 10**decimals
    return tokens * (low_e6 if tokens > 0 else high_e6) // unit


class SpotHolding:
    """A spot balance other than the quote asset's, ready to be priced."""

    __slots__ = ("_facts", "_terms", "balance", "name")

    isolated = False

    def __init__(self, balance: SpotBalance, market: Market, terms: Terms = PLAIN) -> None:
        self.name = balance.market
        self.balance = balance
        self._terms = terms
        self._prepare(market)

    def _prepare(self, market: Market) -> None:
        spec = market.spec
        if not isinstance(spec, SpotSpec):
            raise TypeError(f"{spec.name} is a perp market and holds no balances")
        tokens, terms = token_amount(self.balance.scaled_e9, market), self._terms
        if terms.kind == "initial":
            weights = spot_weights_e4(spec, tokens, terms.ratio_e4)
        else:
            weight_e4 = asset_weight_e4 if tokens > 0 else liability_weight_e4
            weights = weight_e4(spec, tokens, "maintenance"), weight_e4(spec, tokens, terms.kind)
        self._facts = (
            spec,
            market.interest_deposit_e10,
            market.interest_borrow_e10,
            market.totals,
            tokens,
            10**spec.decimals,
            *weights,
            self.balance.open_orders * OPEN_ORDER_E6,
            terms.strict or spec.scale_initial_from_e6 > 0 or bool(self.balance.open_bids or self.balance.open_asks),
        )

    def part(self, market: Market, _low_e6: int = 0, _high_e6: int = 0) -> Part:
        """Return what the balance adds at the market's oracle price. Raises ``PriceUnknownError``."""
        spec, deposit_e10, borrow_e10, totals, tokens, unit, weight, weight_i, open_e6, other = self._facts
        price = market.oracle_e6
        if price is None or price <= 0:
            raise PriceUnknownError(f"the price of {market.name} is not known")
        if (
            market.spec is not spec
            or market.interest_deposit_e10 != deposit_e10
            or market.interest_borrow_e10 != borrow_e10
            or market.totals is not totals
        ):
            self._prepare(market)
            return self.part(market)
        if other:
            return self._worst_case(market, price)
        ages = market.ts_ns, market.oracle_slot
        if tokens >= 0:
            value = tokens * price // unit
            return value * weight // E4, open_e6, value * weight_i // E4, open_e6, value, 0, 0, *ages
        owed = ceil_div(-tokens * price, unit)
        return 0, owed * weight // E4 + open_e6, 0, owed * weight_i // E4 + open_e6, -owed, owed, 0, *ages

    def _worst_case(self, market: Market, price_e6: int) -> Part:
        """Return the part if all bids or all asks fill, by whichever leaves less free collateral."""
        low_e6, high_e6 = bounds_of(market, strict=self._terms.strict)
        value = self._value_e6(low_e6, high_e6)
        initial_e4 = self._initial_e4(market, price_e6)
        collateral, requirement, worst, orders = self._simulated("maintenance", value, high_e6, initial_e4)
        initial, required, _, _ = self._simulated(self._terms.kind, value, high_e6, initial_e4)
        owed = max(-worst, 0)
        return collateral, requirement, initial, required, value, owed, orders, market.ts_ns, market.oracle_slot

    def side(self, market: Market, kind: MarginKind) -> tuple[int, int, int, int]:
        """Return collateral, requirement, token value and change of the quote of the riskier side, for one kind."""
        low_e6, high_e6 = bounds_of(market, strict=self._terms.strict)
        initial_e4 = self._initial_e4(market, price_of(market))
        return self._simulated(kind, self._value_e6(low_e6, high_e6), high_e6, initial_e4)

    def _value_e6(self, low_e6: int, high_e6: int) -> int:
        tokens, unit = self._facts[4:6]
        return floor_div(tokens * (low_e6 if tokens > 0 else high_e6), unit)

    def _initial_e4(self, market: Market, price_e6: int) -> int:
        spec, totals = self._facts[0], market.totals
        if spec.scale_initial_from_e6 == 0:
            return spec.asset_initial_e4
        if not isinstance(totals, SpotTotals):
            raise PriceUnknownError(f"the deposits of {market.name} are not known, and its weight depends on them")
        return scaled_initial_e4(spec, token_amount(totals.deposits_scaled_e9, market), price_e6)

    def _simulated(self, kind: MarginKind, value_e6: int, high_e6: int, initial_e4: int) -> tuple[int, int, int, int]:
        """Return collateral, requirement, token value and change of the quote on the riskier side; asks where equal."""
        asks = self._filled(self.balance.open_asks, kind, value_e6, high_e6, initial_e4)
        bids = self._filled(self.balance.open_bids, kind, value_e6, high_e6, initial_e4)
        _, worst, quote, weighted = asks if asks[0] <= bids[0] else bids
        requirement = max(-weighted, 0) + max(-quote, 0) + self.balance.open_orders * OPEN_ORDER_E6
        return max(weighted, 0) + max(quote, 0), requirement, worst, quote

    def _filled(
        self, order: int, kind: MarginKind, value_e6: int, high_e6: int, initial_e4: int
    ) -> tuple[int, int, int, int]:
        """Return free collateral, token value, change of the quote and weighted value if one side's orders all fill.

        Free collateral, which chooses the side, leaves the account's own ratio out, as the program does.
        """
        spec, tokens, unit = self._facts[0], self._facts[4], self._facts[5]
        quote = floor_div(-order * high_e6, unit)
        value, after = value_e6 - quote, tokens + order
        plain, custom = (
            weighted_e6(
                value,
                asset_weight_e4(spec, after, kind, own_e4, initial_e4),
                liability_weight_e4(spec, after, kind, own_e4),
            )
            for own_e4 in (0, self._terms.ratio_e4)
        )
        return plain + quote, value, quote, custom
