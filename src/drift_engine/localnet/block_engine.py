"""A Jito block engine beside the chain, on a port of its own.

Each method has its path, and the bundle methods are also taken at ``/api/v1/bundles``. One request a second and address
is answered (``requests_per_s``; 0 is no limit), the next with 429.
"""

from collections import deque
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from aiohttp import web

from drift_engine.localnet import rpc_params as given
from drift_engine.localnet.bundles import Bundles, bundle_id, bundle_params
from drift_engine.localnet.dispatch import answer_all
from drift_engine.localnet.node import Node, in_context
from drift_engine.localnet.rpc_errors import bad_params
from drift_engine.localnet.rpc_transactions import dispatch, signed
from drift_engine.localnet.server import JSON, too_many
from drift_engine.venues.jito.messages import TIP_ACCOUNTS

MAX_IDS = 5
RATE_LIMITED = -32097
BUNDLES, TRANSACTIONS = "/api/v1/bundles", "/api/v1/transactions"


class BlockEngine:
    """The block engine's HTTP side; ``now_s`` gives seconds that only go forward."""

    def __init__(self, node: Node, bundles: Bundles, requests_per_s: float, now_s: Callable[[], float]) -> None:
        self._node, self._bundles = node, bundles
        self._requests_per_s, self._now_s = requests_per_s, now_s
        self._answered: dict[str, deque[float]] = {}
        self._methods = {
            "getBundleStatuses": self._statuses,
            "getInflightBundleStatuses": self._inflight,
            "getTipAccounts": lambda _node, _params: [str(key) for key in TIP_ACCOUNTS],
            "sendBundle": self._send_bundle,
        }

    def app(self) -> web.Application:
        """Return the application."""
        app = web.Application()
        app.router.add_post(BUNDLES, self._call)
        for name in self._methods:
            app.router.add_post(f"/api/v1/{name}", self._call)
        app.router.add_post(TRANSACTIONS, self._send)
        app.router.add_get(f"{BUNDLES}/tip_floor", self._tip_floor)
        return app

    async def _call(self, request: web.Request) -> web.Response:
        raw = await request.read()
        if self._is_too_many(request):
            return self._refused("bundle")
        return web.Response(body=answer_all(self._node, self._methods, raw), content_type=JSON)

    async def _send(self, request: web.Request) -> web.Response:
        raw = await request.read()
        if self._is_too_many(request):
            return self._refused("txn")
        headers: dict[str, str] = {}
        alone = request.query.get("bundleOnly", "").lower() == "true"

        def send_transaction(node: Node, params: list[Any]) -> str:
            config = given.settings(params, 1)
            text = given.needed(params, 0, str)
            transaction, _ = given.transaction(text, config.get("encoding") or "base58")
            if not signed(transaction):
                raise bad_params("transaction failed signature verification")
            headers["x-bundle-id"] = bundle_id([transaction])
            if alone:
                self._bundles.take([transaction])
            else:
                dispatch(node, transaction)
            return str(transaction.signatures[0])

        body = answer_all(self._node, {"sendTransaction": send_transaction}, raw)
        return web.Response(body=body, content_type=JSON, headers=headers)

    def _is_too_many(self, request: web.Request) -> bool:
        """Whether this address has had its requests of the last second; if not, count this one."""
        if not self._requests_per_s:
            return False
        now = self._now_s()
        lately = self._answered.setdefault(request.remote or "", deque())
        while lately and now - lately[0] >= 1:
            lately.popleft()
        if len(lately) >= self._requests_per_s:
            return True
        lately.append(now)
        return False

    def _refused(self, what: str) -> web.Response:
        text = f"Rate limit exceeded. Limit: {self._requests_per_s:g} per second for {what} requests"
        return too_many(RATE_LIMITED, text, 1)

    def _send_bundle(self, _: Node, params: list[Any]) -> str:
        texts, encoding = bundle_params(params)
        transactions = [given.transaction(given.needed(texts, place, str), encoding)[0] for place in range(len(texts))]
        return self._bundles.take(transactions)

    def _statuses(self, node: Node, params: list[Any]) -> Any:
        found = [self._bundles.status(name) for name in _ids(params)]
        return in_context(node.chain.blocks.open, found)

    def _inflight(self, node: Node, params: list[Any]) -> Any:
        found = [self._bundles.inflight(name) for name in _ids(params)]
        return in_context(node.chain.blocks.open, found)

    async def _tip_floor(self, _: web.Request) -> web.Response:
        time = datetime.fromtimestamp(self._node.chain.bank.unix_timestamp, UTC).isoformat().replace("+00:00", "Z")
        return web.json_response(self._bundles.floor.shown(time))


def _ids(params: list[Any]) -> list[str]:
    names = given.needed(params, 0, list)
    if len(names) > MAX_IDS:
        raise bad_params(f"Invalid params: at most {MAX_IDS} bundle ids can be asked for.")
    return [given.needed(names, place, str) for place in range(len(names))]
