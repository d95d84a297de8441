"""Human decimals and scaled integers, in both directions, with nothing lost.

Services print amounts as decimal text or as JSON numbers; the program counts in integers. Here one becomes the other
exactly, or an error says why it cannot. Some services print numbers that went through binary floating point
(``6.001000000000001e-06``): ``nearest`` finds the integer that was meant, and refuses what is no such number.
"""

import re
from decimal import MAX_PREC, ROUND_CEILING, ROUND_HALF_EVEN, Context, Decimal

from drift_engine.venues.http import InvalidRequestError

U8, U16, U32, U64 = 2**8 - 1, 2**16 - 1, 2**32 - 1, 2**64 - 1
I32, I64 = 2**31 - 1, 2**63 - 1
_EXACT = Context(prec=MAX_PREC)
_HUMAN = re.compile(r"-?[0-9]{1,40}(\.[0-9]{1,40})?", re.ASCII)
_MAX_MAGNITUDE = 40
_NOISE = Decimal("0.01")


class FigureError(ValueError):
    """A printed figure is no exact number of its scale's units."""


def parse(text: str, decimals: int, what: str) -> int:
    """Return a person's decimal (``"-1.25"``) in units of ``10**-decimals``. Raises ``InvalidRequestError``."""
    if not _HUMAN.fullmatch(text):
        raise InvalidRequestError(f"{what} {text[:60]!r} is no decimal number: write it like 12.5")
    try:
        return exact(Decimal(text), decimals)
    except FigureError:
        raise InvalidRequestError(f"{what} {text[:60]!r} has more than {decimals} decimals") from None


def human(amount: int, decimals: int) -> str:
    """Return the shortest exact decimal of a scaled integer: ``human(-1_250_000, 6) == "-1.25"``."""
    text = f"{Decimal(amount).scaleb(-decimals, _EXACT):f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def within(value: int, low: int, high: int, what: str) -> int:
    """Return ``value`` where ``low <= value <= high``. Raises ``InvalidRequestError``."""
    if not low <= value <= high:
        raise InvalidRequestError(f"{what} {value} does not fit: the protocol takes {low} to {high}")
    return value


def exact(figure: Decimal, decimals: int) -> int:
    """Return a figure in units of ``10**-decimals``. Raises ``FigureError`` where it is no whole number of them."""
    scaled = _scaled(figure, decimals)
    if scaled != scaled.to_integral_value():
        raise FigureError(f"{_shown(figure)} has more than {decimals} decimals")
    return int(scaled)


def nearest(figure: Decimal, decimals: int) -> int:
    """Return the whole units meant by a figure printed from a float: at most a hundredth of a unit away.

    Raises ``FigureError`` where no whole number is that near.
    """
    scaled = _scaled(figure, decimals)
    whole = scaled.to_integral_value(ROUND_HALF_EVEN)
    if abs(scaled - whole) > _NOISE:
        raise FigureError(f"{_shown(figure)} has more than {decimals} decimals")
    return int(whole)


def at_least(figure: Decimal, decimals: int) -> int:
    """Return the fewest whole units that cover a figure: what is no whole number is rounded up.

    Noise of binary floating point (a millionth of a unit) is no reason to round up.
    """
    scaled = _scaled(figure, decimals)
    whole = scaled.to_integral_value(ROUND_HALF_EVEN)
    return int(whole if abs(scaled - whole) < Decimal("0.000001") else scaled.to_integral_value(ROUND_CEILING))


def _scaled(figure: Decimal, decimals: int) -> Decimal:
    if not figure.is_finite() or (figure and figure.adjusted() > _MAX_MAGNITUDE):
        raise FigureError(f"{_shown(figure)} is no amount")
    return Decimal(0) if not figure else figure.scaleb(decimals, _EXACT)


def _shown(figure: Decimal) -> str:
    return str(figure)[:60]
