"""The mirror against a node on loopback that cuts, stalls and lies: equal in the end, and never older than it says."""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from functools import partial

import pytest
from chain_node import OWNER, Chain, Node, wire
from solders.pubkey import Pubkey

from drift_engine.venues.mirror import Mirror, Pace
from drift_engine.venues.rpc import Rpc
from drift_engine.venues.rpc.transport import Policy
from drift_engine.venues.rpc.types import AccountInfo, Memcmp
from drift_engine.venues.streams.kept_socket import Patience
from drift_engine.venues.streams.subscriptions import Subscriptions

SLOT_S = 0.02
KEYS = [Pubkey.from_bytes(bytes([n] * 32)) for n in range(100, 120)]
PAYLOAD = bytes(4488)
FAST = Patience(connect_ms=500, stall_ms=200, answer_ms=400, close_ms=20, backoff_ms=10, backoff_max_ms=40)
QUICK = Policy(timeout_ms=600, attempt_ms=200, backoff_ms=5, backoff_max_ms=20, cooldown_ms=10, cooldown_max_ms=50)
STREAM_ONLY = Pace(slot_ms=8, all_ms=60_000, without_stream_ms=60_000, due_ms=4, again_ms=15)
PACE = Pace(slot_ms=8, all_ms=300, without_stream_ms=60, due_ms=4, again_ms=15)


@dataclass
class Stage:
    node: Node
    mirror: Mirror
    stream: Subscriptions
    told: list[tuple[Pubkey, AccountInfo]] = field(default_factory=list)
    audits: int = 0
    known: int = 0
    understated: list[str] = field(default_factory=list)

    def audit(self) -> None:
        """Compare what the mirror says of each account with what the chain knows it lacks."""
        for key in self.mirror.held.all:
            info, as_of_ns = self.mirror.get(key), self.mirror.as_of_ns(key)
            self.audits += 1
            if as_of_ns is None:
                continue
            assert info is not None
            self.known += 1
            missing_ns = self.node.chain.missing_since(key, info.data)
            if missing_ns is not None and as_of_ns > missing_ns:
                held = self.mirror.held.all[key]
                late_ms = (as_of_ns - missing_ns) / 1e6
                self.understated.append(
                    f"{key} by {late_ms:.2f} ms: {held.slot=} {held.spoken_for=} {self.stream.slot=}"
                )
        for slot, began_ns in list(self.node.chain.began.items())[-10:]:
            assert (self.mirror.held.times.not_before(slot - 1) or 0) <= began_ns
        moments = [self.mirror.as_of_ns(key) for key in self.mirror.held.all]
        known = [moment for moment in moments if moment is not None]
        assert self.mirror.held.oldest_ns() == (min(known) if len(known) == len(moments) else None)

    async def until(self, what: Callable[[], bool], limit_s: float = 20) -> None:
        deadline = time.monotonic() + limit_s
        while not what():
            assert time.monotonic() < deadline, f"not in {limit_s} s; trouble: {self.mirror.trouble}"
            await asyncio.sleep(0.005)

    def is_on_connection(self, number: int) -> bool:
        return self.stream.connected and self.stream.connections >= number

    def equal(self) -> bool:
        chain = self.node.chain
        for key, states in chain.history.items():
            info = self.mirror.get(key)
            if key in self.mirror.held.all and (info is None or info.data != states[-1].data):
                return False
        return True

    def settled(self) -> bool:
        age_ns = self.mirror.age_ns()
        return self.equal() and not self.mirror.held.due and age_ns is not None and age_ns < 10 * SLOT_S * 1e9


@contextlib.asynccontextmanager
async def stage(keys: list[Pubkey] = KEYS, *, seed: int = 0, pace: Pace = PACE) -> AsyncIterator[Stage]:
    chain = Chain()
    for key in keys:
        chain.write(key, PAYLOAD)
    async with (
        Node(chain, seed) as node,
        Rpc([node.http], policy=QUICK) as rpc,
        Subscriptions([node.ws], patience=FAST) as stream,
    ):
        told: list[tuple[Pubkey, AccountInfo]] = []
        async with Mirror(rpc, stream, keys, changed=lambda key, info: told.append((key, info)), pace=pace) as mirror:
            yield Stage(node, mirror, stream, told)


@contextlib.asynccontextmanager
async def load(on: Stage, *, writes: int = 10, quiet: int = 2) -> AsyncIterator[None]:
    """Slots tick; in each some accounts change (the first ``quiet`` never do); ages are audited all the while."""

    async def run() -> None:
        node = on.node
        while True:
            node.begin_slot()
            on.audit()
            await asyncio.sleep(SLOT_S / 2)
            for key in node.random.sample(KEYS[quiet:], writes):
                node.write(key, PAYLOAD)
            on.audit()
            await asyncio.sleep(SLOT_S / 2)
            on.audit()

    task = asyncio.create_task(run())
    try:
        yield
    finally:
        task.cancel()
        ended = await asyncio.gather(task, return_exceptions=True)
        assert isinstance(ended[0], asyncio.CancelledError), ended
    async with ticking(on):
        await on.until(on.settled)
        on.audit()
    assert on.known > on.audits / 4
    assert on.understated == []


@contextlib.asynccontextmanager
async def ticking(on: Stage) -> AsyncIterator[None]:
    async def tick() -> None:
        while True:
            on.node.begin_slot()
            await asyncio.sleep(SLOT_S)

    task = asyncio.create_task(tick())
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def test_follows_the_chain() -> None:
    async with stage() as on, load(on):
        await asyncio.sleep(0.6)
    assert on.stream.connections == 1
    assert len(on.told) > 100


async def test_fifty_cuts_under_load() -> None:
    async with stage() as on, load(on):
        for cut in range(50):
            await on.until(partial(on.is_on_connection, cut + 1))
            await asyncio.sleep(on.node.random.uniform(0, 0.08))
            on.node.cut()
        await on.until(lambda: on.stream.connections > 50)


async def test_a_stall_makes_ages_grow_and_is_given_up() -> None:
    async with stage(pace=STREAM_ONLY) as on, load(on):
        await on.until(lambda: on.mirror.age_ns() is not None)
        on.node.stalled = True
        await asyncio.sleep(0.15)
        age_ns = on.mirror.age_ns()
        assert age_ns is not None
        assert age_ns >= 0.14e9
        assert on.stream.connections == 1
        await on.until(lambda: on.stream.connections >= 2)
        on.node.stalled = False


async def test_what_a_short_stall_swallowed_is_noticed() -> None:
    longest_s = 0.0
    async with stage(pace=STREAM_ONLY) as on, load(on, writes=4):
        await on.until(lambda: on.mirror.age_ns() is not None)
        for _ in range(5):
            began_s = time.monotonic()
            on.node.stalled = True
            await asyncio.sleep(0.08)
            on.node.stalled = False
            longest_s = max(longest_s, time.monotonic() - began_s)
            await asyncio.sleep(0.06)
    assert on.stream.connections == 1 or longest_s > 0.15, "a short stall was given up"
    assert on.mirror.held.holes >= 3


async def test_stale_reordered_and_repeated_slots() -> None:
    async with stage(seed=3) as on, load(on):
        on.node.duplicate, on.node.stale, on.node.reorder = 0.2, 0.3, 0.3
        await asyncio.sleep(1.5)
    assert on.mirror.held.stale + on.stream.counts.stale > 50


async def test_everything_at_once() -> None:
    async with stage(seed=5) as on, load(on):
        node = on.node
        node.duplicate, node.stale, node.reorder = 0.1, 0.2, 0.2
        for turn in range(12):
            await asyncio.sleep(0.08)
            node.http_faults.extend(["429", "ok", "503", "ok", "drop", "not json", "half", "ok"][turn % 3 :])
            if turn % 3 == 0:
                node.cut()
            elif turn % 3 == 1:
                node.say('{"jsonrpc": "2.0", "method": "accountNoti')
            node.stalled = turn % 4 == 3
            node.behind = turn % 5
        node.stalled, node.behind = False, 0
        node.duplicate = node.stale = node.reorder = 0


async def test_a_late_stream_is_dated_by_the_other_way() -> None:
    """A stream that is delayed as a whole looks alive; the slots asked for over HTTP show how old it is."""
    async with stage(pace=STREAM_ONLY) as on, load(on):
        await on.until(lambda: on.mirror.age_ns() is not None)
        queue: list[tuple[float, str]] = []

        def later(text: str, socket: object) -> list[str]:
            queue.append((time.monotonic() + 0.15, text))
            return []

        on.node.mangle = later  # type: ignore[method-assign]
        ages = []
        for _ in range(60):
            await asyncio.sleep(0.01)
            while queue and queue[0][0] <= time.monotonic():
                on.node.say(queue.pop(0)[1])
            age_ns = on.mirror.age_ns()
            assert age_ns is not None
            ages.append(age_ns)
        assert on.stream.connections == 1
        assert min(ages[30:]) >= 0.15e9
        del on.node.mangle


async def test_a_fork_is_healed() -> None:
    async with stage(pace=STREAM_ONLY) as on:
        node, key = on.node, KEYS[0]

        async def slots(count: int) -> None:
            for _ in range(count):
                node.begin_slot()
                await asyncio.sleep(SLOT_S)

        await slots(15)
        await on.until(lambda: on.mirror.age_ns() is not None and not on.mirror.held.due)
        parent = node.chain.slot
        node.begin_slot()
        good = node.chain.history[key][-1]
        rolled_back = type(good)(good.at_ns, node.chain.slot, 5, b"\0" * 8 + b"on a fork")
        node.notify(key, rolled_back)
        await on.until(lambda: on.told[-1][1].data == rolled_back.data)
        node.begin_slot(parent=parent)
        await on.until(lambda: on.mirror.held.doubts == 1)
        node.begin_slot()
        await on.until(lambda: on.equal() and not on.mirror.held.due)
        assert on.told[-1][1].data == good.data


async def test_a_withheld_change_is_found_by_reading_all_again() -> None:
    async with stage() as on, ticking(on):
        await on.until(lambda: on.mirror.age_ns() is not None)
        on.node.chain.write(KEYS[3], PAYLOAD)
        assert not on.equal()
        await on.until(on.equal, limit_s=1)


async def test_nothing_goes_back_to_an_older_slot() -> None:
    async with stage() as on, load(on):
        await asyncio.sleep(0.2)
        on.node.behind = 8
        on.node.cut()
        await asyncio.sleep(0.4)
        on.node.behind = 0
    slots: dict[Pubkey, int] = {}
    for key, info in on.told:
        assert info.slot >= slots.get(key, 0)
        slots[key] = info.slot


async def test_a_node_that_lags_does_not_make_the_stream_look_younger() -> None:
    async with stage() as on, load(on):
        await on.until(lambda: on.mirror.age_ns() is not None)
        on.node.slot_behind = on.node.behind = 6
        await asyncio.sleep(0.5)
        on.node.slot_behind = on.node.behind = 0


async def test_ages_grow_while_nothing_answers() -> None:
    async with stage() as on, load(on):
        await on.until(lambda: on.mirror.age_ns() is not None)
        on.node.refuse_ws = True
        on.node.http_faults.extend(["503"] * 10_000)
        on.node.cut()
        await asyncio.sleep(0.3)
        age_ns = on.mirror.age_ns()
        assert age_ns is not None
        assert age_ns >= 0.29e9
        assert on.mirror.trouble is not None
        assert "503" in on.mirror.trouble
        on.node.http_faults.clear()
        await on.until(lambda: not on.stream.connected and (on.mirror.age_ns() or 10**9) < 0.25e9)
        await on.until(lambda: on.mirror.trouble == on.stream.trouble)
        assert on.mirror.trouble is not None, "the stream's, where all questions are answered"
        on.node.refuse_ws = False
        await on.until(lambda: on.mirror.trouble is None)


async def test_a_cut_ends_what_the_stream_speaks_for() -> None:
    async with stage(KEYS[:2], pace=STREAM_ONLY) as on, ticking(on):
        await on.until(lambda: all(held.spoken_for for held in on.mirror.held.all.values()))
        on.node.refuse_ws = True
        on.node.cut()
        await on.until(lambda: not any(held.spoken_for for held in on.mirror.held.all.values()), limit_s=2)


async def test_trouble_lasts_until_what_was_refused_is_answered() -> None:
    """Another question that is answered does not hide it."""
    async with stage(KEYS[:1]) as on, ticking(on):
        await on.mirror.ready()
        assert on.mirror.trouble is None
        on.node.refusals["getMultipleAccounts"] = {"code": -32601, "message": "not on this plan"}
        await on.until(lambda: on.mirror.trouble is not None)
        seen = set[str | None]()
        for _ in range(60):
            seen.add(on.mirror.trouble)
            await asyncio.sleep(0.002)
        assert len(seen) == 1
        assert "not on this plan" in str(seen)
        on.mirror.remove(KEYS[0])
        await on.until(lambda: on.mirror.trouble is None)


async def test_mirrors_a_program_as_accounts_appear_and_close() -> None:
    """All by the stream alone: what is not told, nothing but the first reading finds."""
    a, b, c = KEYS[:3]
    async with stage([], pace=STREAM_ONLY) as on, ticking(on):
        chain, node = on.node.chain, on.node
        chain.write(a, b"\xaa" * 32 + b"1")
        chain.write(c, b"\xbb" * 32)
        program = on.mirror.add_program(OWNER, [Memcmp(8, b"\xaa" * 32)])
        await on.until(lambda: set(program.members) == {a} and on.mirror.age_ns() is not None)
        await on.until(lambda: program.spoken_for and not on.mirror.held.due)
        node.write(b, b"\xaa" * 32 + b"2")
        await on.until(lambda: set(program.members) == {a, b} and not on.mirror.held.due)
        node.write(a, lamports=0)
        node.write(b, lamports=0)
        await on.until(lambda: not any(each.info is None or each.info.exists for each in program.members.values()))
        assert on.mirror.get(c) is None
        await on.until(lambda: on.mirror.age_ns() is not None)


async def test_a_member_whose_end_was_withheld_is_found_missing() -> None:
    a, b = KEYS[:2]
    async with stage([]) as on, ticking(on):
        for key in (a, b):
            on.node.chain.write(key, b"\xaa" * 32)
        program = on.mirror.add_program(OWNER, [Memcmp(8, b"\xaa" * 32)])
        await on.until(lambda: set(program.members) == {a, b} and not on.mirror.held.due)
        on.node.chain.write(b, lamports=0)
        await on.until(lambda: not any(each.exists for key, each in on.told[-1:] if key == b), limit_s=1)
        assert [key for key, each in on.told if not each.exists] == [b]


async def test_an_account_the_chain_does_not_have() -> None:
    nobody = Pubkey.from_bytes(bytes([9] * 32))
    async with stage([nobody]) as on:
        del on.node.chain.history[nobody]
        await on.until(lambda: on.mirror.get(nobody) is not None)
        info = on.mirror.get(nobody)
        assert info is not None
        assert (info.exists, info.data) == (False, b"")


async def test_accounts_are_added_and_removed_while_it_runs() -> None:
    async with stage(KEYS[:1]) as on, ticking(on):
        await on.until(lambda: on.mirror.age_ns() is not None)
        on.node.chain.write(KEYS[1], b"new")
        on.mirror.add(KEYS[1])
        on.mirror.add(KEYS[1])
        assert on.mirror.age_ns() is None, "one is not known yet"
        await on.mirror.ready()
        on.node.write(KEYS[1], b"newer")
        await on.until(on.equal)
        on.mirror.remove(KEYS[1])
        on.mirror.remove(KEYS[1])
        assert (on.mirror.get(KEYS[1]), on.mirror.age_ns(KEYS[1])) == (None, None)
        await on.until(lambda: [len(each.subscriptions) for each in on.node.sockets] == [2])


async def test_commitments_must_agree() -> None:
    async with Rpc(["http://127.0.0.1:1"], commitment="processed") as rpc:
        with pytest.raises(ValueError, match="must agree"):
            Mirror(rpc, Subscriptions(["ws://127.0.0.1:1"]))


async def test_a_fault_in_the_callback_comes_to_light() -> None:
    def changed(key: Pubkey, info: AccountInfo) -> None:
        raise KeyError("a bug")

    chain = Chain()
    chain.write(KEYS[0])
    async with Node(chain) as node, Rpc([node.http], policy=QUICK) as rpc, Subscriptions([node.ws]) as stream:
        mirror = Mirror(rpc, stream, KEYS[:1], changed=changed, pace=PACE)
        await mirror.__aenter__()
        with pytest.raises(RuntimeError, match="accounts ended by a fault"):
            await mirror.ready()
        await asyncio.sleep(0.1)  # the node is asked for its slot again, and answers
        assert mirror.trouble == "mirror: accounts ended by a fault: KeyError('a bug')"
        with pytest.raises(KeyError, match="a bug"):
            await mirror.close()


async def test_a_note_that_makes_no_sense_is_a_gap() -> None:
    async with stage() as on, load(on):
        await on.until(lambda: on.mirror.age_ns() is not None)
        state = wire(on.node.chain.history[KEYS[0]][-1])
        [socket] = on.node.sockets
        number = next(number for number, (topic, _) in socket.subscriptions.items() if topic == "account")
        result = {"context": {"slot": on.node.chain.slot}, "value": {**state, "owner": "nobody"}}
        socket.tell("accountNotification", number, result)
        await on.until(lambda: on.stream.connections == 2)


async def test_leaves_no_task_and_no_subscription() -> None:
    before = asyncio.all_tasks()
    async with stage() as on, ticking(on):
        await on.until(lambda: on.mirror.age_ns() is not None)
        await on.mirror.close()
        await on.until(lambda: [len(each.subscriptions) for each in on.node.sockets] == [1])
    await asyncio.sleep(0)
    assert asyncio.all_tasks() == before
