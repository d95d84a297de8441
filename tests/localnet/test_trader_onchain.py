"""A trader's life against the real Drift v2 program, over the same server and by the same acts."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from time import time

import pytest
from msgspec import structs
from onchain import program_so
from parity_desk import ParityDesk, oracle_of
from solders.keypair import Keypair
from trader_stage import FAST, QUICK, Stage, folded

from drift_engine.core.reconcile import differences
from drift_engine.localnet.chain import ChainConfig
from drift_engine.localnet.serving import ServeConfig, served
from drift_engine.localnet.venue import world
from drift_engine.localnet.venue.serving import Person, with_venue
from drift_engine.venues.chain_client import ChainClient
from drift_engine.venues.instructions import fills, needs
from drift_engine.venues.programs import DRIFT_V2
from drift_engine.venues.trader import Trader
from drift_engine.venues.transactions.sending import Failed, Landed, Outcome
from drift_engine.venues.wire.order_enums import IMMEDIATE_OR_CANCEL, PostOnly, SuccessCondition
from drift_engine.venues.wire.state import State

pytestmark = pytest.mark.onchain
E6, E9 = 10**6, 10**9
ASSETS = ("SOL", "BTC", "ETH")


def landed(outcome: Outcome) -> Landed:
    assert isinstance(outcome, Landed), outcome
    return outcome


class RealStage(Stage):
    """The chain with the real program; somebody posts its prices."""

    prices: dict[str, int]

    def set_price(self, asset: str, price_e6: int) -> None:
        self.prices[asset] = price_e6

    async def keep_posting(self, desk: ParityDesk) -> None:
        while True:
            desk.chain = self.chain
            for asset, price_e6 in self.prices.items():
                self.chain.put(oracle_of(asset), desk.pushed(price_e6))
            await asyncio.sleep(0.02)


@asynccontextmanager
async def real_stage() -> AsyncIterator[RealStage]:
    program_so()
    desk = ParityDesk(real=True)
    chain = ChainConfig(slot_ms=30, program_so=program_so(), start_unix=int(time()))
    async with served(ServeConfig(chain=chain, accounts=tuple(desk.genesis().items()))) as running:
        at = RealStage(DRIFT_V2, running)
        at.prices = {asset: world.PRICES_E6[asset] for asset in ASSETS}
        poster = asyncio.create_task(at.keep_posting(desk))
        try:
            yield at
        finally:
            poster.cancel()


async def test_the_whole_life_of_a_sub_account_on_the_real_program(tmp_path: Path) -> None:
    async with (
        real_stage() as at,
        Trader.connect(DRIFT_V2, at.running.url, at.person("alice"), settings=FAST, following=QUICK) as trader,
        Trader.connect(DRIFT_V2, at.running.url, at.person("bob"), settings=FAST, following=QUICK) as maker,
    ):
        landed(await trader.create_user("Alice"))
        landed(await trader.deposit("USDC", "10000"))
        landed(await trader.place(trader.order("SOL-PERP", "1.5", "140", user_order_id=7)))
        (order,) = await trader.orders()
        assert (order.base_asset_amount, order.price, order.user_order_id) == (15 * E9 // 10, 140 * E6, 7)
        landed(await trader.modify(order.order_id, price="141", base="2"))
        (order,) = await trader.orders()
        assert (order.base_asset_amount, order.price) == (2 * E9, 141 * E6)
        landed(await trader.cancel(order.order_id))
        landed(await trader.settle_funding())
        bids = [trader.order("SOL-PERP", "1", str(130 + step)) for step in (1, 2, 3)]
        landed(await trader.place(*bids))
        landed(await trader.cancel_all())
        assert await trader.orders() == ()
        refused = await trader.place(trader.order("SOL-PERP", "10000", "150"))
        assert isinstance(refused, Failed)
        assert (refused.code, refused.name) == (6003, "InsufficientCollateral")
        landed(await trader.set_margin_ratio("0.1"))
        makers = [maker.owner]
        landed(await maker.create_user("Maker"))
        landed(await maker.deposit("USDC", "10000"))
        ask = maker.order("SOL-PERP", "-2", "150.5", post_only=PostOnly.MUST)
        bid = maker.order("SOL-PERP", "2", "149.5", post_only=PostOnly.MUST)
        landed(await maker.place(ask, bid))
        landed(await trader.take("SOL-PERP", "2", "151", condition=SuccessCondition.FULL_FILL, makers=makers))
        assert (await trader.account()).perp("SOL-PERP").base_e9 == 2 * E9
        landed(await trader.take("SOL-PERP", "-2", "149", condition=SuccessCondition.FULL_FILL, makers=makers))
        landed(await trader.settle_pnl("SOL-PERP"))
        account = await trader.account()
        assert account.perps == ()
        async with ChainClient.over(trader, tmp_path / "log") as client:
            told = await client.events_since(0, 1)
            kinds = [type(event).__name__ for event in told]
            assert [each for each in kinds if each not in {"InterestAccrued", "FundingPaid"}] == [
                "Deposited",
                "Filled",
                "Filled",
                "PnlSettled",
            ]
            assert differences(folded(await client.markets(), "USDC", list(told)).account, account) == ()
            assert (await client.observe(1)).account == account
        tokens = account.spot("USDC").scaled_e9 // 1_000
        landed(await trader.withdraw("USDC", f"{tokens // E6}.{tokens % E6:06d}"))
        landed(await trader.delete_user())
        assert await trader.found() is None


async def test_the_vamm_of_a_served_chain_fills_a_limit_order_at_once() -> None:
    key = Keypair.from_seed(bytes([3] * 32))
    config = ServeConfig(chain=ChainConfig(slot_ms=30, program_so=program_so()))
    people = [Person(key.pubkey(), tokens={0: 10_000 * E6})]
    async with (
        served(with_venue(config, DRIFT_V2, people=people)) as running,
        Trader.connect(DRIFT_V2, running.url, key, settings=FAST, following=QUICK) as trader,
    ):
        landed(await trader.create_user())
        landed(await trader.deposit("USDC", "10000"))
        landed(await trader.take("SOL-PERP", "1", "152", condition=SuccessCondition.FULL_FILL))
        assert (await trader.account()).perp("SOL-PERP").base_e9 == E9


async def test_a_build_that_keeps_the_vamm_from_new_orders_says_so_and_fills_with_makers() -> None:
    """No auction that is asked for changes that: ``validate_perp_fill_possible``, ``math/orders.rs`` at v2.84.0."""
    keys = [Keypair.from_seed(bytes([number] * 32)) for number in (4, 5)]
    config = ServeConfig(chain=ChainConfig(slot_ms=30, program_so=program_so()))
    people = [Person(key.pubkey(), tokens={0: 10_000 * E6}) for key in keys]
    async with served(with_venue(config, DRIFT_V2, people=people)) as running:
        at = Stage(DRIFT_V2, running)
        state = State(bytearray(at.held(DRIFT_V2.state).data), DRIFT_V2.layouts.state)
        state.min_perp_auction_duration = 10
        at.rewrite(DRIFT_V2.state, bytes(state.data))
        async with (
            Trader.connect(DRIFT_V2, running.url, keys[0], settings=FAST, following=QUICK) as trader,
            Trader.connect(DRIFT_V2, running.url, keys[1], settings=FAST, following=QUICK) as maker,
        ):
            for each in (trader, maker):
                landed(await each.create_user())
                landed(await each.deposit("USDC", "10000"))
            refused = await trader.take("SOL-PERP", "1", "152", condition=SuccessCondition.FULL_FILL)
            assert isinstance(refused, Failed)
            assert (refused.code, refused.name, refused.slot) == (6252, "ImpossibleFill", None)
            assert "name makers, or place it" in refused.detail
            user, flags = await trader.user(), IMMEDIATE_OR_CANCEL
            auction = {"auction_duration": 20, "auction_start_price": 151 * E6, "auction_end_price": 152 * E6}
            wanted = structs.replace(trader.order("SOL-PERP", "1", "152", bit_flags=flags), **auction)
            rest = needs.for_taking(DRIFT_V2, trader.directory, user, wanted)
            again = await trader.act(fills.place_and_take_perp_order(DRIFT_V2, trader.owner, wanted, None, rest))
            assert isinstance(again, Failed)
            assert again.name == "ImpossibleFill"
            landed(await trader.take("SOL-PERP", "1", condition=SuccessCondition.FULL_FILL))
            assert len(await trader.orders()) == 1
            landed(await trader.cancel_all())
            landed(await maker.place(maker.order("SOL-PERP", "-2", "150.5", post_only=PostOnly.MUST)))
            makers = [maker.owner]
            landed(await trader.take("SOL-PERP", "2", "152", condition=SuccessCondition.FULL_FILL, makers=makers))
            assert (await trader.account()).perp("SOL-PERP").base_e9 == 2 * E9
