"""The EMA cross on 100,000 candles by other engines, each in an environment of its own."""

import os
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks import candles, ema
from benchmarks.measure import Result
from benchmarks.peers.environments import PEERS, AbsentError, Peer, install, run

GROUP = "100,000 candles, EMA cross"
ROUNDS = 3


def main() -> list[Result]:
    """Return one line a peer."""
    if os.environ.get("BENCH_PEERS") == "off":
        return [Result(GROUP, peer.pin, None, "µs/event", note="BENCH_PEERS=off") for peer in PEERS]
    rows = candles.make()
    with TemporaryDirectory() as folder:
        path = Path(folder) / "candles.npy"
        candles.write(path, rows)
        return [measured(peer, path, ema.trades(rows)) for peer in PEERS]


def measured(peer: Peer, path: Path, expected: list[ema.Trade], rounds: int = ROUNDS) -> Result:
    """Return a peer's line; an engine that made other trades did other work, so it gets no figure."""
    try:
        install(peer)
        figure_ns, trades = run(peer, path, rounds)
    except AbsentError as error:
        return Result(GROUP, peer.pin, None, "µs/event", note=str(error)[:100])
    if trades != expected:
        return Result(
            GROUP, peer.pin, None, "µs/event", note=f"{len(trades)} trades, other than {len(expected)} expected"
        )
    return Result(GROUP, peer.pin, figure_ns / 1_000, "µs/event", note=f"{len(trades)} trades, equal")
