"""Each command alone: what it refuses and leaves no trace of, and what exactly it has done."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec import structs

from drift_engine.commands import Commands
from drift_engine.core.margin_monitor import margin_of
from drift_engine.core.types import (
    Account,
    Commanded,
    Decided,
    EngineState,
    Event,
    Holding,
    Market,
    PerpPosition,
    SpotBalance,
    StateChanged,
    Trading,
)
from drift_engine.core.units import E6, E9, SECOND_NS
from drift_engine.desk import ReviewDesk
from drift_engine.execution.latency_monitor import LatencyMonitor
from drift_engine.execution.limits import Limits
from drift_engine.execution.mock_executor import MockExecutor
from drift_engine.simulation.facts import venue_facts
from drift_engine.simulation.venue import SimVenue

NOW_NS = 1_000 * SECOND_NS
PERPS = (PerpPosition("SOL-PERP", 2 * E9, -200 * E6), PerpPosition("ETH-PERP", -E9, 100 * E6))
SPOTS = (SpotBalance("USDC", 5_000 * E9), SpotBalance("SOL", 3 * E9))


class Noting(MockExecutor):
    """Notes what the venue is asked for; money is refused with ``refusal``."""

    refusal: str | None = None

    def __init__(self, deliver: Any) -> None:
        super().__init__(SimVenue(), deliver)
        self.settled: list[str] = []
        self.paid_e6: list[int] = []
        self.observed = 0

    def settle_pnl(self, market: str, now_ns: int) -> None:
        assert now_ns == NOW_NS
        self.settled.append(market)

    def transfer(self, amount_e6: int, now_ns: int) -> str | None:
        assert now_ns == NOW_NS
        self.paid_e6.append(amount_e6)
        return self.refusal

    def observe(self, now_ns: int) -> None:
        self.observed += 1


class Bench:
    """Commands over a state that stands still. ``told``: the events made."""

    def __init__(self, limits: Limits | None = None, **changes: Any) -> None:
        markets = {
            name: Market(spec, ts_ns=NOW_NS, oracle_e6=100 * E6, oracle_slot=10, mark_e6=100 * E6)
            for name, spec in venue_facts().items()
        }
        self.state = EngineState(now_ns=NOW_NS, slot=10, account=Account("USDC", SPOTS, PERPS), markets=markets)
        for name, value in changes.items():
            setattr(self.state, name, value)
        self.told: list[Event] = []
        self.margin = margin_of(self.state.account, markets, NOW_NS)
        self.executor, limits = Noting(self.told.append), limits or Limits()
        desk = ReviewDesk(self.state, self._process, self.executor, limits, LatencyMonitor())
        self.commands = Commands(self.state, self._process, desk, self.executor, limits, lambda: self.margin)

    def _process(self, event: Event) -> None:
        self.told.append(event)
        if isinstance(event, Commanded):
            self.commands.take(event)

    def code(self, command: str, market: str = "", amount_e6: int = 0) -> str:
        reply = self.commands.ask(command, "me", market, amount_e6)
        assert reply.ok or reply.code == "refused" or self.told == [], "a refusal leaves no trace"
        return reply.code


@pytest.mark.parametrize(
    ("market", "base_e9", "limit_e6"), [("SOL-PERP", -2, 99), ("ETH-PERP", 1, 101), ("SOL", -3, 99)]
)
def test_a_close_reduces_all_that_is_held_at_the_distance_and_for_as_long_as_it_says(
    market: str, base_e9: int, limit_e6: int
) -> None:
    bench = Bench()
    assert bench.code("close", market) == "submitted"
    (decided,) = (event for event in bench.told if isinstance(event, Decided))
    (leg,) = decided.plan.legs
    assert (leg.base_e9, leg.limit_e6, leg.reduce_only) == (base_e9 * E9, limit_e6 * E6, True)
    assert decided.plan.expires_ns == NOW_NS + 30 * SECOND_NS
    assert decided.signal is not None
    assert decided.signal.targets == {market: 0}
    assert not decided.emergency


def test_a_close_keeps_the_distance_of_the_limits() -> None:
    bench = Bench(Limits(limit_distance_reduce_e4=300))
    assert bench.code("close", "SOL-PERP") == "submitted"
    (decided,) = (event for event in bench.told if isinstance(event, Decided))
    assert decided.plan.legs[0].limit_e6 == 97 * E6


def test_nothing_is_closed_without_a_price_or_a_margin() -> None:
    bench = Bench()
    bench.state.markets["SOL-PERP"] = structs.replace(bench.state.markets["SOL-PERP"], oracle_e6=None)
    assert bench.code("close", "SOL-PERP") == "no_price"
    bench = Bench()
    bench.margin = None  # type: ignore[assignment]
    assert bench.code("close", "SOL-PERP") == "no_price"


def test_only_what_has_profit_or_loss_is_settled() -> None:
    gained = {"SOL-PERP": Holding(1, 1, 0, 7), "ETH-PERP": Holding(1, 1, 5, -5)}
    bench = Bench(held=gained)
    assert bench.code("settle", "SOL") == bench.code("settle", "ETH-PERP") == "nothing_unsettled"
    assert bench.code("settle", "SOL-PRP") == "unknown_market"
    assert bench.code("settle") == "asked"
    assert bench.executor.settled == ["SOL-PERP"]
    assert Bench(held={}).code("settle") == "nothing_unsettled"


def test_money_moves_by_its_sign_and_a_refusal_is_told() -> None:
    bench = Bench()
    assert bench.code("deposit", amount_e6=1) == bench.code("withdraw", amount_e6=7) == "done"
    assert bench.executor.paid_e6 == [1, -7]
    bench.executor.refusal = "the venue is away"
    reply = bench.commands.ask("deposit", "me", "", 5)
    assert (reply.ok, reply.code, reply.message) == (False, "refused", "the venue is away")


@pytest.mark.parametrize("command", ["deposit", "withdraw"])
def test_no_money_moves_while_the_books_are_in_dispute(command: str) -> None:
    bench = Bench(disputed=True)
    assert bench.code(command, amount_e6=5) == "disputed"
    assert bench.executor.paid_e6 == []


@pytest.mark.parametrize(
    "halt", [{"latched": True}, {"trading": Trading.REDUCING}, {"trading": Trading.HALTED}, {"strategy_disabled": True}]
)
def test_a_resume_takes_back_every_kind_of_halt_and_nothing_else(halt: dict[str, Any]) -> None:
    assert Bench().code("resume") == "nothing_to_resume"
    bench = Bench(**halt)
    assert bench.code("resume") == "resumed"
    (change,) = (event for event in bench.told if isinstance(event, StateChanged))
    assert (change.trading, change.cause, change.latched, change.disputed) == (Trading.ACTIVE, "resume", False, False)
    assert bench.executor.observed == 0


def test_after_a_dispute_the_books_are_read_again() -> None:
    bench = Bench(disputed=True, latched=True, trading=Trading.HALTED)
    assert bench.code("resume") == "resumed"
    assert bench.executor.observed == 1


@pytest.mark.parametrize("disabled", [False, True])
def test_a_kill_latches_and_keeps_a_failed_strategy_out(*, disabled: bool) -> None:
    bench = Bench(strategy_disabled=disabled)
    assert bench.code("kill") == "closing"
    (change,) = (event for event in bench.told if isinstance(event, StateChanged))
    assert (change.trading, change.latched, change.closing) == (Trading.REDUCING, True, 1)
    assert change.strategy_disabled is disabled
