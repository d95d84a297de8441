"""Figures for Prometheus, made from the statuses at the moment they are asked for. What is not known is left out."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.exposition import generate_latest
from prometheus_client.registry import Collector, CollectorRegistry
from starlette.requests import Request
from starlette.responses import Response

from drift_engine.dashboard.room import Room

KIND = "text/plain; version=0.0.4; charset=utf-8"
_ENGINE = ("engine",)
_E6, _E9 = 10**6, 10**9
Status = Mapping[str, Any]

_GAUGES: dict[str, tuple[str, tuple[str, ...], float]] = {
    "health_ratio": ("Margin health, 0 to 1.", ("margin", "health"), 1),
    "leverage_ratio": ("Liabilities over net equity.", ("margin", "leverage"), 1),
    "free_collateral_usd": ("Collateral beyond the initial margin.", ("margin", "free_e6"), _E6),
    "equity_usd": ("Equity of the account.", ("equity_e6",), _E6),
    "drawdown_ratio": ("Fall of equity from its high.", ("drawdown",), 1),
    "uptime_seconds": ("How long the engine's process has run.", ("uptime_s",), 1),
    "seq": ("Number of the last record.", ("seq",), 1),
    "tick_latency_p50_seconds": ("Median time of a tick.", ("tick_latency", "p50_us"), 10**6),
    "tick_latency_p99_seconds": ("99th percentile of the time of a tick.", ("tick_latency", "p99_us"), 10**6),
    "tick_cpu_p50_seconds": ("Median CPU time of a tick.", ("tick_latency", "cpu_p50_us"), 10**6),
    "tick_cpu_p99_seconds": ("99th percentile of the CPU time of a tick.", ("tick_latency", "cpu_p99_us"), 10**6),
}


class Figures(Collector):
    """Collects from the control room."""

    def __init__(self, room: Room) -> None:
        self._room = room

    def collect(self) -> Iterator[Metric]:
        """Yield every family."""
        statuses = self._room.fleet.statuses()
        for name, (text, path, scale) in _GAUGES.items():
            yield _gauge(name, text, statuses, path, scale)
        yield from _states(statuses)
        yield _labelled("net_delta_base", "Net exposure in base units.", "asset", statuses, "net_delta_e9", _E9)
        yield _labelled("pnl_usd", "Profit and loss by cause.", "cause", statuses, "pnl", _E6)
        yield _oracle_ages(statuses)
        yield from _counters(statuses)
        yield from self._own()

    def _own(self) -> Iterator[Metric]:
        room = self._room
        clients = GaugeMetricFamily("drift_stream_clients", "Clients that listen to the stream.")
        clients.add_metric((), room.stream.clients)
        yield clients
        drops = CounterMetricFamily("drift_stream_drops", "Clients of the stream that fell behind and were dropped.")
        drops.add_metric((), room.stream.drops)
        yield drops
        refused = CounterMetricFamily("drift_requests_refused", "Requests refused, by reason.", labels=("reason",))
        for reason, count in room.refusals.items():
            refused.add_metric((reason,), count)
        yield refused
        up = GaugeMetricFamily("drift_manager_up", "Whether the manager answers.")
        up.add_metric((), int(room.fleet.manager.ok))
        yield up


def _gauge(name: str, text: str, statuses: Iterable[Status], path: tuple[str, ...], scale: float) -> Metric:
    family = GaugeMetricFamily(f"drift_{name}", text, labels=_ENGINE)
    for status in statuses:
        value: Any = status
        for step in path:
            value = (value or {}).get(step)
        if _is_figure(value):
            family.add_metric((status["engine"],), value / scale)
    return family


def _labelled(name: str, text: str, label: str, statuses: Iterable[Status], key: str, scale: int) -> Metric:
    family = GaugeMetricFamily(f"drift_{name}", text, labels=("engine", label))
    for status in statuses:
        for part, value in (status.get(key) or {}).items():
            if part != "total_e6" and _is_figure(value):
                family.add_metric((status["engine"], part.removesuffix("_e6")), value / scale)
    return family


def _states(statuses: Iterable[Status]) -> Iterator[Metric]:
    family = GaugeMetricFamily("drift_engine_state", "1 for the state an engine is in.", labels=("engine", "status"))
    trading = GaugeMetricFamily("drift_trading_state", "1 for what it may do.", labels=("engine", "trading"))
    for status in statuses:
        family.add_metric((status["engine"], str(status.get("status"))), 1)
        if status.get("trading"):
            trading.add_metric((status["engine"], str(status["trading"])), 1)
    yield family
    yield trading


def _oracle_ages(statuses: Iterable[Status]) -> Metric:
    """The age in the market's own time, as the engine saw it."""
    family = GaugeMetricFamily("drift_oracle_age_seconds", "Age of a market's price.", labels=("engine", "market"))
    for status in statuses:
        now_ns = status.get("as_of_ns") or status.get("now_ns")
        for market, figures in (status.get("markets") or {}).items():
            if now_ns and figures.get("oracle_e6") is not None and figures.get("ts_ns"):
                family.add_metric((status["engine"], market), max(0, now_ns - figures["ts_ns"]) / _E9)
    return family


def _counters(statuses: Iterable[Status]) -> Iterator[Metric]:
    refusals = CounterMetricFamily("drift_refusals", "Plans refused, by gate.", labels=("engine", "gate"))
    restarts = CounterMetricFamily("drift_restarts", "Times an engine died and was started again.", labels=_ENGINE)
    fills = CounterMetricFamily("drift_fills", "Fills that changed a position.", labels=_ENGINE)
    for status in statuses:
        tally = status.get("tally") or {}
        for gate, count in (tally.get("refusals") or {}).items():
            refusals.add_metric((status["engine"], gate), count)
        if _is_figure(tally.get("trades")):
            fills.add_metric((status["engine"],), tally["trades"])
        if _is_figure(status.get("restarts")):
            restarts.add_metric((status["engine"],), status["restarts"])
    yield refusals
    yield restarts
    yield fills


def _is_figure(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


async def metrics(request: Request) -> Response:
    """Every figure, in Prometheus' text form."""
    registry = CollectorRegistry(auto_describe=False)
    registry.register(Figures(request.app.state.room))
    return Response(
        generate_latest(registry), media_type=None, headers={"content-type": KIND, "cache-control": "no-store"}
    )
