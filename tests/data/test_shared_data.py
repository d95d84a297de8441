"""The real data, where it is at hand: its own facts, as ../shared/data/README.md states them."""

import json
from pathlib import Path

import pytest
from market_files import shared_data
from typer.testing import CliRunner

from drift_engine.cli.data import app
from drift_engine.core.funding import payment_e6, rate_drift_e9
from drift_engine.core.units import tdiv
from drift_engine.simulation.audit import audit
from drift_engine.simulation.market_data import MarketData
from drift_engine.simulation.rows import Row
from drift_engine.simulation.timeline import RowKind, Timeline, load_timeline

FROM, TO = 1_744_588_800 * 10**9, 1_761_955_200 * 10**9  # 2025-04-14 to 2025-11-01
SPOTS = {"SOL-PERP": "SOL", "BTC-PERP": "wBTC"}


@pytest.fixture(scope="module")
def directory() -> Path:
    return shared_data()


@pytest.fixture(scope="module", params=SPOTS)
def timeline(request: pytest.FixtureRequest, directory: Path) -> Timeline:
    return load_timeline(directory, request.param, FROM, TO, spots=(SPOTS[request.param],))


def rows(timeline: Timeline, kind: int, market: int = 0) -> list[Row]:
    return [row for chunk in timeline.chunks() for row in chunk.rows() if row[1] == kind and row[2] == market]


def test_the_hourly_figures_sum_to_the_published_ones(timeline: Timeline) -> None:
    settled = rows(timeline, RowKind.FUNDING)
    assert len(settled) == 4_824
    expected = {"SOL-PERP": (2_453_931, 2_453_935), "BTC-PERP": (-4_343_141_327, -4_343_925_169)}
    received = [payment_e6(row[3], 10**9) for row in settled]
    assert (sum(received[1:]), sum(received)) == expected[timeline.markets[0]]


def test_every_rate_follows_from_its_twaps(timeline: Timeline) -> None:
    for _, _, _, rate, mark, oracle, _ in rows(timeline, RowKind.FUNDING):
        assert rate == rate_drift_e9(mark, oracle, "B") == tdiv((mark - oracle + oracle // 5_000) * 1_000, 24)


def test_prices_are_whole_and_marked_by_the_last_settled_premium(timeline: Timeline) -> None:
    prices = rows(timeline, RowKind.PRICE)
    assert len(prices) == 201 * 288
    assert (prices[0][0], prices[-1][0]) == (FROM, TO - 300 * 10**9)
    settled = iter(rows(timeline, RowKind.FUNDING))
    following: Row | None = next(settled)
    last: Row | None = None
    for ts, _, _, oracle, mark, _, _ in prices:
        while following is not None and following[0] <= ts:
            following, last = next(settled, None), following
        assert last is not None
        assert mark == oracle * last[4] // last[5]


def test_known_prices_of_2025_10_10(directory: Path) -> None:
    """README: SOL spot 180.05 and perp 148.52 at 21:15, each the close of the candle that ends then plus 5 minutes."""
    crash = 1_760_130_900 * 10**9  # 21:15, a candle's open
    timeline = load_timeline(directory, "SOL-PERP", crash, crash + 3_600 * 10**9 + 1, mark="binance")
    assert (180_050_000, 148_520_000) in [row[3:5] for row in rows(timeline, RowKind.PRICE)]


def test_lending_hours_are_carried_and_counted(timeline: Timeline) -> None:
    usdc = rows(timeline, RowKind.INTEREST, 1)
    assert len(usdc) == 4_824
    assert all(row[4] > 0 and row[3] > 0 for row in usdc)
    assert [row[5] for row in usdc] == [0, *[3_600] * 4_823]
    assert any(
        "1386 of 4823 hours missing" in line and "1386 carry the last rate, 0 are unknown" in line
        for line in timeline.gaps
    )


def test_btc_has_no_lending_series(directory: Path) -> None:
    timeline = load_timeline(directory, "BTC-PERP", FROM, TO, spots=("wBTC",))
    assert rows(timeline, RowKind.INTEREST, 2) == []
    assert "wBTC: no lending rates; deposits earn 0 and borrowing it is refused" in timeline.assumptions


def test_every_file_can_be_read(directory: Path) -> None:
    data = MarketData(directory)
    assert data.perps() == ("BTC-PERP", "SOL-PERP")
    for asset in ("SOL", "BTC"):
        assert len(data.binance_funding(asset).ts_ns) == 912
        assert len(data.hyperliquid_funding(asset).ts_ns) > 7_000
        assert len(data.candles(asset, "mark", "1h").ts_ns) == 7_296
        assert len(data.candles(asset, "spot", "1m", "hyperliquid").ts_ns) > 6_000


def test_the_audit_finds_what_the_readme_says(directory: Path) -> None:
    report = audit(directory)
    assert not report.faulty
    missing = {file.file: file.missing for file in report.files if file.missing}
    assert missing == {f"drift/spot_rates_{asset}_1h.csv.gz": 1_416 for asset in ("SOL", "USDC")}
    assert not any(file.notes for file in report.files)
    assert len(report.files) == 29


def test_the_command_on_the_real_data(directory: Path) -> None:
    done = CliRunner().invoke(app, ["check", str(directory), "--json"])
    assert done.exit_code == 0
    assert json.loads(done.stdout)["ok"] is True
