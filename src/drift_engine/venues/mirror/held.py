"""What is held of one account, and what may be said of it; ``held_accounts`` keeps it true."""

from solders.pubkey import Pubkey
from solders.system_program import ID as SYSTEM_PROGRAM

from drift_engine.venues.rpc.types import AccountInfo, Memcmp

Mark = tuple[int, int]


class Held:
    """One account: what is held, and what the stream may say for it.

    ``changes`` counts what was taken in, ``questions`` how often it became open whether that is all. ``floor`` is the
    slot below which a reading does not settle what is open, ``read_slot`` that of the last one that did, ``acted_slot``
    that of the last block in which we did something to it.
    """

    __slots__ = (
        "acted_slot",
        "as_of_ns",
        "changes",
        "floor",
        "info",
        "key",
        "questions",
        "read_slot",
        "slot",
        "spoken_for",
        "watched",
    )

    def __init__(self, key: Pubkey) -> None:
        self.key = key
        self.info: AccountInfo | None = None
        self.slot = 0
        self.changes = 0
        self.questions = 0
        self.as_of_ns: int | None = None
        self.watched = False
        self.spoken_for = False
        self.floor = 0
        self.read_slot = 0
        self.acted_slot = 0

    @property
    def mark(self) -> Mark:
        """What to remember when a question leaves, so that its answer can be told from later news."""
        return self.changes, self.questions

    def has(self, slot: int) -> bool:
        """Whether all that happened in a slot is in what is held.

        A note or a reading of that very slot may be of before its last transaction; a reading that was asked for after
        what we did there is not.
        """
        return self.slot > slot or min(self.acted_slot, self.read_slot) >= slot > 0


class HeldProgram(Held):
    """Which accounts of a program pass a filter: ``members``. Its times are those of the list, not of what is in it."""

    __slots__ = ("members", "wanted")

    def __init__(self, key: Pubkey, wanted: tuple[Memcmp, ...]) -> None:
        super().__init__(key)
        self.wanted = wanted
        self.members: dict[Pubkey, Held] = {}


def closed(key: Pubkey, slot: int) -> AccountInfo:
    """Return an account that the chain does not have, as it says it itself: no lamports, no data, the system's."""
    return AccountInfo(key, SYSTEM_PROGRAM, 0, b"", slot)
