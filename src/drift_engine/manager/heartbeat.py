"""The heartbeat collector: asks every engine for its status once a second, whether or not anyone watches.

Every engine has a task of its own, so one that hangs delays no other. What is heard is published for those who watch;
what is not heard is published too, as a document whose status says so.
"""

import asyncio
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from drift_engine.background import Background
from drift_engine.bus import SignalBus, Topic
from drift_engine.control.client import ask
from drift_engine.manager.managed import Managed

PERIOD_S, EAGER_S, WITHIN_S = 1.0, 0.2, 1.0
HEARTBEATS: Topic[dict[str, Any]] = Topic("heartbeat", dict, key=lambda status: status["engine"])


class HeartbeatCollector:
    """Keeps a task for each engine. ``dress`` adds to a document what others know of the engine."""

    def __init__(self, bus: SignalBus, dress: Callable[[dict[str, Any]], dict[str, Any]], work: Background) -> None:
        self._bus, self._dress, self._work = bus, dress, work

    def start(self, engines: Mapping[str, Managed]) -> None:
        """Begin to listen to every engine, for as long as ``work`` goes on."""
        for name, managed in engines.items():
            self._work.keep(f"heartbeat of {name}", partial(self._beat, managed))

    async def _beat(self, managed: Managed) -> None:
        loop = asyncio.get_running_loop()
        while True:
            began_s = loop.time()
            if managed.supervisor.alive:
                await hear(managed)
            self._bus.publish(HEARTBEATS, self._dress(managed.document()))
            pause_s = EAGER_S if managed.supervisor.phase in ("STARTING", "STOPPING") else PERIOD_S
            await asyncio.sleep(max(0.0, began_s + pause_s - loop.time()))


async def hear(managed: Managed) -> None:
    """Ask one engine, and hand on a kill that waits for it."""
    answer = await ask(managed.places.socket, "status", WITHIN_S)
    if not answer.ok or not managed.supervisor.alive or answer.data.get("pid") != managed.supervisor.child.pid:
        return
    managed.heard(answer.data)
    if managed.kill_for is not None and managed.supervisor.phase == "RUNNING":
        who, managed.kill_for = managed.kill_for, None
        if not (await ask(managed.places.socket, "kill", WITHIN_S, who=who)).ok:
            managed.kill_for = who
