"""Series as they lie in a directory: scales, order, and what is refused."""

from pathlib import Path

import pytest
from market_files import (
    CANDLES,
    FUNDING,
    FUNDING_FILE,
    HOUR,
    LENDING,
    NS,
    SPOT_FILE,
    T0,
    USDC_RATES,
    candle,
    candles,
    funding,
    lending,
    small_directory,
    write,
)

from drift_engine.simulation.audit import audit_file
from drift_engine.simulation.market_data import DataError, MarketData, asset_of


def test_each_series_comes_in_its_scale(tmp_path: Path) -> None:
    data = MarketData(small_directory(tmp_path))
    settled = data.funding("SOL-PERP")
    assert settled["rate_e9"].tolist() == [100_000, -200_000, 300_001]
    assert settled["oracle_twap_e6"].tolist() == [100_000_000, 100_000_000, 100_000_003]
    assert settled.ts_s.tolist() == [T0, T0 + HOUR + 7, T0 + 2 * HOUR + 7]
    prices = data.candles("SOL", "spot")
    assert prices["open_e6"][:2].tolist() == [100_000_000, 100_001_000]
    assert prices["close_e6"][:2].tolist() == [100_001_000, 100_002_000]
    rates = data.lending("USDC")
    assert rates is not None
    assert rates["deposit_rate_e6"][0] == 97_160
    assert rates["borrow_rate_e6"][0] == 123_258
    assert data.lending("BTC") is None


def test_the_other_venues_series(tmp_path: Path) -> None:
    write(tmp_path, "binance/SOL_funding_8h.csv.gz", "ts,fundingRate", [f"{T0},-5.587e-05", f"{T0 + 8 * HOUR},0.0001"])
    row = f"{T0 * 1_000 + 54},0.0000125,-0.0002325347"
    write(tmp_path, "hyperliquid/SOL_funding_1h.csv.gz", "ts_ms,fundingRate,premium", [row])
    write(tmp_path, "hyperliquid/SOL_perp_1m.csv.gz", CANDLES, [candle(T0 + 60, "186.07", "186.08")])
    data = MarketData(tmp_path)
    assert data.binance_funding("SOL")["rate_e12"].tolist() == [-55_870_000, 100_000_000]
    hourly = data.hyperliquid_funding("SOL")
    assert hourly.ts_ns.tolist() == [T0 * NS + 54_000_000]
    assert (hourly["rate_e12"][0], hourly["premium_e12"][0]) == (12_500_000, -232_534_700)
    assert data.candles("SOL", "perp", "1m", "hyperliquid")["close_e6"].tolist() == [186_080_000]


def test_an_unknown_market_names_those_there_are(tmp_path: Path) -> None:
    data = MarketData(small_directory(tmp_path))
    assert data.perps() == ("SOL-PERP",)
    with pytest.raises(DataError, match=r"no market 'DOGE-PERP' in .*; it has SOL-PERP$"):
        data.funding("DOGE-PERP")


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    (small_directory(tmp_path) / FUNDING_FILE).unlink()
    with pytest.raises(DataError, match=f"{FUNDING_FILE}: missing in "):
        MarketData(tmp_path).funding("SOL-PERP")


def test_a_missing_directory_is_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"no directory .*nowhere"):
        MarketData(tmp_path / "nowhere")


def test_rows_that_repeat_are_left_out_and_told(tmp_path: Path) -> None:
    rows = candles(5)
    write(tmp_path, SPOT_FILE, CANDLES, [*rows[:3], rows[1], *rows[3:]])
    series = MarketData(tmp_path).candles("SOL", "spot")
    assert series.ts_s.tolist() == [T0 - 300 + at * 300 for at in range(5)]
    assert series.notes == (
        f"{SPOT_FILE}: 1 rows out of order, put in order (line 5)",
        f"{SPOT_FILE}: 1 rows repeat another, left out (line 5)",
    )


def test_rows_out_of_order_are_put_in_order_and_told(tmp_path: Path) -> None:
    rows = candles(4)
    write(tmp_path, SPOT_FILE, CANDLES, [rows[0], rows[2], rows[1], rows[3]])
    series = MarketData(tmp_path).candles("SOL", "spot")
    assert series["close_e6"].tolist() == [100_001_000, 100_002_000, 100_003_000, 100_004_000]
    assert series.notes == (f"{SPOT_FILE}: 1 rows out of order, put in order (line 4)",)


def test_two_rows_that_disagree_of_one_moment_are_refused(tmp_path: Path) -> None:
    small_directory(tmp_path)
    rows = [funding(T0, "0.0001", "100", "101"), funding(T0, "0.0002", "100", "101")]
    write(tmp_path, FUNDING_FILE, FUNDING, rows)
    with pytest.raises(DataError, match="line 3: tells something else of the same time as line 2"):
        MarketData(tmp_path).funding("SOL-PERP")


@pytest.mark.parametrize(
    ("row", "what"),
    [
        (candle(T0 + 1, "1", "1"), f"ts is {T0 + 1}, not a time on the grid of 300 s"),
        (candle(-300, "1", "1"), "ts is -300, not a time"),
        (candle(T0 * 1_000, "1", "1"), "not a time"),
        (candle(T0, "1", "0"), "close is '0', not more than 0"),
        (candle(T0, "1", "-1.5"), "close is '-1.5', not more than 0"),
        (candle(T0, "x", "1"), "open is 'x', which is no number"),
    ],
)
def test_a_row_that_cannot_be_relied_on_is_refused(tmp_path: Path, row: str, what: str) -> None:
    write(tmp_path, SPOT_FILE, CANDLES, [candle(T0 - 300, "1", "1"), row])
    with pytest.raises(DataError, match=f"^{SPOT_FILE}, line 3: .*{what}"):
        MarketData(tmp_path).candles("SOL", "spot")


def test_a_rate_below_nothing_is_refused_and_named_by_the_audit(tmp_path: Path) -> None:
    small_directory(tmp_path)
    row = lending(T0, "3", "-0.01")
    write(tmp_path, USDC_RATES, LENDING, [lending(T0 - HOUR, "0", "0"), row])
    with pytest.raises(DataError, match=r"line 3: avgBorrowingRate is '-0\.01', not 0 or more"):
        MarketData(tmp_path).lending("USDC")
    assert [place.line for place in audit_file(tmp_path, USDC_RATES).unreadable] == [3]


def test_reading_writes_nothing(tmp_path: Path) -> None:
    small_directory(tmp_path)
    before = sorted(tmp_path.rglob("*"))
    data = MarketData(tmp_path)
    data.funding("SOL-PERP"), data.candles("SOL", "spot"), data.lending("USDC")
    assert sorted(tmp_path.rglob("*")) == before
    assert USDC_RATES in {path.relative_to(tmp_path).as_posix() for path in before}


@pytest.mark.parametrize(
    ("market", "asset"), [("SOL-PERP", "SOL"), ("SOL", "SOL"), ("wBTC", "BTC"), ("W", "W"), ("wif", "wif")]
)
def test_the_asset_behind_a_market(market: str, asset: str) -> None:
    assert asset_of(market) == asset
