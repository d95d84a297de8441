"""What an engine of a fleet stands on: ports of a live venue's markets, waited for while the node does not answer.

An engine that starts again may hold positions, so a node that is away is no reason to give up: it is asked again, with
pauses that grow, until it answers or someone stops the engine. A mistake in the configuration is told at once.
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager

from drift_engine import wiring
from drift_engine.config import ConfigError, RunConfig
from drift_engine.control.spec import EngineSpec
from drift_engine.core.client import VenueUnavailableError
from drift_engine.strategies.base import DriftStrategy

log = logging.getLogger("drift_engine.engine")
FIRST_PAUSE_S, LONGEST_PAUSE_S = 0.5, 15.0
Connect = Callable[[], AbstractAsyncContextManager[wiring.Ports]]


class StoppedError(Exception):
    """The engine was stopped before its venue answered."""


@asynccontextmanager
async def ports_of(
    run: RunConfig, strategy: DriftStrategy, spec: EngineSpec, stop: asyncio.Event
) -> AsyncIterator[wiring.Ports | None]:
    """Yield the ports of a live venue's markets, ``None`` where the engine wires its own.

    Raises ``ConfigError``, and ``StoppedError`` where ``stop`` was set while the node did not answer.
    """
    if run.venue is None:
        yield None
        return
    if spec.rpc is None:
        raise ConfigError(f"engine {spec.name}: venue {run.venue} needs a node to ask; give it rpc = URL")
    from drift_engine.venues.streams.address import ws_url_of
    from drift_engine.venues.urls import checked_url
    from drift_engine.wiring_chain import on_chain

    try:
        rpc = checked_url(spec.rpc, ("http", "https"))
        _ = ws_url_of(rpc)
        streams = (checked_url(spec.ws, ("ws", "wss")),) if spec.ws else ()
    except ValueError as error:
        raise ConfigError(str(error)) from None
    async with AsyncExitStack() as stack:
        yield await _connected(stack, lambda: on_chain(run, strategy, (rpc,), streams), stop)


async def _connected(stack: AsyncExitStack, connect: Connect, stop: asyncio.Event) -> wiring.Ports:
    pause_s = FIRST_PAUSE_S
    while True:
        entering = asyncio.create_task(stack.enter_async_context(connect()))
        await _until(entering, stop)
        try:
            return entering.result()
        except VenueUnavailableError as error:
            log.warning("the node does not answer and is asked again in %g s: %s", pause_s, error)
        await _until(asyncio.create_task(asyncio.sleep(pause_s)), stop)
        pause_s = min(2 * pause_s, LONGEST_PAUSE_S)


async def _until(task: asyncio.Task[object], stop: asyncio.Event) -> None:
    """Wait for a task. Raises ``StoppedError`` where ``stop`` comes first; the task is ended then."""
    stopped = asyncio.create_task(stop.wait())
    try:
        await asyncio.wait({task, stopped}, return_when=asyncio.FIRST_COMPLETED)
        if not task.done():
            raise StoppedError
    finally:
        for each in (task, stopped):
            each.cancel()
        await asyncio.wait({task, stopped})
