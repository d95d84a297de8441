"""What people are told of a margin: the same figures under the same names, stored or worked out when read."""

from msgspec import structs

from drift_engine.core.types import Margin
from drift_engine.core.units import E6
from drift_engine.status import margin_status

MARGIN = Margin(100 * E6, 30 * E6, 90 * E6, 50 * E6, 80 * E6, 160 * E6, 5_000_000, "known")
TOLD = {
    "status": "known",
    "collateral_e6": 100 * E6,
    "maintenance_e6": 30 * E6,
    "collateral_initial_e6": 90 * E6,
    "initial_e6": 50 * E6,
    "free_e6": 40 * E6,
    "equity_e6": 80 * E6,
    "liabilities_e6": 160 * E6,
    "health_e4": 7_000,
    "health": 0.7,
    "leverage_e4": 20_000,
    "leverage": 2.0,
    "as_of_ns": 5_000_000,
    "age_ms": 2,
}


def test_each_figure_has_its_name() -> None:
    assert margin_status(MARGIN, 7_000_000) == TOLD
    isolated = {**TOLD, "health_e4": 1_500, "health": 0.15}
    assert margin_status(structs.replace(MARGIN, worst_isolated_e4=1_500), 7_000_000) == isolated


def test_what_is_not_known_is_none_under_the_same_names() -> None:
    for margin in (None, structs.replace(MARGIN, status="unknown")):
        assert margin_status(margin, 7_000_000) == {**dict.fromkeys(TOLD), "status": "unknown"}
