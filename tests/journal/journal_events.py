"""Events for the journal's tests: plain ones by hand, any by hypothesis."""

from collections.abc import Iterable, Iterator
from types import UnionType
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

from hypothesis import strategies as st
from msgspec import Struct

from drift_engine.core import types
from drift_engine.core.types import (
    Account,
    AccountObserved,
    Check,
    Decided,
    EngineState,
    Event,
    Filled,
    FundingPaid,
    Leg,
    MarketUpdated,
    PerpPosition,
    PerpSpec,
    RowsRead,
    RunStarted,
    SpotBalance,
    StateChanged,
    Submitted,
    Ticked,
    TradePlan,
    TradeSignal,
    Trading,
)
from drift_engine.journal import Journal

KINDS = get_args(Event)
MS = 1_000_000
SPEC = PerpSpec(
    "SOL-PERP", 0, "SOL", "USDC", "o", 10**7, 100, 10**7, 500, 300, 50, 0, 10_000, 7500, 7500, 1000, -200, "B"
)


def started(**changes: Any) -> RunStarted:
    facts: dict[str, Any] = {
        "ts_ns": 1,
        "mode": "backtest",
        "strategy": "hold",
        "params": {"target": "1"},
        "config": {"capital": "10000", "data": "/somewhere"},
        "quote": "USDC",
        "specs": (SPEC,),
        "venue": "sim",
        "sources": {"SOL.csv": "ab" * 32},
        "simulated": True,
        "version": "0.1.0",
    }
    return RunStarted(**facts | changes)


def plan(number: int = 1) -> TradePlan:
    leg = Leg("SOL-PERP", 10**9, 150_000_000, "perp")
    return TradePlan(f"p{number}", (leg,), atomic=False, reason="because", edge_e6=None, expires_ns=10**12)


def decided(number: int = 1, ts_ns: int = 0, latency_ms: int = 3) -> Decided:
    checks = (
        Check("edge", "pass", "", {"edge_e6": 5, "cost_e6": None}),
        Check("latency", "pass", f"{latency_ms} ms", {"average_ms": latency_ms}),
    )
    return Decided(ts_ns, TradeSignal({"SOL-PERP": 10**9}, "because"), plan(number), checks, approved=True)


def filled(number: int = 1, ts_ns: int = 0, seen_ns: int = 0, quote_e6: int = -150_000_000) -> Filled:
    return Filled(ts_ns, number, f"p{number}", 0, "SOL-PERP", "perp", 10**9, quote_e6, 150_000, 1, 1, 1, seen_ns)


def story(n: int, step_ns: int = MS) -> Iterator[Event]:
    """A run of ``n`` rounds as the engine would append it."""
    yield started()
    for i in range(1, n + 1):
        ts = i * step_ns
        yield MarketUpdated(ts, "SOL-PERP", i, 150_000_000 + i, i)
        yield Ticked(ts, i)
        if i % 3 == 0:
            yield decided(i, ts)
            yield Submitted(ts, plan(i))
            yield filled(i, ts, ts)
        if i % 5 == 0:
            yield FundingPaid(ts, i, "SOL-PERP", 100, 100 * i, 10**9, -i)
            yield observed(ts, i)
        if i % 10 == 0:
            yield RowsRead(ts, i - 10, i, f"{i:032x}")
    yield StateChanged((n + 1) * step_ns, Trading.HALTED, "end", "close")


def observed(ts_ns: int, cursor: int) -> AccountObserved:
    spots = (SpotBalance("USDC", 12_345_678_901), SpotBalance("SOL", -12_345_678_901))
    return AccountObserved(ts_ns, cursor, Account("USDC", spots, (PerpPosition("SOL-PERP", 10**9, -150_000_000),)))


def append_all(journal: Journal, events: Iterable[Event]) -> None:
    for event in events:
        journal.append(event)


STATE = EngineState(seq=3, equity_e6=10, markets={"b": types.Market(SPEC), "a": types.Market(SPEC)})


def any_value(hint: Any) -> st.SearchStrategy[Any]:
    """A strategy for a type hint of ``core.types``; integers are those that a journal must hold, 64 bits."""
    origin, inner = get_origin(hint), get_args(hint)
    if hint is int:
        return st.integers(-(2**63), 2**63 - 1)
    if origin is Literal:
        return st.sampled_from(inner)
    if origin in (Union, UnionType):
        return st.one_of(*map(any_value, inner))
    if origin is tuple:
        return st.lists(any_value(inner[0]), max_size=3).map(tuple)
    if origin is dict:
        return st.dictionaries(any_value(inner[0]), any_value(inner[1]), max_size=3)
    if isinstance(hint, type) and issubclass(hint, Struct):
        hints = get_type_hints(hint)
        return st.builds(hint, **{name: any_value(hints[name]) for name in hint.__struct_fields__})
    return st.from_type(hint)
