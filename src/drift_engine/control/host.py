"""One engine of a fleet in this process: it trades, answers on its socket, and ends cleanly when told to.

The engine's loop gives way between two ticks, and only then is a request looked at: nobody who asks or follows can hold
up a tick or see half of one. A follower gets events as they are applied; when it reads too slowly the oldest are lost
and the hole is shown, and when it does not read at all it is cut off.
"""

import asyncio
import re
import time
from functools import partial
from pathlib import Path
from typing import Any, get_args

from drift_engine import wiring
from drift_engine.background import Background
from drift_engine.bus import Subscription
from drift_engine.config import ConfigError, RunConfig
from drift_engine.control import diary, protocol
from drift_engine.control.connecting import ports_of
from drift_engine.control.contract import document
from drift_engine.control.hosted import HostedEngine
from drift_engine.control.places import Places, held
from drift_engine.control.protocol import Answer, BadRequestError, Request, no, yes
from drift_engine.control.server import PATIENCE_S, ControlServer, Handler, Peer, Stream
from drift_engine.control.spec import EngineSpec
from drift_engine.core.types import Command
from drift_engine.core.units import parse_scaled
from drift_engine.signals import stopping

_MOST_DECISIONS = 64
_ASKER = "the control socket"
WORDS = get_args(Command)
_AMOUNT = re.compile(r"[0-9]{1,12}(\.[0-9]{1,6})?")
_AGAIN_S = 1.0


class Host:
    """Runs one engine until it ends or is told to stop."""

    def __init__(self, spec: EngineSpec, state_dir: Path, patience_s: float = PATIENCE_S) -> None:
        self.spec, self.places = spec, Places(state_dir, spec.name)
        self.engine: HostedEngine | None = None
        self.server = ControlServer(self.places.socket, self._handlers(), patience_s)
        self._state_dir = state_dir
        self._phase, self._began_s = "STARTING", time.monotonic()
        self._stop, self._why = asyncio.Event(), "its market data came to an end"
        self._work = Background(again_s=_AGAIN_S)
        self._diary: diary.Diary | None = None

    async def run(self) -> bool:
        """Trade until the market's data end or someone stops us. Return whether the engine ended halted."""
        run = self.spec.config(self._state_dir)
        if run.mode == "live":
            raise ConfigError(wiring.NOT_LIVE_YET)
        strategy = wiring.make_strategy(run)
        with (
            held(self.places.account(*self.spec.account), f"sub-account {self.spec.sub_account} of {self.spec.venue}"),
            stopping(partial(self._end, "asked by a signal")),
        ):
            async with ports_of(run, strategy, self.spec, self._stop) as ports:
                engine = self.engine = HostedEngine(strategy, config=run, ports=ports)
                await self.server.start()
                try:
                    await self._live(engine, run)
                except Exception as error:
                    self._why = f"it broke: {type(error).__name__}: {error}"
                    raise
                finally:
                    await engine.stop()
                    await self.server.close()
                    await self._end_diary(engine)
        return bool(engine.state.latched or engine.state.trading == "HALTED")

    async def _live(self, engine: HostedEngine, run: RunConfig) -> None:
        self._begin_diary(engine, run)
        await engine.start()
        self._phase = "RUNNING"
        over = asyncio.create_task(engine.wait())
        stopped = asyncio.create_task(self._stop.wait())
        try:
            await asyncio.wait({over, stopped}, return_when=asyncio.FIRST_COMPLETED)
            self._phase = "STOPPING"
            if over.done():
                over.result()
        finally:
            for task in (over, stopped):
                task.cancel()

    def _begin_diary(self, engine: HostedEngine, run: RunConfig) -> None:
        """Take up the journal, tell of the start, and write down what happens from here."""
        engine.open()
        seq = engine.state.seq
        diary.started(self.spec, run, str(engine.get_status()["market"]), resumed_at=seq if seq > 1 else 0)
        self._diary = diary.Diary(engine.bus)
        self._work.keep("the log of what happens", self._diary.run)

    async def _end_diary(self, engine: HostedEngine) -> None:
        await self._work.close()
        if self._diary is not None:
            self._diary.close()
            diary.stopped(self._why, engine.get_status())

    def _end(self, why: str) -> None:
        self._why = why
        self._stop.set()

    def status(self) -> dict[str, Any]:
        """Return the engine's document as of now."""
        known: dict[str, Any] = {}
        if self.engine is not None and self._phase != "STARTING":
            latency = self.engine.tick_latency()
            known = {**self.engine.get_status(), "tick_latency": latency, "drops": self.server.dropped}
            known["metrics"] = [*known["metrics"], *_engine_metrics(known, latency)]
        return document(self.spec, known, self._phase, self._began_s)

    # ------------------------------------------------------------------ what may be asked

    def _handlers(self) -> dict[str, Handler]:
        by_hand = {word: partial(self._command, word) for word in WORDS}
        return {
            "status": lambda _: yes(data=self.status()),
            "stop": self._told_to_stop,
            "follow": self._follow,
            "decisions": self._decisions,
            **by_hand,
        }

    def _told_to_stop(self, _request: Request) -> Answer:
        self._end("asked over its socket")
        return yes("stopping", f"{self.spec.name} stops after this tick; positions stay as they are")

    def _command(self, word: str, request: Request) -> Answer:
        engine = self.engine
        if engine is None or self._phase != "RUNNING":
            return no("not_running", f"{self.spec.name} is {self._phase}")
        amount = request.text("amount", "0")
        if not _AMOUNT.fullmatch(amount):
            raise BadRequestError("'amount' must be a figure as 100.5, of 6 decimals at most")
        amount_e6 = parse_scaled(amount, 6)
        reply = engine.commands.ask(word, request.text("who", _ASKER), request.text("market"), amount_e6)
        return Answer(reply.ok, reply.code, reply.message)

    def _decisions(self, request: Request) -> Answer:
        n = request.count("n", _MOST_DECISIONS, _MOST_DECISIONS)
        return yes(data=[] if self.engine is None or self._phase == "STARTING" else self.engine.decisions(n))

    def _follow(self, request: Request) -> Answer | tuple[Answer, Stream]:
        engine, after = self.engine, request.count("after_seq", 0, 2**62)
        if engine is None or self._phase != "RUNNING":
            return no("not_running", f"{self.spec.name} is {self._phase}")
        engine.flush()
        seq, news = engine.state.seq, asyncio.Event()
        subscription = engine.bus.subscribe(wake=news.set)
        answer = yes("following", f"events after {seq}", {"seq": seq})
        return answer, partial(self._stream, engine, subscription, news, after, seq)

    async def _stream(
        self, engine: HostedEngine, subscription: Subscription, news: asyncio.Event, after: int, last: int, peer: Peer
    ) -> None:
        """Send events as they come. What came up to ``last`` is a hole: it is in the journal, which anyone may read."""
        try:
            if after and after != last:
                await peer.send(protocol.gap(after, last + 1))
            while True:
                await news.wait()
                news.clear()
                for seq, event in subscription.take():
                    if seq != last + 1:
                        await peer.send(protocol.gap(last, seq))
                    await peer.send(protocol.line({"seq": seq, "event": event}))
                    last = seq
        finally:
            engine.bus.unsubscribe(subscription)


def _engine_metrics(status: dict[str, Any], latency: dict[str, float | None]) -> list[dict[str, Any]]:
    tally = status["tally"]
    rows = (
        ("tick p99", latency["p99_us"], "µs"),
        ("tick p99, CPU", latency["cpu_p99_us"], "µs"),
        ("ticks", tally["ticks"], ""),
        ("fills", tally["trades"], ""),
        ("refusals", sum(tally["refusals"].values()), ""),
    )
    return [{"label": name, "value": value, "unit": unit, "severity": "none"} for name, value, unit in rows]
