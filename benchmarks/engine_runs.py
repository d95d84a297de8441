"""Our side of the comparisons: the real engine, wired as a backtest is, on rows of our own.

Candles are told as a candle's close with the next open to fill at, quotes as prices; funding settles every hour on what
is held. Margin is assessed at every row, and a journal takes market rows by reference, as in any backtest.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import numpy as np

from benchmarks.candles import LENGTH_S, Rows
from benchmarks.ema import Cross, Trade
from drift_engine import wiring
from drift_engine.backtest import feed
from drift_engine.config import RunConfig
from drift_engine.core.parameters import Parameters, Unit
from drift_engine.core.types import Filled, MarketState, TradeSignal
from drift_engine.core.units import E9, SECOND_NS
from drift_engine.engine import DriftEngine
from drift_engine.execution.limits import Limits, with_limits
from drift_engine.journal import Journal
from drift_engine.simulation.rows import RowKind
from drift_engine.simulation.timeline import Timeline
from drift_engine.strategies.base import DriftStrategy

PERP = "SOL-PERP"
UNBOUND = with_limits(
    Limits(),
    dict.fromkeys(("limit_distance", "limit_distance_reduce", "max_twap_distance", "max_plans_per_minute"), "off"),
)


class CrossParams(Parameters, frozen=True):
    market: Annotated[str, Unit("perp market", "the market to trade")] = PERP


class CrossStrategy(DriftStrategy):
    """The EMA cross of ``benchmarks.ema``: one unit long or short from the first cross on."""

    Params = CrossParams

    def __init__(self, config: CrossParams | Mapping[str, Any] | None = None) -> None:
        super().__init__(config)
        self._update = Cross().update
        self.slippage_e4 = self.slippage_reduce_e4 = 5_000

    @property
    def name(self) -> str:
        return "ema_cross"

    @property
    def subscriptions(self) -> tuple[str, ...]:
        return (PERP,)

    async def on_tick(self, state: MarketState) -> TradeSignal | None:
        side = self._update(state.markets[PERP].oracle_e6 / 1_000_000)  # type: ignore[operator]
        return TradeSignal({PERP: side * E9}, "cross") if side else None

    def get_status(self) -> dict[str, Any]:
        return {}


def of_candles(rows: Rows) -> Timeline:
    """Return candles as price rows known at their close, with funding every hour."""
    closes_ns = (rows[:, 0] + LENGTH_S) * SECOND_NS
    return _timeline(closes_ns, rows[:, 4], rows[:, 1])


def of_quotes(count: int, seed: int = 1) -> Timeline:
    """Return that many quotes, one a second."""
    steps = np.random.default_rng(seed).integers(-40_000, 40_001, count)
    prices = np.clip(150_000_000 + np.cumsum(steps), 75_000_000, 300_000_000)
    return _timeline((1_735_689_600 + np.arange(count)) * SECOND_NS, prices, prices)


def _timeline(ts_ns: Any, close_e6: Any, open_e6: Any) -> Timeline:
    hours_ns = np.arange(ts_ns[0] // (3_600 * SECOND_NS), ts_ns[-1] // (3_600 * SECOND_NS)) * 3_600 * SECOND_NS
    hours_ns = hours_ns[hours_ns > ts_ns[0]]
    count, hours = len(ts_ns), len(hours_ns)
    prices = np.full(hours, 150_000_000)
    return Timeline.from_columns(
        (PERP,),
        np.concatenate([ts_ns, hours_ns]),
        np.concatenate([np.full(count, RowKind.PRICE), np.full(hours, RowKind.FUNDING)]),
        np.zeros(count + hours, dtype=np.int64),
        np.concatenate([close_e6, np.full(hours, 12_345)]),
        np.concatenate([close_e6, prices]),
        np.concatenate([open_e6, prices]),
        sources={"benchmark": "seeded"},
        simulated=True,
    )


def prepared(
    timeline: Timeline, strategy: DriftStrategy, journal: Path | None = None, *, keep: bool = False
) -> tuple[DriftEngine, wiring.SimPorts]:
    """Return an open engine on a timeline, filling at the next open without fee, and its ports."""
    config = RunConfig(strategy=strategy.name, mode="backtest", fill="next_open", limits=UNBOUND, capital_e6=10**12)
    book = Journal.open(journal, reference=True, keep=keep)
    ports = wiring.build(config, strategy, book, timeline)
    engine = DriftEngine(strategy, config=config, ports=ports)
    engine.open()
    return engine, ports


def trades(rows: Rows) -> list[Trade]:
    """Return the fills of the cross on candles."""
    engine, ports = prepared(of_candles(rows), CrossStrategy(), keep=True)
    feed(engine, ports)
    fills = [record.event for record in ports.journal.records() if isinstance(record.event, Filled)]
    first_ns, length_ns = int(rows[0, 0]) * SECOND_NS, LENGTH_S * SECOND_NS
    return [
        Trade((fill.ts_ns - first_ns) // length_ns - 1, fill.base_e9 // E9, -fill.quote_e6 * E9 // fill.base_e9)
        for fill in fills
    ]
