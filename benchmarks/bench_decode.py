"""Decoding accounts: how long it takes, and how many times faster than the Drift SDK, within one run.

The SDK decodes the same bytes in an environment of its own: by its default (``anchorpy``, for every account), and by
its hand-written decoder where it has one (users, pull oracles). Ours is the view, opened and read: a user whole or by
three fields; a market by what margin and orders need of it, and whole; an oracle to the price the program reads.
"""

import base64
import json
import os
from collections.abc import Callable
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks import accounts
from benchmarks.measure import Result, cpu_ns
from benchmarks.peers.environments import AbsentError, Peer, answer, install
from drift_engine.venues.programs import DRIFT_V2
from drift_engine.venues.wire.accounts import decode, decode_as
from drift_engine.venues.wire.enums import OracleSource
from drift_engine.venues.wire.layout import Selection
from drift_engine.venues.wire.oracles import read_oracle
from drift_engine.venues.wire.user import User

GROUP = "Decoding accounts (Drift v2)"
SDK = Peer("driftpy", "benchmarks.peers.driftpy_decode", "driftpy==0.8.89")
OWNER = DRIFT_V2.program_id
ROUNDS, REPEATS = 60, 200
FULL, TYPICAL = "user, 8 perps 8 spots 32 orders", "user, 2 perps 2 spots 3 orders"
CASES = {
    FULL: accounts.user(8, 8, 32),
    TYPICAL: accounts.user(2, 2, 3),
    "perp market": accounts.perp_market(),
    "spot market": accounts.spot_market(),
    "lazer oracle": accounts.lazer_oracle(),
    "pull oracle": accounts.pull_oracle(),
}
LIMITS_US = {FULL: 12.0, TYPICAL: 12.0}
TIMES_DEFAULT = {FULL: 200, TYPICAL: 200, "perp market": 60, "spot market": 60, "lazer oracle": 60}
NEEDED_OF_PERP = Selection(
    *("oracle", "oracle_source", "historical_oracle_data", "mm_oracle_price", "cumulative_funding_rate_long"),
    *("cumulative_funding_rate_short", "last_mark_price_twap", "last_bid_price_twap", "last_ask_price_twap"),
    *("order_step_size", "order_tick_size", "min_order_size", "imf_factor", "margin_ratio_initial"),
    *("margin_ratio_maintenance", "unrealized_pnl_imf_factor", "unrealized_pnl_initial_asset_weight"),
    *("unrealized_pnl_maintenance_asset_weight", "unrealized_pnl_max_imbalance", "quote_asset_amount"),
    *("expiry_price", "market_index", "status", "contract_tier", "paused_operations", "fee_adjustment"),
)
NEEDED_OF_SPOT = Selection(
    *("oracle", "oracle_source", "historical_oracle_data", "deposit_balance", "borrow_balance", "decimals"),
    *("cumulative_deposit_interest", "cumulative_borrow_interest", "initial_asset_weight", "maintenance_asset_weight"),
    *("initial_liability_weight", "maintenance_liability_weight", "imf_factor", "scale_initial_asset_weight_start"),
    *("optimal_utilization", "optimal_borrow_rate", "max_borrow_rate", "min_borrow_rate", "order_step_size"),
    *("market_index", "status", "asset_tier", "paused_operations"),
)
TIMES_FASTEST = {FULL: 3, TYPICAL: 3}


def main() -> list[Result]:
    """Return our times, then the peer's and the ratios."""
    ours = {name: fastest_us(work) for name, work in ours_by_name().items()}
    lines = [Result(GROUP, name, value, "µs", limit=LIMITS_US.get(name)) for name, value in ours.items()]
    lines.append(Result(GROUP, "user, three fields", fastest_us(three_fields), "µs", limit=1.0))
    return lines + peers(ours)


def ours_by_name() -> dict[str, Callable[[], object]]:
    """Return what decodes each case, whole."""
    full, typical, perp, spot, lazer, pull = CASES.values()
    return {
        FULL: lambda: decode_as(User, OWNER, full).contents(),
        TYPICAL: lambda: decode_as(User, OWNER, typical).contents(),
        "perp market": lambda: NEEDED_OF_PERP(decode(OWNER, perp)),
        "spot market": lambda: NEEDED_OF_SPOT(decode(OWNER, spot)),
        "perp market, whole": lambda: decode(OWNER, perp).snapshot(),
        "spot market, whole": lambda: decode(OWNER, spot).snapshot(),
        "lazer oracle": partial(read_oracle, DRIFT_V2, OracleSource.PYTH_LAZER, OWNER, lazer, 405_286_914),
        "pull oracle": partial(read_oracle, DRIFT_V2, OracleSource.PYTH_PULL, OWNER, pull, 405_286_914),
    }


def three_fields() -> object:
    """Read three fields of a sub-account."""
    user = decode_as(User, OWNER, CASES[TYPICAL])
    return user.status, user.total_deposits, user.next_order_id


def fastest_us(work: Callable[[], object]) -> float:
    """Return the CPU time of one call: the least over rounds, as other work on the machine only adds."""

    def repeated() -> None:
        for _ in range(REPEATS):
            work()

    return min(cpu_ns(repeated) for _ in range(ROUNDS)) / REPEATS / 1_000


def peers(ours: dict[str, float]) -> list[Result]:
    """Return the SDK's times and how many times longer they are."""
    try:
        found = sdk_us()
    except AbsentError as error:
        return [Result(GROUP, SDK.pin, None, "µs", note=str(error)[:100])]
    return [
        compared(name, way, value, value / ours[name], aims.get(name))
        for way, aims in (("default", TIMES_DEFAULT), ("fastest", TIMES_FASTEST))
        for name, value in found[way].items()
    ]


def compared(name: str, way: str, value: float, times: float, aim: int | None) -> Result:
    """Return the SDK's line; a ratio under its aim says so."""
    note = f"{times:,.0f} × ours" if times >= 10 else f"{times:.1f} × ours"
    if aim is not None:
        note += f", aim {aim} ×" + ("" if times >= aim else " MISSED")
    return Result(GROUP, f"{SDK.pin} {way}: {name}", value, "µs", note=note)


def sdk_us() -> dict[str, dict[str, float]]:
    """Return the SDK's CPU microseconds by way and case. Raises ``AbsentError``."""
    if os.environ.get("BENCH_PEERS") == "off":
        raise AbsentError("BENCH_PEERS=off")
    install(SDK)
    with TemporaryDirectory() as folder:
        path = Path(folder) / "accounts.json"
        path.write_text(json.dumps({name: base64.b64encode(data).decode() for name, data in CASES.items()}))
        found: dict[str, dict[str, float]] = answer(SDK, path)
    return found
