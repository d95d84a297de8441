"""What an engine's log says of it: a line for each thing a person would want to have been told.

It reads the engine's bus like any other watcher, after the tick, so it never holds one up. Orders (placed, filled,
refused, ended otherwise) are limited in their rate, and how many lines were left out is told; a start, a change of
state, a command, a liquidation and the stop are always written. Each line has the market's time, as that is not the
log's where a market is simulated.
"""

import asyncio
import logging
import platform
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from time import monotonic
from typing import Any

from drift_engine import __version__
from drift_engine.bus import Bus, Subscription
from drift_engine.config import RunConfig
from drift_engine.control.spec import EngineSpec
from drift_engine.core.types import (
    Commanded,
    Decided,
    Event,
    Filled,
    Leg,
    Liquidated,
    PlanClosed,
    PnlSettled,
    StateChanged,
    Submitted,
    Trading,
)
from drift_engine.core.units import E9, SECOND_NS, show_base, show_scaled, tdiv

log = logging.getLogger("drift_engine.engine")
BURST, A_SECOND = 20.0, 1.0
Line = tuple[int, str]
_EVENTS = 4_000
_ALWAYS = frozenset((StateChanged, Commanded, Liquidated))


class Diary:
    """Writes an engine's lines. ``clock`` is in seconds, for the limit alone."""

    def __init__(self, bus: Bus, clock: Callable[[], float] = monotonic) -> None:
        self._news = asyncio.Event()
        self._bus, self._read = bus, bus.subscribe(_EVENTS, self._news.set)
        self._clock, self._at_s = clock, clock()
        self._left, self._unwritten = BURST, 0

    async def run(self) -> None:
        """Write what comes until cancelled."""
        while True:
            await self._news.wait()
            self._news.clear()
            self.catch_up()

    def close(self) -> None:
        """Write what is left and read no more."""
        self.catch_up()
        self._tell_unwritten()
        self._bus.unsubscribe(self._read)

    def catch_up(self) -> None:
        """Write what came since the last look."""
        for _, event in self._taken(self._read):
            line = _told(event)
            if line is None:
                continue
            if type(event) in _ALWAYS or self._may():
                self._tell_unwritten()
                log.log(line[0], "%s  (market time %s)", line[1], _moment(event.ts_ns))
            else:
                self._unwritten += 1

    def _taken(self, read: Subscription) -> list[tuple[int, Event]]:
        lost, taken = read.lost, read.take()
        if read.lost > lost:
            log.warning("%d events came too fast to be read; the journal has them", read.lost - lost)
        return taken

    def _may(self) -> bool:
        now_s = self._clock()
        self._left = min(BURST, self._left + (now_s - self._at_s) * A_SECOND)
        self._at_s = now_s
        if self._left < 1:
            return False
        self._left -= 1
        return True

    def _tell_unwritten(self) -> None:
        if self._unwritten:
            log.info("%d lines about orders were left out; the journal has them all", self._unwritten)
            self._unwritten = 0


def started(spec: EngineSpec, run: RunConfig, market: str, *, resumed_at: int) -> None:
    """Tell of a start. ``resumed_at`` is the record it goes on after, 0 for a new journal."""
    on = f"{spec.venue} ({run.scenario or run.data})" if run.venue is None else f"{spec.venue}"
    log.info(
        "started: drift-engine %s, Python %s; %s on %s, venue %s, mode %s, sub-account %d, journal %s, %s",
        __version__,
        platform.python_version(),
        run.strategy,
        market,
        on,
        spec.mode,
        spec.sub_account,
        run.journal,
        f"resumed after record {resumed_at}" if resumed_at else "new",
    )


def stopped(why: str, status: Mapping[str, Any]) -> None:
    """Tell of the end, and of what stays open, by the engine's last status."""
    rows = (row for row in status["positions"] if row["base_e9"] and not row["quote"])
    held = ", ".join(f"{show_base(row['base_e9'])} {row['market']}" for row in rows)
    log.info(
        "stopped: %s; record %d, equity %s, trading %s, holding %s",
        why,
        status["seq"],
        _money(status["equity_e6"]),
        status["trading"],
        held or "nothing",
    )


def _told(event: Event) -> Line | None:
    """Return an event as level and line, ``None`` where it says nothing to a reader."""
    tell = _TOLD.get(type(event))
    return None if tell is None else tell(event)


def _of_state(event: StateChanged) -> Line:
    words = f"{event.trading}{_why(event.reason)}; cause {event.cause}"
    words += f", closing, attempt {event.closing}" if event.closing else ""
    words += ", latched until a human resumes" if event.latched and not event.closing else ""
    return logging.INFO if event.trading is Trading.ACTIVE else logging.WARNING, words


def _of_order(event: Submitted) -> Line:
    legs = ", ".join(map(_of_leg, event.plan.legs))
    level = logging.WARNING if event.emergency else logging.INFO
    return level, f"placed {event.plan.plan_id}{' (emergency)' if event.emergency else ''}: {legs}"


def _of_leg(leg: Leg) -> str:
    return f"{'buy' if leg.base_e9 > 0 else 'sell'} {show_base(abs(leg.base_e9))} {leg.market}"


def _of_fill(event: Filled) -> Line:
    side = "bought" if event.base_e9 > 0 else "sold"
    price_e6 = abs(tdiv(event.quote_e6 * E9, event.base_e9))
    size = show_base(abs(event.base_e9))
    return logging.INFO, f"{side} {size} {event.market} at {_money(price_e6)}, fee {_money(event.fee_e6)}"


def _of_refusal(event: Decided) -> Line | None:
    if event.approved:
        return None
    reasons = "; ".join(f"{check.gate}: {check.reason}" for check in event.checks if check.verdict == "refuse")
    return logging.WARNING, f"refused {event.plan.plan_id}, {event.plan.reason}: {reasons}"


def _of_end(event: PlanClosed) -> Line | None:
    if event.status == "filled":
        return None
    return logging.WARNING, f"{event.plan_id} ended {event.status}{_why(event.reason)}"


def _of_command(event: Commanded) -> Line:
    of = f" {event.market}" if event.market else f" {_money(event.amount_e6)}" if event.amount_e6 else ""
    return logging.INFO, f"{event.who} asked: {event.command}{of}"


def _of_settlement(event: PnlSettled) -> Line:
    return logging.INFO, f"settled {_money(event.pnl_e6)} of {event.market}"


def _of_liquidation(event: Liquidated) -> Line:
    size = f"{show_base(event.base_e9)} " if event.base_e9 else ""
    return logging.CRITICAL, f"liquidated ({event.liquidation.replace('_', ' ')}): {size}{event.market or event.asset}"


_TOLD: dict[type, Callable[..., Line | None]] = {
    StateChanged: _of_state,
    Submitted: _of_order,
    Filled: _of_fill,
    Decided: _of_refusal,
    PlanClosed: _of_end,
    Commanded: _of_command,
    PnlSettled: _of_settlement,
    Liquidated: _of_liquidation,
}


def _why(reason: str) -> str:
    return f": {reason}" if reason else ""


def _money(e6: int) -> str:
    return show_scaled(e6, 6)


def _moment(ts_ns: int) -> str:
    return datetime.fromtimestamp(ts_ns // SECOND_NS, UTC).strftime("%Y-%m-%d %H:%M:%S")
