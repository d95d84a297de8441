"""Which spot market hedges which perp: the one of the same asset. A label is not believed, the specs are compared."""

from collections.abc import Mapping

from drift_engine.core.parameters import ParameterError
from drift_engine.core.types import Market, PerpSpec, SpotSpec


def perp_spec(markets: Mapping[str, Market], name: str) -> PerpSpec:
    """Return the facts of a perp market. Raises ``ParameterError`` where the venue has none of that name."""
    spec = markets[name].spec if name in markets else None
    if not isinstance(spec, PerpSpec):
        known = ", ".join(sorted(market.name for market in markets.values() if market.kind == "perp"))
        raise ParameterError(f"{name!r} is no perp market of this venue, which has {known}")
    return spec


def spot_spec(markets: Mapping[str, Market], perp: PerpSpec, wanted: str = "") -> SpotSpec:
    """Return the facts of the spot market that hedges a perp: ``wanted`` by name or asset, or the one of its asset.

    Raises ``ParameterError`` where there is none, and where ``wanted`` has no exposure to the perp's asset.
    """
    spots = [market.spec for market in markets.values() if isinstance(market.spec, SpotSpec)]
    name = wanted or perp.asset
    found = [spec for spec in spots if spec.name == name] or [spec for spec in spots if spec.asset == name]
    if not found:
        known = ", ".join(sorted(spec.name for spec in spots))
        raise ParameterError(f"no spot market {name!r} to hedge {perp.name} with; this venue has {known}")
    spec = found[0]
    if spec.asset != perp.asset or spec.name == perp.quote:
        raise ParameterError(f"spot {spec.name} has no exposure to {perp.asset}: it does not hedge {perp.name}")
    return spec


def asset_of(perp_name: str) -> str:
    """Return the asset a perp market's name says, for use before the venue's markets are known."""
    return perp_name.removesuffix("-PERP")
