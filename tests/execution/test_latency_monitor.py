"""Latency: the average of the last twenty reports, by the timestamps they carry."""

from gate_builders import NOW_NS, SLOT

from drift_engine.core.types import Filled, PlanClosed, Ticked
from drift_engine.core.units import SECOND_NS
from drift_engine.execution.latency_monitor import FORGOTTEN_AFTER_NS, LatencyMonitor

MS = 1_000_000


def closed(latency_ms: int, ts_ns: int = NOW_NS) -> PlanClosed:
    return PlanClosed(ts_ns, 1, "p1", "filled", ts_ns + latency_ms * MS)


def fill(latency_ms: int) -> Filled:
    return Filled(NOW_NS, 1, "p1", 0, "SOL-PERP", "perp", 1, -1, 0, 1, 1, SLOT, NOW_NS + latency_ms * MS)


def test_nothing_measured_is_no_zero() -> None:
    monitor = LatencyMonitor()
    assert monitor.average_ms() is None
    monitor.observe(Ticked(NOW_NS, SLOT))
    assert monitor.average_ms() is None


def test_fills_and_outcomes_are_averaged_in_whole_milliseconds() -> None:
    monitor = LatencyMonitor()
    monitor.observe(fill(100))
    monitor.observe(closed(201))
    assert monitor.average_ms() == 150


def test_only_the_last_twenty_count() -> None:
    monitor = LatencyMonitor()
    for latency_ms in (9_000, *(100,) * 19):
        monitor.observe(closed(latency_ms))
    assert monitor.average_ms() == (9_000 + 1_900) // 20
    monitor.observe(closed(100))
    assert monitor.average_ms() == 100


def test_a_report_from_the_future_took_no_time() -> None:
    monitor = LatencyMonitor()
    monitor.observe(closed(-50))
    assert monitor.average_ms() == 0


def test_old_measurements_are_forgotten_so_that_a_slow_hour_does_not_block_for_ever() -> None:
    monitor = LatencyMonitor()
    monitor.observe(closed(900, NOW_NS - FORGOTTEN_AFTER_NS))
    monitor.observe(closed(100, NOW_NS))
    assert monitor.average_ms(NOW_NS) == 500
    assert monitor.average_ms(NOW_NS + SECOND_NS) == 100
    assert monitor.average_ms(NOW_NS + 2 * FORGOTTEN_AFTER_NS) is None
    assert monitor.average_ms() == 500
