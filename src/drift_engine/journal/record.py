"""What a journal is made of: records, their JSON, the chain that ties them together, and the digest of a run.

An event's body is its JSON with the type as tag, so a body alone decodes. Each record carries
``chain = blake2b-16(previous chain + row + body)``: one that was changed, left out or moved breaks the chain there.

The digest names what a run decided and what became of it: decisions, plans, fills, settlements and the final state.
Paths, wall time, latency and the way rows were read are not in it, so a run that was killed and resumed, or replayed
from another place, has the digest of the run that was left alone. Of a decision it takes signal, plan and verdicts, not
the figures the gates saw; of a report, what happened, not when we heard of it. JSON objects end where they end, so
bodies are hashed one after the other without a separator.
"""

from collections.abc import Iterable, Mapping
from hashlib import blake2b
from operator import attrgetter
from typing import Any, NamedTuple

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from drift_engine.core.types import (
    Decided,
    Deposited,
    EngineState,
    Event,
    Filled,
    FundingPaid,
    InterestAccrued,
    Liquidated,
    PlanClosed,
    PnlSettled,
    StateChanged,
    Submitted,
    Withdrawn,
)

DIGESTED: frozenset[type] = frozenset(
    (
        Decided,
        Submitted,
        Filled,
        PlanClosed,
        FundingPaid,
        InterestAccrued,
        PnlSettled,
        Deposited,
        Withdrawn,
        Liquidated,
        StateChanged,
    )
)
_TIMED: frozenset[type] = frozenset((Decided, Filled, PlanClosed))
GENESIS = bytes(16)
Unlinked = tuple[int, int, int, str, bytes]
Columns = tuple[int, int, int, str, bytes, bytes]
_SHOWN = 60
_verdict = attrgetter("verdict")
_ABSENT = "nothing"
_UNHASHED = blake2b(digest_size=16)
_canonical = msgspec.json.Encoder(order="sorted").encode

encode = msgspec.json.Encoder().encode
_decoder: "msgspec.json.Decoder[Event]" = msgspec.json.Decoder(Event)


class JournalError(Exception):
    """A journal cannot be opened, read or written. One line: what, where, and how to mend it."""


class JournalDamagedError(JournalError):
    """What a journal holds is not what was written."""


class JournalMismatchError(JournalError):
    """A run does not do what the journal says it did. ``differences`` has one line for each field."""

    def __init__(self, seq: int, expected: str, actual: str, differences: tuple[str, ...] = ()) -> None:
        self.seq = seq
        self.expected = expected
        self.actual = actual
        self.differences = differences
        detail = "; ".join(differences) or f"the journal has {short(expected)}, this run has {short(actual)}"
        super().__init__(f"record {seq} differs: {detail}")


class Record(Struct, frozen=True, gc=False):
    """One event as journaled: its number from 1, and how many market rows the engine had processed before it."""

    seq: int
    row: int
    ts_ns: int
    event: Event


class Line(NamedTuple):
    """One record as stored, before it is decoded."""

    seq: int
    row: int
    ts_ns: int
    type: str
    body: bytes
    chain: bytes


class Seal(NamedTuple):
    """The last record there was when a journal was closed: its number and its chain value in hex."""

    seq: int
    chain: str


def decode(body: bytes) -> Event:
    """Return the event of a body. Raises ``JournalError`` where it is none."""
    try:
        return _decoder.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise JournalDamagedError(f"not an event: {error}; the body is {short(repr(body))}") from error


def link(previous: bytes, row: int, body: bytes) -> bytes:
    """Return the chain value of a record that follows ``previous``."""
    running = _UNHASHED.copy()
    running.update(b"%b%d%b" % (previous, row, body))
    return running.digest()


def link_all(previous: bytes, unlinked: Iterable[Unlinked]) -> list[Columns]:
    """Chain records that are about to be written; ``link``, unrolled, because backtests write many."""
    lines = []
    for seq, row, ts_ns, name, body in unlinked:
        running = _UNHASHED.copy()
        running.update(b"%b%d%b" % (previous, row, body))
        previous = running.digest()
        lines.append((seq, row, ts_ns, name, body, previous))
    return lines


def checked(line: Line, seq: int, previous: bytes) -> Event:
    """Return the event of a record read where ``seq`` is due. Raises ``JournalDamagedError`` saying what is wrong."""
    if line.seq != seq:
        raise JournalDamagedError(f"record {seq} is missing, record {line.seq} stands in its place")
    if not (isinstance(line.row, int) and isinstance(line.body, bytes)):
        raise JournalDamagedError("its columns are not what they should be")
    if line.chain != link(previous, line.row, line.body):
        raise JournalDamagedError(
            "it does not fit its chain value: it, or a record before it, was changed, removed or moved"
        )
    event = decode(line.body)
    if line.type != type(event).__name__ or line.ts_ns != event.ts_ns:
        raise JournalDamagedError(f"it is filed as {short(repr(line.type))} at {line.ts_ns}, but is {brief(event)}")
    return event


def brief(event: Event) -> str:
    """Name an event in a message."""
    return f"{type(event).__name__} at {event.ts_ns}"


def short(text: str) -> str:
    """Cut a text to what fits into a message."""
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…"


def differences(recorded: Event, current: Event, ignore: frozenset[str] = frozenset()) -> tuple[str, ...]:
    """Return a line for each field that differs, by its path as ``config.capital``, but those to ignore."""
    was, now = dict(_flat("", msgspec.to_builtins(recorded))), dict(_flat("", msgspec.to_builtins(current)))
    return tuple(
        f"{path} was {short(was.get(path, _ABSENT))}, is now {short(now.get(path, _ABSENT))}"
        for path in sorted(was.keys() | now.keys())
        if was.get(path) != now.get(path) and path not in ignore
    )


def _flat(path: str, value: Any) -> Iterable[tuple[str, str]]:
    if isinstance(value, Mapping):
        items: Iterable[tuple[Any, Any]] = value.items()
    elif isinstance(value, (list, tuple)):
        items = enumerate(value)
    else:
        return ((path, repr(value)),)
    return (leaf for key, inner in items for leaf in _flat(f"{path}.{key}" if path else str(key), inner))


class Digest:
    """The running digest of a run; an update costs one hash of the body."""

    __slots__ = ("_hash", "update")

    def __init__(self) -> None:
        self._hash = blake2b(digest_size=32)
        self.update = self._hash.update

    def add(self, event: Event, body: bytes | None = None) -> None:
        """Take in an event, if it is of a kind that counts; its body where that is at hand."""
        self.update(hashed(event, body))

    def hexdigest(self, final: EngineState | None = None) -> str:
        """Return the digest so far, with the final state if there is one."""
        running = self._hash.copy()
        if final is not None:
            running.update(_canonical(final))
        return running.hexdigest()


def hashed(event: Event, body: bytes | None = None) -> bytes:
    """Return what the digest takes of an event, nothing where its kind does not count."""
    kind = type(event)
    if kind in _TIMED:
        return _timeless(event)
    return body or encode(event) if kind in DIGESTED else b""


def _timeless(event: Event) -> bytes:
    """Return what the digest takes of an event that carries more than it may: figures, or when we heard of it."""
    if type(event) is Decided:
        verdicts = list(map(_verdict, event.checks))
        return encode((event.ts_ns, event.signal, event.plan, verdicts, event.approved, event.emergency))
    return encode(replace(event, seen_ns=0))
