"""What can be asked of a node: each question as a ``Call``, made without touching the network.

A ``Call`` knows its method, its parameters, how to read the answer, and whether asking twice is harmless. ``Rpc``
asks one, or many in one batch. Shapes are those of Solana's JSON-RPC (https://solana.com/docs/rpc/http).
"""

import base64
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Generic, Literal, TypeVar

import msgspec
from solders.hash import Hash
from solders.pubkey import Pubkey
from solders.signature import Signature

from drift_engine.venues.rpc.types import (
    AccountInfo,
    Blockhash,
    KeyedAccount,
    Memcmp,
    PrioritizationFee,
    SignatureInfo,
    SignatureStatus,
    Simulation,
    SimulationResult,
    Transaction,
    Version,
    WireAccount,
    WithContext,
)

T = TypeVar("T")
Commitment = Literal["processed", "confirmed", "finalized"]

MAX_ACCOUNTS = 100
MAX_STATUSES = 256
MAX_SIGNATURES = 1_000
_BASE58 = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"


@dataclass(frozen=True, slots=True)
class Call(Generic[T]):
    """One question. ``safe``: asking again changes nothing, so it may be repeated and asked elsewhere."""

    method: str
    params: tuple[Any, ...]
    decode: Callable[[msgspec.Raw], T]
    safe: bool = True


class _WireBlockhash(msgspec.Struct, rename="camel"):
    blockhash: str
    last_valid_block_height: int


_integer = msgspec.json.Decoder(int).decode
_maybe_integer = msgspec.json.Decoder(int | None).decode
_text = msgspec.json.Decoder(str).decode
_version = msgspec.json.Decoder(Version).decode
_transaction = msgspec.json.Decoder(Transaction | None).decode
_signatures = msgspec.json.Decoder(tuple[SignatureInfo, ...]).decode
_fees = msgspec.json.Decoder(tuple[PrioritizationFee, ...]).decode
_in_context = msgspec.json.Decoder(WithContext[int]).decode
_account = msgspec.json.Decoder(WithContext[WireAccount | None]).decode
_accounts = msgspec.json.Decoder(WithContext[list[WireAccount | None]]).decode
_program = msgspec.json.Decoder(WithContext[list[KeyedAccount]] | list[KeyedAccount]).decode
_blockhash = msgspec.json.Decoder(WithContext[_WireBlockhash]).decode
_statuses = msgspec.json.Decoder(WithContext[tuple[SignatureStatus | None, ...]]).decode
_simulation = msgspec.json.Decoder(WithContext[SimulationResult]).decode


@lru_cache(maxsize=4096)
def address(text: str) -> Pubkey:
    """Return an address from its base58 text; raises ``ValueError`` for what is none."""
    return Pubkey.from_string(text)


def base58(data: bytes) -> str:
    """Return bytes in base58, as filters travel."""
    number = int.from_bytes(data, "big")
    digits = ""
    while number:
        number, digit = divmod(number, 58)
        digits = _BASE58[digit] + digits
    return "1" * (len(data) - len(data.lstrip(b"\0"))) + digits


def account_info(key: Pubkey, wire: WireAccount, slot: int) -> AccountInfo:
    """Return what the wire says of an account."""
    return AccountInfo(key, address(wire.owner), wire.lamports, wire.data[0], slot, wire.executable)


def filters(wanted: Sequence[Memcmp]) -> list[dict[str, Any]]:
    """Return filters as the wire has them."""
    return [{"memcmp": {"offset": each.offset, "bytes": base58(each.data)}} for each in wanted]


def get_account(key: Pubkey, commitment: Commitment, min_context_slot: int | None = None) -> Call[AccountInfo | None]:
    """Ask for an account; ``None`` where the chain has none."""

    def decode(raw: msgspec.Raw) -> AccountInfo | None:
        found = _account(raw)
        return account_info(key, found.value, found.context.slot) if found.value is not None else None

    return Call("getAccountInfo", (str(key), _config(commitment, min_context_slot, encoding="base64")), decode)


def get_multiple_accounts(
    keys: Sequence[Pubkey], commitment: Commitment, min_context_slot: int | None = None
) -> Call[tuple[int, list[AccountInfo | None]]]:
    """Ask for up to 100 accounts at one slot: the slot, and the accounts in the order of ``keys``."""

    def decode(raw: msgspec.Raw) -> tuple[int, list[AccountInfo | None]]:
        found = _accounts(raw)
        slot, value = found.context.slot, found.value
        if len(value) != len(keys):
            raise ValueError(f"{len(keys)} accounts were asked for and {len(value)} came")
        pairs = zip(keys, value, strict=True)
        return slot, [account_info(key, wire, slot) if wire is not None else None for key, wire in pairs]

    config = _config(commitment, min_context_slot, encoding="base64")
    return Call("getMultipleAccounts", ([str(key) for key in keys], config), decode)


def get_program_accounts(
    program: Pubkey,
    wanted: Sequence[Memcmp],
    commitment: Commitment,
    *,
    data_slice: tuple[int, int] | None = None,
    min_context_slot: int | None = None,
    at_least: int = 0,
) -> Call[tuple[int, list[AccountInfo]]]:
    """Ask for a program's accounts that pass all filters; ``data_slice`` is offset and length.

    Where a node does not say which slot its answer is of, ``at_least`` stands for it.
    """

    def decode(raw: msgspec.Raw) -> tuple[int, list[AccountInfo]]:
        found = _program(raw)
        slot, value = (at_least, found) if isinstance(found, list) else (found.context.slot, found.value)
        return slot, [account_info(address(each.pubkey), each.account, slot) for each in value]

    part = {"offset": data_slice[0], "length": data_slice[1]} if data_slice is not None else None
    config = _config(
        commitment, min_context_slot, encoding="base64", withContext=True, filters=filters(wanted), dataSlice=part
    )
    return Call("getProgramAccounts", (str(program), config), decode)


def get_slot(commitment: Commitment, min_context_slot: int | None = None) -> Call[int]:
    """Ask for the slot the node has come to."""
    return Call("getSlot", (_config(commitment, min_context_slot),), _integer)


def get_block_height(commitment: Commitment, min_context_slot: int | None = None) -> Call[int]:
    """Ask for the block height the node has come to."""
    return Call("getBlockHeight", (_config(commitment, min_context_slot),), _integer)


def get_block_time(slot: int) -> Call[int | None]:
    """Ask when a block was made: seconds since the Unix epoch, ``None`` where the node does not know."""
    return Call("getBlockTime", (slot,), _maybe_integer)


def get_latest_blockhash(commitment: Commitment, min_context_slot: int | None = None) -> Call[Blockhash]:
    """Ask for a blockhash to sign with."""

    def decode(raw: msgspec.Raw) -> Blockhash:
        found = _blockhash(raw)
        value = found.value
        return Blockhash(Hash.from_string(value.blockhash), value.last_valid_block_height, found.context.slot)

    return Call("getLatestBlockhash", (_config(commitment, min_context_slot),), decode)


def get_signature_statuses(
    signatures: Sequence[Signature], *, search_history: bool = False
) -> Call[tuple[SignatureStatus | None, ...]]:
    """Ask how far up to 256 transactions have come; ``None`` for one the node does not know."""

    def decode(raw: msgspec.Raw) -> tuple[SignatureStatus | None, ...]:
        found = _statuses(raw).value
        if len(found) != len(signatures):
            raise ValueError(f"{len(signatures)} statuses were asked for and {len(found)} came")
        return found

    params = [str(each) for each in signatures], {"searchTransactionHistory": search_history}
    return Call("getSignatureStatuses", params, decode)


def get_transaction(signature: Signature, commitment: Commitment) -> Call[Transaction | None]:
    """Ask for a transaction that landed; ``None`` where the node does not know it."""
    config = _config(commitment, encoding="base64", maxSupportedTransactionVersion=1)
    return Call("getTransaction", (str(signature), config), _transaction)


def get_signatures_for_address(
    key: Pubkey,
    commitment: Commitment,
    *,
    before: str | None = None,
    until: str | None = None,
    min_context_slot: int | None = None,
) -> Call[tuple[SignatureInfo, ...]]:
    """Ask for up to 1,000 transactions that mention an address, newest first, between two signatures."""
    config = _config(commitment, min_context_slot, before=before, until=until)
    return Call("getSignaturesForAddress", (str(key), config), _signatures)


def get_recent_prioritization_fees(writable: Sequence[Pubkey] = ()) -> Call[tuple[PrioritizationFee, ...]]:
    """Ask what was paid of late to write to all of these accounts (up to 128)."""
    return Call("getRecentPrioritizationFees", ([str(key) for key in writable],), _fees)


def get_balance(key: Pubkey, commitment: Commitment, min_context_slot: int | None = None) -> Call[int]:
    """Ask for an account's lamports."""
    return Call("getBalance", (str(key), _config(commitment, min_context_slot)), lambda raw: _in_context(raw).value)


def get_health() -> Call[str]:
    """Ask whether the node is well: ``ok``, or an ``RpcError`` that says how far behind it is."""
    return Call("getHealth", (), _text)


def get_version() -> Call[Version]:
    """Ask for the node's software."""
    return Call("getVersion", (), _version)


def simulate_transaction(
    raw_transaction: bytes,
    commitment: Commitment,
    *,
    accounts: Sequence[Pubkey] = (),
    verify_signatures: bool = False,
    replace_blockhash: bool = True,
    min_context_slot: int | None = None,
) -> Call[Simulation]:
    """Ask what a transaction would do, and what ``accounts`` would hold after it."""

    def decode(raw: msgspec.Raw) -> Simulation:
        found = _simulation(raw)
        return Simulation(found.context.slot, found.value)

    config = _config(
        commitment,
        min_context_slot,
        encoding="base64",
        sigVerify=verify_signatures,
        replaceRecentBlockhash=replace_blockhash and not verify_signatures,
        accounts={"encoding": "base64", "addresses": [str(key) for key in accounts]} if accounts else None,
    )
    return Call("simulateTransaction", (_base64(raw_transaction), config), decode)


def send_transaction(
    raw_transaction: bytes,
    commitment: Commitment,
    *,
    skip_preflight: bool = False,
    min_context_slot: int | None = None,
) -> Call[Signature]:
    """Hand over a signed transaction; the node is told not to send it again by itself. Never asked twice."""

    def decode(raw: msgspec.Raw) -> Signature:
        return Signature.from_string(_text(raw))

    config = _config(
        None,
        min_context_slot,
        encoding="base64",
        skipPreflight=skip_preflight,
        preflightCommitment=commitment,
        maxRetries=0,
    )
    return Call("sendTransaction", (_base64(raw_transaction), config), decode, safe=False)


def _config(commitment: Commitment | None, min_context_slot: int | None = None, **more: Any) -> dict[str, Any]:
    config = {"commitment": commitment, "minContextSlot": min_context_slot, **more}
    return {name: value for name, value in config.items() if value is not None}


def _base64(data: bytes) -> str:
    return base64.b64encode(data).decode()
