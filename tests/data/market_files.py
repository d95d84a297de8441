"""Small market-data directories with figures of their own."""

import gzip
import os
from collections.abc import Sequence
from pathlib import Path

import pytest

T0 = 1_750_032_000  # 2025-06-16 00:00:00 UTC, a midnight
HOUR = 3_600
NS = 10**9

CANDLES = "ts,open,high,low,close,volume"
FUNDING = "ts,fundingRate,fundingRateLong,fundingRateShort,oraclePriceTwap,markPriceTwap,periodRevenue"
LENDING = "ts,avgLendingRate,avgBorrowingRate,minLendingRate,maxLendingRate,sampleCount"

SPOT_FILE = "binance/SOL_spot_5m.csv.gz"
PERP_FILE = "binance/SOL_perp_5m.csv.gz"
FUNDING_FILE = "drift/SOL-PERP_funding_1h.csv.gz"
SOL_RATES = "drift/spot_rates_SOL_1h.csv.gz"
USDC_RATES = "drift/spot_rates_USDC_1h.csv.gz"


def write(root: Path, name: str, header: str, rows: Sequence[str]) -> Path:
    path = root / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(gzip.compress("".join(line + "\n" for line in (header, *rows)).encode(), mtime=0))
    return path


def candle(ts: int, opened: str, close: str) -> str:
    return f"{ts},{opened},{close},{close},{close},1.5"


def funding(ts: int, rate: str, oracle: str, mark: str) -> str:
    return f"{ts},{rate},{rate},{rate},{oracle},{mark},0.5"


def lending(ts: int, deposit: str, borrow: str) -> str:
    return f"{ts},{deposit},{borrow},1,1,12"


def candles(count: int, first: int = T0 - 300, base: int = 100) -> list[str]:
    """Candles whose close is base.01, base.02, … from the one that is known at T0 on."""
    return [candle(first + at * 300, f"{base}.{at:03d}", f"{base}.{at + 1:03d}") for at in range(count)]


def small_directory(root: Path) -> Path:
    """Three hours of SOL: candles known from T0, funding at T0 and 7 s past each hour, lending from T0 - 2 h."""
    write(root, SPOT_FILE, CANDLES, candles(37))
    write(root, PERP_FILE, CANDLES, candles(37, base=99))
    rows = [
        funding(T0, "0.000100000", "100.000000", "101.000000"),
        funding(T0 + HOUR + 7, "-0.000200000", "100.000000", "99.000000"),
        funding(T0 + 2 * HOUR + 7, "0.000300001", "100.000003", "100.500001"),
    ]
    write(root, FUNDING_FILE, FUNDING, rows)
    for name, deposit in ((SOL_RATES, "4.4701"), (USDC_RATES, "9.716033333")):
        hours = [lending(T0 + hour * HOUR, deposit, "12.32589167") for hour in range(-2, 3)]
        write(root, name, LENDING, hours)
    return root


def shared_data() -> Path:
    """The real data, where it lies beside the project or where ``DRIFT_SHARED`` says."""
    named = os.environ.get("DRIFT_SHARED")
    beside = Path(__file__).resolve().parents[2].parent / "shared"
    for shared in (Path(named),) if named else (beside,):
        if (shared / "data" / "drift").is_dir():
            return shared / "data"
    pytest.skip("no ../shared/data beside the project, and DRIFT_SHARED names none")
