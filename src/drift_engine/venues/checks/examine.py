"""A venue examined: what each check needs is read here, one question after the other; answers come as they are found.

What could not be read keeps later questions from being asked; that is said, and is never taken for health.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Sequence

from msgspec import Struct
from solders.pubkey import Pubkey

from drift_engine.core.client import VenueUnavailableError
from drift_engine.venues.checks import layout, nodes, trading
from drift_engine.venues.checks.check import Check
from drift_engine.venues.errors import VenueError
from drift_engine.venues.keys import rights_of
from drift_engine.venues.program import Program
from drift_engine.venues.programs import PROGRAMS
from drift_engine.venues.rpc import Rpc
from drift_engine.venues.rpc.errors import METHOD_NOT_FOUND, RpcError, RpcUnavailableError
from drift_engine.venues.rpc.transport import Policy
from drift_engine.venues.snapshot.reading import Owner, block_time_s, find_owner, read_snapshot
from drift_engine.venues.streams.address import find_ws_urls
from drift_engine.venues.streams.kept_socket import Patience
from drift_engine.venues.streams.subscriptions import Subscriptions
from drift_engine.venues.urls import shown

_POLICY = Policy(timeout_ms=6_000, attempt_ms=3_000, retries=2, backoff_ms=300)
_SAMPLES = 3
_WS_WAIT_S = 5.0
_WS_LOOK_S = 0.02
_BLOCKS_TO_TRY = 4


class Patient(Struct, frozen=True):
    """What is examined: a venue at some nodes, and a key's address with whose accounts it is to act for.

    ``ws_urls`` are found where none are named.
    """

    program: Program
    urls: tuple[str, ...]
    ws_urls: tuple[str, ...] = ()
    key: Pubkey | None = None
    owner: Pubkey | None = None


async def examine(patient: Patient, wall_s: Callable[[], float] = time.time) -> AsyncIterator[Check]:
    """Ask all questions, and give each answer as it is found."""
    asked = [await _node(url) for url in patient.urls]
    for node in asked:
        yield nodes.http_node(node)
    newest = max((node.slot for node in asked if node.slot is not None), default=None)
    for url in patient.ws_urls or await find_ws_urls(patient.urls):
        yield await _stream(url, newest)
    if (lag := nodes.slot_lag(asked)) is not None:
        yield lag
    well = [url for url, node in zip(patient.urls, asked, strict=True) if node.slot is not None]
    if not well:
        yield Check("the rest", "warn", "was not looked at: no node answers")
        return
    async with Rpc(well, policy=_POLICY) as rpc:
        try:
            async for check in _venue(rpc, patient, wall_s):
                yield check
        except (VenueUnavailableError, VenueError) as error:
            yield Check("the rest", "fail", f"could not be looked at: {error}", "mend what is above, and ask again")


async def _venue(rpc: Rpc, patient: Patient, wall_s: Callable[[], float]) -> AsyncIterator[Check]:
    program = patient.program
    slot = await rpc.get_slot()
    asked_s = wall_s()
    yield nodes.clock(asked_s, await _block_time(rpc, slot), 400)
    keys = [each.program_id for each in PROGRAMS.values()]
    [(_, found)] = await rpc.get_multiple_accounts([*keys, program.state])
    by_key = dict(zip(keys, found, strict=False))
    others = [each for each in layout.on_chain(found) if each is not program]
    there = layout.program_there(program, by_key[program.program_id], others)
    yield there
    state = layout.state_layout(program, found[-1])
    if there.verdict == "ok" or found[-1] is not None:
        yield state
    if state.verdict != "ok":
        yield Check("exchange, markets", "warn", "were not looked at: State is not what this build reads")
    else:
        async for check in _exchange(rpc, patient):
            yield check
    if patient.key is None:
        yield Check("key", "ok", "none: nothing is signed, so nothing is needed")
    else:
        yield trading.gas(patient.key, await rpc.get_balance(patient.key))


async def _exchange(rpc: Rpc, patient: Patient) -> AsyncIterator[Check]:
    program, key = patient.program, patient.key
    whose = patient.owner or key
    owner: Owner | None = None if whose is None else await find_owner(rpc, program, whose)
    snapshot = await read_snapshot(rpc, program, owner)
    yield layout.market_layout(program, snapshot.perps, "perp")
    yield layout.market_layout(program, snapshot.spots, "spot")
    yield trading.exchange(program, snapshot.state)
    for check in trading.markets(program, snapshot.perps, snapshot.spots):
        yield check
    if key is not None and owner is not None:
        held = [(user.view.sub_account_id, rights_of(key, user.view)) for user in snapshot.users]
        yield trading.key_rights(held, key, owner.authority)


async def _node(url: str) -> nodes.Node:
    name = shown(url)
    async with Rpc([url], policy=_POLICY) as rpc:
        try:
            latencies, slot = await _timed(rpc)
            version, behind = await _version(rpc), await _behind(rpc)
        except (RpcUnavailableError, RpcError) as error:
            return nodes.Node(name, trouble=str(error).replace(f"{name} ", ""))
    return nodes.Node(name, latencies, slot, version, behind)


async def _timed(rpc: Rpc) -> tuple[tuple[float, ...], int]:
    latencies, slot = [], await rpc.get_slot()
    for _ in range(_SAMPLES):
        began = time.perf_counter()
        slot = await rpc.get_slot()
        latencies.append((time.perf_counter() - began) * 1_000)
    return tuple(latencies), slot


async def _version(rpc: Rpc) -> str:
    try:
        return (await rpc.get_version()).solana_core
    except RpcError:
        return ""  # small nodes do not say


async def _behind(rpc: Rpc) -> int | None:
    try:
        await rpc.get_health()
    except RpcError as error:
        if error.code == METHOD_NOT_FOUND:
            return None
        slots = error.data.get("numSlotsBehind") if isinstance(error.data, dict) else None
        return slots if isinstance(slots, int) else nodes.LAG_FAIL_SLOTS + 1
    return None


async def _stream(url: str, newest: int | None) -> Check:
    began = time.perf_counter()
    async with Subscriptions([url], patience=Patience(connect_ms=3_000)) as stream:
        while not stream.slot and time.perf_counter() - began < _WS_WAIT_S:
            if not stream.connected and stream.trouble not in (None, "not connected yet"):
                break
            await asyncio.sleep(_WS_LOOK_S)
        after_ms = (time.perf_counter() - began) * 1_000
        trouble = (stream.trouble or "").removeprefix(f"{shown(url)}: ")
        return nodes.ws_node(shown(url), stream.slot or None, after_ms, trouble, newest)


async def _block_time(rpc: Rpc, slot: int) -> int | None:
    """Return the time of the newest block that has one: slots may be without a block."""
    for back in range(_BLOCKS_TO_TRY):
        if (found := await block_time_s(rpc, slot - back)) is not None:
            return found
    return None


def passed(checks: Sequence[Check]) -> bool:
    """Return whether nothing failed."""
    return all(check.verdict != "fail" for check in checks)
