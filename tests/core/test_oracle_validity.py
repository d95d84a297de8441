"""Which fault of an oracle's price is named first, and which action takes it (``math/oracle.rs``)."""

from typing import get_args

import pytest
from msgspec import structs

from drift_engine.core.oracle_validity import (
    ERRORS,
    Action,
    GuardRails,
    Observation,
    Validity,
    accepts,
    multiplier_of,
    validity_of,
)
from drift_engine.core.units import E6

RAILS = GuardRails()
GOOD = Observation(100 * E6, 2 * E6, 0, 100 * E6, immediate_slots=2)


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({}, "valid"),
        ({"price_e6": 0}, "non_positive"),
        ({"price_e6": -5}, "non_positive"),
        ({"twap_e6": 600 * E6}, "too_volatile"),
        ({"twap_e6": 599 * E6}, "valid"),
        ({"twap_e6": 0}, "too_volatile"),
        ({"confidence_e6": 2 * E6 + 100}, "too_uncertain"),
        ({"confidence_e6": 2 * E6 + 100, "multiplier": 2}, "valid"),
        ({"price_e6": 49, "twap_e6": 49, "confidence_e6": 0}, "too_uncertain"),
        ({"price_e6": 50, "twap_e6": 50, "confidence_e6": 0}, "valid"),
        ({"delay_slots": 121}, "stale_for_margin"),
        ({"delay_slots": 121, "stable": True, "low_risk_slots": 127}, "stale_for_amm_immediate"),
        ({"delay_slots": 361, "stable": True}, "stale_for_margin"),
        ({"sufficient": False}, "insufficient_data_points"),
        ({"delay_slots": 11}, "stale_for_amm"),
        ({"delay_slots": 1, "low_risk_slots": -1}, "stale_for_amm"),
        ({"delay_slots": 3}, "stale_for_amm_immediate"),
        ({"immediate_slots": 0}, "stale_for_amm_immediate"),
        ({"immediate_slots": -1}, "valid"),
        ({"immediate_slots": -1, "delay_slots": 1}, "stale_for_amm_immediate"),
    ],
)
def test_the_worst_fault_comes_first(change: dict[str, int], expected: str) -> None:
    assert validity_of(structs.replace(GOOD, **change), RAILS) == expected


def test_who_takes_what() -> None:
    """A row for each action: the worst price it still takes, from the order of faults."""
    order: list[Validity] = list(get_args(Validity))
    taken = {action: {name for name in order if accepts(action, name)} for action in get_args(Action)}
    assert taken["margin"] == taken["oracle_order_price"] == set(order[4:])
    assert taken["fill_match"] == taken["settle_pnl"] == taken["update_funding"] == set(order[3:])
    assert taken["liquidate"] == taken["trigger"] == taken["use_mm_oracle"] == set(order[2:])
    assert taken["update_twap"] == taken["update_amm_curve"] == set(order[1:])
    assert taken["fill_amm_immediate"] == {"valid"}
    assert taken["fill_amm_low_risk"] == {"valid", "stale_for_amm_immediate"}


def test_names_and_multipliers() -> None:
    assert set(ERRORS) == set(get_args(Validity)) - {"valid"}
    assert [multiplier_of(tier) for tier in ("A", "B", "C", "speculative", "isolated")] == [1, 1, 2, 10, 50]
