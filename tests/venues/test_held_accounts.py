"""The rule of age without any network: times set by hand, and a chain, a stream and readings at random."""

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from solders.pubkey import Pubkey

from drift_engine.venues.mirror.held import Held, Mark, closed
from drift_engine.venues.mirror.held_accounts import ENOUGH_NOTES, MIN_LAG_SLOTS, SLOTS_KEPT, HeldAccounts
from drift_engine.venues.mirror.slot_times import SlotTimes
from drift_engine.venues.rpc.types import AccountInfo, Memcmp

KEY, OTHER, PROGRAM = (Pubkey.from_bytes(bytes([n] * 32)) for n in (1, 2, 3))
LAG = MIN_LAG_SLOTS


def state(data: bytes, slot: int, key: Pubkey = KEY) -> AccountInfo:
    return AccountInfo(key, PROGRAM, 1, data, slot)


def stage() -> tuple[HeldAccounts, Held, list[bytes]]:
    told: list[bytes] = []
    held = HeldAccounts(lambda key, info: told.append(info.data))
    return held, held.add(KEY), told


def in_sync(slots: int = 20) -> tuple[HeldAccounts, Held, list[bytes]]:
    """Slot ``s`` begins at ``100 s``, is asked for at ``100 s + 10``; the account is watched and read."""
    held, account, told = stage()
    for slot in range(1, slots + 1):
        held.slot_began(slot, slot - 1)
        held.anchor(slot * 100 + 10, slot)
        if slot == 1:
            held.in_force(account, 105)
        if slot == 3:
            held.read(account, account.mark, state(b"a", 3))
    return held, account, told


def test_a_slot_began_after_the_moment_the_node_had_not_come_so_far() -> None:
    times = SlotTimes(keep=4)
    assert times.not_before(5) is None
    times.anchor(100, 7)
    times.anchor(150, 7)
    times.anchor(120, 9)
    assert (times.not_before(7), times.not_before(8), times.not_before(99)) == (None, 150, 150)
    times.anchor(300, 6)
    assert (times.not_before(7), times.not_before(8)) == (None, 150), "a node that lags shows nothing"
    times.anchor(310, 7, told=9)
    assert (times.not_before(9), times.not_before(10)) == (150, 310), "it is no later than what was told"
    times.anchor(320, 8)
    assert (times.not_before(9), times.not_before(10)) == (150, 320)
    for step in range(10):
        times.anchor(400 + step, 10 + step)
    assert (times.not_before(19), times.not_before(8)) == (408, None)


def test_ages_are_those_of_the_slots_that_were_told() -> None:
    held, account, _ = in_sync()
    assert account.spoken_for
    assert held.as_of_ns(account) == (20 - LAG - 1) * 100 + 10
    held.slot_began(21, 20)
    assert held.as_of_ns(account) == (21 - LAG - 1) * 100 + 10
    held.anchor(5000, 21)
    assert held.as_of_ns(account) == (21 - LAG - 1) * 100 + 10, "time alone makes nothing younger"


def test_a_gap_stops_the_time_of_all() -> None:
    held, account, _ = in_sync()
    before = held.as_of_ns(account)
    held.gap()
    for slot in range(21, 40):
        held.slot_began(slot, slot - 1)
        held.anchor(slot * 100 + 10, slot)
    assert held.as_of_ns(account) == before
    held.in_force(account, 4000)
    held.read(account, account.mark, state(b"b", 39))
    assert not account.spoken_for, "no slot was told since, nor named"
    assert held.as_of_ns(account) == 38 * 100 + 10
    held.slot_began(40, 39)
    held.read(account, account.mark, state(b"b", 40))
    assert not account.spoken_for, "no slot was named since"
    held.anchor(4010, 41)
    held.read(account, account.mark, state(b"b", 40))
    assert not account.spoken_for, "read at a slot before"
    assert account in held.due
    held.read(account, account.mark, state(b"b", 41))
    assert account.spoken_for
    assert account not in held.due


def test_nothing_goes_back() -> None:
    held, account, told = in_sync()
    held.noted(account, state(b"c", 20))
    held.noted(account, state(b"old", 19))
    held.read(account, account.mark, state(b"old", 19))
    held.noted(account, state(b"c", 20))
    assert told == [b"a", b"c"]
    assert held.stale == 2
    assert account.spoken_for


def test_a_reading_of_a_later_slot_is_taken_whatever_came_meanwhile() -> None:
    held, account, told = in_sync()
    asked = account.mark
    held.noted(account, state(b"c", 20))
    held.read(account, asked, state(b"d", 21))
    assert told == [b"a", b"c", b"d"]
    assert account.info == state(b"d", 21)


def test_what_did_not_change_is_told_once_and_held_as_of_its_last_reading() -> None:
    held, account, told = in_sync()
    mark = account.mark
    held.read(account, mark, state(b"a", 20))
    assert told == [b"a"]
    assert account.info == state(b"a", 20)
    assert account.mark == mark


def test_a_reading_counts_from_the_slot_that_was_told_after_the_subscription_also_where_the_node_lags() -> None:
    held, account, _ = stage()
    held.in_force(account, 5)
    held.slot_began(10, 9)
    held.anchor(20, 8)
    held.read(account, account.mark, state(b"a", 9))
    assert not account.spoken_for, "what happened in that slot before the subscription was told to nobody"
    assert account in held.due
    held.read(account, account.mark, state(b"a", 10))
    assert account.spoken_for


def test_what_is_held_no_more_is_not_read_again() -> None:
    held, account, _ = stage()
    held.in_force(account, 5)
    held.remove(KEY)
    held.remove(KEY)
    held.slot_began(10, 9)
    held.anchor(20, 10)
    assert (held.all, held.due, account.floor) == ({}, set(), 0)


def test_the_oldest_moment_is_that_of_the_account_that_is_furthest_behind() -> None:
    held, account, _ = in_sync()
    newest = held.as_of_ns(account)
    other = held.add(OTHER)
    assert held.oldest_ns() is None, "nothing is known of one"
    held.read(other, other.mark, state(b"x", 5, OTHER))
    assert held.oldest_ns() == held.as_of_ns(other) == 4 * 100 + 10
    assert newest is not None
    assert newest > 4 * 100 + 10
    held.remove(OTHER)
    assert held.oldest_ns() == newest


def test_two_states_in_one_slot_are_asked_about() -> None:
    held, account, told = in_sync()
    held.noted(account, state(b"c", 20))
    asked = account.mark
    held.noted(account, state(b"d", 20))
    assert held.as_of_ns(account) == 19 * 100 + 10
    assert account in held.due
    held.slot_began(21, 20)
    held.slot_began(22, 21)
    held.slot_began(23, 22)
    held.slot_began(24, 23)
    assert held.as_of_ns(account) == 19 * 100 + 10, "the stream does not speak for what is in doubt"
    held.read(account, asked, state(b"c", 20))
    assert told == [b"a", b"c", b"d"], "the question left before the second state came"
    held.read(account, account.mark, state(b"d", 20))
    assert account.spoken_for
    assert account not in held.due


def test_doubt_takes_back_what_the_stream_said() -> None:
    held, account, _ = in_sync()
    held.slot_began(25, 24)
    assert held.as_of_ns(account) == (20 - LAG - 1) * 100 + 10
    held.noted(account, state(b"other", 3))
    assert held.as_of_ns(account) == 2 * 100 + 10


def test_a_question_that_left_before_settles_nothing() -> None:
    held, account, _ = stage()
    asked = account.mark
    held.in_force(account, 10)
    held.slot_began(4, 3)
    held.anchor(20, 4)
    held.read(account, asked, state(b"a", 4))
    assert not account.spoken_for, "the slot may have gone on between the reading and the subscription"
    held.read(account, account.mark, state(b"a", 4))
    assert account.spoken_for


def test_a_slot_left_aside_is_doubted() -> None:
    held, account, _ = in_sync()
    held.slot_began(21, 20)
    held.noted(account, state(b"fork", 21))
    other = held.add(OTHER)
    held.read(other, other.mark, state(b"y", 20, OTHER))
    held.slot_began(22, 20)
    assert held.doubts == 1, "what is held of the slot that is built on stands"
    held.slot_began(23, 22)
    held.slot_began(24, 23)
    held.slot_began(25, 24)
    assert account in held.due
    assert held.as_of_ns(account) == 20 * 100 + 10, "wrong since the slot that was left aside began"
    held.read(account, account.mark, state(b"a", 20))
    assert account in held.due
    held.read(account, account.mark, state(b"a", 22))
    assert account.info is not None
    assert account.info.data == b"a"
    assert account.spoken_for


def test_a_slot_that_builds_on_one_never_told_shows_a_hole() -> None:
    held, account, _ = in_sync()
    before = held.as_of_ns(account)
    held.slot_began(25, 24)
    held.slot_began(26, 25)
    held.anchor(2700, 26)
    assert held.holes == 1
    assert account in held.due
    assert held.as_of_ns(account) == before
    held.read(account, account.mark, state(b"a", 24))
    assert not account.spoken_for
    held.read(account, account.mark, state(b"a", 26))
    assert account.spoken_for


def test_a_stream_that_leaves_nothing_out_shows_no_hole_however_long_and_however_often_it_is_cut() -> None:
    held, account, _ = in_sync()
    for slot in range(21, 21 + 3 * SLOTS_KEPT):
        held.slot_began(slot, slot - 1)
    assert account.spoken_for
    held.gap()
    held.slot_began(slot + 100, slot + 99)
    assert held.holes == 0


def test_how_far_notes_come_behind_is_learnt() -> None:
    held, account, _ = in_sync()
    for slot in range(21, 21 + 3 * ENOUGH_NOTES):
        held.slot_began(slot, slot - 1)
        held.anchor(slot * 100 + 10, slot)
        held.noted(account, state(str(slot).encode(), slot - 6))
    assert held.lag_slots == 6
    assert held.as_of_ns(account) == (slot - 6 - 1) * 100 + 10
    held.look_back()
    held.look_back()
    assert held.lag_slots == 6, "nothing was told since: that shows nothing"
    for _ in range(2):
        for _ in range(ENOUGH_NOTES):
            slot += 1
            held.slot_began(slot, slot - 1)
            held.noted(account, state(str(slot).encode(), slot))
        held.look_back()
    held.look_back()
    assert held.lag_slots == MIN_LAG_SLOTS


def test_members_of_a_program_come_and_go() -> None:
    told: list[AccountInfo] = []
    held = HeldAccounts(lambda key, info: told.append(info))
    program = held.add_program(PROGRAM, (Memcmp(0, b"x"),))
    held.slot_began(1, 0)
    held.anchor(100, 1)
    held.in_force(program, 50)
    held.listed(program, program.mark, {}, 1, [state(b"x1", 1), state(b"x2", 1, OTHER)])
    assert set(program.members) == {KEY, OTHER}
    assert program in held.due, "no slot was told since"
    held.slot_began(2, 1)
    held.anchor(150, 2)
    held.listed(program, program.mark, held.marks(), 2, [state(b"x1", 2)])
    assert program not in held.due
    gone = program.members[OTHER]
    assert gone in held.due
    assert not gone.spoken_for
    held.read(gone, gone.mark, closed(OTHER, 2))
    assert told[-1] == closed(OTHER, 2)
    held.listed(program, program.mark, held.marks(), 3, [state(b"x1", 3)])
    assert gone not in held.due
    held.listed(program, program.mark, {}, 1, [])
    assert held.stale == 1
    assert (program.slot, held.doubts) == (3, 1), "an older list says nothing, and what is listed is not doubted"
    member = program.members[KEY]
    held.noted(member, state(b"x3", 4))
    held.listed(program, program.mark, held.marks(), 3, [])
    assert held.doubts == 1, "a member that is known of a later slot than the list's is not missing"
    assert held.as_of_ns(member) == 150
    held.remove(KEY)
    assert KEY not in held.all


class World:
    """A chain at random, and a stream of it: late by any time, out of order by ``depth`` slots, cut, with holes."""

    def __init__(self, seed: int, depth: int) -> None:
        self.rng, self.depth = random.Random(seed), depth
        self.now, self.slot, self.told_to, self.named = 0, 1, 0, 0
        self.chain = [(0, 1, b"0")]  # when, at which slot, what
        self.pipe: list[tuple[str, int, bytes]] = []
        self.notes: list[tuple[str, int, bytes]] = []
        self.open: list[tuple[Mark, int, bytes]] = []
        self.connected = self.withholding = False
        self.held, self.account, _ = stage()

    def step(self, number: int) -> None:  # noqa: C901
        rng, held = self.rng, self.held
        self.now += rng.randint(1, 50)
        act = rng.random()
        if act < 0.25:
            self.slot += 1
            self.tell("slot", b"")
            self.withholding = self.withholding and rng.random() < 0.5
        elif act < 0.4:
            self.chain.append((self.now, self.slot, b"%d" % number))
            self.tell("note", self.chain[-1][2])
        elif act < 0.65 and self.pipe:
            self.hear(*self.pipe.pop(0))
        elif act < 0.75:
            lagging = self.named > 0 and rng.random() < 0.2
            held.anchor(self.now, self.named - 1 if lagging else self.slot)
            self.named = max(self.named, 0 if lagging else self.slot)
        elif act < 0.85:
            at = max(1, self.slot - rng.choice([0, 0, 0, 4]))
            known = [each for each in self.chain if each[1] <= at]
            self.open.append((self.account.mark, at, known[-1][2]))
        elif act < 0.93 and self.open:
            mark, at, data = self.open.pop(rng.randrange(len(self.open)))
            held.read(self.account, mark, state(data, at))
        elif act < 0.95 and self.notes:
            self.pipe.append(rng.choice(self.notes))
        elif act < 0.96:
            self.withholding = True
        elif act < 0.975:
            self.pipe.clear()
            self.connected = False
            held.gap()
        elif not self.connected:
            self.connected = True
            held.in_force(self.account, self.now)

    def tell(self, kind: str, data: bytes) -> None:
        """A slot may overtake the notes of up to ``depth`` slots before it."""
        if not self.connected or self.withholding:
            return
        at, pipe = len(self.pipe), self.pipe
        if kind == "slot" and self.depth and self.rng.random() < 0.5:
            while at and pipe[at - 1][0] == "note" and pipe[at - 1][1] > self.slot - self.depth - 1:
                at -= 1
        pipe.insert(at, (kind, self.slot, data))
        if kind == "note":
            self.notes.append((kind, self.slot, data))

    def hear(self, kind: str, at: int, data: bytes) -> None:
        if kind == "note":
            self.held.noted(self.account, state(data, at))
        elif at > self.told_to:
            self.told_to = at
            self.held.slot_began(at, at - 1)

    def missing_since(self) -> int | None:
        assert self.account.info is not None
        version = next(i for i, each in enumerate(self.chain) if each[2] == self.account.info.data)
        return self.chain[version + 1][0] if version + 1 < len(self.chain) else None


@settings(max_examples=200, deadline=None)
@given(st.integers(0, 2**32), st.integers(0, 2))
def test_no_age_is_ever_understated(seed: int, depth: int) -> None:
    world = World(seed, depth)
    for number in range(1, 400):
        world.step(number)
        as_of_ns = world.held.as_of_ns(world.account)
        missing_ns = world.missing_since() if as_of_ns is not None else None
        assert missing_ns is None or as_of_ns is None or as_of_ns <= missing_ns


def test_what_we_did_is_held_once_it_was_read_after_it() -> None:
    held, account, _ = in_sync()
    assert account.has(2)
    assert not account.has(3), "others may have acted in it since"
    assert not account.has(20)
    held.noted(account, state(b"b", 21))
    before = account.mark
    held.happened(account, 21)
    assert account.has(20)
    assert not account.has(21), "a note of that slot may be of before what we did"
    held.read(account, account.mark, state(b"b", 20))
    assert not account.has(21), "a node that lags shows nothing"
    held.read(account, before, state(b"b", 21))
    assert not account.has(21), "it was asked before"
    assert account in held.due
    held.read(account, account.mark, state(b"b", 21))
    assert account.has(21)
    assert not account.has(22)
    assert account not in held.due
    held.noted(account, state(b"a", 21))
    assert not account.has(21), "two states in one slot"
    held.noted(account, state(b"c", 22))
    assert account.has(21), "a later slot has it"
    held.happened(account, 21)
    assert account.has(21)
    asked = account.mark
    held.read(account, asked, state(b"c", 23))
    held.happened(account, 23)
    assert not account.has(23), "what was read before we knew may be of before it"
    held.happened(account, 30)
    held.read(account, account.mark, state(b"c", 25))
    assert account in held.due, "a node that lags is asked again"
    held.read(account, account.mark, state(b"d", 30))
    assert account.has(30)
    assert account not in held.due


@settings(max_examples=200, deadline=None)
@given(st.integers(0, 2**32), st.integers(0, 2))
def test_nothing_is_said_to_have_what_we_did_that_is_of_before(seed: int, depth: int) -> None:
    world, ours = World(seed, depth), (0, 0)
    for number in range(1, 400):
        world.step(number)
        if world.rng.random() < 0.05:
            ours = world.slot, len(world.chain)
            world.chain.append((world.now, world.slot, b"ours %d" % number))
            world.tell("note", world.chain[-1][2])
            world.held.happened(world.account, world.slot)
        info = world.account.info
        if info is not None and world.account.has(ours[0]):
            assert next(i for i, each in enumerate(world.chain) if each[2] == info.data) >= ours[1]


@pytest.mark.parametrize("key", [KEY])
def test_what_is_not_held_has_no_age(key: Pubkey) -> None:
    held = HeldAccounts(lambda *_: None)
    assert held.oldest_ns() is None
    account = held.add(key)
    assert held.as_of_ns(account) is None
    assert held.oldest_ns() is None
