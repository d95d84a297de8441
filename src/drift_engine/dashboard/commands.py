"""What can be asked for: a POST, by an unlocked session or the token, audited, and answered within five seconds.

The server decides nothing. A command goes to the manager, or to the engine itself where the manager is gone, and what
they say is the answer. STOP is never held back: not by a limit, not by a manager that does not answer.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import Any

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from drift_engine import wiring
from drift_engine.control.client import ask
from drift_engine.control.protocol import Answer
from drift_engine.dashboard.answers import said
from drift_engine.dashboard.audit import Audit
from drift_engine.dashboard.fleet import MANAGER, Fleet
from drift_engine.dashboard.reads import UnknownEngineError, named, room_of
from drift_engine.dashboard.security import Doorkeeper, Session

log = logging.getLogger("drift_engine.dashboard")
_WITHIN_S, _MANAGER_S = 4.5, 1.0
_STATUSES = {"unreachable": 503, "timeout": 504, "unknown_command": 501}
Body = dict[str, Any]
Act = Callable[[Request, Body, str], Awaitable[Answer]]


class BadBodyError(ValueError):
    """A body is not what the command takes. The message says why."""


def command(what: str, act: Act, *, limited: bool = True) -> Callable[[Request], Awaitable[Response]]:
    """Return the endpoint of a command: may they, what do they want, do it, write it down, answer."""

    async def endpoint(request: Request) -> Response:
        keeper: Doorkeeper = request.app.state.doorkeeper
        audit: Audit = request.app.state.audit
        session = keeper.session(request.headers)
        who = _who(request, session)
        if session is None:
            return _locked(request, keeper, audit, who)
        if limited and not session.commands.take():
            audit.refused(who, "too_many_commands")
            return said("too_many", "too many commands at once; wait a second", 429)
        body = await body_of(request)
        target = _target(request, body)
        try:
            answer = await _within(act(request, body, who))
        except (BadBodyError, UnknownEngineError) as error:
            audit.write(who, what, "refused", target=target, message=str(error))
            raise
        _write_down(audit, who, what, answer, target)
        status = 200 if answer.ok else _STATUSES.get(answer.code, 409)
        return said(answer.code, answer.message, status, ok=answer.ok, data=answer.data)

    return endpoint


def _write_down(audit: Audit, who: str, what: str, answer: Answer, target: str) -> None:
    """Write the command down; it was done, so a disk that is full does not turn its answer into a failure."""
    try:
        audit.write(who, what, answer.code, target=target, ok=answer.ok, message=answer.message)
    except OSError as error:
        log.critical("the audit cannot be written (%s): %s by %s: %s", error.strerror, what, who, answer.message)


def _locked(request: Request, keeper: Doorkeeper, audit: Audit, who: str) -> Response:
    if request.headers.get("authorization") and not keeper.patient():
        audit.refused(who, "too_many_tokens")
        return said("too_many", "too many wrong tokens; wait", 429)
    audit.refused(who, "locked")
    return said("locked", "the page is read-only until it is unlocked with the token", 401)


async def _within(doing: Awaitable[Answer]) -> Answer:
    try:
        async with asyncio.timeout(_WITHIN_S):
            return await doing
    except TimeoutError:
        return Answer(ok=False, code="timeout", message=f"no answer within {_WITHIN_S:g} s; look at the status")


async def body_of(request: Request) -> Body:
    """Return the JSON object a command carries, empty where there is none. Raises ``BadBodyError``."""
    try:
        async with asyncio.timeout(_WITHIN_S):
            text = await request.body()
    except TimeoutError:
        raise BadBodyError("the body did not come") from None
    try:
        found = msgspec.json.decode(text) if text.strip() else {}
    except (msgspec.DecodeError, RecursionError):
        raise BadBodyError("the body is no JSON") from None
    if not isinstance(found, dict):
        raise BadBodyError("the body must be a JSON object")
    return found


def _who(request: Request, session: Session | None) -> str:
    host = request.client.host if request.client else "unknown"
    return f"{session.name if session else 'locked'} at {host}"


def _target(request: Request, body: Body) -> str:
    named_engine = request.path_params.get("name") or body.get("engine") or "all"
    return str(named_engine)[:100]


def _text(body: Body, key: str) -> str:
    value = body.get(key)
    if not isinstance(value, str) or not value or len(value) > 100:
        raise BadBodyError(f"{key!r} must be named, as text")
    return value


# ------------------------------------------------------------------ the commands


def lifecycle(word: str) -> Act:
    """Return start, stop, restart or resume: the manager's."""

    async def act(request: Request, body: Body, who: str) -> Answer:
        engine = named(request)
        live = str(body.get("mode", "paper")).lower() == "live"
        if live and body.get("confirm") != f"LIVE {engine}":
            return Answer(ok=False, code="confirm", message=f"live trading is confirmed by typing LIVE {engine}")
        if live:
            return Answer(ok=False, code="not_live_yet", message=wiring.NOT_LIVE_YET)
        return await ask(room_of(request).fleet.socket(MANAGER), word, engine=engine, who=who)

    return act


async def close(request: Request, body: Body, who: str) -> Answer:
    """Close one position, reduce-only, through the gates."""
    return await ask(room_of(request).fleet.socket(named(request)), "close", market=_text(body, "market"), who=who)


async def settle(request: Request, _body: Body, who: str) -> Answer:
    """Settle profit and loss."""
    return await ask(room_of(request).fleet.socket(named(request)), "settle", who=who)


def transfer(word: str) -> Act:
    """Return deposit or withdraw: of the quote asset, of a paper account."""

    async def act(request: Request, body: Body, who: str) -> Answer:
        socket = room_of(request).fleet.socket(named(request))
        return await ask(socket, word, amount=_text(body, "amount"), who=who)

    return act


async def params(request: Request, body: Body, who: str) -> Answer:
    """Change parameters of an engine that is stopped."""
    changes = body.get("params", body)
    if not isinstance(changes, dict) or not changes:
        raise BadBodyError("'params' must be an object of names and values")
    shown = {str(name): value if isinstance(value, str) else str(value) for name, value in changes.items()}
    return await ask(room_of(request).fleet.socket(MANAGER), "set", engine=named(request), params=shown, who=who)


async def kill(request: Request, body: Body, who: str) -> Answer:
    """STOP: cancel and close everything of one engine, or of all. A slow manager is not waited for."""
    fleet = room_of(request).fleet
    engine = body.get("engine")
    if engine is not None and (not isinstance(engine, str) or fleet.status(engine) is None):
        raise UnknownEngineError(str(engine))
    wanted = {} if engine is None else {"engine": engine}
    asking = asyncio.create_task(ask(fleet.socket(MANAGER), "kill", _WITHIN_S - 0.3, **wanted, who=who))
    await asyncio.wait({asking}, timeout=_MANAGER_S)
    if asking.done() and asking.result().code != "unreachable":
        return asking.result()
    told = await _kill_each(fleet, fleet.names() if engine is None else [engine], who)
    if told.ok and not asking.done():
        asking.cancel()
        return told
    answer = await asking
    return told if answer.code in ("unreachable", "timeout") else answer


async def _kill_each(fleet: Fleet, names: list[str], who: str) -> Answer:
    answers = await asyncio.gather(*(ask(fleet.socket(name), "kill", 2.0, who=who) for name in names))
    told = {name: found.message or found.code for name, found in zip(names, answers, strict=True)}
    ok = bool(answers) and all(found.ok for found in answers)
    return Answer(ok=ok, code="killing" if ok else "partly", message=_listed(told), data=told)


async def try_alert(request: Request, _body: Body, who: str) -> Answer:
    """Send a test alert by every way that is set."""
    answer = await ask(room_of(request).fleet.socket(MANAGER), "alert_test", who=who)
    return room_of(request).bells.test() if answer.code in ("unreachable", "timeout", "unknown_command") else answer


async def dismiss(request: Request, _body: Body, who: str) -> Answer:
    """Hide an alert until it is raised again."""
    number = str(request.path_params["id"])
    room = room_of(request)
    if room.bells.dismiss(number):
        return Answer(ok=True, code="dismissed", message=f"alert {number} is hidden until it is raised again")
    return await ask(room.fleet.socket(MANAGER), "alert_dismiss", alert=number, who=who)


def _listed(told: dict[str, str]) -> str:
    return "; ".join(f"{name}: {message}" for name, message in told.items()) or "no engine is known"
