"""What to run: every mistake is one line that says what, where and how to mend it."""

from __future__ import annotations

from pathlib import Path

import pytest

from drift_engine import config
from drift_engine.config import ConfigError, RunConfig
from drift_engine.execution.limits import Limits

FULL = """
strategy = "hold"
mode = "backtest"
market = "SOL-PERP"
data = "data"
mark = "binance"
from = 2025-04-14
to = "2025-11-01"
capital = 2500.5
seed = 7
faults = ["report_late"]

[params]
target = -1

[limits]
max_leverage = 3
daily_drawdown = "off"
"""


def test_a_whole_file_becomes_a_run(tmp_path: Path) -> None:
    path = tmp_path / "run.toml"
    path.write_text(FULL)
    run = config.load(path)
    assert run.data == tmp_path / "data"
    assert (run.from_ns, run.to_ns) == (1_744_588_800 * 10**9, 1_761_955_200 * 10**9)
    assert (run.capital_e6, run.seed, run.params) == (2_500_500_000, 7, {"target": "-1"})
    assert (run.limits.max_leverage_e4, run.limits.daily_drawdown_e4) == (30_000, None)


def test_a_run_comes_back_from_what_a_journal_records(tmp_path: Path) -> None:
    path = tmp_path / "run.toml"
    path.write_text(FULL)
    run = config.load(path)
    assert config.from_identity(run.identity()) == run


def test_paper_starts_from_a_leverage_of_ten_and_the_rest_from_five() -> None:
    assert config.from_table({}).limits.max_leverage_e4 == 100_000
    assert config.from_table({"mode": "backtest"}).limits == Limits()


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("stratgy = 'hold'", "unknown key 'stratgy'; did you mean 'strategy'?"),
        ("zzz = 1", "unknown key 'zzz'; known are"),
        ("mode = 'papr'", "'mode' is 'papr'; it must be one of paper, live, backtest"),
        ("capital = 'ten'", "capital: 'ten' is not a number; write an amount in USD"),
        ("capital = -1", "capital is -1; it must be more than 0"),
        ("from = 'yesterday'", "from 'yesterday' is no date; write it as 2025-04-14"),
        ("market = 1", "'market' is 1; it must be text"),
        ("speed = 'fast'", "'speed' is 'fast'; it must be a number of 0 or more"),
        ("seed = true", "'seed' is True; it must be a whole number"),
        ("days = 1.5", "'days' is 1.5; it must be a whole number of 0 or more"),
        ("speed = nan", "'speed' is nan; it must be a number of 0 or more"),
        ("faults = 'leg_fails'", "'faults' is 'leg_fails'; it must be a list of texts"),
        ("faults = [1]", "'faults' is [1]; it must be a list of texts"),
        ("params = 3", "'params' must be a section [params]"),
        ("[limits]\nmax_levrage = 3", "unknown limit 'max_levrage'; did you mean 'max_leverage'?"),
        ("[limits]\nmax_leverage = 'lots'", "limit 'max_leverage': 'lots' is not a number; write a number or 'off'"),
        ("[limits]\nmax_leverage = -2", "limit 'max_leverage' is -2; it must not be negative"),
        ("[limits]\naccount_drawdown = 10", "limit 'account_drawdown' is 10; it is a share from 0 to 1"),
        ("[limits]\nmax_leverage = '1e999999999'", "limit 'max_leverage': '1e999999999' is too large"),
        ("capital = '1e999999999'", "capital: '1e999999999' is too large"),
        ("= 3", "is not TOML"),
    ],
)
def test_a_mistake_is_one_line_that_names_file_and_key(tmp_path: Path, text: str, line: str) -> None:
    path = tmp_path / "bad.toml"
    path.write_text(text)
    with pytest.raises(ConfigError) as caught:
        config.load(path)
    assert str(caught.value).startswith(f"{path}: ")
    assert line in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_file_is_utf_8_wherever_it_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("locale.getpreferredencoding", lambda *_: "ascii")
    monkeypatch.setattr("io.text_encoding", lambda *_: "ascii")
    path = tmp_path / "run.toml"
    path.write_bytes("strategy = 'stratégie'".encode())
    assert config.load(path).strategy == "stratégie"
    path.write_bytes(b"strategy = '\xe9'")
    with pytest.raises(ConfigError, match=r"run\.toml: is not TOML: .*utf-8"):
        config.load(path)


def test_a_file_that_is_not_there_says_so(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"cannot be read: No such file"):
        config.load(tmp_path / "none.toml")


@pytest.mark.parametrize(
    ("pairs", "line"), [(["a"], "--set 'a' is not of the form name=value"), (["a=1,a=2"], "--set names 'a' twice")]
)
def test_pairs_that_are_no_pairs(pairs: list[str], line: str) -> None:
    with pytest.raises(ConfigError, match=line):
        config.parse_pairs(pairs, "--set")


def test_multiples_may_pass_one() -> None:
    limits = config.from_table({"limits": {"max_leverage": 20, "edge_multiple": 3, "min_health_after": 1}}).limits
    assert (limits.max_leverage_e4, limits.edge_multiple_e4, limits.min_health_after_e4) == (200_000, 30_000, 10_000)


def test_pairs_may_stand_alone_or_together() -> None:
    assert config.parse_pairs(["a=1,b = 2", "c=x=y"], "--set") == {"a": "1", "b": "2", "c": "x=y"}


def test_dates_are_utc_midnight() -> None:
    assert config.show_date(config.parse_date("2025-04-14", "--from")) == "2025-04-14T00:00:00Z"
    assert config.show_date(config.parse_date("2025-04-14T02:00:00+02:00", "--from")) == "2025-04-14T00:00:00Z"
    assert config.show_date(None) == ""


def test_a_plain_run_is_calm_and_small() -> None:
    assert RunConfig().capital_e6 == 10_000 * 10**6
