"""The hot path of an order: one market's accounts settled beforehand, then parameters in, signed bytes out.

A template stands for one set of accounts. When the account gains or loses a position its remaining accounts are
others, and the template has to be made again; ``markets_held`` tells cheaply whether that is so.
"""

from collections.abc import Sequence
from typing import Any

from solders.address_lookup_table_account import AddressLookupTableAccount
from solders.instruction import Instruction

from drift_engine.venues.errors import EncodeError
from drift_engine.venues.instructions.call import Call
from drift_engine.venues.keys import Key
from drift_engine.venues.program import Program
from drift_engine.venues.transactions.building import PRICE, PRICE_TAG, Signed, Template, budget
from drift_engine.venues.wire.user import User

_PRICE_AT, _CALL_AT = 1, 2


class OrderTemplate:
    """Compute budget, then one instruction whose arguments change: ``place_perp_order`` and its like.

    ``call`` is the instruction's declaration, ``instruction`` one built with any arguments; its authority, the account
    that signs, pays.
    """

    __slots__ = ("_call", "_program", "_template")

    def __init__(
        self,
        program: Program,
        call: Call,
        instruction: Instruction,
        compute_units: int,
        tables: Sequence[AddressLookupTableAccount] = (),
    ) -> None:
        signers = [meta.pubkey for meta in instruction.accounts if meta.is_signer]
        if instruction.data[:8] != call.head or len(signers) != 1:
            raise EncodeError(f"the instruction is no {call.name} with one signer")
        every = [*budget(compute_units), instruction]
        self._program, self._call = program, call
        self._template = Template(signers[0], every, (_PRICE_AT, _CALL_AT), tables)

    def sign(self, key: Key, blockhash: bytes, arguments: Sequence[Any], price_micro_lamports: int = 0) -> Signed:
        """Return the signed transaction. ``blockhash``: its 32 bytes. Raises ``EncodeError``."""
        data = self._call.data(self._program, arguments)
        return self._template.sign(key, blockhash, (PRICE.pack(PRICE_TAG, price_micro_lamports), data))


def markets_held(user: User) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Return the spot and perp markets of an account's positions, by which its remaining accounts are settled."""
    spots = tuple(held.market_index for held in user.spot_positions())
    return spots, tuple(position.market_index for position in user.perp_positions())
