"""Transactions: compute budget, version 0 messages with lookup tables, signatures, and templates for the hot path.

A signature is known before anything is sent, and so is a transaction that would not fit into a packet. Most of an
order's message never changes between two orders on one market: a ``Template`` compiles it once, and afterwards an
order is a join of a few byte strings around the new instruction data and blockhash, and one signature.

Source: the wire format of versioned messages (agave ``sdk/message``): a version byte, three counts, the keys, the
blockhash, the instructions, the lookups, each list with a compact length.
"""

from collections.abc import Sequence
from struct import Struct as Format

from msgspec import Struct
from solders.address_lookup_table_account import AddressLookupTableAccount
from solders.compute_budget import set_compute_unit_limit, set_compute_unit_price
from solders.hash import Hash
from solders.instruction import Instruction
from solders.message import MessageV0, to_bytes_versioned
from solders.pubkey import Pubkey
from solders.signature import Signature

from drift_engine.core.units import E6, ceil_div
from drift_engine.venues.errors import EncodeError
from drift_engine.venues.keys import Key

MAX_BYTES = 1232
"""What a transaction may take: the smallest packet of IPv6, less headers."""
MAX_COMPUTE_UNITS = 1_400_000
LAMPORTS_A_SIGNATURE = 5_000
PRICE = Format("<BQ")
"""``SetComputeUnitPrice``: 3, then micro-lamports per unit."""
PRICE_TAG = 3
_SIGNATURE_BYTES = 64


class Signed(Struct, frozen=True, gc=False):
    """A transaction ready to be sent. ``signature`` is its name on the chain, known from now on."""

    wire: bytes
    signature: Signature


def budget(compute_units: int, price_micro_lamports: int = 0) -> list[Instruction]:
    """Return the instructions that set limit and price of compute units. Raises ``EncodeError``."""
    if not 0 < compute_units <= MAX_COMPUTE_UNITS:
        raise EncodeError(f"compute_units = {compute_units} is not within 1 to {MAX_COMPUTE_UNITS}")
    if not 0 <= price_micro_lamports < 1 << 64:
        raise EncodeError(f"price_micro_lamports = {price_micro_lamports} does not fit u64")
    return [set_compute_unit_limit(compute_units), set_compute_unit_price(price_micro_lamports)]


def fee_lamports(compute_units: int, price_micro_lamports: int, signatures: int = 1) -> int:
    """Return what a transaction costs, landed or failed: 5,000 a signature, and limit times price rounded up."""
    return signatures * LAMPORTS_A_SIGNATURE + ceil_div(compute_units * price_micro_lamports, E6)


def compiled(
    payer: Pubkey,
    instructions: Sequence[Instruction],
    blockhash: Hash,
    tables: Sequence[AddressLookupTableAccount] = (),
) -> bytes:
    """Return a version 0 message's bytes. Raises ``EncodeError`` where it would not fit with its signatures."""
    try:
        message = MessageV0.try_compile(payer, list(instructions), list(tables), blockhash)
    except Exception as error:  # solders raises its CompileError, which it does not export
        raise EncodeError(f"the transaction does not compile: {error}") from error
    raw = to_bytes_versioned(message)
    check_size(len(raw), message.header.num_required_signatures)
    return raw


def check_size(message_bytes: int, signatures: int = 1) -> None:
    """Raise ``EncodeError`` where a message with its signatures is more than a packet."""
    size = 1 + signatures * _SIGNATURE_BYTES + message_bytes
    if size > MAX_BYTES:
        raise EncodeError(
            f"the transaction has {size} bytes, {size - MAX_BYTES} more than the {MAX_BYTES} that a packet holds: "
            "use lookup tables, fewer orders or fewer makers"
        )


def signed(
    signers: Sequence[Key],
    instructions: Sequence[Instruction],
    blockhash: Hash,
    tables: Sequence[AddressLookupTableAccount] = (),
) -> Signed:
    """Return a signed transaction; the first signer pays. Raises ``EncodeError`` where a signer is missing."""
    message = compiled(signers[0].address, instructions, blockhash, tables)
    required = signers_of(message)
    by_key = {signer.address: signer.keypair for signer in signers}
    if missing := [str(key) for key in required if key not in by_key]:
        raise EncodeError(f"no key to sign for {', '.join(missing)}")
    signatures = [by_key[key].sign_message(message) for key in required]
    wire = bytes([len(signatures)]) + b"".join(map(bytes, signatures)) + message
    return Signed(wire, signatures[0])


def signers_of(message: bytes) -> tuple[Pubkey, ...]:
    """Return the keys that have to sign a version 0 message, the payer first."""
    _, at = compact(message, 4)
    return tuple(Pubkey(message[at + 32 * slot : at + 32 * slot + 32]) for slot in range(message[1]))


class Template:
    """A transaction whose accounts are settled; only blockhash and the data of some instructions change.

    ``changing`` are the instructions' indexes, in order. There is one signer, the payer. Raises ``EncodeError`` where
    another would have to sign, and where the instructions do not fit a packet.
    """

    __slots__ = ("_frames", "_head", "_tail", "payer")

    def __init__(
        self,
        payer: Pubkey,
        instructions: Sequence[Instruction],
        changing: Sequence[int],
        tables: Sequence[AddressLookupTableAccount] = (),
    ) -> None:
        message = compiled(payer, instructions, Hash.default(), tables)
        if message[1] != 1:
            others = ", ".join(str(key) for key in signers_of(message)[1:])
            raise EncodeError(f"a template has one signer, its payer; {others} would have to sign, too")
        self.payer = payer
        hash_at, places = _places(message)
        self._head = message[:hash_at]
        starts = [hash_at + 32, *(places[index][1] for index in changing)]
        stops = [*(places[index][0] for index in changing), len(message)]
        *self._frames, self._tail = [message[start:stop] for start, stop in zip(starts, stops, strict=True)]

    def message(self, blockhash: bytes, data: Sequence[bytes]) -> bytes:
        """Return the message with this blockhash and data. Raises ``EncodeError`` where it grew too large."""
        pieces = [self._head, blockhash]
        for frame, changed in zip(self._frames, data, strict=True):
            size = len(changed)
            pieces += (frame, _SHORT[size] if size < 128 else compact_length(size), changed)
        pieces.append(self._tail)
        message = b"".join(pieces)
        if len(message) > MAX_BYTES - _SIGNATURE_BYTES - 1:
            check_size(len(message))
        return message

    def sign(self, key: Key, blockhash: bytes, data: Sequence[bytes]) -> Signed:
        """Return the signed transaction. ``blockhash``: its 32 bytes; ``key``: the payer's."""
        if key.address != self.payer:
            raise EncodeError(f"the template is paid by {self.payer}, not by {key.address}")
        message = self.message(blockhash, data)
        signature = key.keypair.sign_message(message)
        return Signed(b"\x01" + bytes(signature) + message, signature)


def compact_length(size: int) -> bytes:
    """Return a length in the chain's compact form: seven bits a byte, the lowest first."""
    out = bytearray()
    while size > 0x7F:
        out.append(size & 0x7F | 0x80)
        size >>= 7
    out.append(size)
    return bytes(out)


_SHORT = tuple(bytes([size]) for size in range(128))


def compact(data: bytes, at: int) -> tuple[int, int]:
    """Return a compact length at an offset, and the offset behind it."""
    value = shift = 0
    while True:
        byte = data[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, at
        shift += 7


def _places(message: bytes) -> tuple[int, list[tuple[int, int]]]:
    """Return where the blockhash lies, and for each instruction where its data begins (with length) and ends."""
    keys, at = compact(message, 4)
    hash_at = at + 32 * keys
    count, at = compact(message, hash_at + 32)
    places = []
    for _ in range(count):
        accounts, at = compact(message, at + 1)
        at += accounts
        start = at
        size, at = compact(message, at)
        at += size
        places.append((start, at))
    return hash_at, places
