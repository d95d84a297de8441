"""Starting and stopping the local chain: RPC, WebSockets and block engine on loopback, slots timed or by hand."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from time import time

from aiohttp import web
from solders.account import Account
from solders.pubkey import Pubkey

from drift_engine.localnet.block_engine import BlockEngine
from drift_engine.localnet.bundles import Bundles
from drift_engine.localnet.chain import LAMPORTS, Chain, ChainConfig
from drift_engine.localnet.faults import Faults
from drift_engine.localnet.node import Node
from drift_engine.localnet.program import VenueProgram
from drift_engine.localnet.server import Server
from drift_engine.venues.jito.messages import TIP_ACCOUNTS

PAIR_ATTEMPTS = 50
SHUTDOWN_S = 1.0


class PortTakenError(OSError):
    """The ports asked for cannot be had; the message says which."""


@dataclass(frozen=True, slots=True)
class ServeConfig:
    """What to serve. Port 0 takes free ports, RPC and WebSocket next to each other.

    ``by_hand``: slots open only when they are told to; else they open in time, and the chain's clock is the machine's,
    ``clock_skew_s`` seconds ahead. ``accounts`` are there from the start.
    ``jito_requests_per_s`` of 0 is no limit; ``jito_leader_turns`` of 3: each third leader runs Jito's client.
    """

    host: str = "127.0.0.1"
    port: int = 0
    jito_port: int = 0
    chain: ChainConfig = field(default_factory=ChainConfig)
    programs: tuple[VenueProgram, ...] = ()
    accounts: tuple[tuple[Pubkey, Account], ...] = ()
    by_hand: bool = False
    clock_skew_s: int = 0
    fault_seed: int = 0
    jito_requests_per_s: float = 1.0
    jito_leader_turns: int = 1


@dataclass(slots=True)
class Running:
    """A chain being served: its addresses, the chain itself, and how to stop it."""

    url: str
    ws_url: str
    jito_url: str
    chain: Chain
    faults: Faults
    server: Server
    _runners: list[web.AppRunner]
    _clock: asyncio.Task[None] | None

    async def wait(self) -> None:
        """Wait as long as slots open; raise what stopped them. It returns at once where they open by hand."""
        if self._clock is not None:
            await asyncio.shield(self._clock)

    async def stop(self) -> None:
        """Stop the slots and close every port and socket; raise what stopped the slots before, if something did."""
        if self._clock is not None:
            self._clock.cancel()
            await asyncio.wait([self._clock])
        for runner in self._runners:
            await runner.cleanup()
        if self._clock is not None and not self._clock.cancelled():
            self._clock.result()


async def serve(config: ServeConfig | None = None) -> Running:
    """Start a chain and serve it; raise ``PortTakenError`` where a port is taken."""
    config = config or ServeConfig()
    chain = Chain(_timed(config), config.programs)
    for address, account in (*_tip_accounts(), *config.accounts):
        chain.bank.put(address, account)
    node = Node(chain, Faults(config.fault_seed))
    server, bundles = Server(node), Bundles(node, config.jito_leader_turns)
    engine = BlockEngine(node, bundles, config.jito_requests_per_s, asyncio.get_running_loop().time)
    pair, jito = _sockets(config)
    runners = [await _started(server.app(), pair), await _started(engine.app(), [jito])]
    chain.advance()
    port, jito_port = pair[0].getsockname()[1], jito.getsockname()[1]
    return Running(
        url=f"http://{config.host}:{port}",
        ws_url=f"ws://{config.host}:{port + 1}",
        jito_url=f"http://{config.host}:{jito_port}",
        chain=chain,
        faults=node.faults,
        server=server,
        _runners=runners,
        _clock=None if config.by_hand else asyncio.create_task(_run_slots(chain)),
    )


@asynccontextmanager
async def served(config: ServeConfig | None = None) -> AsyncIterator[Running]:
    """Serve a chain for as long as the block lasts."""
    running = await serve(config)
    try:
        yield running
    finally:
        await running.stop()


def _timed(config: ServeConfig) -> ChainConfig:
    return config.chain if config.by_hand else replace(config.chain, start_unix=int(time()) + config.clock_skew_s)


def _tip_accounts() -> list[tuple[Pubkey, Account]]:
    return [(address, Account(LAMPORTS, b"", Pubkey.default())) for address in TIP_ACCOUNTS]


async def _run_slots(chain: Chain) -> None:
    """Open a slot every ``slot_ms``, on a grid: a late one does not delay those after it."""
    loop, begun, opened = asyncio.get_running_loop(), asyncio.get_running_loop().time(), 0
    while True:
        opened += 1
        await asyncio.sleep(max(0.0, begun + opened * chain.config.slot_ms / 1_000 - loop.time()))
        chain.advance()


async def _started(app: web.Application, sockets: list[socket.socket]) -> web.AppRunner:
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=SHUTDOWN_S)
    await runner.setup()
    for bound in sockets:
        await web.SockSite(runner, bound).start()
    return runner


def _sockets(config: ServeConfig) -> tuple[list[socket.socket], socket.socket]:
    pair = _pair(config.host, config.port)
    try:
        return pair, _bound(config.host, config.jito_port)
    except PortTakenError:
        for bound in pair:
            bound.close()
        raise


def _bound(host: str, port: int) -> socket.socket:
    bound = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        bound.bind((host, port))
    except OSError as error:
        bound.close()
        raise PortTakenError(f"port {port} of {host} cannot be had ({error.strerror}): choose another") from error
    return bound


def _pair(host: str, port: int) -> list[socket.socket]:
    """Return sockets on a port and the one after it."""
    if port:
        first = _bound(host, port)
        try:
            return [first, _bound(host, port + 1)]
        except PortTakenError:
            first.close()
            raise
    for _ in range(PAIR_ATTEMPTS):
        first = _bound(host, 0)
        try:
            return [first, _bound(host, first.getsockname()[1] + 1)]
        except (PortTakenError, OverflowError):
            first.close()
    raise PortTakenError(f"no two free ports next to each other on {host}")
