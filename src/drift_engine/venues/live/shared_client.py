"""One client for each endpoint and process, however many engines ask for it.

    async with shared([rpc_url]) as connection:
        connection.rpc, connection.subscriptions, connection.mirror, connection.warm

Whoever comes first opens it, whoever goes last closes it. It keeps the blockhash and the block height warm, so that
who signs waits for nothing; where the node does not answer, the blockhash grows old, and ``Warm`` refuses to sign.
"""

import asyncio
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

from msgspec import Struct
from solders.pubkey import Pubkey

from drift_engine.core.client import VenueUnavailableError
from drift_engine.venues.mirror import Mirror, Pace
from drift_engine.venues.rpc import Rpc
from drift_engine.venues.rpc import calls as rpc_calls
from drift_engine.venues.rpc.calls import Call, Commitment
from drift_engine.venues.rpc.errors import RpcError, RpcUnavailableError
from drift_engine.venues.rpc.transport import Policy
from drift_engine.venues.rpc.types import AccountInfo
from drift_engine.venues.streams.address import find_ws_urls
from drift_engine.venues.streams.subscriptions import Subscriptions
from drift_engine.venues.transactions.blockhash import Warm

WARM_MS = 1_000
HOLD_S = 45.0
_WAIT_S = 0.02


class Settings(Struct, frozen=True):
    """What may differ between two connections to the same endpoints; those that differ are not shared."""

    commitment: Commitment = "confirmed"
    pace: Pace = Pace()
    policy: Policy | None = None
    warm_ms: int = WARM_MS


class Connection:
    """The clients of one endpoint (or of several that stand for each other), open for as long as it is used."""

    def __init__(self, rpc_urls: Sequence[str], ws_urls: Sequence[str], settings: Settings) -> None:
        self.rpc = Rpc(rpc_urls, commitment=settings.commitment, policy=settings.policy)
        self.subscriptions = Subscriptions(ws_urls, commitment=settings.commitment)
        self.mirror = Mirror(self.rpc, self.subscriptions, pace=settings.pace)
        self.warm = Warm()
        self.trouble: str | None = None
        self._warm_s = settings.warm_ms / 1_000
        self._stack = AsyncExitStack()

    async def open(self) -> None:
        """Connect, and fetch the first blockhash. Raises ``RpcUnavailableError`` where the node does not answer."""
        async with AsyncExitStack() as stack:
            await stack.enter_async_context(self.rpc)
            await self.refresh()
            await stack.enter_async_context(self.subscriptions)
            await stack.enter_async_context(self.mirror)
            keeper = asyncio.create_task(self._keep_warm(), name="connection: blockhash")
            keeper.add_done_callback(self._note_end)
            stack.push_async_callback(_ended, keeper)
            self._stack = stack.pop_all()

    async def close(self) -> None:
        """Disconnect."""
        await self._stack.aclose()

    async def refresh(self) -> None:
        """Fetch the newest blockhash and the block height, from one node."""
        now_ns, commitment = self.rpc.clock(), self.rpc.commitment
        calls: list[Call[Any]] = [rpc_calls.get_latest_blockhash(commitment), rpc_calls.get_block_height(commitment)]
        fetched, height = await self.rpc.batch(calls)
        for answer in (fetched, height):
            if isinstance(answer, RpcError):
                raise RpcUnavailableError(str(answer))
        self.warm.saw_blockhash(fetched.blockhash, fetched.last_valid_block_height, now_ns)
        self.warm.saw_block_height(height)

    async def read_tables(self, tables: Sequence[Pubkey]) -> list[Pubkey]:
        """Keep the lookup tables that the chain has, and return which; without one, transactions are larger."""
        if not tables:
            return []
        [(_, found)] = await self.rpc.get_multiple_accounts(tables)
        there = [info for info in found if info is not None]
        for info in there:
            self.warm.saw_table(info.pubkey, info.data)
        return [info.pubkey for info in there]

    async def hold(self, keys: Iterable[Pubkey], wait_s: float = HOLD_S) -> None:
        """Mirror accounts from now on, and wait until each was read and has an age.

        Raises ``RpcUnavailableError`` where that does not come about: the node does not answer, or its chain stands
        still.
        """
        wanted = list(keys)
        for key in wanted:
            self.mirror.add(key)
        try:
            async with asyncio.timeout(wait_s):
                for key in wanted:
                    await self._read_once(key)
        except TimeoutError:
            why = self.mirror.trouble or "it told of no new slot"
            raise RpcUnavailableError(f"how old its answers are cannot be told: {why}") from None

    async def _read_once(self, key: Pubkey) -> None:
        while True:
            if self.mirror.get(key) is not None and self.mirror.age_ns(key) is not None:
                return
            await asyncio.sleep(_WAIT_S)

    async def newest(self, key: Pubkey, after_slot: int = 0, *, anew: bool = False) -> AccountInfo | None:
        """Return an account with all that ``after_slot`` and our own last block did to it. ``None``: no account.

        Where it is not sure that all of it is mirrored yet, the node is asked; ``anew``: it is asked in any case. One
        that has not come as far as what is mirrored is not believed.
        """
        held = self.mirror.get(key)
        after_slot = max(after_slot, self.mirror.acted_slot(key))
        if held is None or anew or not self.mirror.has(key, after_slot):
            least = max(after_slot, held.slot if held is not None else 0)
            found = await self.rpc.get_account(key, min_context_slot=least or None)
            return found if found is not None and found.exists else None
        return held if held.exists else None

    def _note_end(self, keeper: "asyncio.Task[None]") -> None:
        """The keeper ends by a bug only: say so to whoever asks, now; ``close`` raises it."""
        if not keeper.cancelled():
            self.trouble = f"the blockhash is kept no more: {keeper.exception()!r}"

    async def _keep_warm(self) -> None:
        while True:
            await asyncio.sleep(self._warm_s)
            try:
                await self.refresh()
            except VenueUnavailableError as error:
                self.trouble = str(error)
            else:
                self.trouble = None


class _Entry:
    """A connection, how many use it, and whether it is open."""

    def __init__(self, connection: Connection) -> None:
        self.connection, self.users, self.open = connection, 0, False
        self.lock = asyncio.Lock()


_Key = tuple[asyncio.AbstractEventLoop, tuple[str, ...], tuple[str, ...], Settings]
_entries: dict[_Key, _Entry] = {}


@asynccontextmanager
async def shared(
    rpc_urls: Sequence[str], ws_urls: Sequence[str] = (), settings: Settings | None = None
) -> AsyncIterator[Connection]:
    """Use the process's connection to these endpoints; ``ws_urls`` are found where none are named.

    Raises ``RpcUnavailableError`` where it cannot be opened.
    """
    streams = tuple(ws_urls) or await find_ws_urls(rpc_urls)
    key = (asyncio.get_running_loop(), tuple(rpc_urls), streams, settings or Settings())
    entry = _entries.get(key)
    if entry is None:
        entry = _entries[key] = _Entry(Connection(rpc_urls, streams, key[3]))
    entry.users += 1
    try:
        async with entry.lock:
            if not entry.open:
                await entry.connection.open()
                entry.open = True
        yield entry.connection
    finally:
        entry.users -= 1
        if not entry.users:
            del _entries[key]
            if entry.open:
                await entry.connection.close()


async def _ended(task: "asyncio.Task[None]") -> None:
    """End a task; raise what ended it before."""
    task.cancel()
    await asyncio.wait([task])
    if not task.cancelled() and (error := task.exception()) is not None:
        raise error
