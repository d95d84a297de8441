"""The port over a gateway: what it carries, what it refuses, and what stays unknown."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from service_stage import Service, service
from solders.keypair import Keypair

from drift_engine.core.client import VenueUnavailableError
from drift_engine.core.types import ApprovedPlan, Leg, TradePlan
from drift_engine.venues.chain_client.log import ClientLog
from drift_engine.venues.gateway import Gateway
from drift_engine.venues.gateway.client import GatewayCannotError, GatewayClient

SIGNATURE = Keypair.from_seed(bytes(32)).sign_message(b"x")
RESTING = Leg("SOL-PERP", -(10**9), 170 * 10**6, "perp", post_only=True)
PERP = {
    "marketIndex": 0,
    "symbol": "SOL-PERP   ",
    "priceStep": "0.0001",
    "amountStep": "0.01",
    "minOrderSize": "0.01",
    "initialMarginRatio": "0.1",
    "maintenanceMarginRatio": "0.05",
}


def plan(plan_id: str, *legs: Leg, atomic: bool = False) -> ApprovedPlan:
    return ApprovedPlan(TradePlan(plan_id, legs, atomic, "test", None, 90 * 10**9), ())


@asynccontextmanager
async def client(path: Path) -> AsyncIterator[tuple[Service, GatewayClient]]:
    log = ClientLog(path / "log", "account")
    async with service() as made, Gateway(made.url, timeout_s=2) as gateway:
        made.reply("GET /v2/markets", {"spot": [], "perp": [PERP]})
        made.reply("POST /v2/orders", {"tx": str(SIGNATURE)})
        made.reply("DELETE /v2/orders", {"tx": str(SIGNATURE)})
        yield made, GatewayClient(gateway, log, sub_account=3)
    log.close()


async def test_a_resting_plan_is_sent_once_and_stays_open(tmp_path: Path) -> None:
    async with client(tmp_path) as (made, port):
        await port.place(plan("1", RESTING), 1)
        (order,) = made.last.json["orders"]
        assert (order["amount"], order["postOnly"], order["maxTs"]) == ("-1", True, 90)
        assert made.last.query["subAccountId"] == "3"
        with pytest.raises(ValueError, match="plan 1 was placed before"):
            await port.place(plan("1", RESTING), 2)
        made.reply(f"GET /v2/transactionEvent/{SIGNATURE}", {"success": True, "events": [], "error": None})
        assert await port.resolve("1", 3) is None
        await port.cancel_all(4)
        assert made.last.method == "DELETE"


async def test_a_failed_plan_is_rejected_and_a_lost_answer_stays_unknown(tmp_path: Path) -> None:
    async with client(tmp_path) as (made, port):
        await port.place(plan("1", RESTING), 1)
        path = f"GET /v2/transactionEvent/{SIGNATURE}"
        made.reply(path, {"success": False, "events": [], "error": "custom program error: 0x1773"})
        closed = await port.resolve("1", 2)
        assert closed is not None
        assert (closed.status, closed.cursor) == ("rejected", 1)
        assert await port.resolve("1", 3) == closed
        made.cut("POST /v2/orders")
        with pytest.raises(VenueUnavailableError):
            await port.place(plan("2", RESTING), 4)
        assert await port.resolve("2", 10**18) is None
        with pytest.raises(ValueError, match="plan 2 was placed before"):
            await port.place(plan("2", RESTING), 5)


async def test_what_a_gateway_cannot_carry_is_rejected_before_it_is_asked(tmp_path: Path) -> None:
    async with client(tmp_path) as (made, port):
        taking = Leg("SOL-PERP", 10**9, 170 * 10**6, "perp")
        unknown = Leg("DOGE-PERP", 10**9, 10**6, "perp", post_only=True)
        cases = {
            "1": (plan("1", taking), "cannot cancel what a taking order leaves"),
            "2": (plan("2", RESTING, RESTING, atomic=True), "cannot hold the legs of a plan together"),
            "3": (plan("3", unknown), "DOGE-PERP is no perp market of the gateway"),
        }
        for plan_id, (approved, reason) in cases.items():
            await port.place(approved, 1)
            closed = await port.resolve(plan_id, 2)
            assert closed is not None
            assert closed.status == "rejected"
            assert reason in closed.reason
        assert made.asked("POST", "/v2/orders") == 0


async def test_what_it_does_not_know_is_refused(tmp_path: Path) -> None:
    async with client(tmp_path) as (_, port):
        for asked in (port.markets(), port.observe(1), port.events_since(0, 1), port.settle_pnl("SOL-PERP", 1)):
            with pytest.raises(GatewayCannotError, match="a gateway cannot"):
                await asked
