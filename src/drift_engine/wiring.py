"""The composition root: a run's description in, everything the engine stands on out.

The one place that knows which venue, market data, executor and journal go together. It may import everything but the
engine and the command line.
"""

import re
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from msgspec import structs

from drift_engine import __version__, catalogue
from drift_engine.bus import Bus
from drift_engine.clock import SimClock
from drift_engine.config import ConfigError, RunConfig
from drift_engine.core.driving import where
from drift_engine.core.parameters import ParameterError, shown
from drift_engine.core.types import Event, PerpSpec, RunStarted, Spec, SpotSpec
from drift_engine.core.units import SECOND_NS
from drift_engine.execution.latency_monitor import LatencyMonitor
from drift_engine.execution.limits import Limits
from drift_engine.execution.mock_executor import MockExecutor, Purse
from drift_engine.execution.ports import Executor
from drift_engine.inbox import Inbox
from drift_engine.journal import Journal, JournalError, JournalMismatchError
from drift_engine.journal.file import identify
from drift_engine.journal.prefix import IGNORED
from drift_engine.journal.record import brief, differences
from drift_engine.simulation import facts
from drift_engine.simulation.faults import Faults
from drift_engine.simulation.models import FREE_NEXT_OPEN, Models, VenueConfig
from drift_engine.simulation.pacing import PacedFeed
from drift_engine.simulation.resuming import row_to_resume
from drift_engine.simulation.scenarios import scenario_timeline
from drift_engine.simulation.timeline import Timeline, load_timeline
from drift_engine.simulation.venue import SimVenue
from drift_engine.simulation.venue_log import VenueLog
from drift_engine.simulation.world import World
from drift_engine.strategies.base import DriftStrategy

NOT_LIVE_YET = "live trading is not built yet; run paper or backtest instead"
DEFAULT_SCENARIO = "calm_carry"
QUOTE = "USDC"
_NAME = re.compile(r"\w[\w.-]{0,63}")
_NAMES = "a name is up to 64 letters, digits, '_', '-' and '.', and begins with none of the last two"


class Feed(Protocol):
    """What wakes the engine: it fills the inbox and yields each time the engine should tick."""

    @property
    def trouble(self) -> str | None:
        """Why what it tells is old or is missing, ``None`` while nothing is wrong."""
        ...

    def beats(self, deliver: Callable[[Event], None]) -> AsyncIterator[int]:
        """Deliver events and yield the time of each tick."""
        ...


@dataclass(frozen=True)
class Ports:
    """Everything an engine stands on. ``open_interest_e9`` is what a market's users hold, ``None`` where not known."""

    clock: SimClock
    inbox: Inbox
    executor: Executor
    journal: Journal
    bus: Bus
    latency: LatencyMonitor
    feed: Feed
    started: RunStarted
    limits: Limits
    capital_e6: int
    market: str
    assumptions: tuple[str, ...]
    open_interest_e9: Callable[[str], int | None]
    close: Callable[[], None]


@dataclass(frozen=True)
class SimPorts(Ports):
    """The ports of a simulated market. ``world`` is what a backtest steps through; ``feed`` is the same at a pace."""

    world: World
    timeline: Timeline


def make_strategy(config: RunConfig) -> DriftStrategy:
    """Return the strategy a run names, with its parameters; ``market`` is one of them where it has such."""
    kind = catalogue.find(config.strategy)
    params = dict(config.params)
    if config.market is not None:
        if "market" not in kind.Params.__struct_fields__:
            raise ConfigError(f"strategy {config.strategy!r} takes no market; leave --market out")
        params.setdefault("market", config.market)
        if params["market"] != config.market:
            raise ConfigError(f"the market is given twice: {config.market!r} and {params['market']!r}; keep one")
    try:
        strategy = kind(params)
        name = strategy.name
    except ParameterError:
        raise
    except Exception as error:
        raise ConfigError(f"strategy {config.strategy!r} cannot be made: {where(error)}") from error
    if not (isinstance(name, str) and _NAME.fullmatch(name)):
        raise ConfigError(f"strategy {config.strategy!r} calls itself {name!r}; {_NAMES}")
    return strategy


def build(
    config: RunConfig, strategy: DriftStrategy, journal: Journal | None = None, timeline: Timeline | None = None
) -> SimPorts:
    """Wire a simulated run: backtest or paper, on history, on a scenario, or on a ``timeline`` of one's own.

    A ``journal`` that is given takes the place of the run's own; one that only reads leaves nothing written anywhere.
    A paper venue with a log goes on in the row after the last it has lived through.
    """
    if config.mode == "live":
        raise ConfigError(NOT_LIVE_YET)
    if config.venue is not None:
        raise ConfigError(f"a run on {config.venue} needs a connection to it: start it with --rpc URL")
    specs = _specs(strategy)
    perp = next(spec for spec in specs.values() if isinstance(spec, PerpSpec))
    spots = tuple(spec.name for spec in specs.values() if spec.kind == "spot")
    timeline = timeline or _timeline(config, perp.name, spots)
    venue_config = _venue_config(config)
    log = venue_log(config) if journal is None else None
    venue = SimVenue(venue_config, specs) if log is None else SimVenue.restore(log, venue_config, specs)
    journal = journal or Journal.open(config.journal, reference=config.mode == "backtest", resume=True)
    clock, inbox = SimClock(timeline.first_ns), Inbox()
    first_row = 0 if log is None else row_to_resume(timeline, venue.quotes, QUOTE, log.events())
    world = World(timeline, venue, first_row=first_row)

    def close() -> None:
        journal.close()
        if log is not None:
            log.close()

    return SimPorts(
        clock=clock,
        inbox=inbox,
        executor=MockExecutor(venue, inbox.put, purse=purse_of(venue, specs[QUOTE])),
        journal=journal,
        bus=Bus(),
        latency=LatencyMonitor(),
        feed=PacedFeed(world, clock, config.speed),
        world=world,
        timeline=timeline,
        started=_started(config, strategy, timeline, specs),
        limits=config.limits,
        capital_e6=config.capital_e6,
        market=perp.name,
        assumptions=(*timeline.assumptions, *venue.assumptions),
        open_interest_e9=lambda _market: None,
        close=close,
    )


def purse_of(venue: SimVenue, quote: Spec) -> tuple[Purse, SpotSpec] | None:
    """Return the simulated account as one that is paid in and out of here."""
    return (venue, quote) if isinstance(quote, SpotSpec) else None


def _specs(strategy: DriftStrategy) -> dict[str, Spec]:
    """Return the facts of the strategy's markets and of the quote, by name: one perp a run."""
    found = [spec for name in strategy.subscriptions for spec in facts.resolve(name)]
    perps = {spec.name for spec in found if spec.kind == "perp"}
    if len(perps) != 1:
        asked = ", ".join(strategy.subscriptions) or "none"
        raise ConfigError(f"a run trades one perp market, as SOL-PERP, and {strategy.name} asks for {asked}")
    return {spec.name: spec for spec in (*found, *facts.resolve(QUOTE))}


def _timeline(config: RunConfig, perp: str, spots: tuple[str, ...]) -> Timeline:
    if config.data is not None:
        if config.scenario is not None:
            raise ConfigError("data and a scenario are both named; a run takes one of them")
        return load_timeline(config.data, perp, config.from_ns, config.to_ns, spots=spots, mark=config.mark)
    scenario = config.scenario or DEFAULT_SCENARIO
    if config.from_ns is not None or config.to_ns is not None:
        raise ConfigError(
            f"from and to choose from recorded data; {scenario} is as long as its days say, leave them out"
        )
    if config.mark != "drift":
        raise ConfigError(f"mark {config.mark!r} is of recorded data; {scenario} has a mark of its own, leave it out")
    return scenario_timeline(
        scenario,
        seed=config.seed,
        interval_s=config.interval_s,
        days=config.days,
        perp=perp,
        with_spot=len(spots) > 1,
    )


def _venue_config(config: RunConfig) -> VenueConfig:
    models = FREE_NEXT_OPEN if config.fill == "next_open" else Models()
    try:
        faults = Faults.chaos(config.seed, config.faults, pace_ns=config.interval_s * SECOND_NS)
    except ValueError as error:
        raise ConfigError(str(error)) from None
    return VenueConfig(config.seed, config.capital_e6, models, faults if config.faults else Faults(), QUOTE)


def venue_log(config: RunConfig) -> VenueLog | None:
    """Return the paper venue's own durable log, next to the journal; a backtest's venue is made anew from its rows.

    A log without its journal is an account whose story is lost, and a journal without its log a story whose account is:
    neither is taken up as if it were new. Nothing is made beside a file that is no journal.
    """
    if config.journal is None or config.mode != "paper":
        return None
    path = Path(f"{config.journal}.venue")
    if not path.exists() and _is_begun(config.journal):
        again = "put it back, or begin anew with another journal"
        raise ConfigError(f"{path} is gone, and {config.journal} tells of the account in it; {again}")
    log = VenueLog(path)
    if log.state() is not None and not config.journal.exists():
        log.close()
        again = f"put the journal back, or remove {path.name} to begin anew"
        raise ConfigError(f"{config.journal} is gone, and {path} still holds its account; {again}")
    try:
        _hold_to_its_run(config, config.journal)
    except JournalMismatchError:
        log.close()
        raise
    return log


def _is_begun(journal: Path) -> bool:
    from drift_engine.journal import reader

    return identify(journal) and reader.run_started(journal) is not None


def _hold_to_its_run(config: RunConfig, journal: Path) -> None:
    """Raise ``JournalMismatchError`` where a journal is of another run, before its venue is made by our settings."""
    from drift_engine.journal import reader

    try:
        known = reader.run_started(journal) if journal.exists() else None
    except JournalError:
        return  # it was not begun, or it is damaged: whoever opens it says so
    if known is None:
        return
    ours = structs.replace(known, config=config.identity())
    found = differences(known, ours, IGNORED)
    if found:
        raise JournalMismatchError(1, brief(known), brief(ours), found)


def _started(config: RunConfig, strategy: DriftStrategy, timeline: Timeline, specs: dict[str, Spec]) -> RunStarted:
    return RunStarted(
        ts_ns=timeline.first_ns,
        mode=config.mode,
        strategy=strategy.name,
        params=shown(strategy.params),
        config=config.identity(),
        quote=QUOTE,
        specs=tuple(specs.values()),
        venue="sim",
        sources=dict(timeline.sources),
        simulated=timeline.simulated,
        version=__version__,
    )
