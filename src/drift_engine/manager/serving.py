"""The manager's process: its control socket, the page's server beside it, and an end that leaves nothing behind."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from functools import partial
from pathlib import Path
from typing import Any

from drift_engine.background import Background
from drift_engine.control import protocol
from drift_engine.control.places import Places, last_lines
from drift_engine.control.protocol import Answer, Request, no, no_engine, yes
from drift_engine.control.server import ControlServer, Handler, Peer, Stream
from drift_engine.manager.fleet import Fleet
from drift_engine.manager.heartbeat import HEARTBEATS
from drift_engine.manager.managed import Managed
from drift_engine.manager.manager import AGAIN_S, ALERTS, EngineManager
from drift_engine.manager.process import Child
from drift_engine.manager.supervisor import Supervisor
from drift_engine.signals import stopping

_MOST_LINES, _LINES = 5_000, 200
_LOOK_S, _SHOW_S = 0.2, 1.0
_PAGE_START_S, _PAGE_STOP_S = 10.0, 6.0
Command = Callable[[Managed], Awaitable[Answer]]


class Service:
    """A manager that can be asked. ``page`` is ``None`` where the page's server is not to run."""

    def __init__(self, fleet: Fleet, state_dir: Path, page: tuple[str, int] | None) -> None:
        self.manager = EngineManager(fleet, state_dir)
        self.server = ControlServer(Places(state_dir, "manager").socket, self._handlers())
        self.page = None if page is None else _page(state_dir, *page)
        self._work = Background(self.manager.broke, AGAIN_S)
        self._stop, self._page_begun = asyncio.Event(), False

    async def run(
        self,
        started: Callable[[str], None],
        show: Callable[[list[dict[str, Any]]], None],
        *,
        length_s: float | None = None,
        leave: bool = False,
    ) -> None:
        """Run until SIGTERM or SIGINT, or for a while. ``leave``: engines go on after.

        ``started`` is called once all is under way, with what the page's server says of itself, ``""`` without one;
        ``show`` is called with every engine's document once a second.
        """
        loop = asyncio.get_running_loop()
        with stopping(self._stop.set):
            async with self.manager.courier.running():
                await self.server.start()
                self._work.keep("the page's server", self._keep_page)
                try:
                    await self.manager.start()
                    started(await self._page_says())
                    await self._show(show, None if length_s is None else loop.time() + length_s)
                finally:
                    await self._work.close()
                    await asyncio.gather(self.manager.stop(leave=leave), self._stop_page())
                    await self.server.close()

    async def _show(self, show: Callable[[list[dict[str, Any]]], None], until_s: float | None) -> None:
        """Show the engines once a second until it is time to stop."""
        loop = asyncio.get_running_loop()
        while not self._stop.is_set() and (until_s is None or loop.time() < until_s):
            show(self.manager.documents())
            pause_s = _SHOW_S if until_s is None else min(_SHOW_S, max(0.0, until_s - loop.time()))
            stopped = asyncio.ensure_future(self._stop.wait())
            await asyncio.wait({stopped}, timeout=pause_s)
            stopped.cancel()

    # ------------------------------------------------------------------ the page's server

    async def _keep_page(self) -> None:
        """Start the page's server, in the place of one that was left; start it again when it dies."""
        if self.page is None:
            return
        if self.page.child.adopt():
            await self._stop_page()
        self.page.child.places.log.unlink(missing_ok=True)
        self.page.start()
        self._page_begun = True
        while True:
            self.page.look(time.monotonic())
            self.page.heard()
            await asyncio.sleep(_LOOK_S)

    async def _page_says(self) -> str:
        """Return the last line the page's server printed once it printed one, or how it ended."""
        if self.page is None:
            return ""
        for _ in range(round(_PAGE_START_S / _LOOK_S)):
            said = last_lines(self.page.child.places.log, 1)
            if self._page_begun and self.page.alive and said and said[0].startswith("page at "):
                return said[0]
            if self._page_begun and self.page.phase in ("ERROR", "STOPPED"):
                return f"the page is not served: {said[0] if said else self.page.reason}"
            await asyncio.sleep(_LOOK_S)
        return f"the page's server is slow to start; its log is {self.page.child.places.log}"

    async def _stop_page(self) -> None:
        if self.page is None:
            return
        began_s = time.monotonic()
        self.page.stop(began_s)
        while self.page.alive and time.monotonic() - began_s < _PAGE_STOP_S:
            await asyncio.sleep(_LOOK_S / 4)
            self.page.look(time.monotonic())

    # ------------------------------------------------------------------ what may be asked

    def _handlers(self) -> dict[str, Handler]:
        manager = self.manager
        return {
            "fleet": lambda _: yes(data=manager.documents()),
            "start": self._for_one(lambda managed, _: manager.start_engine(managed)),
            "stop": self._for_one(lambda managed, _: manager.stop_engine(managed)),
            "restart": self._for_one(lambda managed, _: manager.restart_engine(managed)),
            "resume": self._for_one(lambda managed, request: manager.resume_engine(managed, _who(request))),
            "set": self._for_one(lambda managed, request: manager.set_params(managed, request.mapping("params"))),
            "kill": self._kill,
            "logs": self._logs,
            "alerts": lambda _: yes(data=manager.alerts.to_dict()),
            "alert_test": self._alert_test,
            "alert_dismiss": self._alert_dismiss,
            "follow": self._follow,
        }

    def _for_one(self, command: Callable[[Managed, Request], Awaitable[Answer]]) -> Handler:
        def handler(request: Request) -> Answer | Awaitable[Answer]:
            managed = self._named(request)
            return command(managed, request) if isinstance(managed, Managed) else managed

        return handler

    def _named(self, request: Request) -> Managed | Answer:
        name, engines = request.text("engine"), self.manager.engines
        return engines.get(name) or no_engine(name, engines)

    def _kill(self, request: Request) -> Answer | Awaitable[Answer]:
        if "engine" in request.fields:
            managed = self._named(request)
            return self.manager.kill([managed.spec.name], _who(request)) if isinstance(managed, Managed) else managed
        return self.manager.kill(list(self.manager.engines), _who(request))

    def _logs(self, request: Request) -> Answer:
        managed = self._named(request)
        if isinstance(managed, Answer):
            return managed
        return yes(data=last_lines(managed.places.log, request.count("n", _LINES, _MOST_LINES)))

    async def _alert_test(self, _request: Request) -> Answer:
        """Send a test alert by every way that is set, and tell what came of each."""
        alert = self.manager.alerts.test(time.time_ns())
        self.manager.bus.publish(ALERTS, alert)
        outcome = await self.manager.courier.try_all(alert)
        failed = [f"{name}: {trouble}" for name, trouble in outcome.items() if trouble]
        if failed:
            return no("not_sent", "; ".join(failed), outcome)
        ways = ", ".join(outcome) or "the page and the log, as no way out is set"
        return yes("sent", f"a test alert went to {ways}", outcome)

    def _alert_dismiss(self, request: Request) -> Answer:
        number = request.text("alert")
        if self.manager.alerts.dismiss(number):
            return yes("dismissed", f"alert {number} is hidden until it is raised again")
        return no("unknown_alert", f"no alert {number!r} stands")

    def _follow(self, _request: Request) -> tuple[Answer, Stream]:
        return yes("following", "heartbeats and alerts"), partial(_stream, self.manager)


async def _stream(manager: EngineManager, peer: Peer) -> None:
    """Send what is known now, then heartbeats and alerts as they come, with the holes of a slow reader."""
    beats, alerts = manager.bus.subscribe(HEARTBEATS, limit=200), manager.bus.subscribe(ALERTS, limit=200)
    names = ((beats, "heartbeat"), (alerts, "alert"))
    last = {"heartbeat": beats.last_seq, "alert": alerts.last_seq}
    waits: dict[str, asyncio.Task[list[tuple[int, Any]]]] = {}
    try:
        for status in beats.snapshot:
            await peer.send(protocol.line({"topic": "heartbeat", "seq": last["heartbeat"], "data": status}))
        while True:
            for reader, topic in names:
                if topic not in waits:
                    waits[topic] = asyncio.ensure_future(reader.wait())
            await asyncio.wait(waits.values(), return_when=asyncio.FIRST_COMPLETED)
            for topic in [topic for topic, wait in waits.items() if wait.done()]:
                for seq, message in waits.pop(topic).result():
                    if seq != last[topic] + 1:
                        await peer.send(protocol.line({"topic": topic, "gap": {"after": last[topic], "next": seq}}))
                    await peer.send(protocol.line({"topic": topic, "seq": seq, "data": message}))
                    last[topic] = seq
    finally:
        for wait in waits.values():
            wait.cancel()
        manager.bus.unsubscribe(HEARTBEATS, beats)
        manager.bus.unsubscribe(ALERTS, alerts)


def _who(request: Request) -> str:
    return request.text("who", "the manager's socket")[:100]


def _page(state_dir: Path, host: str, port: int) -> Supervisor:
    arguments = ("page", "--host", host, "--port", str(port), "--state", str(state_dir))
    return Supervisor(Child(Places(state_dir, "page"), arguments, lock=True))
