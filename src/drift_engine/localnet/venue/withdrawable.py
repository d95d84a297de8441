"""How much a reduce-only withdrawal may take: what free collateral allows.

Source: ``math/margin.rs`` calculate_max_withdrawable_amount.
"""

from drift_engine.core.margin_scopes import every
from drift_engine.core.margin_weights import asset_weight_e4
from drift_engine.core.types import SpotSpec
from drift_engine.core.units import E4, E6
from drift_engine.localnet.venue.balances import tokens_of
from drift_engine.localnet.venue.figures import spot_figures
from drift_engine.localnet.venue.maps import Maps
from drift_engine.localnet.venue.margin import scopes
from drift_engine.localnet.venue.slots import open_spot_slot
from drift_engine.venues.wire.spot_market import SpotMarket
from drift_engine.venues.wire.user import User

_ANY = (1 << 64) - 1


def most_withdrawable_by(maps: Maps, user: User, market: SpotMarket) -> int:
    """Return the tokens that free collateral lets go, all that is held where nothing is owed."""
    found = scopes(maps, user, every("initial"))
    tokens = abs(tokens_of(user.spot_slots()[open_spot_slot(user, market.market_index)], market))
    spec = spot_figures(market).spec
    weight_e4 = asset_weight_e4(spec, tokens, "initial") if isinstance(spec, SpotSpec) else 0
    if weight_e4 == 0:
        return _ANY
    if found.perp_liabilities + found.spot_liabilities == 0:
        return tokens
    free_e6 = max(0, found.cross.free_e6 - 1) * E4 // weight_e4 * E6 // maps.price(market).price_e6
    return int(free_e6 * 10 ** max(0, market.decimals - 6) // 10 ** max(0, 6 - market.decimals))
