"""Who may do what: the token, and the sessions it opens.

The token is made when the server starts and is kept in the state directory for its owner alone. It opens a session,
known by a cookie that scripts cannot read and other sites cannot send; programs send the token itself as a bearer. Both
are compared in constant time. The right token is always taken: only wrong ones are counted against the limit, so that
nobody can keep the owner from the STOP button by guessing.
"""

import hmac
import os
import secrets
import time
from http.cookies import CookieError, SimpleCookie
from pathlib import Path

from msgspec import Struct
from starlette.datastructures import Headers

COOKIE = "drift_session"
SESSION_S = 12 * 3_600
_SESSIONS, _TOKEN_BYTES = 64, 32


def fresh_token(state_dir: Path) -> str:
    """Make a token and keep it in ``token``, readable by its owner alone; it takes the place of an older one."""
    token = secrets.token_urlsafe(_TOKEN_BYTES)
    place, draft = state_dir / "token", state_dir / "token.new"
    draft.unlink(missing_ok=True)
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(f"{token}\n")
    draft.replace(place)
    return token


def kept_token(state_dir: Path) -> str | None:
    """Return the token of a server that was started before, ``None`` where there is none."""
    try:
        return (state_dir / "token").read_text().strip() or None
    except FileNotFoundError:
        return None


class Bucket:
    """So many at once, so many a second after that."""

    def __init__(self, burst: float, a_second: float) -> None:
        self._burst, self._a_second = burst, a_second
        self._left, self._at_s = burst, time.monotonic()

    def take(self) -> bool:
        """Take one; false where there is none left."""
        now_s = time.monotonic()
        self._left = min(self._burst, self._left + (now_s - self._at_s) * self._a_second)
        self._at_s = now_s
        if self._left < 1:
            return False
        self._left -= 1
        return True


class Session(Struct):
    """An unlocked browser: ``name`` is what the audit calls it."""

    name: str
    until_s: float
    commands: Bucket


class Doorkeeper:
    """Knows the token and the sessions. ``refused`` counts wrong tokens."""

    def __init__(self, token: str) -> None:
        self._token = token.encode()
        self._sessions: dict[str, Session] = {}
        self._wrong = Bucket(burst=10, a_second=1)
        self._programs = Session("token", float("inf"), _commands())
        self.refused = 0

    def knows(self, token: str) -> bool:
        """Whether this is the token."""
        return hmac.compare_digest(self._token, token.encode())

    def patient(self) -> bool:
        """Count a wrong token; false where there were too many of them lately."""
        self.refused += 1
        return self._wrong.take()

    def unlock(self) -> tuple[str, Session]:
        """Open a session and return the cookie's value; the oldest session ends where there are too many."""
        while len(self._sessions) >= _SESSIONS:
            del self._sessions[next(iter(self._sessions))]
        cookie = secrets.token_urlsafe(_TOKEN_BYTES)
        session = Session(f"session {secrets.token_hex(3)}", time.monotonic() + SESSION_S, _commands())
        self._sessions[cookie] = session
        return cookie, session

    def lock(self, headers: Headers) -> None:
        """End the session of a request."""
        self._sessions.pop(_cookie(headers), None)

    def session(self, headers: Headers) -> Session | None:
        """Return the session of a request, by its cookie or its bearer token; ``None`` where it is locked."""
        scheme, _, token = headers.get("authorization", "").partition(" ")
        if scheme.lower() == "bearer":
            return self._programs if self.knows(token.strip()) else None
        session = self._sessions.get(_cookie(headers))
        return session if session is not None and session.until_s > time.monotonic() else None


def _commands() -> Bucket:
    return Bucket(burst=20, a_second=5)


def _cookie(headers: Headers) -> str:
    jar: SimpleCookie = SimpleCookie()
    try:
        jar.load(headers.get("cookie", ""))
    except CookieError:
        return ""
    return jar[COOKIE].value if COOKIE in jar else ""
