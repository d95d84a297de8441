"""Orders on the wire: from parameters to signed bytes, beside the Drift SDK for Python on the same account and key.

Both make a post-only limit order on Drift v2 for an account with two balances and two positions; the transactions have
to be equal byte for byte, else the SDK gets no figure. The SDK's two round trips before each order are not counted.
"""

import base64
import json
import os
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from solders.hash import Hash
from solders.keypair import Keypair
from solders.pubkey import Pubkey
from solders.token import ID as TOKEN

from benchmarks.measure import Result, cpu_ns, median
from benchmarks.peers.environments import DRIFTPY, AbsentError, answer, install
from drift_engine.venues import addresses
from drift_engine.venues.directory import Directory, PerpTerms, SpotTerms
from drift_engine.venues.drift_v2.program import DRIFT_V2
from drift_engine.venues.instructions.orders import PLACE_PERP_ORDER, place_perp_order
from drift_engine.venues.instructions.remaining import remaining_accounts
from drift_engine.venues.instructions.trader import trader
from drift_engine.venues.keys import Key
from drift_engine.venues.transactions import Signed, budget, signed
from drift_engine.venues.transactions.order_template import OrderTemplate
from drift_engine.venues.wire.accounts import blank, decode_as
from drift_engine.venues.wire.order_enums import PostOnly
from drift_engine.venues.wire.order_params import OrderParams
from drift_engine.venues.wire.user import PerpPosition, SpotPosition, User

GROUP = "an order, parameters to signed bytes"
ROUNDS, ORDERS = 5, 2_000
UNITS, PRICE = 200_000, 1_000
LIMIT_US, LIMIT_SHARE = 60.0, round(1 / 4.5, 3)
SEED = bytes(range(32))
HASH = Hash(bytes(range(1, 33)))
NOBODY = Pubkey.default()


def oracle(index: int) -> Pubkey:
    return Pubkey(bytes([7, index]).ljust(32, b"\1"))


def perp(index: int) -> PerpTerms:
    address = addresses.perp_market(DRIFT_V2.program_id, index)
    return PerpTerms(index, f"PERP-{index}", address, oracle(index), 12, 0, 10**7, 100, 10**7)


def spot(index: int) -> SpotTerms:
    address = addresses.spot_market(DRIFT_V2.program_id, index)
    feed, source = (oracle(100 + index), 12) if index else (NOBODY, 2)
    return SpotTerms(index, f"SPOT-{index}", address, feed, source, oracle(9), oracle(8), TOKEN, 6, 1, 1, 1)


PERPS, SPOTS = [perp(index) for index in range(3)], [spot(index) for index in range(2)]
KEY = Key(Keypair.from_seed(SEED))
WHO = trader(DRIFT_V2, KEY.address)
DIRECTORY = Directory("drift_v2", PERPS, SPOTS)


def account() -> User:
    view = blank(DRIFT_V2, User)
    for slot, held in enumerate((SpotPosition(scaled_balance=5), SpotPosition(scaled_balance=5, market_index=1))):
        view.put_spot(slot, held)
    for slot, index in enumerate((0, 2)):
        view.put_perp(slot, PerpPosition(base_asset_amount=10**9, market_index=index))
    return decode_as(User, DRIFT_V2.program_id, bytes(view.data))


def params() -> OrderParams:
    return OrderParams(
        base_asset_amount=10**9, price=150 * 10**6, market_index=1, post_only=PostOnly.MUST, max_ts=1_800_000_000
    )


def main() -> list[Result]:
    """Return our lines, the SDK's, and the share of its time that we take."""
    user, raw_hash = account(), bytes(HASH)
    first = place_perp_order(DRIFT_V2, WHO, params(), remaining_accounts(DIRECTORY, [user], read_perps=[1]))
    template = OrderTemplate(DRIFT_V2, PLACE_PERP_ORDER, first, UNITS)

    def warm() -> Signed:
        return template.sign(KEY, raw_hash, (params(),), PRICE)

    def cold() -> Signed:
        rest = remaining_accounts(DIRECTORY, [user], read_perps=[1])
        return signed([KEY], [*budget(UNITS, PRICE), place_perp_order(DRIFT_V2, WHO, params(), rest)], HASH)

    if warm() != cold():
        raise RuntimeError("the template's transaction is not the long way's")
    pair, message = KEY.keypair, warm().wire[65:]
    warm_us = timed_us(warm)
    return [
        Result(GROUP, "from a template", warm_us, "µs", LIMIT_US),
        Result(GROUP, "accounts, message and all", timed_us(cold), "µs"),
        Result(GROUP, "of that, the signature alone", timed_us(lambda: pair.sign_message(message)), "µs"),
        *beside(user, warm_us, warm().wire),
    ]


def timed_us(work: Callable[[], Any]) -> float:
    """Return the median CPU time of one call."""

    def many() -> None:
        for _ in range(ORDERS):
            work()

    many()
    return median([cpu_ns(many) / ORDERS / 1_000 for _ in range(ROUNDS)])


def beside(user: User, ours_us: float, wire: bytes) -> list[Result]:
    """Return the SDK's figure and our share of it."""
    share = f"share of {DRIFTPY.pin}"
    if os.environ.get("BENCH_PEERS") == "off":
        return [Result(GROUP, name, None, "", note="BENCH_PEERS=off") for name in (DRIFTPY.pin, share)]
    try:
        install(DRIFTPY)
        answer = asked(user)
    except AbsentError as error:
        return [Result(GROUP, name, None, "", note=str(error)[:100]) for name in (DRIFTPY.pin, share)]
    if base64.b64decode(answer["wire"]) != wire:
        return [Result(GROUP, name, None, "", note="its transaction is another") for name in (DRIFTPY.pin, share)]
    theirs_us = answer["cpu_ns"] / 1_000
    note = f"equal bytes; {theirs_us / ours_us:.1f} times as fast"
    return [
        Result(GROUP, DRIFTPY.pin, theirs_us, "µs", note="equal bytes"),
        Result(GROUP, share, ours_us / theirs_us, "", LIMIT_SHARE, note),
    ]


def asked(user: User) -> dict[str, Any]:
    """Return the SDK's answer for the same account, key, blockhash and order."""
    order = params()
    work = {
        "orders": 500,
        "seed": list(SEED),
        "blockhash": list(bytes(HASH)),
        "user": base64.b64encode(user.data).decode(),
        "perps": [_market(terms) for terms in PERPS],
        "spots": [_market(terms) for terms in SPOTS],
        "market": order.market_index,
        "base": order.base_asset_amount,
        "price": order.price,
        "max_ts": order.max_ts,
        "compute_units": UNITS,
        "price_micro_lamports": PRICE,
    }
    with TemporaryDirectory() as folder:
        path = Path(folder) / "work.json"
        path.write_text(json.dumps(work))
        said: dict[str, Any] = answer(DRIFTPY, path, ROUNDS)
        return said


def _market(terms: PerpTerms | SpotTerms) -> dict[str, Any]:
    return {"index": terms.index, "address": list(bytes(terms.address)), "oracle": list(bytes(terms.oracle))}
