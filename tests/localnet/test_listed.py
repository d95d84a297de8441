"""Markets as a served chain has them: what is read of them, what is mirrored, and what is not made up."""

import asyncio
import time

import pytest
from trader_stage import FAST, stage

from drift_engine.venues import addresses
from drift_engine.venues.errors import DecodeError
from drift_engine.venues.live.listed import Listed
from drift_engine.venues.live.shared_client import shared
from drift_engine.venues.program import Program
from drift_engine.venues.programs import DRIFT_V2, VELOCITY

PROGRAMS = pytest.mark.parametrize("program", [VELOCITY, DRIFT_V2], ids=lambda program: program.name)
E6, E9 = 10**6, 10**9


@PROGRAMS
async def test_every_market_is_known_and_its_price_follows(program: Program) -> None:
    async with stage(program) as at, shared([at.running.url], settings=FAST) as connection:
        listed = Listed(program, connection)
        await listed.read()
        await listed.follow()
        markets = {market.name: market for market in listed.markets(time.time_ns())}
        assert set(markets) == {"SOL-PERP", "BTC-PERP", "ETH-PERP", program.quote, "SOL"}
        assert markets["SOL-PERP"].oracle_e6 == 150 * E6
        assert markets[program.quote].oracle_e6 == E6
        assert time.time_ns() - markets["SOL"].ts_ns < 5 * E9
        at.set_price("SOL", 163 * E6)
        async with asyncio.timeout(30):
            while listed.markets(time.time_ns())[1].oracle_e6 != 163 * E6:  # noqa: ASYNC110
                await asyncio.sleep(0.01)


async def test_a_market_whose_oracle_cannot_be_read_has_no_price() -> None:
    async with stage(VELOCITY) as at, shared([at.running.url], settings=FAST) as connection:
        listed = Listed(VELOCITY, connection)
        await listed.read()
        await connection.hold(listed.keys)
        assert all(market.oracle_e6 is None for market in listed.markets(time.time_ns()))
        key = addresses.perp_market(VELOCITY.program_id, 0)
        assert listed.account(key).name == "SOL-PERP"
        with pytest.raises(DecodeError, match="was not read yet"):
            listed.account(addresses.perp_market(VELOCITY.program_id, 99))


async def test_a_chain_without_the_protocol_is_refused() -> None:
    async with stage(VELOCITY) as at, shared([at.running.url], settings=FAST) as connection:
        with pytest.raises(DecodeError, match=r"drift_v2 has no account .* is it the right cluster"):
            await Listed(DRIFT_V2, connection).read()
