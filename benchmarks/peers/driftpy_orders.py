"""driftpy: an order from its parameters to signed bytes, as ``place_perp_order`` makes them.

Its accounts and its blockhash are handed to it, so that nothing but building and signing is measured; on a network it
also fetches its blockhash and lookup tables for every order.
"""

import asyncio
import base64
import json
import statistics
import sys
from pathlib import Path
from types import SimpleNamespace

from anchorpy import Wallet
from driftpy.account_subscription_config import AccountSubscriptionConfig
from driftpy.decode.user import decode_user
from driftpy.drift_client import DriftClient
from driftpy.types import MarketType, OrderParams, OrderType, PositionDirection, PostOnlyParams, TxParams
from solana.rpc.async_api import AsyncClient
from solders.compute_budget import set_compute_unit_limit, set_compute_unit_price
from solders.hash import Hash
from solders.keypair import Keypair
from solders.pubkey import Pubkey

from benchmarks.measure import cpu_ns


def main() -> None:
    work = json.loads(Path(sys.argv[1]).read_text())
    client = prepared(work)
    rounds = range(int(sys.argv[2]))
    figures = [cpu_ns(lambda: asyncio.run(many(client, work))) / work["orders"] for _ in rounds]
    wire = asyncio.run(signed(client, work))
    answer = {"cpu_ns": statistics.median(figures), "wire": base64.b64encode(wire).decode()}
    sys.stdout.write(json.dumps(answer) + "\n")


async def many(client, work):
    for _ in range(work["orders"]):
        await signed(client, work)


async def signed(client, work):
    """What ``place_perp_order`` and ``send_ixs`` do up to sending."""
    params = OrderParams(
        order_type=OrderType.Limit(),
        base_asset_amount=work["base"],
        market_index=work["market"],
        direction=PositionDirection.Long(),
        market_type=MarketType.Perp(),
        price=work["price"],
        post_only=PostOnlyParams.MustPostOnly(),
        max_ts=work["max_ts"],
    )
    instructions = [
        set_compute_unit_limit(client.tx_params.compute_units),
        set_compute_unit_price(client.tx_params.compute_units_price),
        client.get_place_perp_order_ix(params),
    ]
    transaction = await client.tx_sender.get_versioned_tx(instructions, client.wallet.payer, [], None)
    return bytes(transaction)


def prepared(work):
    client = DriftClient(
        AsyncClient("http://127.0.0.1:1"),
        Wallet(Keypair.from_seed(bytes(work["seed"]))),
        account_subscription=AccountSubscriptionConfig("cached"),
        tx_params=TxParams(work["compute_units"], work["price_micro_lamports"]),
    )
    user = decode_user(base64.b64decode(work["user"]))
    perps = {perp["index"]: perp_account(perp) for perp in work["perps"]}
    spots = {spot["index"]: account(spot) for spot in work["spots"]}
    blockhash = Hash(bytes(work["blockhash"]))

    async def held():
        return blockhash

    client.tx_sender.fetch_latest_blockhash = held
    client.get_user_account = lambda _=None: user
    client.get_user = lambda _=None: SimpleNamespace(get_user_account_and_slot=lambda: SimpleNamespace(slot=1))
    client.get_perp_market_account = perps.__getitem__
    client.get_spot_market_account = spots.__getitem__
    return client


def account(market):
    return SimpleNamespace(pubkey=Pubkey(bytes(market["address"])), oracle=Pubkey(bytes(market["oracle"])))


def perp_account(market):
    amm = SimpleNamespace(oracle=Pubkey(bytes(market["oracle"])), oracle_source=None)
    return SimpleNamespace(pubkey=Pubkey(bytes(market["address"])), amm=amm, quote_spot_market_index=0)


if __name__ == "__main__":
    main()
