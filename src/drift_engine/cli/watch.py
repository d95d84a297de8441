"""Run an engine and show it until it ends, its time is up, or someone stops it. The engine never waits for the view."""

import asyncio
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from msgspec import Struct

from drift_engine.cli import exits, places
from drift_engine.engine import DriftEngine
from drift_engine.journal import JournalError
from drift_engine.signals import stopping
from drift_engine.simulation.venue_log import VenueLogError

if TYPE_CHECKING:
    from drift_engine.cli.venue_options import Place
    from drift_engine.config import RunConfig
    from drift_engine.strategies.base import DriftStrategy
    from drift_engine.wiring import Ports

_REDRAW_S = 0.25
_LINE_S = 1.0
Show = Callable[[dict[str, Any], float], None]


class Outcome(Struct, frozen=True):
    """How a watched run ended: its last status, how long it took, and the market's time at its first tick."""

    status: dict[str, Any]
    wall_s: float
    began_ns: int


async def watch_chain(
    run: "RunConfig", strategy: "DriftStrategy", node: "Place", length_s: float | None, *, quiet: bool
) -> Outcome:
    """The same on a live venue's markets, as its nodes tell of them."""
    from drift_engine.wiring_chain import on_chain

    async with on_chain(run, strategy, node.urls, node.ws_urls) as ports:
        return await watch(run, strategy, length_s, quiet=quiet, ports=ports)


async def watch(
    run: "RunConfig", strategy: "DriftStrategy", length_s: float | None, *, quiet: bool, ports: "Ports | None" = None
) -> Outcome:
    """Start the engine, show it, stop it. SIGINT and SIGTERM end it cleanly."""
    engine = DriftEngine(strategy, config=run, ports=ports)
    began = time.monotonic()
    stop = asyncio.Event()
    with stopping(stop.set):
        await engine.start()
        try:
            if run.journal is not None:
                places.remember(run.state_dir, run.journal)
            began_ns = engine.get_status()["now_ns"]
            with _shown(run, length_s, quiet=quiet) as (show, pause_s):
                await _until_over(engine, stop, began, length_s, show=show, pause_s=pause_s)
        finally:
            await engine.stop()
    return Outcome(engine.get_status(), time.monotonic() - began, began_ns)


async def _until_over(
    engine: DriftEngine, stop: asyncio.Event, began: float, length_s: float | None, *, show: Show, pause_s: float
) -> None:
    over = asyncio.create_task(engine.wait())
    stopped = asyncio.create_task(stop.wait())
    try:
        while not over.done() and not stop.is_set():
            elapsed_s = time.monotonic() - began
            if length_s is not None and elapsed_s >= length_s:
                break
            show(engine.get_status(), elapsed_s)
            left_s = pause_s if length_s is None else min(pause_s, length_s - elapsed_s)
            await asyncio.wait({over, stopped}, timeout=left_s, return_when=asyncio.FIRST_COMPLETED)
        show(engine.get_status(), time.monotonic() - began)
        if over.done():
            over.result()
    except (JournalError, VenueLogError) as error:
        raise exits.FailedError(f"the run ended: {error}") from error
    finally:
        for task in (over, stopped):
            task.cancel()


@contextmanager
def _shown(run: "RunConfig", length_s: float | None, *, quiet: bool) -> Iterator[tuple[Show, float]]:
    """Yield how to show a status, and how often."""
    if quiet:
        yield (lambda _status, _elapsed_s: None), _LINE_S
        return
    from drift_engine.cli.output import is_live, out
    from drift_engine.cli.view import View, plain

    console = out()
    if not is_live(console):
        yield (lambda status, _elapsed_s: print(plain(status), flush=True)), _LINE_S
        return
    from rich.live import Live

    view = View(run.limits, run.speed, length_s, str(run.journal or ""))
    last: list[Any] = []
    with Live(console=console, screen=True, auto_refresh=False, redirect_stdout=False) as live:

        def redraw(status: dict[str, Any], elapsed_s: float) -> None:
            last[:] = [status, elapsed_s]
            live.update(view.draw(status, elapsed_s, console.height), refresh=True)

        yield redraw, _REDRAW_S
    if last:
        console.print(view.draw(*last))
    sys.stdout.flush()
