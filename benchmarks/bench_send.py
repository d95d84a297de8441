"""From what the node tells to what leaves for it: a raw account notification, a decision, signed bytes on the wire.

The notification goes the whole way of the clients: the frame is parsed, base64 decoded, stale slots dropped, the mirror
brought up to date, the account decoded, a decision made on it, and an order signed from a template. What stands between
a decision and the node's ear is measured by wall clock over loopback, at a node that takes 20 ms for every answer: one
round trip more would show as 20 ms more. The SDK has no such path in one piece: its figure is the sum of its parts
(``json`` and ``base64`` of the standard library, its decoder, its order), measured in its own environment.
"""

import asyncio
import base64
import json
import os
import time
from collections.abc import Callable
from typing import Any

from aiohttp import web
from solders.keypair import Keypair
from solders.pubkey import Pubkey

from benchmarks import accounts, bench_build, bench_decode
from benchmarks.measure import Result, cpu_ns, median
from benchmarks.peers.environments import DRIFTPY, AbsentError, install
from drift_engine.venues.drift_v2.program import DRIFT_V2
from drift_engine.venues.instructions.orders import PLACE_PERP_ORDER, place_perp_order
from drift_engine.venues.instructions.remaining import remaining_accounts
from drift_engine.venues.keys import Key
from drift_engine.venues.mirror import Mirror
from drift_engine.venues.rpc import Rpc
from drift_engine.venues.rpc.types import AccountInfo
from drift_engine.venues.streams.subscriptions import Subscriptions
from drift_engine.venues.transactions.blockhash import Warm
from drift_engine.venues.transactions.order_template import OrderTemplate
from drift_engine.venues.transactions.sending import Sender, Sent
from drift_engine.venues.wire.accounts import decode_as
from drift_engine.venues.wire.user import User

GROUP = "a notification, a decision, an order on its way"
ROUNDS, NOTES, SENDS = 5, 1_000, 30
LATENCY_S = 0.020
LIMIT_US, LIMIT_SEND_MS, LIMIT_SHARE = 120.0, 2.0, round(1 / 28, 3)
WATCHED = Pubkey(bytes([3]) * 32)
OWNER = str(DRIFT_V2.program_id)


class Desk:
    """A mirror without a node, fed frames by hand; ``sent`` are the orders that its decisions made."""

    def __init__(self, *, decides: bool) -> None:
        self.rpc = Rpc(["http://127.0.0.1:9"])
        self.stream = Subscriptions(["ws://127.0.0.1:9"])
        self.mirror = Mirror(self.rpc, self.stream, [WATCHED], changed=self._decide if decides else self._look)
        self.stream.opened()
        for number in (1, 2):
            self.stream.frame(b'{"jsonrpc":"2.0","result":%d,"id":%d}' % (number, number))
        self.sent, self.seen = 0, 0
        user = bench_build.account()
        rest = remaining_accounts(bench_build.DIRECTORY, [user], read_perps=[1])
        first = place_perp_order(DRIFT_V2, bench_build.WHO, bench_build.params(), rest)
        self._order = OrderTemplate(DRIFT_V2, PLACE_PERP_ORDER, first, bench_build.UNITS)
        self._warm = Warm()
        self._warm.saw_blockhash(bench_build.HASH, 1_000, time.monotonic_ns())

    def _look(self, key: Pubkey, info: AccountInfo) -> None:
        self.seen += 1

    def _decide(self, key: Pubkey, info: AccountInfo) -> None:
        """Hedge what is held: the position changed, so an order against it is signed."""
        user = decode_as(User, info.owner, info.data)
        (held, *_) = user.perp_positions()
        if held.base_asset_amount:
            blockhash = self._warm.blockhash(self.rpc.clock()).raw
            self._order.sign(bench_build.KEY, blockhash, (bench_build.params(),), bench_build.PRICE + self.sent)
            self.sent += 1


def frames(count: int) -> list[bytes]:
    """Return slot and account notifications as a node writes them; the account is another each time."""
    made = []
    data = bytearray(accounts.user(2, 2, 1))
    for slot in range(1, count + 1):
        data[-8:] = slot.to_bytes(8, "little")
        value = {
            "lamports": 1,
            "owner": OWNER,
            "data": [base64.b64encode(data).decode(), "base64"],
            "executable": False,
        }
        result = {"context": {"slot": slot}, "value": value | {"rentEpoch": 0, "space": len(data)}}
        note = {"jsonrpc": "2.0", "method": "accountNotification", "params": {"result": result, "subscription": 2}}
        made.append(json.dumps(note, separators=(",", ":")).encode())
    return made


def per_note_us(notes: list[bytes], *, decides: bool) -> float:
    """Return the median CPU time of one notification."""

    def once() -> float:
        desk = Desk(decides=decides)
        feed = desk.stream.frame

        def work() -> None:
            for note in notes:
                feed(note)

        spent = cpu_ns(work)
        if (desk.sent if decides else desk.seen) != len(notes):
            raise RuntimeError("not every notification came through")
        return spent / len(notes) / 1_000

    return median([once() for _ in range(ROUNDS)])


async def decision_to_wire_ms() -> float:
    """Return the median time from a decision to the node's having the order, at a node 20 ms away."""
    heard: list[int] = []

    async def answer(request: web.Request) -> web.Response:
        asked = await request.json()
        heard.append(time.perf_counter_ns())
        await asyncio.sleep(LATENCY_S)
        signature = str(Keypair.from_seed(bytes(32)).sign_message(b"x"))
        return web.json_response({"jsonrpc": "2.0", "id": asked["id"], "result": signature})

    app = web.Application()
    app.router.add_post("/", answer)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    try:
        async with Rpc([url]) as rpc:
            return await _sent_ms(rpc, heard)
    finally:
        await runner.cleanup()


async def _sent_ms(rpc: Rpc, heard: list[int]) -> float:
    warm, key = Warm(), Key(bench_build.KEY.keypair)
    sender = Sender(DRIFT_V2, rpc, warm, key)
    user, spent = bench_build.account(), []
    for _ in range(SENDS):
        warm.saw_blockhash(bench_build.HASH, 1_000, rpc.clock())
        begun = time.perf_counter_ns()
        rest = remaining_accounts(bench_build.DIRECTORY, [user], read_perps=[1])
        sent: Sent = sender.sign([place_perp_order(DRIFT_V2, bench_build.WHO, bench_build.params(), rest)])
        if await sender.hand_over(sent, preflight=False) != "":
            raise RuntimeError("the node did not take the order")
        spent.append((heard[-1] - begun) / 1e6)
    return median(spent)


def main() -> list[Result]:
    """Return our figures, the SDK's, and the share of its time that we take."""
    notes = frames(NOTES)
    whole_us, apply_us = per_note_us(notes, decides=True), per_note_us(notes, decides=False)
    return [
        Result(GROUP, "notification to signed bytes", whole_us, "µs", LIMIT_US),
        Result(GROUP, "of that, parse, decode and apply", apply_us, "µs"),
        Result(GROUP, "notifications applied", 1e6 / apply_us, "a second"),
        Result(GROUP, "decision to the node, 20 ms away", asyncio.run(decision_to_wire_ms()), "ms", LIMIT_SEND_MS),
        *beside(notes, whole_us),
    ]


def beside(notes: list[bytes], ours_us: float) -> list[Result]:
    """Return the sum of the SDK's parts and our share of it."""
    share = f"share of {DRIFTPY.pin}"
    if os.environ.get("BENCH_PEERS") == "off":
        return [Result(GROUP, name, None, "", note="BENCH_PEERS=off") for name in (DRIFTPY.pin, share)]
    try:
        install(DRIFTPY)
        theirs_us = sdk_us(notes)
    except AbsentError as error:
        return [Result(GROUP, name, None, "", note=str(error)[:100]) for name in (DRIFTPY.pin, share)]
    note = f"{theirs_us / ours_us:.1f} times as fast"
    return [
        Result(GROUP, DRIFTPY.pin, theirs_us, "µs", note="sum of its parts"),
        Result(GROUP, share, ours_us / theirs_us, "", LIMIT_SHARE, note),
    ]


def sdk_us(notes: list[bytes]) -> float:
    """Return what the SDK's parts cost together for one notification. Raises ``AbsentError``."""

    def parse() -> None:
        for note in notes:
            value: Any = json.loads(note)["params"]["result"]["value"]
            base64.b64decode(value["data"][0])

    parts: list[Callable[[], float]] = [
        lambda: cpu_ns(parse) / len(notes) / 1_000,
        lambda: bench_decode.sdk_us()["default"][bench_decode.TYPICAL],
        lambda: bench_build.asked(bench_build.account())["cpu_ns"] / 1_000,
    ]
    return sum(part() for part in parts)
