"""Delta neutral on whole runs: within its tolerance at every tick, but for a rebalance or plan under way."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from proof_stage import Proof, wired

from drift_engine import DeltaNeutralStrategy
from drift_engine.config import parse_date
from drift_engine.core.spot_balance import base_e9
from drift_engine.core.types import Decided, Trading
from drift_engine.core.units import HOUR_NS
from drift_engine.execution.limits import Limits

SCENARIOS = ("calm_carry", "funding_flip", "slow_bleed", "flash_crash")


class Neutrality:
    """Looks at the account after each tick, with figures of its own."""

    def __init__(self) -> None:
        self.excused = self.held = self.alone_ns = self.longest_alone_ns = 0
        self.broken: list[tuple[int, int, int]] = []

    def __call__(self, proof: Proof) -> None:
        state = proof.state
        perp_e9 = state.account.perp("SOL-PERP").base_e9
        spot_e9 = base_e9(state.account.spot("SOL"), state.markets["SOL"])
        hedge_e9 = min(abs(perp_e9), abs(spot_e9)) if perp_e9 * spot_e9 < 0 else 0
        net_e9 = abs(perp_e9 + spot_e9)
        self.held += hedge_e9 > 0
        self._alone(state.now_ns, alone=net_e9 > 3 * 10**7 + hedge_e9 // 33)
        if net_e9 <= max(hedge_e9 // 100, 10**7):
            return
        pending = proof.engine.get_status()["strategy_status"]["neutrality"]["pending"]
        if state.in_flight or pending or state.trading is not Trading.ACTIVE:
            self.excused += 1
        else:
            self.broken.append((state.now_ns, perp_e9, spot_e9))

    def _alone(self, now_ns: int, *, alone: bool) -> None:
        self.alone_ns = (self.alone_ns or now_ns) if alone else 0
        self.longest_alone_ns = max(self.longest_alone_ns, now_ns - self.alone_ns if alone else 0)


def neutral(**how: Any) -> tuple[Proof, Neutrality]:
    look = Neutrality()
    return wired(DeltaNeutralStrategy(), limits=Limits(), **how).run(look), look


@pytest.mark.parametrize("seed", range(2))
@pytest.mark.parametrize("scenario", SCENARIOS)
def test_in_every_scenario_net_delta_stays_in_its_bound(scenario: str, seed: int) -> None:
    proof, look = neutral(scenario=scenario, seed=seed, days=6, interval_s=300)
    proof.assert_sound()
    assert look.broken == []
    assert look.held > 0 or scenario == "slow_bleed"


@pytest.mark.parametrize(
    "faults", [("leg_fails",), ("order_expires",), ("report_lost", "venue_away"), ("market_paused", "report_late")]
)
@pytest.mark.parametrize("scenario", ["funding_flip", "flash_crash"])
def test_with_faults_no_leg_is_left_alone_for_good(scenario: str, faults: tuple[str, ...]) -> None:
    """Legs go together or not at all; where one is alone all the same, it is seen to within hours."""
    proof, look = neutral(scenario=scenario, faults=faults, days=5, interval_s=300, seed=3)
    assert look.broken == []
    assert look.longest_alone_ns <= 2 * HOUR_NS
    proof.settle(120)
    assert proof.differences() == ()


@pytest.mark.parametrize(("begin", "end"), [("2025-04-14", "2025-11-01"), ("2025-10-01", "2025-10-20")])
def test_on_real_history_net_delta_stays_in_its_bound(shared: Path, begin: str, end: str) -> None:
    window = {"from_ns": parse_date(begin, ""), "to_ns": parse_date(end, "")}
    proof, look = neutral(scenario=None, data=shared / "data", **window)
    proof.assert_sound()
    assert look.broken == []
    assert look.held > 4_000


def test_a_lone_leg_given_from_outside_is_made_neutral_again() -> None:
    """Half of the spot leg disappears: within the tolerance of time the hedge is whole again, on one leg."""

    def after(proof: Proof) -> None:
        look(proof)
        if proof.state.ticks == 200:
            held = proof.venue._books.tokens("SOL")
            assert held > 0
            assert proof.venue.withdraw("SOL", held // 2, proof.state.now_ns) is None

    look = Neutrality()
    proof = wired(DeltaNeutralStrategy(), scenario="calm_carry", days=2, interval_s=120).run(after).assert_sound()
    assert 0 < look.longest_alone_ns <= HOUR_NS
    legs = [event.plan.legs for event in proof.of(Decided) if event.approved]
    assert len(legs[1]) == 1
    assert abs(proof.engine.get_status()["net_delta_e9"]["SOL"]) <= 2 * 10**8
