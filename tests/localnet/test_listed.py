"""Markets as a served chain has them: what is read of them, what is mirrored, and what is not made up."""

import asyncio
import re
import time
from collections.abc import Callable

import pytest
from solders.pubkey import Pubkey
from trader_stage import FAST, Stage, stage

from drift_engine.venues import addresses
from drift_engine.venues.errors import DecodeError, EncodeError
from drift_engine.venues.live.listed import Listed
from drift_engine.venues.live.shared_client import shared
from drift_engine.venues.market_id import MarketId
from drift_engine.venues.program import Program
from drift_engine.venues.programs import DRIFT_V2, VELOCITY
from drift_engine.venues.wire.spot_market import SpotMarket

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


async def test_a_market_that_has_another_oracle_by_now_has_no_price() -> None:
    async with stage(VELOCITY, idle=True) as at, shared([at.running.url], settings=FAST) as connection:
        listed = Listed(VELOCITY, connection)
        await listed.read()
        await listed.follow()
        assert listed.market("SOL-PERP").oracle_e6 == 150 * E6
        at.damage_market(0, bytes(at.changed_market(0, oracle=at.changed_market(1).oracle).data))
        async with asyncio.timeout(30):
            while listed.market("SOL-PERP").oracle_e6 is not None:  # noqa: ASYNC110
                await asyncio.sleep(0.01)
        assert "which is not followed; connect anew" in listed.troubles["SOL-PERP"]


async def test_prices_grow_old_also_where_the_stream_tells_no_slots() -> None:
    """The accounts are still read then, so that their own age shows nothing of an oracle that stands still."""
    async with stage(VELOCITY, idle=True) as at, shared([at.running.url], settings=FAST) as connection:
        listed = Listed(VELOCITY, connection)
        await listed.read()
        await listed.follow()
        at.fault("stall", on=True)
        begun = at.chain.slot
        async with asyncio.timeout(30):
            while listed.slot < begun + 30:  # noqa: ASYNC110
                await asyncio.sleep(0.01)
        assert listed.slot - listed.market("SOL-PERP").oracle_slot >= 30


async def test_a_chain_without_the_protocol_is_refused() -> None:
    async with stage(VELOCITY) as at, shared([at.running.url], settings=FAST) as connection:
        with pytest.raises(DecodeError, match=r"drift_v2 has no account .* is it the right cluster"):
            await Listed(DRIFT_V2, connection).read()


def _short(at: Stage) -> bytes:
    return bytes(at.changed_market(2).data)[:-1]


def _of_another_kind(at: Stage) -> bytes:
    return bytes(8) + bytes(at.changed_market(2).data)[8:]


DAMAGES: list[tuple[Callable[[Stage], bytes], str]] = [
    (_short, r"PerpMarket has \d+ bytes; this build knows no less"),
    (_of_another_kind, "starts with 0000000000000000"),
    (lambda _: b"", "starts with nothing"),
    (lambda at: bytes(at.changed_market(2, market_index=0).data), "market 2 at .* says that it is 0"),
    (lambda at: bytes(at.changed_market(2, pubkey=Pubkey.default()).data), "market 2 at .* says that it is 2"),
    (lambda at: bytes(at.changed_market(2, quote_spot_market_index=7).data), "settles in spot market 7"),
    (lambda at: bytes(at.changed_market(2, contract_tier=200).data), "contract tier 200 of ETH-PERP is not known"),
]


@PROGRAMS
@pytest.mark.parametrize(("damaged", "why"), DAMAGES)
async def test_a_market_that_cannot_be_read_is_left_out_and_named(
    program: Program, damaged: Callable[[Stage], bytes], why: str
) -> None:
    async with stage(program, idle=True) as at, shared([at.running.url], settings=FAST) as connection:
        listed = Listed(program, connection)
        well = at.changed_market(2).data
        at.damage_market(2, damaged(at))
        await at.settled()
        await listed.read()
        await listed.follow()
        assert set(listed) == {"SOL-PERP", "BTC-PERP", program.quote, "SOL"}
        assert {market.name for market in listed.markets(time.time_ns())} == set(listed)
        assert list(listed.unread) == [MarketId("perp", 2)]
        assert re.search(why, listed.unread[MarketId("perp", 2)])
        with pytest.raises(EncodeError, match=f"perp market 2 cannot be read: .*{why}"):
            listed.directory.perp(2)
        with pytest.raises(EncodeError, match=f"unknown .* 'ETH-PERP'; known are .*; perp market 2 cannot be .*{why}"):
            listed.directory.perp("ETH-PERP")
        at.damage_market(2, bytes(well))
        await at.settled()
        again = Listed(program, connection)
        await again.read()
        assert "ETH-PERP" in set(again)
        assert again.unread == {}


async def test_a_market_that_is_gone_and_a_token_without_an_optimum() -> None:
    async with stage(DRIFT_V2, idle=True) as at, shared([at.running.url], settings=FAST) as connection:
        key = addresses.spot_market(DRIFT_V2.program_id, 1)
        at.chain.put(addresses.perp_market(DRIFT_V2.program_id, 2), None)
        token = SpotMarket(bytearray(at.held(key).data), DRIFT_V2.layouts.spot_market)
        token.optimal_utilization = 0
        at.rewrite(key, bytes(token.data))
        await at.settled()
        listed = Listed(DRIFT_V2, connection)
        await listed.read()
        await listed.follow()
        assert "is not on the chain" in listed.unread[MarketId("perp", 2)]
        (sol,) = [market for market in listed.markets(time.time_ns()) if market.name == "SOL"]
        assert (sol.deposit_rate_e6, sol.borrow_rate_e6) == (None, None)


async def test_a_market_that_can_be_read_no_more_leaves_the_others() -> None:
    async with stage(VELOCITY, idle=True) as at, shared([at.running.url], settings=FAST) as connection:
        listed = Listed(VELOCITY, connection)
        await listed.read()
        await listed.follow()
        assert len(listed.markets(0)) == 5
        well = bytes(at.changed_market(2).data)
        at.damage_market(2, _short(at))
        async with asyncio.timeout(30):
            while len(listed.markets(0)) == 5:  # noqa: ASYNC110 - the mirror has no event to wait for
                await asyncio.sleep(0.01)
        assert {market.name for market in listed.markets(0)} == {"SOL-PERP", "BTC-PERP", "USDT", "SOL"}
        assert "ETH-PERP cannot be read: PerpMarket has" in listed.troubles["ETH-PERP"]
        with pytest.raises(DecodeError, match="bytes; this build knows no less"):
            listed.market("ETH-PERP")
        at.damage_market(2, well)
        async with asyncio.timeout(30):
            while len(listed.markets(0)) == 4:  # noqa: ASYNC110
                await asyncio.sleep(0.01)
        assert listed.troubles == {}
