"""The portfolio that Drift captured for a test of its own, decoded, translated and assessed: figures asserted there.

``fixtures/margin_swift_failure``, slot 348867380. The strict pair after the extra bid and the size of that bid are the
program's own assertions (``math/orders/tests.rs``, calculate_max_perp_order_size); the others are its native code's.
"""

import json
from base64 import b64decode
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from library import Accounts, Keyed, margin
from msgspec import structs
from solders.pubkey import Pubkey
from worlds import TRANSLATOR

from drift_engine.core.health import health_of
from drift_engine.core.liquidation_price import liquidation_price_e6
from drift_engine.core.margin_monitor import MarginMonitor, assess, margin_of
from drift_engine.core.margin_scopes import every, scopes_of
from drift_engine.core.orders.largest import largest_order_e9
from drift_engine.core.types import Account, EngineState, MarginKind, Market
from drift_engine.venues.drift_v2.program import DRIFT_V2
from drift_engine.venues.translate import Names
from drift_engine.venues.wire.accounts import decode
from drift_engine.venues.wire.oracles import read_oracle
from drift_engine.venues.wire.perp_market import PerpMarket
from drift_engine.venues.wire.spot_market import SpotMarket
from drift_engine.venues.wire.user import User

pytestmark = pytest.mark.no_cover  # tens of thousands of cases, and coverage comes from the unit tests

SLOT = 348_867_380
FIGURES: dict[MarginKind, tuple[int, int]] = {
    "initial": (2_199_358_577, 2_183_593_062),
    "maintenance": (2_480_466_849, 1_457_852_324),
}


class Captured:
    """The accounts of a capture: as they were captured, and as core sees them."""

    def __init__(self, folder: Path) -> None:
        raw = [json.loads(path.read_text()) for path in sorted(folder.glob("[!_]*.json"))]
        self.accounts = {entry["pubkey"]: self._account(entry) for entry in raw}
        kept = [decode(owner, data) for owner, data in self.accounts.values() if owner == DRIFT_V2.program_id]
        self.perps = [view for view in kept if isinstance(view, PerpMarket)]
        self.spots = [view for view in kept if isinstance(view, SpotMarket)]
        self.user = next(view for view in kept if isinstance(view, User))

    @staticmethod
    def _account(entry: dict[str, Any]) -> tuple[Pubkey, bytes]:
        return Pubkey.from_string(entry["account"]["owner"]), b64decode(entry["account"]["data"][0])

    def markets(self) -> dict[str, Market]:
        perps = [TRANSLATOR.perp_market(view, self._price(view)) for view in self.perps]
        spots = [TRANSLATOR.spot_market(view, self._price(view)) for view in self.spots]
        return {market.name: market for market in (*perps, *spots)}

    def _price(self, view: PerpMarket | SpotMarket) -> Any:
        owner, data = self.accounts[str(view.oracle)]
        return read_oracle(DRIFT_V2, view.oracle_source, owner, data, SLOT)

    def account(self) -> Account:
        perps, spots = ({view.market_index: view.name for view in views} for views in (self.perps, self.spots))
        return TRANSLATOR.account(self.user, Names(perps, spots))

    def natively(self) -> Accounts:
        keyed: dict[str, list[Keyed]] = {"PerpMarket": [], "SpotMarket": [], "oracle": []}
        for key, (owner, data) in self.accounts.items():
            name = decode(owner, data).layout.name if owner == DRIFT_V2.program_id else ""
            if name != "User":
                keyed[name if name in keyed else "oracle"].append((bytes(Pubkey.from_string(key)), bytes(owner), data))
        return Accounts(keyed["PerpMarket"], keyed["SpotMarket"], keyed["oracle"], SLOT)


@pytest.fixture(scope="module")
def captured(shared: Path) -> Captured:
    return Captured(shared / "fixtures" / "margin_swift_failure")


@pytest.mark.parametrize("kind", list(FIGURES))
def test_the_figures_of_the_capture(captured: Captured, kind: MarginKind) -> None:
    account, markets = captured.account(), captured.markets()
    assert assess(account, markets, kind) == FIGURES[kind]
    scope = scopes_of(account, markets, every(kind)).cross
    assert (scope.collateral_e6, scope.requirement_e6) == FIGURES[kind]


def test_the_native_code_says_the_same(captured: Captured, counted: Callable[[int], None]) -> None:
    account, markets, accounts = captured.account(), captured.markets(), captured.natively()
    kinds: tuple[MarginKind, ...] = ("initial", "maintenance", "fill")
    for kind in kinds:
        assert assess(account, markets, kind) == margin(bytes(captured.user.data), accounts, kind).totals
    counted(len(kinds))


def test_the_largest_order_leaves_just_enough(captured: Captured) -> None:
    account, markets = captured.account(), captured.markets()
    assert assess(account, markets, "initial", strict=True) == (2_199_358_529, 2_183_595_246)
    size = largest_order_e9(account, markets, "BTC-PERP", long=True)
    assert size == 1_600_000
    position = account.perp("BTC-PERP")
    bid = structs.replace(position, open_bids_e9=position.open_bids_e9 + size, open_orders=position.open_orders + 1)
    perps = tuple(held for held in account.perps if held.market != "BTC-PERP")
    after = structs.replace(account, perps=(*perps, bid))
    assert assess(after, markets, "initial", strict=True) == (2_199_358_529, 2_186_678_676)


def test_the_monitor_agrees(captured: Captured) -> None:
    account, markets = captured.account(), captured.markets()
    margin_now = margin_of(account, markets, 0)
    assert MarginMonitor().check(EngineState(account=account, markets=markets)) == margin_now
    assert health_of(account, scopes_of(account, markets, every("maintenance"))) == 41
    assert margin_now.health_e4 == 4_122
    assert [liquidation_price_e6(account, markets, position.market) is None for position in account.perps].count(False)
