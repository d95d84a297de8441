"""Parameters become integers once, where a strategy is made; what is out of range is refused there, in one line."""

from decimal import Decimal

from drift_engine.core.parameters import ParameterError, Parameters
from drift_engine.core.units import parse_scaled, show_scaled


def scaled(params: Parameters, field: str, decimals: int, low: str = "0", high: str | None = None) -> int:
    """Return a parameter as an integer of ``decimals`` decimals, its bounds included.

    Raises ``ParameterError`` naming the parameter where it is no number, too fine for the scale, or out of bounds.
    """
    try:
        figure = parse_scaled(getattr(params, field), decimals)
    except ValueError as error:
        raise ParameterError(f"parameter {field!r}: {error}") from None
    if figure < parse_scaled(low, decimals):
        raise ParameterError(f"parameter {field!r} is {human(figure, decimals)}; the least is {low}")
    if high is not None and figure > parse_scaled(high, decimals):
        raise ParameterError(f"parameter {field!r} is {human(figure, decimals)}; the most is {high}")
    return figure


def human(amount: int, decimals: int) -> str:
    """Return a scaled integer as a person writes it, without trailing zeros: ``human(1_250_000, 6) == "1.25"``."""
    return f"{Decimal(show_scaled(amount, decimals)).normalize():f}"
