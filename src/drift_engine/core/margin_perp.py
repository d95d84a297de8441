"""What a perp position adds to an account's margin.

Sources: ``math/margin.rs`` calculate_perp_position_value_and_pnl, ``state/user.rs`` worst_case_liability_value,
``math/position.rs`` calculate_perp_liability_value, ``state/perp_market.rs`` get_unrealized_asset_weight. A perp market
in settlement asks no margin and is worth its expiry price.
"""

from drift_engine.core.funding import payment_e6
from drift_engine.core.margin_move import PerpFacts
from drift_engine.core.margin_parts import OPEN_ORDER_E6, PLAIN, UPNL_INITIAL_CAP_E6, Part, Terms
from drift_engine.core.margin_spot import strict_value_e6
from drift_engine.core.margin_weights import perp_ratio_e4, perp_ratios_e4, profit_weight_e4, size_discount_e4
from drift_engine.core.spot_balance import decimals_of, token_amount
from drift_engine.core.types import Market, PerpPosition, PerpSpec, PerpTotals
from drift_engine.core.units import E4, E6, E9, tdiv
from drift_engine.core.valuation import PriceUnknownError

Side = tuple[int, int, int]
"""A signed amount, its maintenance ratio and its second ratio."""


class PerpHolding:
    """A perp position, ready to be priced."""

    __slots__ = ("_facts", "_position", "_sides", "_terms", "isolated", "name")

    def __init__(self, position: PerpPosition, market: Market, terms: Terms = PLAIN) -> None:
        self.name = position.market
        self.isolated = position.isolated
        self._position = position
        self._terms = terms
        self._facts: PerpFacts
        self._sides: tuple[Side, Side] | None
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
            or position.isolated != old.isolated
        ):
            return False
        self._position = position
        unsettled, open_e6 = unsettled_e6(position, market), position.open_orders * OPEN_ORDER_E6
        self._facts = market.funding_cumulative_e9, position.quote_e6, unsettled, open_e6, *self._facts[4:]
        return True

    def _prepare(self, market: Market) -> None:
        spec, position, totals = market.spec, self._position, market.totals
        if not isinstance(spec, PerpSpec):
            raise TypeError(f"{spec.name} is a spot market and holds no perp positions")
        self._sides = None
        base = position.base_e9
        size = base if base >= 0 else -base
        weight_e4 = spec.upnl_initial_e4
        if spec.upnl_max_imbalance_e6:
            weight_e4 = profit_weight_e4(spec, totals if isinstance(totals, PerpTotals) else None)
        self._facts = (
            market.funding_cumulative_e9,
            position.quote_e6,
            0
            if totals is None and market.funding_cumulative_e9 == position.funding_cursor_e9
            else unsettled_e6(position, market),
            position.open_orders * OPEN_ORDER_E6,
            spec,
            market.status,
            totals,
            base >= 0,
            size,
            *self._ratios_e4(spec, market, size),
            spec.upnl_maintenance_e4,
            weight_e4,
            market.status == "settlement"
            or bool(weight_e4 and (spec.upnl_imf_e6 or self._terms.kind == "fill"))
            or spec.contract == "prediction",
        )
        if position.open_bids_e9 or position.open_asks_e9:
            asks, bids = base + position.open_asks_e9, base + position.open_bids_e9
            self._sides = (
                (asks, *self._ratios_e4(spec, market, abs(asks))),
                (bids, *self._ratios_e4(spec, market, abs(bids))),
            )

    def _ratios_e4(self, spec: PerpSpec, market: Market, size_e9: int) -> tuple[int, int]:
        if market.status == "settlement":
            return 0, 0
        terms, own_e4 = self._terms, self._position.max_margin_ratio_e4
        custom_e4 = terms.ratio_e4 if terms.ratio_e4 > own_e4 else own_e4
        if terms.kind == "initial" and terms.leverage == "ordinary":
            return perp_ratios_e4(spec, size_e9, custom_e4)
        return (
            perp_ratio_e4(spec, size_e9, "maintenance", leveraged=terms.leverage != "ordinary"),
            perp_ratio_e4(spec, size_e9, terms.kind, custom_e4, leveraged=terms.leverage == "high"),
        )

    def part(self, market: Market, low_e6: int = E6, high_e6: int = E6) -> Part:
        """Return what the position adds at the market's oracle price and both prices of the quote asset.

        Raises ``PriceUnknownError``. An isolated position's part leaves its own deposit out (``deposit_e6``).
        """
        cumulative, quote, unsettled, open_e6, spec, status, totals, long, size, ratio, ratio_i, upnl, upnl_i, other = (
            self._facts
        )
        price = market.oracle_e6
        if price is None or price <= 0:
            raise PriceUnknownError(f"the price of {market.name} is not known")
        if (
            market.spec is not spec
            or market.funding_cumulative_e9 != cumulative
            or market.totals is not totals
            or market.status != status
        ):
            self._prepare(market)
            return self.part(market, low_e6, high_e6)
        if other or low_e6 != E6 or high_e6 != E6:
            return self._general(market, price, low_e6, high_e6)
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

    def _general(self, market: Market, price: int, low_e6: int, high_e6: int) -> Part:
        """Return the part by every rule there is, at quote prices other than one."""
        _, quote, unsettled, open_e6, spec, status, totals, long, size, ratio, ratio_i, upnl, upnl_i, _ = self._facts
        worth = price
        if status == "settlement":
            if not isinstance(totals, PerpTotals):
                raise PriceUnknownError(f"the price at which {market.name} settles is not known")
            worth = max(0, totals.expiry_e6)
        gross = size * worth // E9
        value = quote + gross if long else quote - gross
        sides = self._sides or ((size if long else -size, ratio, ratio_i),) * 2
        owed, ratio, ratio_i = _worst_side(sides, price, prediction=spec.contract == "prediction")
        owed = owed * high_e6 // E6
        requirement, required = owed * ratio // E4 + open_e6, owed * ratio_i // E4 + open_e6
        collateral = initial = value + unsettled
        if collateral > 0:
            initial = initial * size_discount_e4(initial * 1_000, spec.upnl_imf_e6, upnl_i) // E4 if upnl_i else 0
            collateral, initial = collateral * upnl // E4 * low_e6 // E6, initial * low_e6 // E6
            if self._terms.kind == "initial":
                initial = min(initial, UPNL_INITIAL_CAP_E6)
        else:
            collateral = initial = tdiv(collateral * high_e6, E6)
        value = tdiv(value * (low_e6 if value > 0 else high_e6), E6)
        return collateral, requirement, initial, required, value, owed, 0, market.ts_ns, market.oracle_slot

    def deposit_e6(self, quote_market: Market, low_e6: int) -> int:
        """Return the value of the quote an isolated position holds of its own."""
        tokens = token_amount(self._position.isolated_scaled_e9, quote_market)
        return strict_value_e6(tokens, decimals_of(quote_market), low_e6, low_e6)

    @property
    def plain_facts(self) -> PerpFacts | None:
        """What ``margin_move`` needs of a position that is plain in its sense, ``None`` where it is not.

        That quote stands at par, and that nothing else is isolated, is for the caller to know.
        """
        *_, upnl_e4, _, other = self._facts
        return None if self._sides or upnl_e4 != E4 or other else self._facts


def unsettled_e6(position: PerpPosition, market: Market) -> int:
    """Return the funding that is owed to a position (or by it) since it was last settled."""
    cumulative_e9, totals = market.funding_cumulative_e9, market.totals
    if position.base_e9 <= 0 and isinstance(totals, PerpTotals):
        cumulative_e9 = totals.funding_short_e9
    moved_e9 = cumulative_e9 - position.funding_cursor_e9
    return payment_e6(moved_e9, position.base_e9) if moved_e9 else 0


def worst_case_e9(position: PerpPosition, market: Market, price_e6: int) -> int:
    """Return the signed size of a position if all its bids or all its asks fill, whichever owes more."""
    asks, bids = position.base_e9 + position.open_asks_e9, position.base_e9 + position.open_bids_e9
    prediction = isinstance(market.spec, PerpSpec) and market.spec.contract == "prediction"
    owed_asks = owed_e6(asks, price_e6, prediction=prediction)
    return asks if owed_asks >= owed_e6(bids, price_e6, prediction=prediction) else bids


def _worst_side(sides: tuple[Side, Side], price_e6: int, *, prediction: bool = False) -> Side:
    """Return liability and both ratios if all asks or all bids fill, whichever owes more; asks where they are equal."""
    (asks, asks_e4, asks_i_e4), (bids, bids_e4, bids_i_e4) = sides
    owed_asks = owed_e6(asks, price_e6, prediction=prediction)
    owed_bids = owed_e6(bids, price_e6, prediction=prediction)
    return (owed_asks, asks_e4, asks_i_e4) if owed_asks >= owed_bids else (owed_bids, bids_e4, bids_i_e4)


def owed_e6(base_e9: int, price_e6: int, *, prediction: bool) -> int:
    """Return the liability of a signed size; who sold a prediction owes what is missing to one."""
    if prediction and base_e9 < 0:
        price_e6 = max(0, E6 - price_e6)
    return abs(base_e9) * price_e6 // E9
