"""A strategy that a stranger wrote may fail in any way: the books stay in integers, and its failure can be seen."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from msgspec import structs
from proof_stage import Spy

from drift_engine import DriftEngine, backtest
from drift_engine.config import RunConfig
from drift_engine.core.types import Leg, PlanClosed, Submitted, TradePlan, TradeSignal, Trading
from drift_engine.desk import require_integers
from drift_engine.journal.reader import records, verify

RUN = RunConfig(strategy="spy", mode="backtest", scenario="calm_carry", days=1)


class Stranger(Spy):
    """Says what it is told to say of itself."""

    def __init__(self, said: Any) -> None:
        super().__init__()
        self._said = said

    def get_status(self) -> Any:
        if isinstance(self._said, Exception):
            raise self._said
        return self._said


RAISES = Stranger.get_status.__code__.co_firstlineno + 2


def wanting(*targets: Any, edge_e6: Any = None) -> Spy:
    """Return a strategy that wants one target after the other, and stays with the last."""
    left = list(targets)

    def on_tick(_state: Any) -> TradeSignal:
        return TradeSignal({"SOL-PERP": left.pop(0) if len(left) > 1 else left[0]}, "as told", edge_e6)

    return Spy(on_tick)


@pytest.mark.parametrize("target", [0.0, 0.5e9, float("nan"), Decimal(0), True])
def test_a_target_that_is_no_integer_reaches_neither_books_nor_journal(tmp_path: Path, target: Any) -> None:
    journal = tmp_path / "run.journal"
    config = RunConfig(**{**{f: getattr(RUN, f) for f in RUN.__struct_fields__}, "journal": journal})
    with pytest.raises(TypeError, match=r"target of SOL-PERP is .*; money is counted in int"):
        backtest.run(config, wanting(*[10**9] * 5, target))
    assert verify(journal).ok
    assert [record.seq for record in records(journal)] == list(range(1, verify(journal).records + 1))


@pytest.mark.parametrize(("field", "said"), [("base_e9", "base of SOL-PERP"), ("limit_e6", "limit of SOL-PERP")])
def test_a_leg_that_is_no_integer_is_refused(field: str, said: str) -> None:
    class Planning(Spy):
        def plan(self, signal: TradeSignal, state: Any) -> Any:
            plan = super().plan(signal, state)
            return structs.replace(plan, legs=tuple(structs.replace(leg, **{field: 0.5}) for leg in plan.legs))

    with pytest.raises(TypeError, match=rf"the {said} is 0.5, which is float; money is counted in int"):
        backtest.run(RUN, Planning(lambda _state: TradeSignal({"SOL-PERP": 10**9}, "as told")))


def test_a_plan_goes_under_the_desks_id_whatever_it_calls_itself(tmp_path: Path) -> None:
    """A venue that met an id before would never tell what became of the plan, and no close ends with one in flight."""

    class Naming(Spy):
        def plan(self, signal: TradeSignal, state: Any) -> Any:
            return structs.replace(super().plan(signal, state), plan_id="mine")

    def wanted(state: Any) -> TradeSignal | None:
        held_e9 = state.account.perp("SOL-PERP").base_e9
        return TradeSignal({"SOL-PERP": held_e9 + 10**9}, "one more") if held_e9 < 2 * 10**9 else None

    journal = tmp_path / "run.journal"
    backtest.run(structs.replace(RUN, journal=journal), Naming(wanted))
    told = [record.event for record in records(journal)]
    assert [event.plan.plan_id for event in told if isinstance(event, Submitted)] == ["p1", "p2"]
    assert [event.plan_id for event in told if isinstance(event, PlanClosed)] == ["p1", "p2"]


def test_an_edge_that_is_no_integer_is_refused() -> None:
    with pytest.raises(TypeError, match=r"edge is 1\.5, which is float"):
        backtest.run(RUN, wanting(10**9, edge_e6=1.5))


@pytest.mark.parametrize(
    ("leg", "said"),
    [
        (Leg("SOL-PERP", 1e9, 10**8, "perp"), "base of SOL-PERP is 1000000000.0"),  # type: ignore[arg-type]
        (Leg("SOL-PERP", 10**9, 1e8, "perp"), "limit of SOL-PERP is 100000000.0"),  # type: ignore[arg-type]
    ],
)
def test_an_order_that_is_not_counted_in_integers_is_refused(leg: Leg, said: str) -> None:
    plan = TradePlan("p1", (leg,), False, "as told", None, 1)
    with pytest.raises(TypeError, match=f"{said}, which is float; money is counted in int"):
        require_integers(plan, TradeSignal({"SOL-PERP": 10**9}, "as told"))


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        ({"SOL-PERP": 10**9}, "on_tick returned dict; it returns a TradeSignal or None"),
        (True, "on_tick returned bool"),
        (TradeSignal, "on_tick returned StructMeta"),
        (TradeSignal(["SOL-PERP"], "as told"), "a signal's targets are list"),  # type: ignore[arg-type]
    ],
)
def test_an_answer_that_is_no_signal_is_named(answer: Any, said: str) -> None:
    with pytest.raises(TypeError, match=said):
        backtest.run(RUN, Spy(lambda _state: answer))


@pytest.mark.parametrize(
    ("said", "shown"),
    [
        (ValueError("not today"), f"ValueError at test_strangers_proof.py:{RAISES}: not today"),
        (None, "get_status() returned NoneType; it must be a mapping"),
        ([1, 2], "get_status() returned list; it must be a mapping"),
    ],
)
def test_a_status_that_fails_is_shown_as_its_error(said: Any, shown: str) -> None:
    result = backtest.run(RUN, Stranger(said))
    assert result.strategy_status == {"error": shown}
    assert result.ticks > 1_000


def test_a_status_may_have_any_key_and_value() -> None:
    said: Mapping[Any, Any] = {1: 2, "x_e6": float("nan"), "y": object(), "z": {3: 4}}
    assert backtest.run(RUN, Stranger(said)).strategy_status == said


async def test_a_status_that_fails_does_not_end_the_engine() -> None:
    engine = DriftEngine(
        Stranger(RuntimeError("no")), config=RunConfig(strategy="spy", scenario="calm_carry", speed=1e9)
    )
    await engine.start()
    for _ in range(3):
        assert engine.get_status()["strategy_status"]["error"].startswith("RuntimeError")
        await asyncio.sleep(0)
    assert engine.state.trading is Trading.ACTIVE
    await engine.stop()
