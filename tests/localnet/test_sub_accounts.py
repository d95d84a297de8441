"""Sub-accounts as the stream tells them, over one shared connection for however many engines."""

import asyncio
from collections.abc import Callable

import pytest
from trader_stage import FAST, QUICK, stage

from drift_engine.venues.live.listed import Listed
from drift_engine.venues.live.shared_client import Settings, shared
from drift_engine.venues.live.sub_accounts import SubAccount, SubAccounts
from drift_engine.venues.programs import VELOCITY
from drift_engine.venues.rpc.errors import RpcUnavailableError
from drift_engine.venues.streams.address import ws_url_of
from drift_engine.venues.trader import Trader
from drift_engine.venues.transactions.sending import Landed, Outcome

E9 = 10**9


def landed(outcome: Outcome) -> None:
    assert isinstance(outcome, Landed), outcome


def holds(found: SubAccount, scaled_e9: int) -> bool:
    return found.account is not None and found.account.spot("USDT").scaled_e9 == scaled_e9


async def until(true: Callable[[], bool]) -> None:
    async with asyncio.timeout(30):
        while not true():  # noqa: ASYNC110 - the mirror has no event to wait for
            await asyncio.sleep(0.01)


async def test_sub_accounts_appear_change_and_close() -> None:
    async with stage(VELOCITY) as at:
        key = at.person("ida")
        async with Trader.connect(VELOCITY, at.running.url, key, settings=FAST, following=QUICK) as trader:
            accounts = SubAccounts(trader.connection, trader.listed, key.pubkey())
            await accounts.ready()
            assert accounts.all() == {}
            landed(await trader.create_user("Main"))
            second = trader.at(1)
            landed(await second.create_user("Hedge"))
            await until(lambda: set(accounts.all()) == {0, 1})
            assert [each.name for each in accounts.all().values()] == ["Main", "Hedge"]
            landed(await second.deposit("USDT", 70))
            await until(lambda: holds(accounts.all()[1], 70 * E9))
            one = accounts.all()[1]
            assert accounts.all()[1].user is one.user
            assert one.age_ns is not None
            assert one.age_ns < 5 * E9
            assert one.slot > 0
            at.fault("disconnect")
            landed(await second.withdraw("USDT", 70))
            landed(await second.delete_user())
            await until(lambda: set(accounts.all()) == {0})


async def test_a_sub_account_of_another_authority_is_none_of_ours() -> None:
    async with stage(VELOCITY) as at:
        ours, theirs = at.person("jan"), at.person("kim")
        async with Trader.connect(VELOCITY, at.running.url, theirs, settings=FAST, following=QUICK) as trader:
            landed(await trader.create_user())
            accounts = SubAccounts(trader.connection, trader.listed, ours.pubkey())
            await accounts.ready()
            assert accounts.addresses == ()
            assert accounts.age_ns() is None


async def test_two_engines_share_one_connection() -> None:
    async with stage(VELOCITY) as at:
        first, second = at.person("leo"), at.person("mia")
        async with Trader.connect(VELOCITY, at.running.url, first, settings=FAST, following=QUICK) as one:
            await until(lambda: at.running.server.listeners[0] == 1)
            async with Trader.connect(VELOCITY, at.running.url, second, settings=FAST, following=QUICK) as other:
                assert other.connection is one.connection
                landed(await one.create_user())
                landed(await other.create_user())
                assert at.running.server.listeners[0] == 1
            landed(await one.deposit("USDT", 1))
            async with shared([at.running.url], settings=Settings(warm_ms=50)) as apart:
                assert apart is not one.connection
                await until(lambda: at.running.server.listeners[0] == 2)
        await until(lambda: at.running.server.listeners[0] == 0)


async def test_two_that_come_at_once_open_one_connection_and_an_error_leaves_none() -> None:
    async with stage(VELOCITY) as at:

        async def use() -> object:
            async with shared([at.running.url], settings=FAST) as connection:
                listed = Listed(VELOCITY, connection)
                await listed.read()
                return connection

        one, other = await asyncio.gather(use(), use())
        assert one is other
        assert await use() is not one
        url = at.running.url
    with pytest.raises(RpcUnavailableError):
        async with shared([url], settings=FAST):
            pass


def test_where_web_sockets_are() -> None:
    assert ws_url_of("http://127.0.0.1:8899") == "ws://127.0.0.1:8900"
    assert ws_url_of("https://node.example/KEY?a=b") == "wss://node.example/KEY?a=b"
