"""Paper trading on a live venue: a real node's accounts by real sockets, the venue's program played beside them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from msgspec import structs
from solders.account import Account
from solders.pubkey import Pubkey

from drift_engine import chain_feed, replay
from drift_engine.config import ConfigError, RunConfig
from drift_engine.core.types import Filled, FundingPaid, MarketUpdated, PerpSpec
from drift_engine.engine import DriftEngine
from drift_engine.execution.limits import Limits
from drift_engine.journal import Journal
from drift_engine.localnet.faults import Fault
from drift_engine.localnet.ledger import Ledger
from drift_engine.localnet.serving import Running, ServeConfig, served
from drift_engine.localnet.venue import serving
from drift_engine.localnet.venue.program import PlayedVenue
from drift_engine.strategies.hold import HoldStrategy
from drift_engine.venues import addresses
from drift_engine.venues.programs import DRIFT_V2, VELOCITY, by_name
from drift_engine.venues.wire.accounts import decode_as
from drift_engine.venues.wire.enums import OracleSource
from drift_engine.venues.wire.perp_market import PerpMarket
from drift_engine.wiring_chain import on_chain

E6, E9 = 10**6, 10**9
HOLD = RunConfig(strategy="hold", venue="velocity", params={"target": "1"}, capital_e6=1_000 * E6, limits=Limits())


@dataclass
class Stage:
    """An engine on a served venue."""

    engine: DriftEngine
    running: Running

    async def until(self, what: str, done: Any, seconds: float = 30.0) -> None:
        for _ in range(int(seconds / 0.05)):
            if done(self.engine.state):
                return
            await asyncio.sleep(0.05)
        raise AssertionError(f"not in {seconds} s: {what}; {self.engine.get_status()}")


@asynccontextmanager
async def stage(config: RunConfig, running: Running) -> AsyncIterator[Stage]:
    strategy = HoldStrategy(config.params)
    async with on_chain(config, strategy, [running.url], [running.ws_url]) as ports:
        engine = DriftEngine(strategy, config=config, ports=ports)
        await engine.start()
        try:
            yield Stage(engine, running)
        finally:
            await engine.stop()


def venue(name: str) -> ServeConfig:
    return serving.with_venue(ServeConfig(), by_name(name))


def held(state: Any) -> int:
    return int(state.account.perp("SOL-PERP").base_e9)


@pytest.mark.parametrize("name", ["velocity", "drift_v2"])
async def test_a_strategy_trades_on_a_venues_own_prices(name: str, tmp_path: Path) -> None:
    config = structs.replace(HOLD, venue=name, journal=tmp_path / "run")
    async with served(venue(name)) as running, stage(config, running) as on:
        await on.until("filled", lambda state: held(state) == E9)
        state = on.engine.state
        program = VELOCITY if name == "velocity" else DRIFT_V2
        market = on_the_chain(running, name)
        spec = state.markets["SOL-PERP"].spec
        assert (spec.step_e9, spec.tick_e6) == (market.order_step_size, market.order_tick_size)
        assert isinstance(spec, PerpSpec)
        assert spec.margin_initial_e4 == market.margin_ratio_initial
        assert on.engine.get_status()["venue"] == program.name
        assert state.account.quote == program.quote
        assert on.engine.margin is not None
        assert on.engine.margin.status == "known"
    records = list(Journal.read(tmp_path / "run"))
    assert any(isinstance(record.event, MarketUpdated) for record in records)
    told = replay.replay(tmp_path / "run")
    assert (told.same, told.difference) == (True, None)


async def test_a_run_is_taken_up_where_it_was(tmp_path: Path) -> None:
    config = structs.replace(HOLD, journal=tmp_path / "run")
    async with served(venue("velocity")) as running:
        async with stage(config, running) as on:
            await on.until("filled", lambda state: held(state) == E9)
            before = on.engine.state.equity_e6
        async with stage(config, running) as on:
            assert held(on.engine.state) == E9
            await on.until("ticks", lambda state: state.ticks > 20)
            assert on.engine.state.equity_e6 == before
    fills = [record for record in Journal.read(tmp_path / "run") if isinstance(record.event, Filled)]
    assert len(fills) == 1


async def test_funding_is_the_chains_of_the_side_that_is_held() -> None:
    config = structs.replace(HOLD, params={"target": "-1"})
    async with served(venue("velocity")) as running, stage(config, running) as on:
        await on.until("filled", lambda state: held(state) == -E9)
        seen: list[FundingPaid] = []
        subscription = on.engine.bus.subscribe()
        move_funding(running, long_e9=7_000_000, short_e9=5_000_000)
        await on.until("funded", lambda state: state.pnl.funding_e6 != 0)
        seen = [event for _, event in subscription.take() if isinstance(event, FundingPaid)]
        assert [event.rate_e9 for event in seen] == [5_000_000]
        assert on.engine.state.pnl.funding_e6 == 5_000


async def test_open_interest_is_the_chains_larger_side() -> None:
    async with served(venue("velocity")) as running, stage(HOLD, running) as on:

        def told() -> int | None:
            found: int | None = on.engine.get_status()["markets"]["SOL-PERP"]["open_interest_e9"]
            return found

        assert told() == 0
        for long_e9, short_e9, wanted_e9 in ((7 * E9, -5 * E9, 7 * E9), (2 * E9, -9 * E9, 9 * E9)):
            with changed(running) as market:
                market.base_asset_amount_long, market.base_asset_amount_short = long_e9, short_e9
            await on.until("open interest", lambda _, wanted_e9=wanted_e9: told() == wanted_e9)


async def test_a_node_that_falls_silent_makes_margin_stale_until_it_speaks_again() -> None:
    config = structs.replace(HOLD, limits=structs.replace(Limits(), max_feed_age_ms=2_000))
    async with served(venue("velocity")) as running, stage(config, running) as on:
        await on.until("filled", lambda state: held(state) == E9)
        running.faults.set("stall", Fault(on=True))
        running.faults.set("too_many_requests", Fault(rate=1.0))
        await on.until("stale", lambda _: on.engine.margin is not None and on.engine.margin.status == "stale")
        running.faults.clear()
        await on.until("known", lambda _: on.engine.margin is not None and on.engine.margin.status == "known", 30)
        assert held(on.engine.state) == E9


async def test_a_market_that_cannot_be_read_stops_only_the_run_that_trades_it() -> None:
    async with served(replace(venue("velocity"), programs=(Idle(VELOCITY),))) as running:
        damage(running, addresses.perp_market(VELOCITY.program_id, 2))
        async with stage(HOLD, running) as on:
            await on.until("filled", lambda state: held(state) == E9)
        why = r"unknown market 'ETH-PERP'; the venue has .*; perp market 2 cannot be read: PerpMarket has"
        with pytest.raises(ConfigError, match=why):
            async with stage(structs.replace(HOLD, params={"market": "ETH-PERP", "target": "1"}), running):
                pass
        damage(running, addresses.spot_market(VELOCITY.program_id, 0))
        with pytest.raises(ConfigError, match=r"unknown market 'USDT'; .*; spot market 0 cannot be read: SpotMarket"):
            async with stage(HOLD, running):
                pass


async def test_a_market_that_can_be_read_no_more_is_told_and_does_not_end_the_run(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Nor does it where interest is due meanwhile, which is every second here."""
    monkeypatch.setattr(chain_feed, "HOUR_NS", E9)
    address = addresses.perp_market(VELOCITY.program_id, 0)
    idle = replace(venue("velocity"), programs=(Idle(VELOCITY),))
    async with served(idle) as running, stage(HOLD, running) as on:
        await on.until("filled", lambda state: held(state) == E9)
        assert on.engine.get_status()["data_trouble"] is None
        whole = running.chain.bank.get(address)
        assert whole is not None
        damage(running, address)
        await on.until("told", lambda _: on.engine.get_status()["data_trouble"])
        status, ticks = on.engine.get_status(), on.engine.state.ticks
        assert status["data_trouble"].startswith("SOL-PERP cannot be read: PerpMarket has ")
        assert status["markets"]["SOL-PERP"]["open_interest_e9"] is None
        as_of_ns = on.engine.state.markets["SOL-PERP"].ts_ns
        await on.until("ticks", lambda state: state.ticks > ticks + 6)
        assert on.engine.state.markets["SOL-PERP"].ts_ns == as_of_ns, "nothing new is told of it"
        running.chain.put(address, whole)
        running.chain.advance(2)
        await on.until("whole", lambda _: on.engine.get_status()["data_trouble"] is None)
        await on.until("told again", lambda state: state.markets["SOL-PERP"].ts_ns > as_of_ns)


class Paired(HoldStrategy):
    """Asks for a perp and a spot market."""

    @property
    def subscriptions(self) -> tuple[str, ...]:
        return "1MSOL-PERP", "SOL"


@pytest.mark.parametrize(("source", "asset"), [(OracleSource.PYTH_LAZER, "1MSOL"), (OracleSource.PYTH_LAZER_1M, "SOL")])
async def test_a_spot_market_is_of_a_perps_asset_where_their_oracle_counts_the_same_units(
    source: OracleSource, asset: str
) -> None:
    """A perp on a million of a token has the token's own oracle: one of the perp is no one of the token."""
    async with served(replace(venue("velocity"), programs=(Idle(VELOCITY),))) as running:
        with changed(running) as market:
            market.oracle_source, market.name = source, "1MSOL-PERP"
        running.chain.advance(2)
        async with on_chain(HOLD, Paired(HOLD.params), [running.url], [running.ws_url]) as ports:
            specs = {spec.name: spec for spec in ports.started.specs}
    assert (specs["1MSOL-PERP"].asset, specs["SOL"].asset) == ("1MSOL", asset)


class Idle(PlayedVenue):
    """A venue in which nothing happens by itself, so that its accounts may be damaged."""

    def tick(self, ledger: Ledger) -> bool | None:
        return None


def damage(running: Running, address: Pubkey) -> None:
    """Take an account's last byte, and let that be confirmed."""
    whole = running.chain.bank.get(address)
    assert whole is not None
    running.chain.put(address, Account(whole.lamports, bytes(whole.data)[:-1], whole.owner))
    running.chain.advance(2)


async def test_what_the_chain_does_not_have_is_refused_in_one_line() -> None:
    async with served(venue("velocity")) as running:
        with pytest.raises(ConfigError, match="unknown market 'DOGE-PERP'; the venue has SOL-PERP"):
            async with stage(structs.replace(HOLD, params={"market": "DOGE-PERP", "target": "1"}), running):
                pass
        with pytest.raises(Exception, match=r"drift_v2 has no account .* is it the right cluster"):
            async with stage(structs.replace(HOLD, venue="drift_v2"), running):
                pass


def on_the_chain(running: Running, name: str) -> PerpMarket:
    address = addresses.perp_market(by_name(name).program_id, 0)
    account = running.chain.bank.get(address)
    assert account is not None
    return decode_as(PerpMarket, account.owner, bytes(account.data))


def move_funding(running: Running, long_e9: int, short_e9: int) -> None:
    """Move a market's cumulative funding from outside, as an hour's settlement does."""
    with changed(running) as market:
        market.cumulative_funding_rate_long += long_e9
        market.cumulative_funding_rate_short += short_e9


@contextmanager
def changed(running: Running) -> Iterator[PerpMarket]:
    """Write a perp market's account from outside."""
    address = addresses.perp_market(VELOCITY.program_id, 0)
    account = running.chain.bank.get(address)
    assert account is not None
    market = decode_as(PerpMarket, account.owner, bytearray(account.data))
    yield market
    running.chain.put(address, Account(account.lamports, bytes(market.data), account.owner))
