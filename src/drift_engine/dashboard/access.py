"""Unlocking the page and locking it again."""

from starlette.requests import Request
from starlette.responses import Response

from drift_engine.dashboard.answers import answer, said
from drift_engine.dashboard.audit import Audit
from drift_engine.dashboard.commands import body_of
from drift_engine.dashboard.security import COOKIE, SESSION_S, Doorkeeper

_LONGEST = 200


async def session(request: Request) -> Response:
    """Whether commands are taken from this browser."""
    keeper: Doorkeeper = request.app.state.doorkeeper
    return answer({"unlocked": keeper.session(request.headers) is not None})


async def unlock(request: Request) -> Response:
    """Take the token and give a cookie for it."""
    keeper: Doorkeeper = request.app.state.doorkeeper
    audit: Audit = request.app.state.audit
    where = request.client.host if request.client else "unknown"
    token = (await body_of(request)).get("token")
    if not isinstance(token, str) or len(token) > _LONGEST or not keeper.knows(token.strip()):
        if not keeper.patient():
            audit.refused(f"locked at {where}", "too_many_tokens")
            return said("too_many", "too many wrong tokens; wait a second", 429)
        audit.refused(f"locked at {where}", "wrong_token")
        return said("wrong_token", "this is not the token; drift-engine serve showed it when it started", 401)
    cookie, opened = keeper.unlock()
    audit.write(f"{opened.name} at {where}", "unlock", "unlocked")
    told = said("unlocked", "commands are taken from this browser", ok=True)
    told.set_cookie(COOKIE, cookie, max_age=SESSION_S, path="/", httponly=True, samesite="strict")
    return told


async def lock(request: Request) -> Response:
    """End the session."""
    keeper: Doorkeeper = request.app.state.doorkeeper
    audit: Audit = request.app.state.audit
    ended = keeper.session(request.headers)
    if ended is not None:
        audit.write(ended.name, "lock", "locked")
    keeper.lock(request.headers)
    told = said("locked", "the page is read-only again", ok=True)
    told.delete_cookie(COOKIE, path="/", httponly=True, samesite="strict")
    return told


async def audit_log(request: Request) -> Response:
    """The last lines of the audit, for whoever may command."""
    keeper: Doorkeeper = request.app.state.doorkeeper
    audit: Audit = request.app.state.audit
    if keeper.session(request.headers) is None:
        return said("locked", "the audit is shown to an unlocked session", 401)
    return answer(audit.last(200))
