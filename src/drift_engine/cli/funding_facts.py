"""Funding as plain dictionaries: exact rates in quote per base (1e9), and their shares of the price for reading."""

from typing import Any

from drift_engine.cli.figures import percent
from drift_engine.venues.errors import DecodeError
from drift_engine.venues.funding_rates import Funding, Rates, funding_of
from drift_engine.venues.program import Program
from drift_engine.venues.snapshot import Snapshot
from drift_engine.venues.snapshot.market_reads import MarketRead
from drift_engine.venues.wire.perp_market import PerpMarket

Facts = dict[str, Any]
_HOURS_A_YEAR = 8_760
_RATE_OF_PRICE = 1_000


def funding_facts(snapshot: Snapshot) -> Facts:
    """Return each perp market's funding."""
    return {
        "venue": snapshot.program.name,
        "slot": snapshot.slot,
        "block_time_s": snapshot.block_time_s,
        "markets": [_market(snapshot.program, read, snapshot.block_time_s) for read in snapshot.perps],
    }


def _market(program: Program, read: MarketRead[PerpMarket], now_s: int | None) -> Facts:
    found: Facts = {"name": read.name, "index": read.index, "problems": list(read.problems)}
    try:
        known = None if read.view is None else funding_of(program, read.view, now_s)
    except DecodeError as error:
        found["problems"].append(str(error))
        known = None
    if known is None:
        nothing = ("last", "predicted", "next_s", "next_in_s", "twap_age_s")
        return found | dict.fromkeys(nothing)
    return found | _known(known, now_s)


def _known(known: Funding, now_s: int | None) -> Facts:
    return {
        "last": _rates(known.last),
        "predicted": _rates(known.predicted),
        "mark_twap_e6": known.mark_twap_e6,
        "oracle_twap_e6": known.oracle_twap_e6,
        "twap_age_s": None if now_s is None else max(0, now_s - known.predicted.at_s),
        "average_24h_e9": known.average_24h_e9,
        "cumulative_long_e9": known.cumulative_long_e9,
        "cumulative_short_e9": known.cumulative_short_e9,
        "period_s": known.period_s,
        "next_s": known.next_s,
        "next_in_s": None if now_s is None or known.next_s is None else known.next_s - now_s,
    }


def _rates(rates: Rates) -> Facts:
    hour = rates.rate_e9 / _RATE_OF_PRICE / rates.oracle_e6 if rates.oracle_e6 else None
    return {
        "rate_e9": rates.rate_e9,
        "long_e9": rates.long_e9,
        "short_e9": rates.short_e9,
        "oracle_twap_e6": rates.oracle_e6,
        "at_s": rates.at_s,
        "hour": hour,
        "eight_hours": None if hour is None else hour * 8,
        "year": None if hour is None else hour * _HOURS_A_YEAR,
        "paid": "shorts" if rates.rate_e9 > 0 else "longs" if rates.rate_e9 < 0 else None,
        "who": _who(rates),
    }


def _who(rates: Rates) -> str:
    """Say who pays whom, and where the receiving side gets less than is paid."""
    if not rates.rate_e9:
        return "nobody pays"
    longs_pay = rates.rate_e9 > 0
    said = "longs pay shorts" if longs_pay else "shorts pay longs"
    if rates.long_e9 == rates.short_e9 or not rates.oracle_e6:
        return said
    received = rates.short_e9 if longs_pay else rates.long_e9
    share = percent(abs(received) / _RATE_OF_PRICE / rates.oracle_e6, 5)
    return f"{said}, who get {share}"
