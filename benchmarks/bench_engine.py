"""The engine itself: quotes, candles with trades, orders, ticks of a hedged account, replay.

An event is one market row with its tick, margin assessed, funding settled each hour on what is held, and the journal on
in the form of a backtest: market rows by reference, everything else one record each.
"""

import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from benchmarks import candles, ema
from benchmarks.engine_runs import PERP, CrossStrategy, of_candles, of_quotes, prepared, trades
from benchmarks.measure import Result, cpu_ns, median, percentile
from drift_engine import wiring
from drift_engine.backtest import feed, run
from drift_engine.config import RunConfig
from drift_engine.core.types import MarketState, TradeSignal
from drift_engine.core.units import E9
from drift_engine.engine import DriftEngine
from drift_engine.replay import replay
from drift_engine.simulation.timeline import Timeline
from drift_engine.strategies.base import DriftStrategy
from drift_engine.strategies.hold.strategy import HoldStrategy

QUOTES, TICKS = 1_000_000, 1_000_000
FEW_FILLS, MANY_FILLS = 1_000, 100_000
ROUNDS = 3


class Alternate(CrossStrategy):
    """Buys one unit, sells it, and so on: an order on every tick on which none is in flight."""

    async def on_tick(self, state: MarketState) -> TradeSignal | None:
        held_e9 = state.account.perp(PERP).base_e9
        return TradeSignal({PERP: 0 if held_e9 else E9}, "alternate")


def main() -> list[Result]:
    with TemporaryDirectory() as folder:
        return [*_events(Path(folder)), *_orders(), *_ticks(Path(folder)), _replayed(Path(folder))]


def _events(folder: Path) -> list[Result]:
    rows = candles.make()
    same = "equal" if trades(rows) == ema.trades(rows) else "OTHER THAN EXPECTED"
    quotes, told = of_quotes(QUOTES), of_candles(rows)
    return [
        Result(
            "events", "1,000,000 quotes, a position held", _per_event(quotes, HoldStrategy, folder), "µs/event", 2.0
        ),
        Result(
            "events",
            "100,000 candles, EMA cross",
            _per_event(told, CrossStrategy, folder),
            "µs/event",
            2.0,
            f"{len(ema.trades(rows))} trades, {same}",
        ),
        Result("events", "100,000 candles, a position held", _per_event(told, HoldStrategy, folder), "µs/event"),
    ]


def _per_event(timeline: Timeline, strategy: Callable[[], DriftStrategy], folder: Path) -> float:
    figures = []
    for _ in range(ROUNDS):
        path = _fresh(folder / "events.journal")
        engine, ports = prepared(timeline, strategy(), path)
        figures.append(cpu_ns(partial(feed, engine, ports)) / ports.journal.row / 1_000)
        engine.close()
    return median(figures)


def _orders() -> list[Result]:
    """Return what an order costs from intent to position: what ticks with orders cost more than ticks without."""
    figures = {}
    for fills in (FEW_FILLS, MANY_FILLS):
        timeline = of_quotes(fills * 2 + 100)
        busy, ports = prepared(timeline, Alternate())
        spent_ns = cpu_ns(partial(feed, busy, ports))
        idle, ports = prepared(timeline, HoldStrategy({"target": "0"}))
        spent_ns -= cpu_ns(partial(feed, idle, ports))
        figures[fills] = spent_ns / busy.tally.trades / 1_000
    few, many = figures.values()
    return [
        Result("orders", f"intent to position, over {FEW_FILLS:,} fills", few, "µs/order", 20.0),
        Result("orders", f"intent to position, over {MANY_FILLS:,} fills", many, "µs/order", 20.0),
        Result("orders", "many fills against few", many / few, "ratio", 1.1),
    ]


def _ticks(folder: Path) -> list[Result]:
    results = []
    journal = _fresh(folder / "ticks.journal")
    for name, path, readers in (
        ("journal off", None, 0),
        ("journal off, twenty that never read", None, 20),
        ("journal on", journal, 0),
    ):
        ticks_ns = _tick_times(path, readers)
        for label, per_mille, limit in (("p50", 500, None), ("p99.9", 999, 1_000.0), ("max", 1_000, 10_000.0)):
            figure = percentile(ticks_ns, per_mille) / 1_000
            results.append(Result(f"ticks of a hedged account, {name}", label, figure, "µs", limit))
    return results


def _tick_times(path: Path | None, readers: int) -> list[int]:
    """Return the CPU time of each tick of a delta-neutral run on one-second rows, with readers of its events."""
    config = RunConfig(mode="backtest", scenario="calm_carry", interval_s=1, days=TICKS // 86_400 + 1, journal=path)
    strategy = wiring.make_strategy(config)
    ports = wiring.build(config, strategy)
    engine = DriftEngine(strategy, config=config, ports=ports)
    engine.open()
    for _ in range(readers):
        engine.bus.subscribe()
    clock, tick, now = ports.clock, engine.tick, time.thread_time_ns
    spent: list[int] = []
    for clock.now in ports.world.run(ports.inbox.put):
        began = now()
        tick()
        spent.append(now() - began)
        if len(spent) == TICKS:
            break
    engine.close()
    return spent


def _replayed(folder: Path) -> Result:
    config = RunConfig(mode="backtest", scenario="funding_flip", days=30, journal=_fresh(folder / "replay.journal"))
    events = run(config).events
    held: dict[str, Any] = {}
    spent_ns = cpu_ns(lambda: held.update(report=replay(folder / "replay.journal")))
    note = "every decision the same" if held["report"].same else held["report"].difference
    return Result("replay", "a delta-neutral backtest of 30 days", spent_ns / events / 1_000, "µs/event", None, note)


def _fresh(path: Path) -> Path:
    for old in path.parent.glob(f"{path.name}*"):
        old.unlink()
    return path
