"""What every request has to pass before anything looks at it: where it says it goes, where it comes from, how large.

``Host`` must be a name of this server, or a page of another site could reach it by pointing a name of its own at it.
``Origin``, where there is one, must be this server; a POST without one must carry the bearer token, as programs do and
forms of other sites cannot. Bodies are bounded while they arrive. Every answer forbids scripts that are not ours.
"""

import ipaddress
from collections.abc import Callable, Iterable

import msgspec
from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

BODY_BYTES = 64 * 1024
TOO_LARGE = f"a body of more than {BODY_BYTES} bytes is not taken"
_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:; "
    "connect-src 'self'; font-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
)
HEADERS = (
    (b"content-security-policy", _POLICY.encode()),
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
    (b"referrer-policy", b"no-referrer"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"cross-origin-resource-policy", b"same-origin"),
)
_LOOPBACK = ("localhost", "127.0.0.1", "[::1]")
Refusal = tuple[int, str, str]
Tell = Callable[[Scope, Refusal], None]


class TooLargeError(Exception):
    """A body is larger than any request of ours."""


def names_of(host: str, port: int) -> frozenset[str]:
    """Return what ``Host`` may say of a server bound to a host: for an address of all interfaces, any address."""
    names = {*_LOOPBACK, f"[{host}]" if ":" in host else host}
    return frozenset({f"{name}:{port}" for name in names} | (names if port == 80 else set()))


class Guard:
    """The outermost layer of the application."""

    def __init__(self, app: ASGIApp, host: str, port: int, tell: Tell) -> None:
        self._app, self._names, self._tell = app, names_of(host, port), tell
        self._port = port
        self._anywhere = host in ("0.0.0.0", "::")  # noqa: S104

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, or refuse it."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        refusal = self._refusal(scope["method"], scope["path"], Headers(scope=scope))
        if refusal is not None:
            self._tell(scope, refusal)
            await refuse(send, refusal)
            return

        async def sending(message: Message) -> None:
            if message["type"] == "http.response.start":
                message = {**message, "headers": [*message.get("headers", ()), *HEADERS]}
            await send(message)

        await self._app(scope, _bounded(receive), sending)

    def _refusal(self, method: str, path: str, headers: Headers) -> Refusal | None:
        host = headers.get("host", "")
        if len(headers.getlist("host")) != 1 or not self._is_ours(host):
            return 421, "wrong_host", "this server does not go by that name"
        origins = headers.getlist("origin")
        if origins and origins != [f"http://{host}"]:
            return 403, "wrong_origin", "requests of other sites are not taken"
        if headers.get("sec-fetch-site", "none") not in ("same-origin", "none") and path != "/":
            return 403, "cross_site", "requests of other sites are not taken"
        if method == "POST":
            return self._post_refusal(headers, from_page=bool(origins))
        return None if method in ("GET", "HEAD") else (405, "wrong_method", "only GET, HEAD and POST are taken")

    def _post_refusal(self, headers: Headers, *, from_page: bool) -> Refusal | None:
        if not from_page and not headers.get("authorization"):
            return 403, "no_origin", "a command says where it comes from: an Origin, or the bearer token"
        if headers.get("content-type", "").partition(";")[0].strip().lower() != "application/json":
            return 415, "not_json", "a command is application/json"
        length = headers.get("content-length", "0")
        if not (length.isascii() and length.isdigit()) or int(length) > BODY_BYTES:
            return 413, "too_large", TOO_LARGE
        return None

    def _is_ours(self, host: str) -> bool:
        return host.lower() in self._names or (self._anywhere and _is_address(host, self._port))


def _is_address(host: str, port: int) -> bool:
    name, _, said = host.rpartition(":")
    try:
        ipaddress.ip_address(name.strip("[]"))
    except ValueError:
        return False
    return said == str(port)


def _bounded(receive: Receive) -> Receive:
    taken = 0

    async def receiving() -> Message:
        nonlocal taken
        message = await receive()
        taken += len(message.get("body", b""))
        if taken > BODY_BYTES:
            raise TooLargeError
        return message

    return receiving


async def refuse(send: Send, refusal: Refusal, headers: Iterable[tuple[bytes, bytes]] = ()) -> None:
    """Answer with a refusal and nothing of the request in it; the connection ends."""
    status, code, message = refusal
    body = msgspec.json.encode({"ok": False, "code": code, "message": message})
    about = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
    about += [(b"connection", b"close"), (b"cache-control", b"no-store"), *HEADERS, *headers]
    await send({"type": "http.response.start", "status": status, "headers": about})
    await send({"type": "http.response.body", "body": body})
