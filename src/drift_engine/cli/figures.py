"""Scaled integers as people read them. What is not known says so; nothing is ever shown as zero instead."""

from decimal import ROUND_HALF_UP, Context, Decimal

from drift_engine.core.units import SECOND_NS

UNKNOWN = "not known"
NARROW = 70
"""Columns under which a screen is narrow: what stands side by side stands one under the other."""
_DECIMALS = {"e4": 4, "e6": 6, "e8": 8, "e9": 9, "e10": 10}
_UNITS = {"ms": "ms", "s": "s", "h": "h", "slots": "slots", "count": "", "bps": "bp"}
_WIDE = Context(prec=400)
"""Wider than any figure of an account: what is shown is never rounded by accident, and never too large to be shown."""
_HALF_UP = Context(prec=400, rounding=ROUND_HALF_UP)
_EPOCH_LIKE_NS = 10**17
_HOURS_A_YEAR = 8_760


def fixed(value: int | None, decimals: int, places: int, *, sign: bool = False) -> str:
    """Return a scaled integer with thousands separators, rounded to ``places`` for reading."""
    if value is None:
        return UNKNOWN
    figure = Decimal(value).scaleb(-decimals, _WIDE).quantize(Decimal(1).scaleb(-places), context=_HALF_UP)
    figure = figure or abs(figure)
    return f"{figure:{'+' if sign and figure else ''},.{places}f}"


def money(value_e6: int | None, places: int = 2, *, sign: bool = False) -> str:
    """Return a quote amount: ``money(1_234_500_000) == "1,234.50"``."""
    return fixed(value_e6, 6, places, sign=sign)


def amount(value_e9: int | None, places: int = 4, *, sign: bool = False) -> str:
    """Return a base amount."""
    return fixed(value_e9, 9, places, sign=sign)


def exact(value: int, decimals: int) -> str:
    """Return every digit that says something: ``exact(1_500_000, 6) == "1.5"``."""
    text = f"{Decimal(value).scaleb(-decimals, _WIDE):,f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def counted(count: int, noun: str) -> str:
    """Return a count with its noun: ``counted(2, "fill") == "2 fills"``."""
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {noun}s"


def percent(fraction: float | None, places: int = 0, *, sign: bool = False) -> str:
    """Return a fraction as percent, rounded down in size so that no health looks better than it is."""
    if fraction is None:
        return UNKNOWN
    scale = 10**places
    shown = int(round(fraction * 100 * scale, 6)) / scale + 0.0
    return f"{shown:{'+' if sign and shown else ''},.{places}f} %"


def moment(ns: int | None) -> str:
    """Return a time as ``2026-01-01 00:00:00``, UTC."""
    if not ns:
        return UNKNOWN
    from datetime import UTC, datetime

    try:
        return datetime.fromtimestamp(ns // SECOND_NS, UTC).strftime("%Y-%m-%d %H:%M:%S")
    except (ValueError, OverflowError, OSError):  # what a damaged account may say
        return f"no date: {ns // SECOND_NS}"


def duration(seconds: float) -> str:
    """Return a length of time in its two largest units: ``duration(3_700) == "1 h 1 m"``."""
    whole = int(seconds)
    parts = ((whole // 86_400, "d"), (whole // 3_600 % 24, "h"), (whole // 60 % 60, "m"), (whole % 60, "s"))
    found = [f"{count} {unit}" for count, unit in parts if count]
    return " ".join(found[:2]) or "0 s"


def hourly(funding_e9: int | None, oracle_e6: int | None) -> float | None:
    """Return an hour's funding as a fraction of the price; ``None`` where either is not known."""
    if funding_e9 is None or not oracle_e6:
        return None
    return funding_e9 / 1_000 / oracle_e6


def yearly(funding_e9: int | None, oracle_e6: int | None) -> float | None:
    """Return the same for a year of such hours, not compounded."""
    rate = hourly(funding_e9, oracle_e6)
    return None if rate is None else rate * _HOURS_A_YEAR


def by_name(name: str, value: object) -> tuple[str, str]:
    """Return a figure's plain name and text by the unit in its name: ``("age_ms", 20)`` is ``("age", "20 ms")``."""
    stem, _, suffix = name.rpartition("_")
    if value is None:
        return (stem if stem and (suffix in _DECIMALS or suffix in _UNITS or suffix == "ns") else name), UNKNOWN
    if isinstance(value, bool) or not isinstance(value, int) or not stem:
        return name, _plain(value)
    if suffix in _DECIMALS:
        return stem, exact(value, _DECIMALS[suffix])
    if suffix == "ns":
        return stem, moment(value) if abs(value) > _EPOCH_LIKE_NS else duration(value / SECOND_NS)
    if suffix in _UNITS:
        return stem, f"{value:,} {_UNITS[suffix]}".strip()
    return name, f"{value:,}"


def _plain(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return f"{value:,}"
    if isinstance(value, float):
        return f"{value:,.6g}"
    if isinstance(value, list | tuple):
        return ", ".join(map(_plain, value)) or "none"
    return str(value)
