from typing import Any

from rich.console import Console

from drift_engine.backtest import BacktestResult
from drift_engine.cli.report import report

QUIET = dict.fromkeys(("price", "basis", "funding", "interest", "fees", "tips", "slippage", "liquidation"), 0)


def result(**changes: Any) -> BacktestResult:
    fields: dict[str, Any] = {
        "strategy": "delta_neutral",
        "params": {"market": "SOL-PERP"},
        "market": "SOL-PERP",
        "simulated": False,
        "from_": "2025-04-14T00:00:00Z",
        "to": "2025-11-01T00:00:00Z",
        "first_fill_ts": None,
        "events": 120_600,
        "ticks": 57_888,
        "equity_start_e6": 10_000_000_000,
        "equity_end_e6": 10_000_000_000,
        "net_deposits_e6": 0,
        "pnl_e6": QUIET,
        "funding_settlements": 0,
        "trades": 0,
        "refusals": {},
        "min_health": None,
        "max_drawdown": 0.0,
        "liquidations": 0,
        "trading": "ACTIVE",
        "reason": "",
        "latched": False,
        "disputed": False,
        "positions": [],
        "strategy_status": {},
        "assumptions": [],
        "gaps": [],
        "digest": "d1935",
        "wall_s": 0.5,
        "events_per_s": 241_200.0,
    }
    return BacktestResult(**{name: value for name, value in (fields | changes).items() if name in _FIELDS})


_FIELDS = BacktestResult.__struct_fields__


def printed(found: BacktestResult, yardstick: BacktestResult | None = None) -> str:
    console = Console(width=100, color_system=None)
    with console.capture() as capture:
        console.print(report(found, yardstick))
    return " ".join(capture.get().split())


def lost(**changes: Any) -> BacktestResult:
    pnl = QUIET | {"funding": -50_000_000, "interest": 10_000_000, "fees": -5_000_000, "price": 20_000_000}
    return result(
        pnl_e6=pnl, equity_end_e6=9_975_000_000, trades=4, funding_settlements=1_372, min_health=0.6519, **changes
    )


def test_a_loss_is_called_a_loss_and_its_carry_too() -> None:
    text = printed(lost())
    assert "Lost 25.0000 USD (-0.25 %): 10,000.00 became 9,975.00." in text
    assert "The carry lost 40.0000: funding -50.0000 in 1,372 settlements, interest +10.0000" in text
    assert "Funding was against this position" in text
    assert "Trading cost 5.0000; prices and basis moved it by +20.0000." in text
    assert "recorded market data, simulated venue" in text
    assert "Earned" not in text


def test_a_gain_is_called_a_gain() -> None:
    text = printed(result(pnl_e6=QUIET | {"funding": 30_000_000}, equity_end_e6=10_030_000_000, trades=2))
    assert "Earned 30.0000 USD (+0.30 %)" in text
    assert "The carry earned 30.0000" in text
    assert "against" not in text


def test_a_run_without_trades_says_why() -> None:
    assert "Nothing was traded; nothing was refused either." in printed(result())
    text = printed(result(refusals={"edge": 12, "leverage": 40}))
    assert "Nothing was traded: see the refusals below." in text
    assert "leverage 40, edge 12" in text
    assert "lowest health not known" in text


def test_a_run_is_compared_with_holding() -> None:
    held = result(strategy="hold", pnl_e6=QUIET | {"price": 5_000_000}, trades=1)
    text = printed(lost(), held)
    assert "hold 1 SOL-PERP, same time and capital: +5.00 (+0.05 %)" in text
    assert "This run did worse by 30.00." in text
    assert "could not be held on this capital: refused by leverage" in printed(
        lost(), result(strategy="hold", refusals={"leverage": 3})
    )
    halted = result(strategy="hold", trades=2, latched=True, reason="the account breaker")
    assert "it was halted: the account breaker" in printed(lost(), halted)


def test_what_it_stands_on_is_listed_as_it_is() -> None:
    text = printed(result(assumptions=["oracle [of SOL]: a close"], gaps=["rates: 3 of 10 hours missing"]))
    assert "oracle [of SOL]: a close" in text
    assert "rates: 3 of 10 hours missing" in text
    assert "none of these prices ever happened" in printed(result(simulated=True))
