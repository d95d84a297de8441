"""The limits a run trades under: the figures users know, each of which can be changed or switched off.

On the command line a limit goes by its name without the scale: ``max_leverage=3``, ``daily_drawdown=off``.
"""

from collections.abc import Mapping

from msgspec import Struct, structs

from drift_engine.core.near_names import hint
from drift_engine.core.units import E4, parse_scaled, show_scaled

_MULTIPLES = ("max_leverage", "edge_multiple")
_DECIMALS = {"e4": 4, "e6": 6, "e9": 9, "ms": 0, "slots": 0, "count": 0}


class LimitError(ValueError):
    """A limit is unknown or out of its range. The message says which, and how to mend it."""


class Limits(Struct, frozen=True):
    """All limits; ``None`` is off. ``_e4`` are shares of 0 to 1, or multiples; ``_e6`` quote, ``_e9`` base or SOL."""

    emergency_health_e4: int | None = 1_500
    critical_health_e4: int | None = 2_000
    warn_health_e4: int | None = 5_000
    min_health_after_e4: int | None = 6_000
    max_leverage_e4: int | None = 50_000
    daily_drawdown_e4: int | None = 500
    strategy_drawdown_e4: int | None = 1_500
    account_drawdown_e4: int | None = 1_000
    max_notional_e6: int | None = None
    max_position_e6: int | None = None
    limit_distance_e4: int | None = 50
    limit_distance_reduce_e4: int | None = 100
    limit_distance_emergency_e4: int | None = 500
    max_oracle_age_slots: int | None = 5
    max_feed_age_ms: int | None = 5_000
    max_confidence_e4: int | None = 200
    max_twap_distance_e4: int | None = 1_000
    edge_multiple_e4: int | None = 20_000
    max_plans_per_minute_count: int | None = 10
    latency_block_ms: int | None = 300
    latency_stop_ms: int | None = 500
    gas_reserve_e9: int | None = 20_000_000
    settle_pnl_above_e6: int | None = 1_000_000

    @property
    def max_feed_age_ns(self) -> int | None:
        """``max_feed_age_ms`` in nanoseconds."""
        return None if self.max_feed_age_ms is None else self.max_feed_age_ms * 1_000_000


def limit_names() -> tuple[str, ...]:
    """Return every limit's name on the command line."""
    return tuple(field.rsplit("_", 1)[0] for field in Limits.__struct_fields__)


def with_limits(limits: Limits, changes: Mapping[str, str]) -> Limits:
    """Return limits with some changed: human figures, or ``off``. Raises ``LimitError`` for what cannot be."""
    fields = dict(zip(limit_names(), Limits.__struct_fields__, strict=True))
    changed: dict[str, int | None] = {}
    for name, text in changes.items():
        if name not in fields:
            raise LimitError(f"unknown limit {name!r}; {hint(name, fields)}")
        changed[fields[name]] = _figure(name, str(text), fields[name].rsplit("_", 1)[1])
    return structs.replace(limits, **changed)


def show_limits(limits: Limits) -> dict[str, str]:
    """Return every limit as a person writes it."""
    shown = {}
    for name, field in zip(limit_names(), Limits.__struct_fields__, strict=True):
        value = getattr(limits, field)
        shown[name] = "off" if value is None else show_scaled(value, _DECIMALS[field.rsplit("_", 1)[1]])
    return shown


def _figure(name: str, text: str, scale: str) -> int | None:
    if text == "off":
        return None
    try:
        value = parse_scaled(text, _DECIMALS[scale])
    except ValueError as error:
        raise LimitError(f"limit {name!r}: {error}; write a number or 'off'") from None
    if value < 0:
        raise LimitError(f"limit {name!r} is {text}; it must not be negative")
    if scale == "e4" and value > E4 and name not in _MULTIPLES:
        raise LimitError(f"limit {name!r} is {text}; it is a share from 0 to 1, as 0.05 for 5 %")
    return value
