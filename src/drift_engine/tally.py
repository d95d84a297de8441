"""Counts of what happened in a run, for status and reports; made from events alone, so a replay counts the same."""

from typing import Any

from drift_engine.core.types import Decided, Event, Filled, FundingPaid, Liquidated


class Tally:
    """What a report says besides the state: fills, settlements, liquidations, refusals by gate."""

    def __init__(self) -> None:
        self.trades = 0
        self.funding_settlements = 0
        self.liquidations = 0
        self.decisions = 0
        self.refusals: dict[str, int] = {}
        self.last_decision: Decided | None = None

    def count(self, event: Event) -> None:
        """Count one event."""
        if type(event) is Filled:
            self.trades += 1
        elif type(event) is FundingPaid:
            self.funding_settlements += 1
        elif type(event) is Liquidated:
            self.liquidations += 1
        elif type(event) is Decided:
            self._decided(event)

    def _decided(self, event: Decided) -> None:
        self.decisions += 1
        self.last_decision = event
        for check in () if event.approved else event.checks:
            if check.verdict == "refuse":
                self.refusals[check.gate] = self.refusals.get(check.gate, 0) + 1

    def to_status(self, ticks: int | None, lowest_health_e4: int | None) -> dict[str, Any]:
        """Return the counts as plain values, with the ticks and the lowest health that others keep (0..1)."""
        return {
            "ticks": ticks,
            "min_health": None if lowest_health_e4 is None else lowest_health_e4 / 10_000,
            "trades": self.trades,
            "decisions": self.decisions,
            "refusals": dict(self.refusals),
            "funding_settlements": self.funding_settlements,
            "liquidations": self.liquidations,
        }
