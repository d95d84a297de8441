"""EngineManager: one process for each engine of a fleet, kept as it is wanted, heard once a second, and alerted of.

The manager trades nothing and holds nothing that an engine needs: when it dies the engines go on, and the next manager
takes them over. When it is stopped it stops them, unless it was told to leave them.
"""

import asyncio
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from msgspec import structs

from drift_engine import wiring
from drift_engine.alerts import Alert, AlertDesk
from drift_engine.alerts.delivery import Courier, channels
from drift_engine.alerts.rules import Rule
from drift_engine.background import Background
from drift_engine.bus import SignalBus, Topic
from drift_engine.config import ConfigError
from drift_engine.control import spec as specs
from drift_engine.control.client import ask
from drift_engine.control.places import Places
from drift_engine.control.protocol import Answer, no, yes
from drift_engine.control.spec import EngineSpec
from drift_engine.core.parameters import ParameterError
from drift_engine.manager import renewal
from drift_engine.manager.fleet import Fleet
from drift_engine.manager.heartbeat import HeartbeatCollector
from drift_engine.manager.managed import Managed

ALERTS: Topic[Alert] = Topic("alert", Alert)
_LOOK_S, _ALERT_S = 0.1, 0.5
_ANSWER_S, _STOP_S = 3.0, 10.0
AGAIN_S = 1.0
_OWN_FILES = ("manager", "page")
_BROKEN = Rule("CRITICAL")


class EngineManager:
    """Runs a fleet. ``bus`` carries heartbeats and alerts; commands return what may be told to people."""

    def __init__(self, fleet: Fleet, state_dir: Path) -> None:
        self.state_dir, self.bus = state_dir, SignalBus()
        known = (renewal.with_changes(spec, state_dir) for spec in fleet.engines)
        self.engines = {spec.name: Managed(spec, state_dir) for spec in known}
        self.alerts = AlertDesk(fleet.alerts.rules)
        self.courier = Courier(channels(fleet.alerts), fleet.alerts.least)
        self.work = Background(self.broke, AGAIN_S)
        self.heartbeats = HeartbeatCollector(self.bus, self._dressed, self.work)

    async def start(self) -> None:
        """Take over what lives, start what should run, and begin to listen."""
        for spec in self._survivors():
            self.engines[spec.name] = Managed(spec, self.state_dir)
        for managed in self.engines.values():
            if not managed.supervisor.adopt() and managed.spec.autostart:
                self._launch(managed)
        self.heartbeats.start(self.engines)
        for name, managed in self.engines.items():
            self.work.keep(f"watch over {name}", partial(self._look, managed))
            self.work.keep(f"alerts of {name}", partial(self._alert, managed))

    def _survivors(self) -> list[EngineSpec]:
        """Return engines that live in this state directory and stand in no fleet file any more."""
        names = (path.stem for path in self.state_dir.glob("*.pid") if path.stem not in (*_OWN_FILES, *self.engines))
        return [specs.load(self.state_dir, name) for name in names if Places(self.state_dir, name).living_pid()]

    async def stop(self, *, leave: bool = False) -> None:
        """Stop every engine within 5 s and end. ``leave`` lets them go on for another manager."""
        if not leave:
            for managed in self.engines.values():
                managed.supervisor.stop(time.monotonic())
            await _until(lambda: not any(managed.supervisor.alive for managed in self.engines.values()), _STOP_S)
        await self.work.close()

    async def _look(self, managed: Managed) -> None:
        while True:
            managed.look()
            await asyncio.sleep(_LOOK_S)

    async def _alert(self, managed: Managed) -> None:
        while True:
            for alert in self.alerts.look([managed.document()], time.time_ns()):
                self.say(alert)
            await asyncio.sleep(_ALERT_S)

    def broke(self, name: str, trouble: str) -> None:
        """Some of our own work ended by an error. It begins again; that it broke is for a human to know."""
        message = f"{name} broke and was begun again: {trouble}"
        for alert in self.alerts.report("manager_fault", name, message, time.time_ns(), _BROKEN):
            self.say(alert)

    def say(self, alert: Alert) -> None:
        """Tell of an alert by every way."""
        self.courier.take(alert)
        self.bus.publish(ALERTS, alert)

    # ------------------------------------------------------------------ what is known

    def documents(self) -> list[dict[str, Any]]:
        """Return every engine's document."""
        return [self._dressed(managed.document()) for managed in self.engines.values()]

    def _dressed(self, document: dict[str, Any]) -> dict[str, Any]:
        return {**document, "alerts": [structs.asdict(alert) for alert in self.alerts.active(document["engine"])]}

    # ------------------------------------------------------------------ commands

    async def start_engine(self, managed: Managed) -> Answer:
        """Start an engine, or say that it runs."""
        name, own = managed.spec.name, managed.supervisor
        if managed.spec.mode == "live":
            return no("not_live_yet", wiring.NOT_LIVE_YET)
        if own.alive and own.phase != "STOPPING":
            return yes("running", f"{name} runs already")
        if own.phase == "STOPPING":
            own.stop(time.monotonic(), again=True)
        else:
            self._launch(managed)
        return await self._up(managed)

    async def stop_engine(self, managed: Managed) -> Answer:
        """Stop an engine; its positions stay as they are."""
        name, own = managed.spec.name, managed.supervisor
        if not own.alive and not own.waiting:
            return yes("stopped", f"{name} is stopped already")
        managed.kill_for = None
        own.stop(time.monotonic())
        await _until(lambda: not own.alive)
        left = f"; it still holds {', '.join(managed.open_positions())}" if managed.open_positions() else ""
        return yes("stopping", f"{name} is stopping") if own.alive else yes("stopped", f"{name} is stopped{left}")

    async def restart_engine(self, managed: Managed) -> Answer:
        """Stop and start an engine in the mode it has."""
        own = managed.supervisor
        if not own.alive:
            return await self.start_engine(managed)
        pid = own.child.pid
        own.stop(time.monotonic(), again=True)
        await _until(lambda: own.child.pid not in (pid, None))
        return await self._up(managed)

    async def _up(self, managed: Managed) -> Answer:
        name, own = managed.spec.name, managed.supervisor
        await _until(lambda: own.phase in ("RUNNING", "ERROR", "STOPPED"))
        if own.phase in ("ERROR", "STOPPED"):
            return no("failed", f"{name} did not start: {own.reason}")
        return yes("started" if own.phase == "RUNNING" else "starting", f"{name} is {own.phase}")

    def _launch(self, managed: Managed) -> None:
        managed.spec.save(self.state_dir)
        managed.supervisor.start()

    async def kill(self, names: list[str], who: str) -> Answer:
        """Close everything of some engines. One that does not answer, or runs not, is told as soon as it can be."""
        told = dict(zip(names, await asyncio.gather(*(self._kill(self.engines[n], who) for n in names)), strict=True))
        ok = all(answer.ok for answer in told.values())
        said = "; ".join(f"{name}: {answer.message}" for name, answer in told.items())
        codes = {name: answer.code for name, answer in told.items()}
        return Answer(ok=ok, code="killing" if ok else "partly", message=said, data=codes)

    async def _kill(self, managed: Managed, who: str) -> Answer:
        own = managed.supervisor
        if not own.alive and not own.waiting:
            left = managed.open_positions()
            if not left:
                return yes("stopped", "stopped, and nothing is known to be open")
            managed.kill_for = who
            started = await self.start_engine(managed)
            return started if not started.ok else yes("closing", f"it was stopped and held {', '.join(left)}: closing")
        answer = await ask(managed.places.socket, "kill", 2.0, who=who)
        if answer.code in ("unreachable", "timeout", "not_running"):
            managed.kill_for = who
            return yes("waiting", f"it does not answer ({answer.message}); it is killed as soon as it does")
        return answer

    async def resume_engine(self, managed: Managed, who: str) -> Answer:
        """Let a halted engine trade again."""
        managed.kill_for = None
        return await ask(managed.places.socket, "resume", _ANSWER_S, who=who)

    async def set_params(self, managed: Managed, params: dict[str, str]) -> Answer:
        """Change parameters of an engine that is stopped and flat; it begins a new journal with its next start."""
        if managed.supervisor.alive or managed.supervisor.waiting:
            return no("running", f"{managed.spec.name} runs; stop it first")
        try:
            spec = managed.spec.with_params(params)
            wiring.make_strategy(spec.config(self.state_dir))
            kept = await asyncio.to_thread(renewal.change, managed.places, spec, params)
        except (ConfigError, ParameterError) as error:
            return no("bad_params", str(error))
        except renewal.NotFlatError as error:
            return no("not_flat", str(error))
        managed.spec = spec
        return yes("set", f"set for the next start of {spec.name}{kept}")


async def _until(true: Callable[[], bool], within_s: float = _ANSWER_S) -> None:
    """Wait for something, but not longer than an answer may take."""
    loop = asyncio.get_running_loop()
    by_s = loop.time() + within_s
    while not true() and loop.time() < by_s:  # noqa: ASYNC110 - processes tell nobody when they end
        await asyncio.sleep(_LOOK_S / 2)
