"""What is held of the chain's accounts, and since when it may be out of date.

The rule of age: ``as_of_ns`` is a moment of our clock before which nothing happened on the chain that is not in what is
held. It may be too early and is never too late. It rests on three observations:

* An answer or a note of slot ``s`` holds all that happened before ``s`` began (``SlotTimes``: at the earliest when).
* A stream that tells of slot ``s``, in order, has told all that happened before ``s`` began, less ``lag_slots``: a node
  may tell of a slot before the accounts in it, or only when the slot is confirmed. How far notes come behind the slots
  is learnt from them.
* A stream speaks for an account from the moment that its subscription is in force *and* the account was read at a slot
  that began after that: one that the stream told, and one that the node named when asked, since. A gap ends that.

What is held never goes back to a lower slot. Two different states in one slot, or a slot that the chain left aside
(a later slot that builds on an earlier one), put an account in doubt: it is read again, and until then its time stands
still at the slot in doubt. A slot that builds on one that was never told shows that the stream left something out: it
no longer speaks for any account that was not read since. All accounts are read again now and then, too.

Pure: no clock and no network; times are nanoseconds of the caller's monotonic clock.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping

from solders.pubkey import Pubkey

from drift_engine.venues.mirror.held import Held, HeldProgram, Mark
from drift_engine.venues.mirror.slot_times import SlotTimes
from drift_engine.venues.rpc.types import AccountInfo, Memcmp

Changed = Callable[[Pubkey, AccountInfo], None]
MIN_LAG_SLOTS = 2
ENOUGH_NOTES = 20
SLOTS_KEPT = 512


class HeldAccounts:
    """All that is held; ``due`` is what is to be read again. ``changed`` is called with each new state, at once.

    An account that the chain does not have is told as one without lamports.
    """

    def __init__(self, changed: Changed) -> None:
        self.times = SlotTimes()
        self.all: dict[Pubkey, Held] = {}
        self.programs: list[HeldProgram] = []
        self.due: set[Held] = set()
        self.slot = 0
        self.lag_slots = MIN_LAG_SLOTS
        self.stale = self.doubts = self.holes = 0
        self._told: set[int] = set()
        self._untold: set[Held] = set()
        self._undated: dict[Held, int] = {}
        self._lags = [0, 0]
        self._notes = 0
        self._changed = changed

    def add(self, key: Pubkey) -> Held:
        """Hold an account from now on."""
        held = self.all.get(key)
        if held is None:
            held = self.all[key] = Held(key)
            self.due.add(held)
        return held

    def add_program(self, program: Pubkey, wanted: tuple[Memcmp, ...]) -> HeldProgram:
        """Hold the list of a program's accounts that pass all filters; its members are added as they are found."""
        held = HeldProgram(program, wanted)
        self.programs.append(held)
        self.due.add(held)
        return held

    def remove(self, key: Pubkey) -> None:
        """Hold an account no more."""
        held = self.all.pop(key, None)
        if held is not None:
            for waiting in (self.due, self._untold):
                waiting.discard(held)
            self._undated.pop(held, None)

    def in_force(self, held: Held, now_ns: int) -> None:
        """A subscription came into force."""
        held.watched = True
        held.questions += 1
        self._untold.add(held)
        self._undated[held] = now_ns
        self.due.add(held)

    def anchor(self, asked_ns: int, named: int, told: int = 0) -> None:
        """The node was asked at ``asked_ns`` how far it is, and named a slot; the stream had told of ``told`` then."""
        self.times.anchor(asked_ns, named, told)
        for held in [held for held, since_ns in self._undated.items() if since_ns <= asked_ns]:
            held.floor = max(held.floor, named, told)
            del self._undated[held]

    def gap(self) -> None:
        """No subscription is in force any more."""
        self._told.clear()
        self._untold.clear()
        self._undated.clear()
        for held in self._everything():
            held.as_of_ns = self.as_of_ns(held)
            held.spoken_for = held.watched = False

    def happened(self, held: Held, slot: int) -> None:
        """What we did to an account is in a block of ``slot``: it is read, and no question of before settles it."""
        held.acted_slot = max(held.acted_slot, slot)
        if held.slot <= slot:
            held.questions += 1
            held.floor = max(held.floor, slot)
            held.read_slot = 0
            self.due.add(held)

    def slot_began(self, slot: int, parent: int) -> None:
        """The stream told of a new slot, that builds on ``parent``."""
        if self._told and parent not in self._told:
            self._left_out(slot)
        self._told.add(slot)
        if len(self._told) > 2 * SLOTS_KEPT:
            self._told = {each for each in self._told if each > slot - SLOTS_KEPT}
        self.slot = max(self.slot, slot)
        for held in self._untold:
            held.floor = max(held.floor, slot)
        self._untold.clear()
        if parent + 1 < slot:
            for held in self._everything():
                if parent < held.slot < slot:
                    self._doubt(held)

    def noted(self, held: Held, info: AccountInfo) -> None:
        """The stream told of an account."""
        slot = info.slot
        doubtful = False
        if slot <= held.slot and held.info is not None:
            if slot < held.slot:
                self.stale += 1
                return
            if held.info.same(info):
                return
            doubtful = True
        if held.spoken_for:
            self._learn_lag(self.slot - slot)
        self._take(held, info)
        if doubtful:
            self._doubt(held)

    def read(self, held: Held, mark: Mark, info: AccountInfo) -> None:
        """The account was read; ``mark`` is its mark when the question left.

        A lower slot than what is held is worth nothing. In the same slot, the reading is newer where nothing came
        meanwhile; else nobody can tell, and it stays due. It settles only what was open when the question left.
        """
        if info.slot < held.slot or (info.slot == held.slot and mark[0] != held.changes):
            self.stale += 1
            return
        if held.info is not None and held.info.same(info):
            held.info = info
        else:
            self._take(held, info)
        self._settle(held, mark, info.slot)

    def marks(self) -> dict[Pubkey, Mark]:
        """Return the marks of all accounts, for a reading of which it is not known what it will hold."""
        return {key: held.mark for key, held in self.all.items()}

    def listed(
        self, program: HeldProgram, mark: Mark, marks: Mapping[Pubkey, Mark], slot: int, found: Iterable[AccountInfo]
    ) -> None:
        """A program's accounts were read at ``slot``; ``mark`` and ``marks`` are of when the question left.

        A member that is missing is doubted, and read by itself.
        """
        if slot < program.slot:
            self.stale += 1
            return
        seen = set()
        for info in found:
            seen.add(info.pubkey)
            self.read(self.member(program, info.pubkey), marks.get(info.pubkey, (0, 0)), info)
        for key, held in program.members.items():
            if key not in seen and held.slot <= slot and held.info is not None and held.info.exists:
                self._doubt(held)
        self._settle(program, mark, slot)

    def member(self, program: HeldProgram, key: Pubkey) -> Held:
        """Return a member of a program's list, that becomes one by this."""
        held = program.members.get(key)
        if held is None:
            held = program.members[key] = self.add(key)
        return held

    def as_of_ns(self, held: Held) -> int | None:
        """Return the moment before which nothing is missing in what is held; ``None`` where none is known."""
        if not held.slot:
            return None
        own = _later(held.as_of_ns, self.times.not_before(held.slot))
        return _later(own, self.stream_as_of_ns()) if held.spoken_for else own

    def stream_as_of_ns(self) -> int | None:
        """Return the moment before which the stream has told everything."""
        return self.times.not_before(self.slot - self.lag_slots)

    def oldest_ns(self) -> int | None:
        """Return the earliest moment of all that is held; ``None`` where one has none, or nothing is held."""
        moments = [self.as_of_ns(held) for held in self._everything()]
        known = [moment for moment in moments if moment is not None]
        return min(known) if known and len(known) == len(moments) else None

    def look_back(self) -> None:
        """End a period: how far notes come behind is what the last two periods showed, if they showed enough."""
        if self._notes >= ENOUGH_NOTES:
            self._lags, self._notes = [self._lags[1], 0], 0
            self.lag_slots = max(MIN_LAG_SLOTS, *self._lags)

    def _everything(self) -> Iterator[Held]:
        yield from self.all.values()
        yield from self.programs

    def _left_out(self, slot: int) -> None:
        self.holes += 1
        for held in self._everything():
            held.as_of_ns = self.as_of_ns(held)
            held.spoken_for = False
            held.questions += 1
            held.floor = max(held.floor, slot)
            self.due.add(held)

    def _learn_lag(self, lag: int) -> None:
        self._notes += 1
        if lag > self._lags[1]:
            self._lags[1] = lag
            self.lag_slots = max(self.lag_slots, lag)

    def _take(self, held: Held, info: AccountInfo) -> None:
        held.info, held.slot = info, info.slot
        held.changes += 1
        self._changed(held.key, info)

    def _settle(self, held: Held, mark: Mark, slot: int) -> None:
        held.slot = slot
        held.as_of_ns = _later(held.as_of_ns, self.times.not_before(slot))
        open_since = mark[1] != held.questions or held in self._untold or held in self._undated
        if slot >= held.floor and not open_since:
            held.spoken_for = held.watched
            held.read_slot = slot
            self.due.discard(held)

    def _doubt(self, held: Held) -> None:
        """What is held may not be what the chain holds: its time is its slot's, until it is read again."""
        self.doubts += 1
        held.spoken_for = False
        held.read_slot = 0
        held.changes += 1
        held.questions += 1
        held.as_of_ns = self.times.not_before(held.slot)
        held.floor = max(held.floor, held.slot)
        self.due.add(held)


def _later(one: int | None, other: int | None) -> int | None:
    if one is None or other is None:
        return other if one is None else one
    return max(one, other)
