"""What is signed elsewhere and verified on the chain: takers' signed orders (swift) and Pyth Lazer prices.

Such an instruction carries signature, key and message in its own data; the Ed25519 program's instruction right before
it only points there. Source: ``instructions/keeper.rs``, ``pyth_lazer_oracle.rs``, ``validation/sig_verification.rs``,
``sdk/src/util/ed25519Utils.ts``.
"""

from collections.abc import Sequence
from struct import Struct

from solders.instruction import AccountMeta, Instruction
from solders.pubkey import Pubkey
from solders.signature import Signature
from solders.system_program import ID as SYSTEM
from solders.sysvar import INSTRUCTIONS, RENT

from drift_engine.venues import addresses
from drift_engine.venues.errors import EncodeError
from drift_engine.venues.instructions.call import Call
from drift_engine.venues.instructions.metas import write
from drift_engine.venues.instructions.trader import Trader
from drift_engine.venues.program import Program

ED25519 = Pubkey.from_string("Ed25519SigVerify111111111111111111111111111")
PYTH_LAZER_STORAGE = Pubkey.from_string("3rdJbqfnagQ4yx9HXJViD4zc4xpiSqmFsKpPuSCQVyQL")
_POINTERS = Struct("<BB7H")
_SIZE = Struct("<H")
_CARRIED_AT = 12
"""Where the carried bytes begin in the instruction's data: behind discriminator and length."""
_MAGIC_BYTES, _SIGNATURE_BYTES, _KEY_BYTES = 4, 64, 32

PLACE_SIGNED_MSG_TAKER_ORDER = Call(
    "place_signed_msg_taker_order",
    "state user* user_stats* signed_msg_user_orders* authority! ix_sysvar",
    "signed_msg_order_params_message_bytes bytes, is_delegate_signer bool",
)
INITIALIZE_SIGNED_MSG_USER_ORDERS = Call(
    "initialize_signed_msg_user_orders",
    "signed_msg_user_orders* authority payer*! rent system_program",
    "num_orders u16",
)
RESIZE_SIGNED_MSG_USER_ORDERS = Call(
    "resize_signed_msg_user_orders",
    "signed_msg_user_orders* authority user payer*! system_program",
    "num_orders u16",
)
POST_PYTH_LAZER_ORACLE_UPDATE = Call(
    "post_pyth_lazer_oracle_update", "keeper*! pyth_lazer_storage ix_sysvar", "pyth_message bytes"
)


def initialize_signed_msg_user_orders(
    program: Program, owner: Trader, num_orders: int, payer: Pubkey | None = None
) -> Instruction:
    """Open the account that remembers an authority's signed orders, so that none is placed twice."""
    orders = addresses.signed_msg_user_orders(program.program_id, owner.authority)
    keys = (orders, owner.authority, payer or owner.authority, RENT, SYSTEM)
    return INITIALIZE_SIGNED_MSG_USER_ORDERS.build(program, keys, (num_orders,))


def resize_signed_msg_user_orders(
    program: Program, owner: Trader, num_orders: int, payer: Pubkey | None = None
) -> Instruction:
    """Let that account remember more or fewer."""
    orders = addresses.signed_msg_user_orders(program.program_id, owner.authority)
    keys = (orders, owner.authority, owner.user, payer or owner.authority, SYSTEM)
    return RESIZE_SIGNED_MSG_USER_ORDERS.build(program, keys, (num_orders,))


def place_signed_msg_taker_order(
    program: Program,
    taker: Trader,
    signature: Signature,
    text: bytes,
    signer: Pubkey,
    index: int,
    remaining: Sequence[AccountMeta] = (),
) -> tuple[Instruction, Instruction]:
    """Return the verification and the order, to stand at ``index - 1`` and ``index`` of the transaction.

    ``text`` is the message's hexadecimal as signed by ``taker.signer``, without any prefix: builds of Velocity that
    want one verify in another way, which this does not build. ``signer`` sends the transaction.
    """
    carried = bytes(signature) + bytes(taker.signer) + _size(text) + text
    orders = addresses.signed_msg_user_orders(program.program_id, taker.authority)
    keys = (program.state, taker.user, taker.user_stats, orders, signer, INSTRUCTIONS)
    placed = PLACE_SIGNED_MSG_TAKER_ORDER.build(program, keys, (carried, taker.signer != taker.authority), remaining)
    return pointing_to(index, _CARRIED_AT, len(text)), placed


def post_pyth_lazer_oracle_update(
    program: Program, message: bytes, feeds: Sequence[int], keeper: Pubkey, index: int
) -> tuple[Instruction, Instruction]:
    """Return the verification and the price update, to stand at ``index - 1`` and ``index`` of the transaction.

    ``feeds`` in the message's order. Raises ``EncodeError`` where the message is shorter than its frame.
    """
    at = _MAGIC_BYTES + _SIGNATURE_BYTES + _KEY_BYTES
    if len(message) < at + _SIZE.size:
        raise EncodeError(f"a Pyth Lazer message of {len(message)} bytes is shorter than its frame")
    size: int = _SIZE.unpack_from(message, at)[0]
    oracles = [write(addresses.pyth_lazer_oracle(program.program_id, feed)) for feed in feeds]
    keys = (keeper, PYTH_LAZER_STORAGE, INSTRUCTIONS)
    posted = POST_PYTH_LAZER_ORACLE_UPDATE.build(program, keys, (message,), oracles)
    return pointing_to(index, _CARRIED_AT + _MAGIC_BYTES, size), posted


def pointing_to(index: int, signature_at: int, size: int) -> Instruction:
    """Return the Ed25519 instruction that verifies what instruction ``index`` carries: signature, key, size, text."""
    key_at = signature_at + _SIGNATURE_BYTES
    message_at = key_at + _KEY_BYTES + _SIZE.size
    data = _POINTERS.pack(1, 0, signature_at, index, key_at, index, message_at, size, index)
    return Instruction(ED25519, data, [])


def _size(text: bytes) -> bytes:
    if len(text) > 0xFFFF:
        raise EncodeError(f"a signed message of {len(text)} bytes does not fit a transaction")
    return _SIZE.pack(len(text))
