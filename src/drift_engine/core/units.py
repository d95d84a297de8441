"""The scales of money, and the only code that changes a scale or rounds.

Every figure is an integer in the program's own scale, and the scale is in its name:

=========  ==========================================================  =================
suffix     what                                                        one unit is
=========  ==========================================================  =================
``_e4``    margin ratios, weights, health, leverage                     1 / 10_000
``_e6``    prices and quote amounts, imf, rates of interest and fees    1 / 1_000_000
``_e9``    base amounts, funding rates, scaled balances                 1 / 1_000_000_000
``_e10``   cumulative interest                                          1 / 10_000_000_000
``_ns``    time since the Unix epoch, UTC                               a nanosecond
=========  ==========================================================  =================

Division truncates toward zero, as the program's does, unless the name says otherwise. No clock, I/O or float here;
``Decimal`` appears only where text is parsed or printed.
"""

from decimal import MAX_PREC, Context, Decimal, InvalidOperation
from math import gcd

E4 = 10**4
E6 = 10**6
E9 = 10**9
E10 = 10**10
TENS: tuple[int, ...] = tuple(10**digits for digits in range(20))
MILLISECOND_NS = 10**6
SECOND_NS = 10**9
HOUR_NS = 3_600 * SECOND_NS
DAY_NS = 24 * HOUR_NS
_EXACT = Context(prec=MAX_PREC)
_DIGITS = 38  # of the largest i128


def tdiv(numerator: int, denominator: int) -> int:
    """Divide truncating toward zero, as Rust does. ``denominator`` must be positive."""
    return numerator // denominator if numerator >= 0 else -(-numerator // denominator)


def ceil_div(numerator: int, denominator: int) -> int:
    """Divide rounding up (toward +infinity). ``denominator`` must be positive."""
    return -(-numerator // denominator)


def floor_div(numerator: int, denominator: int) -> int:
    """Divide rounding down (toward -infinity). ``denominator`` must be positive."""
    return numerator // denominator


def lowest_terms(numerator: int, denominator: int) -> tuple[int, int]:
    """Return a fraction reduced: a product with it, rounded down, stays the same and is cheaper. Both positive or 0."""
    common = gcd(numerator, denominator)
    return numerator // common, denominator // common


def notional_e6(base_e9: int, price_e6: int) -> int:
    """Return the quote value of a base amount at a price, truncated toward zero; the sign is the base's."""
    value = base_e9 * price_e6
    return value // E9 if value >= 0 else -(-value // E9)


def floor_to_step(amount: int, step: int) -> int:
    """Return the largest multiple of ``step`` not farther from zero than ``amount``, with its sign."""
    return amount // step * step if amount >= 0 else -(-amount // step) * step


def ceil_to_step(amount: int, step: int) -> int:
    """Return the smallest multiple of ``step`` not nearer to zero than ``amount``, with its sign."""
    return -(-amount // step) * step if amount >= 0 else amount // step * step


def rescale(amount: int, from_decimals: int, to_decimals: int) -> int:
    """Change an amount's number of decimals, truncating toward zero where digits are lost."""
    if to_decimals == from_decimals:
        return amount
    if to_decimals > from_decimals:
        return amount * int(10 ** (to_decimals - from_decimals))
    return tdiv(amount, 10 ** (from_decimals - to_decimals))


def parse_scaled(text: str | int | Decimal, decimals: int) -> int:
    """Parse a human figure (``"1.25"``) into an integer of ``decimals`` decimals.

    Raises ``ValueError`` where the text is no finite number, is beyond the program's 128 bits, or has more digits than
    the scale holds: nothing is rounded away behind the user's back.
    """
    said = str(text)
    if not said.isascii() or "_" in said:
        raise ValueError(f"{text!r:.60} is not a number")
    try:
        figure = Decimal(said)
    except InvalidOperation:
        raise ValueError(f"{text!r:.60} is not a number") from None
    if not figure.is_finite():
        raise ValueError(f"{text!r} is not a finite number")
    power = figure.adjusted() + decimals if figure else 0
    if power >= _DIGITS:
        raise ValueError(f"{text!r} is too large")
    scaled = int(figure.scaleb(decimals, _EXACT)) if power >= 0 else 0
    if Decimal(scaled).scaleb(-decimals, _EXACT) != figure:
        raise ValueError(f"{text!r} has more than {decimals} decimals")
    return scaled


def show_scaled(amount: int, decimals: int) -> str:
    """Return the exact human figure of a scaled integer: ``show_scaled(1_250_000, 6) == "1.250000"``."""
    return f"{Decimal(amount).scaleb(-decimals, _EXACT):.{decimals}f}"


def show_base(base_e9: int) -> str:
    """Return a base amount as a person writes it: ``show_base(1_500_000_000) == "1.5"``."""
    return show_scaled(base_e9, 9).rstrip("0").rstrip(".")
