"""Margin of random portfolios, to the unit: both sides read the same account bytes."""

from collections.abc import Callable
from random import Random

import pytest
from library import NativeError, margin
from worlds import user, world

from drift_engine.core.margin_monitor import assess
from drift_engine.core.margin_scopes import CROSS, every, scopes_of
from drift_engine.core.types import MarginKind

pytestmark = pytest.mark.no_cover  # tens of thousands of cases, and coverage comes from the unit tests

WORLDS, USERS = 80, 50
KINDS: tuple[MarginKind, ...] = ("initial", "maintenance", "fill")


@pytest.mark.parametrize("part", range(5))
def test_margin_of_random_portfolios(part: int, counted: Callable[[int], None]) -> None:
    random = Random(part)
    equal = refused = 0
    for _ in range(WORLDS):
        exchange = world(random)
        for _ in range(USERS):
            data = user(random)
            account = exchange.translated(data)
            try:
                natives = [margin(data, exchange.accounts, kind) for kind in KINDS]
            except NativeError:
                refused += 1
                continue
            for kind, native in zip(KINDS, natives, strict=True):
                scopes = scopes_of(account, exchange.markets, every(kind))
                assert (scopes.cross.collateral_e6, scopes.cross.requirement_e6) == native.totals
                assert assess(account, exchange.markets, kind) == native.totals
                alone = {exchange.perps[index].name: figures for index, figures in native.isolated.items()}
                ours = {name: (s.collateral_e6, s.requirement_e6) for name, s in scopes.scopes.items() if name != CROSS}
                assert {name: figures for name, figures in ours.items() if figures != (0, 0)} == alone
            equal += 1
    counted(equal)
    assert refused < equal // 20
