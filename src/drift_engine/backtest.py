"""Drive an engine over columns of history, as fast as it goes.

It stands above the engine: the world's rows go into the inbox, the clock is set to each row's time, the engine ticks.
It is the same engine, the same tick and the same venue as in paper trading; only nobody sleeps between the rows.
"""

import gc
import time
from collections.abc import Callable, Iterator
from itertools import islice
from typing import Any

from msgspec import Struct

from drift_engine import wiring
from drift_engine.config import RunConfig, show_date
from drift_engine.core.types import Trading
from drift_engine.engine import DriftEngine
from drift_engine.recovery import take_outside_news
from drift_engine.strategies.base import DriftStrategy

Progress = Callable[[int, int], None]
Steps = Iterator[tuple[int, int]]
_BLOCK = 2_048
_YOUNG_OBJECTS = 100_000


class BacktestResult(Struct, frozen=True):
    """What a backtest found. Money in quote 1e6, ``min_health`` and ``max_drawdown`` in 0..1, times ISO UTC."""

    strategy: str
    params: dict[str, str]
    market: str
    simulated: bool
    from_: str
    to: str
    first_fill_ts: str | None
    events: int
    ticks: int
    equity_start_e6: int
    equity_end_e6: int
    net_deposits_e6: int
    pnl_e6: dict[str, int]
    funding_settlements: int
    trades: int
    refusals: dict[str, int]
    min_health: float | None
    max_drawdown: float
    liquidations: int
    trading: str
    reason: str
    latched: bool
    disputed: bool
    positions: list[dict[str, Any]]
    strategy_status: dict[str, Any]
    assumptions: list[str]
    gaps: list[str]
    digest: str
    wall_s: float
    events_per_s: float

    def to_json(self) -> dict[str, Any]:
        """Return the result under the names of the command line's JSON."""
        fields = {name: getattr(self, name) for name in self.__struct_fields__}
        return {("from" if name == "from_" else name): value for name, value in fields.items()}

    @property
    def halted(self) -> bool:
        """Whether the run ended latched: exit code 3."""
        return self.latched


def run(
    config: RunConfig,
    strategy: DriftStrategy | None = None,
    progress: Progress | None = None,
    ports: wiring.SimPorts | None = None,
) -> BacktestResult:
    """Run a backtest from its first row to its last, resuming the journal if it holds a part of the same run."""
    strategy = strategy or wiring.make_strategy(config)
    ports = ports or wiring.build(config, strategy)
    engine = DriftEngine(strategy, config=config, ports=ports)
    began = time.perf_counter()
    try:
        engine.open()
        feed(engine, ports, progress)
        engine.finish()
        digest = ports.journal.digest_hex(engine.state)
    finally:
        engine.close()
    return _result(engine, ports, digest, time.perf_counter() - began)


def feed(engine: DriftEngine, ports: wiring.SimPorts, progress: Progress | None = None) -> None:
    """Tick through every row; a replayed journal that ends earlier ends it. Old objects are spared the collector."""
    gc.collect()
    gc.freeze()
    thresholds = gc.get_threshold()
    gc.set_threshold(_YOUNG_OBJECTS, *thresholds[1:])
    clock, journal, steps = ports.clock, ports.journal, ports.world.run(ports.inbox.put)
    if journal.verifying:
        steps = _beside_the_journal(engine, ports, steps)
    try:
        before = -1
        while engine.state.ticks != before:
            before = engine.state.ticks
            for clock.now in islice(steps, _BLOCK):
                engine.tick()
            if progress is not None:
                progress(journal.row, ports.timeline.length)
    finally:
        gc.set_threshold(*thresholds)
        gc.unfreeze()


def _beside_the_journal(engine: DriftEngine, ports: wiring.SimPorts, steps: Steps) -> Steps:
    """Step through a run that a journal already holds: take a human's word where it stands; end where a replay ends."""
    journal = ports.journal
    for now in steps:
        if journal.verifying:
            take_outside_news(engine, journal)
        elif journal.replay:
            return
        yield now


def _result(engine: DriftEngine, ports: wiring.SimPorts, digest: str, wall_s: float) -> BacktestResult:
    state, tally, config = engine.state, engine.tally, engine.config
    status = engine.get_status()
    pnl = {cause.removesuffix("_e6"): value for cause, value in status["pnl"].items() if cause != "total_e6"}
    return BacktestResult(
        strategy=engine.strategy.name,
        params=config.params,
        market=ports.market,
        simulated=ports.started.simulated,
        from_=show_date(ports.timeline.first_ns if config.from_ns is None else config.from_ns),
        to=show_date(ports.timeline.last_ns if config.to_ns is None else config.to_ns),
        first_fill_ts=show_date(state.first_fill_ns) if state.first_fill_ns else None,
        events=ports.journal.row,
        ticks=state.ticks,
        equity_start_e6=state.net_deposits_e6,
        equity_end_e6=state.equity_e6,
        net_deposits_e6=0,
        pnl_e6=pnl,
        funding_settlements=tally.funding_settlements,
        trades=tally.trades,
        refusals=tally.refusals,
        min_health=status["tally"]["min_health"],
        max_drawdown=state.max_drawdown_e6 / 1_000_000,
        liquidations=tally.liquidations,
        trading=str(state.trading),
        reason=state.reason,
        latched=state.latched or state.trading is Trading.HALTED,
        disputed=state.disputed,
        positions=status["positions"],
        strategy_status=status["strategy_status"],
        assumptions=list(ports.assumptions),
        gaps=list(ports.timeline.gaps),
        digest=digest,
        wall_s=round(wall_s, 3),
        events_per_s=round(ports.journal.row / wall_s, 1) if wall_s else 0.0,
    )
