"""The gateway's HTTP API, spoken by a server that answers in its documented shapes."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from service_stage import Service, service
from solders.keypair import Keypair
from solders.pubkey import Pubkey

from drift_engine.core.client import VenueUnavailableError
from drift_engine.venues.figures import I32, U64
from drift_engine.venues.gateway import Gateway
from drift_engine.venues.gateway.events import Fill, Unknown
from drift_engine.venues.gateway.messages import (
    Cancel,
    CancelAll,
    CancelIds,
    CancelMarket,
    CancelUserIds,
    GatewayRefusedError,
    ModifyOrder,
    PlaceOrder,
    ProgramRefusedError,
    Scales,
    SendOptions,
    SpotHolding,
    SwapOrder,
    price_e6,
)
from drift_engine.venues.gateway.requests import place_json
from drift_engine.venues.http import (
    FailedAnswerError,
    InvalidRequestError,
    MalformedAnswerError,
    NotFoundError,
    RateLimitedError,
)
from drift_engine.venues.market_id import MarketId

SOL_PERP, SOL = MarketId("perp", 0), MarketId("spot", 1)
SIGNATURE = Keypair.from_seed(bytes(32)).sign_message(b"x")
KEY = Pubkey.from_bytes(bytes(range(32)))
MARKETS = {
    "spot": [
        {"marketIndex": 1, "symbol": "SOL", "priceStep": "0.0001", "amountStep": "0.1", "minOrderSize": "0.1"},
        {"marketIndex": 0, "symbol": "USDC", "priceStep": "0.0001", "amountStep": "0.1", "minOrderSize": "0.1"},
    ],
    "perp": [
        {
            "marketIndex": 0,
            "symbol": "SOL-PERP   ",
            "priceStep": "0.0001",
            "amountStep": "0.01",
            "minOrderSize": "0.01",
            "initialMarginRatio": "0.1",
            "maintenanceMarginRatio": "0.05",
        }
    ],
}
LIMIT = PlaceOrder(market=SOL_PERP, amount=-1_230_000_000, price_e6=99_000_000, post_only=True)


@asynccontextmanager
async def gateway() -> AsyncIterator[tuple[Service, Gateway]]:
    async with service() as made, Gateway(made.url, spot_decimals={0: 6, 1: 9}, timeout_s=2) as client:
        made.reply("GET /v2/markets", MARKETS)
        for what in (
            "POST /orders",
            "PATCH /orders",
            "DELETE /orders",
            "POST /orders/cancelAndPlace",
            "POST /leverage",
            "POST /swap",
            "POST /titan-swap",
        ):
            made.reply(what.replace(" ", " /v2"), {"tx": str(SIGNATURE)})
        yield made, client


async def test_markets_have_integers_where_the_scale_is_known() -> None:
    async with gateway() as (_, client):
        perp, sol, _usdc = await client.markets()
    assert (perp.market, perp.symbol, perp.tick_e6, perp.initial_e4, perp.maintenance_e4) == (
        SOL_PERP,
        "SOL-PERP",
        100,
        1000,
        500,
    )
    assert (sol.market, sol.step, sol.minimum, sol.initial_e4) == (SOL, Decimal("0.1"), Decimal("0.1"), None)


async def test_open_interest() -> None:
    async with gateway() as (made, client):
        made.reply("GET /v2/marketInfo/0", {"openInterest": 662876, "maxOpenInterest": 850000})
        found = await client.open_interest(0)
        assert (found.open_interest, found.max_open_interest) == (662876, 850000)


async def test_orders_as_documented() -> None:
    base = {"marketType": "perp", "postOnly": True, "reduceOnly": False}
    rows = [
        base
        | {
            "orderType": "limit",
            "marketIndex": 1,
            "marketType": "spot",
            "amount": "-1.100000000",
            "filled": "0.000000000",
            "price": "80.500000",
            "userOrderId": 101,
            "orderId": 35,
        },
        base
        | {
            "orderType": "trigger_market",
            "marketIndex": 1,
            "amount": "0.005000000",
            "filled": "0.001",
            "price": "0.000000",
            "userOrderId": 103,
            "orderId": 50,
            "oraclePriceOffset": "-20.000000",
            "immediateOrCancel": True,
        },
    ]
    async with gateway() as (made, client):
        made.reply("GET /v2/orders", {"orders": rows})
        spot, perp = await client.orders(MarketId("perp", 1), sub_account=3)
        assert made.last.query == {"subAccountId": "3"}
        assert made.last.json == {"marketIndex": 1, "marketType": "perp"}
        await client.orders()
        assert made.last.body == b""
    assert (spot.market, spot.amount, spot.decimals, spot.price_e6, spot.oracle_offset_e6) == (
        SOL,
        -1_100_000_000,
        9,
        80_500_000,
        0,
    )
    assert (perp.amount, perp.filled, perp.oracle_offset_e6, perp.kind) == (
        5_000_000,
        1_000_000,
        -20_000_000,
        "trigger_market",
    )
    assert (spot.immediate_or_cancel, perp.immediate_or_cancel) == (None, True)


async def test_positions_have_signs() -> None:
    spot = [
        {"amount": "0.400429", "type": "deposit", "marketIndex": 0},
        {"amount": "9.971961702", "type": "borrow", "marketIndex": 1},
    ]
    perp = [{"amount": "-3.3", "averageEntry": "102.2629", "marketIndex": 0}]
    async with gateway() as (made, client):
        made.reply("GET /v2/positions", {"spot": spot, "perp": perp})
        held = await client.positions(SOL)
        assert made.last.json == {"marketIndex": 1, "marketType": "spot"}
    assert held.spot == (SpotHolding(0, 400_429, 6), SpotHolding(1, -9_971_961_702, 9))
    assert (held.perp[0].base_e9, held.perp[0].entry_e6) == (-3_300_000_000, 102_262_900)


async def test_a_spot_token_of_unknown_decimals_is_named_and_not_guessed() -> None:
    async with gateway() as (made, client):
        made.reply("GET /v2/positions", {"spot": [{"amount": "1", "type": "deposit", "marketIndex": 7}], "perp": []})
        with pytest.raises(InvalidRequestError, match=r"spot_decimals=\{7: …\}"):
            await client.positions()


async def test_position_info_or_none() -> None:
    info = {
        "amount": "-3.3",
        "averageEntry": "102.2629",
        "marketIndex": 0,
        "liquidationPrice": "213.405881",
        "unrealizedPnl": "-0.305832",
        "unsettledPnl": "2795.32259",
        "oraclePrice": "184.942200",
    }
    async with gateway() as (made, client):
        made.reply("GET /v2/positionInfo/0", info)
        found = await client.position_info(0, sub_account=1)
        assert found is not None
        assert (found.base_e9, found.liquidation_e6, found.unrealized_e6) == (-3_300_000_000, 213_405_881, -305_832)
        assert (found.unsettled_e6, found.oracle_e6, found.entry_e6) == (2_795_322_590, 184_942_200, 102_262_900)
        made.reply("GET /v2/positionInfo/1", {"code": 400, "reason": "no position"}, 400)
        assert await client.position_info(1) is None
        made.reply("GET /v2/positionInfo/2", {"code": 400, "reason": "other"}, 400)
        with pytest.raises(GatewayRefusedError, match="other"):
            await client.position_info(2)


async def test_account_figures() -> None:
    async with gateway() as (made, client):
        made.reply("GET /v2/user/marginInfo", {"initial": "141.414685", "maintenance": "132.522189"})
        made.reply("GET /v2/collateral", {"total": "1661.195815", "free": "-1653.531255"})
        made.reply("GET /v2/leverage", {"leverage": "0.094489"})
        made.reply("GET /v2/balance", {"balance": "0.12", "pubkey": str(KEY)})
        made.reply("GET /v2/authority", {"pubkey": str(KEY)})
        margin, collateral = await client.margin_info(), await client.collateral()
        assert (margin.initial_e6, margin.maintenance_e6) == (141_414_685, 132_522_189)
        assert (collateral.total_e6, collateral.free_e6) == (1_661_195_815, -1_653_531_255)
        assert await client.leverage_e6() == 94_489
        balance = await client.balance()
        assert (balance.owner, balance.lamports) == (KEY, 120_000_000)
        assert await client.authority() == KEY


FILL = {
    "side": "sell",
    "fee": "0.129744",
    "amount": "5",
    "price": "103.7945822",
    "oraclePrice": "102.386992",
    "orderId": 436,
    "marketIndex": 0,
    "marketType": "perp",
    "ts": 1708684880,
    "signature": "5Juo",
    "maker": None,
    "makerFee": "0.000000",
    "makerOrderId": 0,
    "taker": "5Fky",
    "takerFee": "0.129744",
    "takerOrderId": 436,
    "txIdx": 6,
}


async def test_transaction_events() -> None:
    path = f"GET /v2/transactionEvent/{SIGNATURE}"
    async with gateway() as (made, client):
        made.reply(path, {"events": [{"fill": FILL}, {"moon": {}}], "success": True})
        done = await client.transaction(SIGNATURE, sub_account=0)
        assert done is not None
        fill, unknown = done.events
        assert isinstance(fill, Fill)
        assert (fill.amount, fill.quote_e6, fill.fee_e6) == (-5_000_000_000, 518_972_911, 129_744)
        assert isinstance(unknown, Unknown)
        assert unknown.kind == "moon"
        made.reply(path, {"events": [], "error": "program error: 6015", "success": False})
        failed = await client.transaction(SIGNATURE)
        assert failed is not None
        assert (failed.success, failed.program_code, failed.events) == (False, 6015, ())
        made.reply(path, {"code": 404, "reason": f"tx not found: {SIGNATURE}"}, 404)
        assert await client.transaction(SIGNATURE) is None
        made.reply(path, "no such page", 404)  # some other server at this address
        with pytest.raises(NotFoundError):
            await client.transaction(SIGNATURE)


async def test_place_sends_exact_text() -> None:
    offset = PlaceOrder(
        market=SOL,
        amount=1,
        oracle_offset_e6=-2,
        user_order_id=255,
        max_ts=1_707_112_301,
        kind="oracle",
        trigger_price_e6=1,
        trigger_condition="TriggeredBelow",
        auction_duration=0,
        auction_start_e6=-5,
        auction_end_e6=5,
        reduce_only=True,
    )
    options = SendOptions(sub_account=2, unit_limit=300_000, unit_price=1000, ttl_s=2)
    async with gateway() as (made, client):
        assert await client.place([LIMIT, offset], options) == SIGNATURE
        assert made.last.query == {
            "subAccountId": "2",
            "computeUnitLimit": "300000",
            "computeUnitPrice": "1000",
            "ttl": "2",
        }
        assert made.last.json == {
            "placeOrderType": "tx",
            "orders": [
                {
                    "marketIndex": 0,
                    "marketType": "perp",
                    "amount": "-1.23",
                    "price": "99",
                    "orderType": "limit",
                    "postOnly": True,
                    "reduceOnly": False,
                    "userOrderId": 0,
                },
                {
                    "marketIndex": 1,
                    "marketType": "spot",
                    "amount": "0.000000001",
                    "price": "0",
                    "orderType": "oracle",
                    "postOnly": False,
                    "reduceOnly": True,
                    "userOrderId": 255,
                    "oraclePriceOffset": "-0.000002",
                    "maxTs": 1707112301,
                    "triggerPrice": "0.000001",
                    "triggerCondition": "TriggeredBelow",
                    "auctionDuration": 0,
                    "auctionStartPrice": -5,
                    "auctionEndPrice": 5,
                },
            ],
        }
        assert made.asked("GET", "/v2/markets") == 1
        await client.place([LIMIT])
        assert made.asked("GET", "/v2/markets") == 1


def as_the_gateway_reads(text: str, decimals: int) -> int:
    """``scale_decimal_to_u64`` of its ``src/types.rs``: mantissa * target / 10^scale, cut to 64 bits."""
    figure = Decimal(text)
    _, digits, exponent = figure.as_tuple()
    assert isinstance(exponent, int)
    mantissa = int("".join(map(str, digits)))
    return int(mantissa * 10**decimals // 10 ** max(-exponent, 0)) & U64


@given(st.integers(1, U64), st.booleans(), st.integers(0, U64), st.sampled_from([SOL_PERP, SOL, MarketId("spot", 0)]))
def test_the_gateway_reads_back_what_was_meant(size: int, sell: bool, price: int, market: MarketId) -> None:
    scales = Scales({0: 6, 1: 9})
    sent: dict[str, Any] = place_json(PlaceOrder(market=market, amount=-size if sell else size, price_e6=price), scales)
    assert as_the_gateway_reads(sent["amount"].lstrip("-"), scales.decimals(market)) == size
    assert sent["amount"].startswith("-") == sell
    assert as_the_gateway_reads(sent["price"], 6) == price


@pytest.mark.parametrize(
    ("order", "problem"),
    [
        (PlaceOrder(market=SOL_PERP, amount=0), "amount in perp market 0 is zero"),
        (PlaceOrder(market=SOL_PERP, amount=U64 + 1), "does not fit"),
        (PlaceOrder(market=SOL_PERP, amount=-U64 - 1), "does not fit"),
        (PlaceOrder(market=SOL_PERP, amount=1, price_e6=U64 + 1), r"price \(1e6\) 18446744073709551616 does not fit"),
        (PlaceOrder(market=SOL_PERP, amount=1, price_e6=-1), "does not fit"),
        (PlaceOrder(market=SOL_PERP, amount=1, oracle_offset_e6=I32 + 1), "oracle offset"),
        (PlaceOrder(market=SOL_PERP, amount=1, oracle_offset_e6=-I32 - 2), "oracle offset"),
        (PlaceOrder(market=SOL_PERP, amount=1, oracle_offset_e6=5, price_e6=1), "ignores a price"),
        (PlaceOrder(market=SOL_PERP, amount=1, user_order_id=256), "user order id 256"),
        (PlaceOrder(market=SOL_PERP, amount=1, max_ts=2**63), "max_ts"),
        (PlaceOrder(market=SOL_PERP, amount=1, trigger_price_e6=-1), "trigger price"),
        (PlaceOrder(market=SOL_PERP, amount=1, auction_duration=256), "auction duration"),
        (PlaceOrder(market=SOL_PERP, amount=1, auction_start_e6=2**63), "auction start"),
        (PlaceOrder(market=SOL_PERP, amount=1, auction_end_e6=-(2**63) - 1), "auction end"),
        (PlaceOrder(market=MarketId("perp", 65_536), amount=1), "market index"),
        (PlaceOrder(market=MarketId("perp", 9), amount=1), "perp market 9 is not among the gateway's markets"),
        (PlaceOrder(market=MarketId("spot", 9), amount=1), "the decimals of spot market 9 are not known"),
    ],
)
async def test_what_does_not_fit_is_refused_before_anything_is_sent(order: PlaceOrder, problem: str) -> None:
    async with gateway() as (made, client):
        for send in (client.place, client.place_swift):
            with pytest.raises(InvalidRequestError, match=problem):
                await send([order])
        with pytest.raises(InvalidRequestError, match=problem):
            await client.cancel_and_place(CancelAll(), [order])
        assert {each.method for each in made.heard} <= {"GET"}


def test_amounts_and_prices_of_people() -> None:
    scales = Scales({0: 6})
    assert scales.amount(SOL_PERP, "-1.5") == -1_500_000_000
    assert scales.amount(MarketId("spot", 0), "0.000001") == 1
    assert price_e6("80.25") == 80_250_000
    with pytest.raises(InvalidRequestError, match=r"amount in spot market 0 '0.0000001' has more than 6 decimals"):
        scales.amount(MarketId("spot", 0), "0.0000001")
    with pytest.raises(InvalidRequestError, match="price"):
        price_e6("1.2345678")


async def test_swift_results_are_classified_one_by_one() -> None:
    rows = [
        {"hash": "a", "status": "200 OK", "error": '{"message":"Order processed"}'},
        {"hash": "b", "status": "400 Bad Request", "error": "Order slot too old"},
        {"hash": "c", "status": "500", "error": "swift server error"},
        {"hash": "d", "status": "?", "error": None},
    ]
    async with gateway() as (made, client):
        made.reply("POST /v2/orders", {"results": rows})
        results = await client.place_swift([LIMIT] * 4)
        assert [each.outcome for each in results] == ["accepted", "refused", "unknown", "unknown"]
        assert (results[1].hash, results[1].body) == ("b", "Order slot too old")
        assert made.last.json["placeOrderType"] == "swift"
        with pytest.raises(MalformedAnswerError, match="4 results for 1 orders"):
            await client.place_swift([LIMIT])


async def test_modify_by_either_id() -> None:
    async with gateway() as (made, client):
        await client.modify([ModifyOrder(market=SOL_PERP, order_id=555, amount=-500_000_000, price_e6=82_000_000)])
        assert made.last.method == "PATCH"
        assert made.last.json == {
            "orders": [{"marketIndex": 0, "marketType": "perp", "orderId": 555, "amount": "-0.5", "price": "82"}]
        }
        await client.modify(
            [ModifyOrder(market=SOL_PERP, user_order_id=7, reduce_only=False, oracle_offset_e6=-1, max_ts=0)]
        )
        assert made.last.json["orders"][0] == {
            "marketIndex": 0,
            "marketType": "perp",
            "userOrderId": 7,
            "reduceOnly": False,
            "oraclePriceOffset": "-0.000001",
            "maxTs": 0,
        }


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ([], "no changes given"),
        ([ModifyOrder(market=SOL_PERP, amount=1)], "order_id or user_order_id"),
        ([ModifyOrder(market=SOL_PERP, amount=1, order_id=1, user_order_id=1)], "one of them"),
        ([ModifyOrder(market=SOL_PERP, amount=1, user_order_id=0)], "user order id 0"),
        ([ModifyOrder(market=SOL_PERP, amount=1, order_id=2**32)], "order id"),
        ([ModifyOrder(market=SOL_PERP, order_id=1)], "changes nothing"),
        ([ModifyOrder(market=SOL_PERP, order_id=1, amount=0)], "zero"),
        (
            [
                ModifyOrder(market=SOL_PERP, order_id=1, amount=1),
                ModifyOrder(market=SOL_PERP, user_order_id=1, amount=1),
            ],
            "two requests",
        ),
        ([ModifyOrder(market=MarketId("perp", 9), order_id=1, amount=1)], "not among"),
    ],
)
async def test_changes_that_make_no_sense_stay_here(changes: list[ModifyOrder], problem: str) -> None:
    async with gateway() as (made, client):
        with pytest.raises(InvalidRequestError, match=problem):
            await client.modify(changes)
        assert made.asked("PATCH", "/v2/orders") == 0


@pytest.mark.parametrize(
    ("cancel", "body"),
    [
        (CancelMarket(SOL), {"marketIndex": 1, "marketType": "spot"}),
        (CancelIds((1, 2, 4_294_967_295)), {"ids": [1, 2, 4_294_967_295]}),
        (CancelUserIds((1, 255)), {"userIds": [1, 255]}),
        (CancelAll(), None),
    ],
)
async def test_every_form_of_cancel(cancel: Cancel, body: object) -> None:
    async with gateway() as (made, client):
        assert await client.cancel(cancel, SendOptions(sub_account=0)) == SIGNATURE
        assert (made.last.json if made.last.body else None) == body
        await client.cancel_and_place(cancel, [LIMIT])
        assert made.last.json["cancel"] == (body or {})


@pytest.mark.parametrize(
    "cancel",
    [CancelIds(()), CancelUserIds(()), CancelUserIds((0,)), CancelIds((-1,)), CancelMarket(MarketId("perp", 9))],
)
async def test_an_empty_list_never_cancels_everything(cancel: Cancel) -> None:
    async with gateway() as (made, client):
        for call in (client.cancel(cancel), client.cancel_and_place(cancel, [LIMIT])):
            with pytest.raises(InvalidRequestError):
                await call
        assert {each.method for each in made.heard} <= {"GET"}


async def test_cancel_and_place_has_all_three_keys() -> None:
    change = ModifyOrder(market=SOL_PERP, order_id=555, price_e6=82_000_000)
    async with gateway() as (made, client):
        assert await client.cancel_and_place(CancelMarket(SOL_PERP), [LIMIT], [change]) == SIGNATURE
        assert list(made.last.json) == ["cancel", "modify", "place"]
        assert made.last.json["modify"]["orders"][0]["orderId"] == 555
        await client.cancel_and_place(CancelAll(), [LIMIT])
        assert made.last.json["modify"] == {"orders": []}
        with pytest.raises(InvalidRequestError, match="no orders given"):
            await client.cancel_and_place(CancelAll(), [])


@pytest.mark.parametrize(("leverage", "sent"), [("2", "2"), ("2.0", "2"), ("1", "1"), ("10.000", "10"), ("20", "20")])
async def test_leverage_goes_as_the_gateway_gets_it_right(leverage: str, sent: str) -> None:
    async with gateway() as (made, client):
        assert await client.set_leverage(leverage) == SIGNATURE
        assert made.last.json == {"leverage": sent}


@pytest.mark.parametrize("leverage", ["3", "0.5", "2.5", "0", "-2", "x", "10001", "2.0000000001"])
async def test_leverage_that_would_come_out_wrong_is_refused(leverage: str) -> None:
    async with gateway() as (made, client):
        with pytest.raises(InvalidRequestError, match="leverage"):
            await client.set_leverage(leverage)
        assert made.heard == []


async def test_swaps() -> None:
    swap = SwapOrder(sell_market=0, buy_market=1, amount=500_000_000, exact="sold", slippage_bps=10)
    async with gateway() as (made, client):
        made.reply("POST /v2/titan-swap", {"signature": str(SIGNATURE), "success": True})
        for send, path in ((client.swap, "/v2/swap"), (client.titan_swap, "/v2/titan-swap")):
            assert await send(swap) == SIGNATURE
            assert made.last.path == path
            assert made.last.json == {
                "inputMarket": 0,
                "outputMarket": 1,
                "exactIn": True,
                "amount": "500",
                "slippageBps": 10,
            }
        bought = SwapOrder(
            sell_market=0,
            buy_market=1,
            amount=500_000_000,
            exact="bought",
            slippage_bps=0,
            direct_only=True,
            exclude_dexes="a,b",
            max_accounts=40,
        )
        await client.titan_swap(bought)
        assert made.last.json["amount"] == "0.5"
        assert (made.last.json["useDirectRoutes"], made.last.json["excludeDexes"], made.last.json["maxAccounts"]) == (
            True,
            "a,b",
            40,
        )
        for bad in (
            SwapOrder(sell_market=0, buy_market=0, amount=1, exact="sold", slippage_bps=1),
            SwapOrder(sell_market=0, buy_market=1, amount=0, exact="sold", slippage_bps=1),
            SwapOrder(sell_market=0, buy_market=1, amount=1, exact="sold", slippage_bps=65_536),
            SwapOrder(sell_market=0, buy_market=7, amount=1, exact="sold", slippage_bps=1),
        ):
            sent = len(made.heard)
            with pytest.raises(InvalidRequestError):
                await client.swap(bad)
            assert len(made.heard) == sent


@pytest.mark.parametrize(
    ("status", "body", "kind", "code"),
    [
        (400, {"code": 400, "reason": "bad JSON at line 1"}, GatewayRefusedError, 400),
        (400, {"code": 6010, "reason": "InsufficientCollateral"}, ProgramRefusedError, 6010),
        (400, {"code": 1, "reason": "ix idx: 2"}, ProgramRefusedError, 1),
    ],
)
async def test_refusals_are_typed(status: int, body: object, kind: type[GatewayRefusedError], code: int) -> None:
    async with gateway() as (made, client):
        made.reply("POST /v2/orders", body, status)
        with pytest.raises(kind) as raised:
            await client.place([LIMIT])
        assert type(raised.value) is kind
        assert raised.value.code == code


@pytest.mark.parametrize(
    ("status", "body", "kind"),
    [
        (500, {"code": 500, "reason": "AccountNotFound"}, FailedAnswerError),
        (502, "Bad Gateway", FailedAnswerError),
        (200, "", MalformedAnswerError),
        (200, "{", MalformedAnswerError),
        (200, {"tx": ""}, MalformedAnswerError),
        (200, {"tx": "not base58!"}, MalformedAnswerError),
        (200, {}, MalformedAnswerError),
    ],
)
async def test_a_send_nobody_can_read_is_unknown_and_not_repeated(
    status: int, body: object, kind: type[Exception]
) -> None:
    async with gateway() as (made, client):
        made.reply("DELETE /v2/orders", body, status)
        with pytest.raises(VenueUnavailableError) as raised:
            await client.cancel(CancelAll())
        assert type(raised.value) is kind
        assert made.asked("DELETE", "/v2/orders") == 1


async def test_cut_sends_are_unknown_and_not_repeated() -> None:
    async with gateway() as (made, client):
        await client.markets()
        for what in ("POST /v2/orders", "DELETE /v2/orders", "PATCH /v2/orders", "POST /v2/orders/cancelAndPlace"):
            made.cut(what)
        change = ModifyOrder(market=SOL_PERP, order_id=1, amount=1)
        sends = (
            client.place([LIMIT]),
            client.cancel(CancelAll()),
            client.modify([change]),
            client.cancel_and_place(CancelAll(), [LIMIT]),
        )
        for send in sends:
            await client.markets()  # a connection that is kept
            with pytest.raises(VenueUnavailableError, match="connection lost"):
                await send
        assert sum(each.method != "GET" for each in made.heard) == 4


async def test_too_many_requests() -> None:
    async with gateway() as (made, client):
        made.reply("GET /v2/collateral", "slow down", 429, {"Retry-After": "3"})
        with pytest.raises(RateLimitedError) as raised:
            await client.collateral()
        assert raised.value.retry_after_s == 3


@pytest.mark.parametrize(
    "body",
    [
        {"total": "1"},
        {"total": "1", "free": None},
        {"total": "1.1234567", "free": "1"},
        {"total": "1e999999999", "free": "1"},
        {"total": "NaN", "free": "1"},
        [],
        "null",
        {"total": "9" * 400, "free": "1"},
    ],
)
async def test_figures_that_are_none_are_malformed(body: object) -> None:
    async with gateway() as (made, client):
        made.reply("GET /v2/collateral", body)
        with pytest.raises(MalformedAnswerError):
            await client.collateral()


@pytest.mark.parametrize(
    "options",
    [SendOptions(sub_account=65_536), SendOptions(unit_limit=0), SendOptions(unit_price=-1), SendOptions(ttl_s=65_536)],
)
async def test_options_have_bounds(options: SendOptions) -> None:
    async with gateway() as (made, client):
        await client.markets()
        with pytest.raises(InvalidRequestError):
            await client.cancel(CancelAll(), options)
        assert made.asked("DELETE", "/v2/orders") == 0
