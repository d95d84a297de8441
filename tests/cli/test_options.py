from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drift_engine.cli.options import parse_duration, run_config
from drift_engine.config import ConfigError, RunConfig, interval_for, paced


def config_file(place: Path, text: str) -> Path:
    path = place / "run.toml"
    path.write_text(text)
    return path


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("20s", 20), ("5m", 300), ("1h", 3_600), ("2d", 172_800), ("90", 90), ("0.5s", 0.5), (None, None)],
)
def test_lengths_of_time(text: str | None, seconds: float | None) -> None:
    assert parse_duration(text) == seconds


@pytest.mark.parametrize("text", ["", "s", "soon", "0", "-1s", "1w", "nan", "inf"])
def test_what_is_no_length_of_time_is_refused(text: str) -> None:
    with pytest.raises(ConfigError, match="--for"):
        parse_duration(text)


def test_flags_alone_make_a_run() -> None:
    flags = {
        "strategy": "hold",
        "set": ["target=-1"],
        "limit": ["max_leverage=3,daily_drawdown=off"],
        "capital": "2500",
    }
    run = run_config("backtest", None, flags)
    assert (run.mode, run.strategy, run.params, run.capital_e6) == ("backtest", "hold", {"target": "-1"}, 2_500_000_000)
    assert (run.limits.max_leverage_e4, run.limits.daily_drawdown_e4) == (30_000, None)


def test_paper_may_use_ten_times_leverage_and_backtest_five() -> None:
    assert run_config("paper", None, {"strategy": "hold"}).limits.max_leverage_e4 == 100_000
    assert run_config("backtest", None, {"strategy": "hold"}).limits.max_leverage_e4 == 50_000


def test_a_file_without_a_mode_takes_the_commands(tmp_path: Path) -> None:
    path = config_file(tmp_path, 'strategy = "hold"\n[params]\ntarget = "2"\nmarket = "BTC-PERP"\n')
    run = run_config("backtest", path, {"set": ["target=-1"]})
    assert (run.mode, run.limits.max_leverage_e4) == ("backtest", 50_000)
    assert run.params == {"target": "-1", "market": "BTC-PERP"}
    assert run_config("paper", path, {}).limits.max_leverage_e4 == 100_000


def test_a_file_of_another_mode_is_refused(tmp_path: Path) -> None:
    path = config_file(tmp_path, 'strategy = "hold"\nmode = "paper"\n')
    with pytest.raises(ConfigError, match="drift-engine paper"):
        run_config("backtest", path, {})


BAD: list[tuple[dict[str, Any], str]] = [
    ({}, "STRATEGY"),
    ({"strategy": "hold", "mark": "ftx"}, "--mark"),
    ({"strategy": "hold", "fill": "never"}, "--fill"),
    ({"strategy": "hold", "speed": 0.0}, "--speed"),
    ({"strategy": "hold", "data": Path("nowhere/at/all")}, "no directory"),
    ({"strategy": "hold", "data": Path(), "scenario": "calm_carry"}, "keep one"),
    ({"strategy": "hold", "from": "2025-05-02", "to": "2025-05-01"}, "--from"),
    ({"strategy": "hold", "from": "yesterday"}, "--from"),
    ({"strategy": "hold", "journal": Path("nowhere/x.journal")}, "--journal"),
    ({"strategy": "hold", "set": ["target"]}, "name=value"),
    ({"strategy": "hold", "limit": ["max_lev=3"]}, "max_leverage"),
    ({"strategy": "hold", "capital": "0"}, "capital"),
]


@pytest.mark.parametrize(("flags", "said"), BAD)
def test_bad_flags_are_refused_with_what_is_wrong(flags: dict[str, Any], said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        run_config("paper", None, flags)


@given(st.floats(0.001, 1e9))
def test_prices_of_a_scenario_divide_an_hour(speed: float) -> None:
    length_s = interval_for(speed)
    assert 3_600 % length_s == 0
    assert 1 <= length_s <= 1_800
    assert length_s <= max(1.0, speed / 10 + 0.5)


def test_a_paper_run_without_a_market_takes_the_calm_one_at_a_pace_to_watch() -> None:
    run = paced(RunConfig(), speed_given=False)
    assert (run.scenario, run.speed) == ("calm_carry", 600.0)
    kept = paced(RunConfig(data=Path(), speed=1.0), speed_given=True)
    assert (kept.scenario, kept.speed) == (None, 1.0)
