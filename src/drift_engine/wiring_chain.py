"""The composition root of paper trading on a live venue: its markets from the chain, the account simulated.

It stands beside ``wiring``, which wires what needs no network, and is imported only when a run names a venue.
"""

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager

from msgspec import structs

from drift_engine import __version__
from drift_engine.bus import Bus
from drift_engine.chain_feed import ASSUMPTIONS, ChainFeed, paper_spec
from drift_engine.clock import SimClock
from drift_engine.config import ConfigError, RunConfig
from drift_engine.core.parameters import shown
from drift_engine.core.types import Event, PerpSpec, RunStarted, Spec
from drift_engine.core.units import E6, ceil_div
from drift_engine.execution.latency_monitor import LatencyMonitor
from drift_engine.execution.mock_executor import MockExecutor
from drift_engine.inbox import Inbox
from drift_engine.journal import Journal
from drift_engine.simulation import facts
from drift_engine.simulation.models import Fees, FeeTier, Models, VenueConfig
from drift_engine.simulation.venue import SimVenue
from drift_engine.strategies.base import DriftStrategy
from drift_engine.venues.live.listed import Listed
from drift_engine.venues.live.shared_client import shared
from drift_engine.venues.programs import by_name
from drift_engine.wiring import Feed, Ports, purse_of, venue_log


@asynccontextmanager
async def on_chain(
    config: RunConfig, strategy: DriftStrategy, rpc: Sequence[str], ws: Sequence[str]
) -> AsyncIterator[Ports]:
    """Connect to the venue that a run names and yield its ports; the connection ends with the context.

    Nodes are asked in the order given.
    """
    async with shared(rpc, ws) as connection:
        markets = Listed(by_name(config.venue or ""), connection)
        await markets.read()
        await markets.follow()
        yield build(config, strategy, markets)


def build(config: RunConfig, strategy: DriftStrategy, markets: Listed) -> Ports:
    """Wire a paper run on a venue's live markets."""
    specs = _specs(strategy, markets)
    log = venue_log(config)
    venue_config = VenueConfig(config.seed, config.capital_e6, Models(fees=_fees(markets)), quote=markets.program.quote)
    venue = SimVenue(venue_config, specs) if log is None else SimVenue.restore(log, venue_config, specs)
    journal = Journal.open(config.journal, resume=True)

    def close() -> None:
        journal.close()
        if log is not None:
            log.close()

    clock = SimClock()
    feed = ChainFeed(markets, venue, specs, clock)
    started = RunStarted(
        ts_ns=0,
        mode=config.mode,
        strategy=strategy.name,
        params=shown(strategy.params),
        config=config.identity(),
        quote=markets.program.quote,
        specs=tuple(specs.values()),
        venue=markets.program.name,
        sources={},
        simulated=False,
        version=__version__,
    )
    return _ports(config, started, venue, journal, feed, clock, close, feed.open_interest_e9)


def recorded(config: RunConfig, started: RunStarted, journal: Journal) -> Ports:
    """Wire what a journal of such a run needs to be told again: nothing but the journal."""
    specs = {spec.name: spec for spec in started.specs}
    venue = SimVenue(VenueConfig(config.seed, config.capital_e6, quote=started.quote), specs)
    return _ports(config, started, venue, journal, _Silence(), SimClock(), journal.close)


class _Silence:
    """A feed that tells nothing."""

    trouble: str | None = None

    async def beats(self, deliver: Callable[[Event], None]) -> AsyncIterator[int]:
        """End at once."""
        del deliver
        for _ in ():
            yield 0


def _ports(
    config: RunConfig,
    started: RunStarted,
    venue: SimVenue,
    journal: Journal,
    feed: Feed,
    clock: SimClock,
    close: Callable[[], None],
    open_interest_e9: Callable[[str], int | None] = lambda _market: None,
) -> Ports:
    inbox, specs = Inbox(), {spec.name: spec for spec in started.specs}
    return Ports(
        clock=clock,
        inbox=inbox,
        executor=MockExecutor(venue, inbox.put, purse=purse_of(venue, specs[started.quote])),
        journal=journal,
        bus=Bus(),
        latency=LatencyMonitor(),
        feed=feed,
        started=started,
        limits=config.limits,
        capital_e6=config.capital_e6,
        market=next(spec.name for spec in started.specs if isinstance(spec, PerpSpec)),
        assumptions=(*ASSUMPTIONS, *venue.assumptions),
        open_interest_e9=open_interest_e9,
        close=close,
    )


def _specs(strategy: DriftStrategy, markets: Listed) -> dict[str, Spec]:
    """Return the facts of the strategy's markets and of the quote, as the chain has them: one perp a run.

    Spot markets that share a perp's oracle, in the same units, are of its asset, whatever they are called.
    """
    known = {name: paper_spec(markets.market(name).spec) for name in markets}
    assets = {_priced_by(spec): spec.asset for spec in known.values() if isinstance(spec, PerpSpec)}
    known = {
        name: structs.replace(spec, asset=assets.get(_priced_by(spec), spec.asset)) for name, spec in known.items()
    }
    try:
        wanted = (*strategy.subscriptions, markets.program.quote)
        found = [spec for name in wanted for spec in facts.resolve(name, known)]
    except facts.UnknownMarketError as error:
        unread = "".join(f"; {market} cannot be read: {why}" for market, why in markets.unread.items())
        raise ConfigError(f"{error}{unread}") from None
    if len({spec.name for spec in found if spec.kind == "perp"}) != 1:
        asked = ", ".join(strategy.subscriptions)
        raise ConfigError(f"a run trades one perp market, and {strategy.name} asks for {asked}")
    return {spec.name: spec for spec in found}


def _priced_by(spec: Spec) -> tuple[str, int]:
    return spec.oracle, spec.oracle_multiple


def _fees(markets: Listed) -> Fees:
    """Return the exchange's first tier, which is a new account's."""
    tier = markets.translator.fees
    taker_e6 = ceil_div(tier.fee_numerator * E6, tier.fee_denominator)
    maker_e6 = tier.maker_rebate_numerator * E6 // tier.maker_rebate_denominator
    return Fees((FeeTier(0, taker_e6, -maker_e6),))
