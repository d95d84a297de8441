"""What a node answers, as values: the wire's shapes, read by msgspec, and the records made of them.

Account data travels as base64 and is decoded by the parser; it is ``bytes`` from there on. Shapes are those of Solana's
JSON-RPC with ``encoding: base64``. Fields that nobody here reads are not declared, and cost nothing.
"""

from typing import Any, Generic, Literal, TypeVar

import msgspec
from solders.hash import Hash
from solders.pubkey import Pubkey

T = TypeVar("T")


class AccountInfo(msgspec.Struct, frozen=True, gc=False):
    """An account at a slot: ``slot`` is the context slot of the answer or notification. ``lamports`` 0 is closed."""

    pubkey: Pubkey
    owner: Pubkey
    lamports: int
    data: bytes
    slot: int
    executable: bool = False

    @property
    def exists(self) -> bool:
        """Whether the chain has it."""
        return self.lamports > 0

    def same(self, other: "AccountInfo") -> bool:
        """Whether both hold the same, at whatever slots."""
        return self.lamports == other.lamports and self.owner == other.owner and self.data == other.data


class WireAccount(msgspec.Struct, gc=False):
    """An account as the node writes it; ``data`` is the bytes and the word ``base64``."""

    lamports: int
    owner: str
    data: tuple[bytes, Literal["base64"]]
    executable: bool = False


class KeyedAccount(msgspec.Struct, gc=False):
    """An account with its address."""

    pubkey: str
    account: WireAccount


class Context(msgspec.Struct, gc=False):
    """At which slot the node answered."""

    slot: int


class WithContext(msgspec.Struct, Generic[T], gc=False):
    """An answer with its slot."""

    context: Context
    value: T


class WireFault(msgspec.Struct):
    """An error as JSON-RPC writes it."""

    code: int
    message: str = ""
    data: Any = None


class Reply(msgspec.Struct):
    """An answer whose result is not decoded yet."""

    id: int | str | None = None
    result: msgspec.Raw | msgspec.UnsetType = msgspec.UNSET
    error: WireFault | None = None


class Blockhash(msgspec.Struct, frozen=True):
    """A recent blockhash; transactions with it can land up to block height ``last_valid_block_height``."""

    blockhash: Hash
    last_valid_block_height: int
    slot: int


class SignatureStatus(msgspec.Struct, frozen=True, rename="camel"):
    """How far a transaction has come. ``err`` is the raw error; ``errors.transaction_fault`` reads it."""

    slot: int
    confirmations: int | None = None
    err: Any = None
    confirmation_status: str | None = None

    @property
    def reached(self) -> str:
        """Its commitment; where a node names none, one without a count of confirmations is rooted: finalized."""
        return self.confirmation_status or ("finalized" if self.confirmations is None else "processed")


class TransactionMeta(msgspec.Struct, frozen=True, rename="camel"):
    """What a transaction did: ``fee`` in lamports, balances in lamports by account."""

    fee: int
    err: Any = None
    log_messages: tuple[str, ...] | None = None
    compute_units_consumed: int | None = None
    pre_balances: tuple[int, ...] = ()
    post_balances: tuple[int, ...] = ()


class Transaction(msgspec.Struct, frozen=True, rename="camel"):
    """A transaction that landed; ``transaction`` holds its bytes and the word ``base64``; ``block_time`` in s."""

    slot: int
    transaction: tuple[bytes, str]
    meta: TransactionMeta | None = None
    block_time: int | None = None
    version: int | str | None = None

    @property
    def raw(self) -> bytes:
        """The transaction as it was sent."""
        return self.transaction[0]

    @property
    def logs(self) -> tuple[str, ...]:
        """Its log lines; none where the node kept none."""
        return (self.meta.log_messages or ()) if self.meta is not None else ()


class SignatureInfo(msgspec.Struct, frozen=True, rename="camel"):
    """A transaction that mentions an address; ``err`` is the raw error, ``block_time`` in s."""

    signature: str
    slot: int
    err: Any = None
    block_time: int | None = None


class ReturnData(msgspec.Struct, frozen=True, rename="camel"):
    """What a program returned."""

    program_id: str
    data: tuple[bytes, str]


class SimulationResult(msgspec.Struct, frozen=True, rename="camel"):
    """What a transaction would do; ``accounts`` are those asked for, ``None`` for one that would not exist."""

    err: Any = None
    logs: tuple[str, ...] | None = None
    units_consumed: int | None = None
    accounts: tuple[WireAccount | None, ...] | None = None
    return_data: ReturnData | None = None


class Simulation(msgspec.Struct, frozen=True):
    """A simulation and the slot it ran at."""

    slot: int
    result: SimulationResult


class PrioritizationFee(msgspec.Struct, frozen=True, rename="camel"):
    """The lowest fee, in micro-lamports a compute unit, that landed in a slot on the accounts asked about."""

    slot: int
    prioritization_fee: int


class Version(msgspec.Struct, frozen=True):
    """The node's software."""

    solana_core: str = msgspec.field(name="solana-core", default="")
    feature_set: int | None = msgspec.field(name="feature-set", default=None)


class Memcmp(msgspec.Struct, frozen=True):
    """A filter: account data from ``offset`` on begins with ``data``."""

    offset: int
    data: bytes

    def accepts(self, data: bytes) -> bool:
        """Whether an account's data passes."""
        return data[self.offset : self.offset + len(self.data)] == self.data
