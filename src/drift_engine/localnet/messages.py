"""What a transaction says, with its lookup tables looked up: keys, flags and instructions.

Lookup tables: agave ``address-lookup-table-interface``, ``state.rs``: 56 bytes of header, then 32-byte addresses.
"""

from collections.abc import Callable
from dataclasses import dataclass

from solders.account import Account
from solders.address_lookup_table_account import ID as LOOKUP_TABLE_PROGRAM
from solders.compute_budget import ID as COMPUTE_BUDGET
from solders.hash import Hash
from solders.instruction import AccountMeta, CompiledInstruction, Instruction
from solders.message import Message, MessageV0
from solders.pubkey import Pubkey
from solders.signature import Signature
from solders.transaction import VersionedTransaction

TABLE_HEADER_BYTES = 56
MAX_TRANSACTION_BYTES = 1232
MAX_COMPUTE_UNITS = 1_400_000
UNITS_AN_INSTRUCTION, UNITS_A_BUILTIN = 200_000, 3_000
BUILTINS = frozenset(
    {Pubkey.default(), COMPUTE_BUDGET, LOOKUP_TABLE_PROGRAM}
    | {
        Pubkey.from_string(name)
        for name in (
            "BPFLoader1111111111111111111111111111111111",
            "BPFLoader2111111111111111111111111111111111",
            "BPFLoaderUpgradeab1e11111111111111111111111",
            "Vote111111111111111111111111111111111111111",
            "Ed25519SigVerify111111111111111111111111111",
            "KeccakSecp256k11111111111111111111111111111",
        )
    }
)
"""Programs whose instructions are allotted 3,000 units (agave ``builtins-default-costs``)."""


class LookupRefusal(Exception):  # noqa: N818 - TransactionError's own word
    """A message or lookup table that cannot be used, by the name RPC gives the error."""


@dataclass(frozen=True, slots=True)
class Resolved:
    """A transaction's message with every address known."""

    transaction: VersionedTransaction
    message: Message | MessageV0
    keys: tuple[Pubkey, ...]
    writable: frozenset[int]
    loaded_writable: tuple[Pubkey, ...]
    loaded_readonly: tuple[Pubkey, ...]

    @property
    def signature(self) -> Signature:
        """Return the first signature, by which the transaction is known."""
        return self.transaction.signatures[0]

    @property
    def payer(self) -> Pubkey:
        """Return who pays the fee."""
        return self.keys[0]

    @property
    def compiled(self) -> list[CompiledInstruction]:
        """Return the instructions as they stand in the message."""
        return self.message.instructions

    @property
    def written(self) -> list[Pubkey]:
        """Return the accounts the transaction may write."""
        return [self.keys[index] for index in sorted(self.writable)]

    def program(self, index: int) -> Pubkey:
        """Return the program of an instruction."""
        return self.keys[self.compiled[index].program_id_index]

    def instructions(self) -> tuple[Instruction, ...]:
        """Return the instructions with their accounts' addresses and flags."""
        signers = self.message.header.num_required_signatures
        metas = [AccountMeta(key, place < signers, place in self.writable) for place, key in enumerate(self.keys)]
        return tuple(
            Instruction(self.keys[ix.program_id_index], bytes(ix.data), [metas[place] for place in ix.accounts])
            for ix in self.compiled
        )

    def compute_limit(self) -> int:
        """Return the compute units it may use (agave ``compute-budget-instruction``)."""
        total = 0
        for place, ix in enumerate(self.compiled):
            data, program = bytes(ix.data), self.program(place)
            if program == COMPUTE_BUDGET and len(data) == 5 and data[0] == 2:
                return min(int.from_bytes(data[1:], "little"), MAX_COMPUTE_UNITS)
            total += UNITS_A_BUILTIN if program in BUILTINS else UNITS_AN_INSTRUCTION
        return min(total, MAX_COMPUTE_UNITS)

    def compute_price(self) -> int:
        """Return what it pays above the base fee, in micro-lamports a compute unit."""
        for place, ix in enumerate(self.compiled):
            data = bytes(ix.data)
            if self.program(place) == COMPUTE_BUDGET and len(data) == 9 and data[0] == 3:
                return int.from_bytes(data[1:], "little")
        return 0


def resolve(transaction: VersionedTransaction, read: Callable[[Pubkey], Account | None]) -> Resolved:
    """Look up a transaction's tables; raise ``LookupRefusal`` where one is missing, foreign or too short."""
    message = _known(transaction)
    keys = tuple(message.account_keys)
    writable = _writable(message)
    pulled: tuple[list[Pubkey], list[Pubkey]] = ([], [])
    for lookup in message.address_table_lookups if isinstance(message, MessageV0) else ():
        table = _addresses(read(lookup.account_key))
        for into, places in zip(pulled, (lookup.writable_indexes, lookup.readonly_indexes), strict=True):
            if places and max(places) >= len(table):
                raise LookupRefusal("InvalidAddressLookupTableIndex")
            into.extend(table[place] for place in places)
    writable |= set(range(len(keys), len(keys) + len(pulled[0])))
    return Resolved(
        transaction=transaction,
        message=message,
        keys=(*keys, *pulled[0], *pulled[1]),
        writable=frozenset(writable),
        loaded_writable=tuple(pulled[0]),
        loaded_readonly=tuple(pulled[1]),
    )


def _known(transaction: VersionedTransaction) -> Message | MessageV0:
    message = transaction.message
    if isinstance(message, Message | MessageV0):
        return message
    raise LookupRefusal("UnsupportedVersion")


def _writable(message: Message | MessageV0) -> set[int]:
    """Return the places of the writable static keys; a program that is called is not writable."""
    header, count = message.header, len(message.account_keys)
    signers = header.num_required_signatures
    places = set(range(signers - header.num_readonly_signed_accounts))
    places |= set(range(signers, count - header.num_readonly_unsigned_accounts))
    return places - {ix.program_id_index for ix in message.instructions}


def _addresses(table: Account | None) -> list[Pubkey]:
    if table is None:
        raise LookupRefusal("AddressLookupTableNotFound")
    if table.owner != LOOKUP_TABLE_PROGRAM:
        raise LookupRefusal("InvalidAddressLookupTableOwner")
    data = table.data
    return [Pubkey(data[at : at + 32]) for at in range(TABLE_HEADER_BYTES, len(data) - 31, 32)]


def rebuilt(
    transaction: VersionedTransaction,
    instructions: list[CompiledInstruction] | None = None,
    blockhash: Hash | None = None,
) -> VersionedTransaction:
    """Return the transaction with other instructions or on another blockhash, its signatures no longer true."""
    message = _known(transaction)
    header, keys = message.header, message.account_keys
    instructions = message.instructions if instructions is None else instructions
    blockhash = blockhash or message.recent_blockhash
    made: Message | MessageV0
    if isinstance(message, MessageV0):
        made = MessageV0(header, keys, blockhash, instructions, message.address_table_lookups)
    else:
        counts = (
            header.num_required_signatures,
            header.num_readonly_signed_accounts,
            header.num_readonly_unsigned_accounts,
        )
        made = Message.new_with_compiled_instructions(*counts, keys, blockhash, instructions)
    return VersionedTransaction.populate(made, transaction.signatures)
