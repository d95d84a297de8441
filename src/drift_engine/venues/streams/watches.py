"""What can be subscribed to, and what then comes: the shapes of Solana's WebSocket interface.

A watch knows its topic and its parameters. A note is a notification as the node writes it, read straight from the
bytes of the frame in one pass; account data is decoded from base64 by the parser. Shapes are those of
https://solana.com/docs/rpc/websocket with ``encoding: base64``.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import msgspec
from solders.pubkey import Pubkey
from solders.signature import Signature

from drift_engine.venues.rpc.calls import Commitment, filters
from drift_engine.venues.rpc.types import Context, KeyedAccount, Memcmp, WireAccount, WireFault


@dataclass(frozen=True, slots=True)
class AccountWatch:
    """An account: a note each time it changes."""

    key: Pubkey
    topic = "account"

    def params(self, commitment: Commitment) -> list[Any]:
        """Return the parameters of the subscription."""
        return [str(self.key), {"encoding": "base64", "commitment": commitment}]


@dataclass(frozen=True, slots=True)
class ProgramWatch:
    """The accounts of a program that pass all filters: a note each time one of them changes.

    Filter by discriminator (``Memcmp(0, …)``), never by size: accounts grow. A closed account may come as one with no
    lamports, or not at all.
    """

    program: Pubkey
    wanted: tuple[Memcmp, ...] = ()
    topic = "program"

    def params(self, commitment: Commitment) -> list[Any]:
        """Return the parameters of the subscription."""
        return [str(self.program), {"encoding": "base64", "commitment": commitment, "filters": filters(self.wanted)}]


@dataclass(frozen=True, slots=True)
class SlotWatch:
    """The slots, as the node begins to process them."""

    topic = "slot"

    def params(self, commitment: Commitment) -> list[Any]:
        """Return the parameters of the subscription: there are none."""
        del commitment
        return []


@dataclass(frozen=True, slots=True)
class SignatureWatch:
    """A transaction: one note when it has reached the commitment, and the watch ends."""

    signature: Signature
    topic = "signature"

    def params(self, commitment: Commitment) -> list[Any]:
        """Return the parameters of the subscription."""
        return [str(self.signature), {"commitment": commitment}]


@dataclass(frozen=True, slots=True)
class LogsWatch:
    """The logs of transactions that mention an address."""

    mentions: Pubkey
    topic = "logs"

    def params(self, commitment: Commitment) -> list[Any]:
        """Return the parameters of the subscription."""
        return [{"mentions": [str(self.mentions)]}, {"commitment": commitment}]


Watch = AccountWatch | ProgramWatch | SlotWatch | SignatureWatch | LogsWatch


class SlotInfo(msgspec.Struct, frozen=True, gc=False):
    """A slot that began, the slot it builds on, and the newest that is final, 0 where the node does not say."""

    slot: int
    parent: int
    root: int = 0


class Logs(msgspec.Struct, frozen=True):
    """A transaction's log lines; ``err`` is the raw error."""

    signature: str
    logs: tuple[str, ...] | None = None
    err: Any = None


class Landed(msgspec.Struct, frozen=True):
    """What became of a transaction; ``err`` is the raw error."""

    err: Any = None


class _AccountResult(msgspec.Struct, gc=False):
    context: Context
    value: WireAccount | None


class _AccountParams(msgspec.Struct, gc=False):
    result: _AccountResult
    subscription: int


class _ProgramResult(msgspec.Struct, gc=False):
    context: Context
    value: KeyedAccount


class _ProgramParams(msgspec.Struct, gc=False):
    result: _ProgramResult
    subscription: int


class _SlotParams(msgspec.Struct, gc=False):
    result: SlotInfo
    subscription: int


class _LogsResult(msgspec.Struct):
    context: Context
    value: Logs


class _LogsParams(msgspec.Struct):
    result: _LogsResult
    subscription: int


class _SignatureResult(msgspec.Struct):
    context: Context
    value: Landed | str | None


class _SignatureParams(msgspec.Struct):
    result: _SignatureResult
    subscription: int


class AccountNote(msgspec.Struct, tag_field="method", tag="accountNotification", gc=False):
    """An account changed."""

    params: _AccountParams


class ProgramNote(msgspec.Struct, tag_field="method", tag="programNotification", gc=False):
    """An account of a program changed."""

    params: _ProgramParams


class SlotNote(msgspec.Struct, tag_field="method", tag="slotNotification", gc=False):
    """A slot began."""

    params: _SlotParams


class LogsNote(msgspec.Struct, tag_field="method", tag="logsNotification"):
    """A transaction that mentions the address was executed."""

    params: _LogsParams


class SignatureNote(msgspec.Struct, tag_field="method", tag="signatureNotification"):
    """A transaction has come as far as was asked for."""

    params: _SignatureParams


Note = AccountNote | ProgramNote | SlotNote | LogsNote | SignatureNote
NOTE_METHODS = frozenset(f"{topic}Notification" for topic in ("account", "program", "slot", "logs", "signature"))


class Ack(msgspec.Struct):
    """An answer to a subscription: its number, or why there is none. ``method`` is set where it is no answer at all."""

    id: int | str | None = None
    result: int | bool | None = None
    error: WireFault | None = None
    method: str | None = None


class BadFrameError(Exception):
    """A frame that cannot be read: what it said is lost."""


_note: Callable[[bytes], Note] = msgspec.json.Decoder(Note).decode
_ack: Callable[[bytes], Ack] = msgspec.json.Decoder(Ack).decode


def read_frame(frame: bytes) -> Note | Ack:
    """Read a frame; raises ``BadFrameError``. An ``Ack`` with a ``method`` is a message that is not known here."""
    try:
        return _note(frame)
    except (msgspec.DecodeError, ValueError, RecursionError) as error:
        return _read_ack(frame, error)


def _read_ack(frame: bytes, first: Exception) -> Ack:
    try:
        ack = _ack(frame)
    except (msgspec.DecodeError, ValueError, RecursionError):
        raise BadFrameError(f"a frame that is no notification: {first}") from None
    if ack.method in NOTE_METHODS:
        raise BadFrameError(f"a broken {ack.method}: {first}")
    return ack
