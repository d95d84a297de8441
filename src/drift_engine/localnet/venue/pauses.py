"""What of the exchange is paused (``state/state.rs`` ExchangeStatus, ``instructions/constraints.rs``)."""

from drift_engine.localnet.venue.refusals import require
from drift_engine.venues.wire.state import State

DEPOSIT, WITHDRAW, AMM, FILL, LIQUIDATION, FUNDING, SETTLE_PNL = (1 << bit for bit in range(7))
_ALL = 255


def is_paused(state: State, what: int) -> bool:
    """Return whether any of the bits is set."""
    return bool(state.exchange_status & what)


def require_not_paused(state: State, *what: int) -> None:
    """Refuse while any of these is paused."""
    for one in what:
        require(not is_paused(state, one), "ExchangePaused")


def require_open(state: State) -> None:
    """Refuse while everything is paused."""
    require(state.exchange_status != _ALL, "ExchangePaused")
