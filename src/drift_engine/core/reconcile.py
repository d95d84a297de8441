"""Compare our books with the venue's: the union of both sides, figure by figure, equal to the unit.

Open orders are left out (they are on their way while a plan is in flight), and so are funding cursors, which are not
money. Everything else is.
"""

from collections.abc import Iterator
from operator import attrgetter

from drift_engine.core.types import Account, PerpPosition, SpotBalance

_PERP_FIGURES = ("base_e9", "quote_e6", "quote_entry_e6", "quote_break_even_e6", "settled_e6")
_figures = attrgetter("market", *_PERP_FIGURES)


def differences(ours: Account, theirs: Account) -> tuple[str, ...]:
    """Return a line for each figure that differs: market, name, ours, theirs. Empty when the books agree."""
    if ours.spots == theirs.spots and list(map(_figures, ours.perps)) == list(map(_figures, theirs.perps)):
        return ()
    return (*_spot_differences(ours, theirs), *_perp_differences(ours, theirs))


def _spot_differences(ours: Account, theirs: Account) -> Iterator[str]:
    for name in _union(ours.spots, theirs.spots):
        own, their = ours.spot(name).scaled_e9, theirs.spot(name).scaled_e9
        if own != their:
            yield f"{name} scaled_e9: ours {own}, the venue's {their}"


def _perp_differences(ours: Account, theirs: Account) -> Iterator[str]:
    for name in _union(ours.perps, theirs.perps):
        own, their = ours.perp(name), theirs.perp(name)
        for figure in _PERP_FIGURES:
            if getattr(own, figure) != getattr(their, figure):
                yield f"{name} {figure}: ours {getattr(own, figure)}, the venue's {getattr(their, figure)}"


def _union(ours: tuple[SpotBalance | PerpPosition, ...], theirs: tuple[SpotBalance | PerpPosition, ...]) -> list[str]:
    return sorted({item.market for item in (*ours, *theirs)})
