"""A strategy's parameters: one record, and errors that help."""

from decimal import Decimal
from typing import Annotated, Any

import pytest

from drift_engine.core.parameters import Description, ParameterError, Parameters, Unit, describe, parse


class Params(Parameters, frozen=True):
    """Two parameters."""

    size: Annotated[Decimal, Unit("SOL", "how much to hold")] = Decimal("1.5")
    cool_down: Annotated[int, Unit("s", "time between trades")] = 1_800
    hedge: Annotated[bool, Unit("", "whether to hedge")] = True


def test_describe() -> None:
    assert describe(Params) == (
        Description("size", "1.5", "SOL", "how much to hold"),
        Description("cool_down", "1800", "s", "time between trades"),
        Description("hedge", "True", "", "whether to hedge"),
    )


@pytest.mark.parametrize(
    ("config", "expected"),
    [
        (None, Params()),
        ({}, Params()),
        (Params(cool_down=5), Params(cool_down=5)),
        ({"size": "0.1", "cool_down": "60"}, Params(Decimal("0.1"), 60)),
        ({"size": 0.1, "cool_down": 60, "hedge": False}, Params(Decimal("0.1"), 60, hedge=False)),
    ],
)
def test_parse(config: Any, expected: Params) -> None:
    assert parse(Params, config) == expected


@pytest.mark.parametrize(
    ("config", "says"),
    [
        ({"sise": 1}, "unknown parameter 'sise'; did you mean 'size'"),
        ({"zzz": 1}, "unknown parameter 'zzz'; known are size, cool_down, hedge"),
        ({"cool_down": "soon"}, "bad parameter: .*cool_down"),
        ([("size", 1)], "a Params or a mapping, not list"),
    ],
)
def test_parse_refuses(config: Any, says: str) -> None:
    with pytest.raises(ParameterError, match=says):
        parse(Params, config)
