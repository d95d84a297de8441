"""One instruction as a declaration: its name, its accounts with their flags, and its arguments.

``"state user* authority!"`` reads: three accounts, ``*`` writable, ``!`` signer, in the program's order. The
discriminator is the head of sha256 of ``global:name``. Builders hand over addresses and values in the declared order;
the same declaration reads an instruction back (for a chain on the desk, or to show what a transaction does).
"""

from collections.abc import Mapping, Sequence
from typing import Any

from solders.instruction import AccountMeta, Instruction
from solders.pubkey import Pubkey

from drift_engine.venues.errors import DecodeError, EncodeError
from drift_engine.venues.program import Program
from drift_engine.venues.wire.borsh import Shape
from drift_engine.venues.wire.layout import discriminator
from drift_engine.venues.wire.order_params import DIALECTS


class Call:
    """An instruction that both protocols have, unless ``lacks`` names those that do not."""

    def __init__(self, name: str, accounts: str, declared: str = "", lacks: Mapping[str, str] | None = None) -> None:
        fields = "\n".join(part.strip() for part in declared.split(",") if part.strip())
        self.name, self.head = name, discriminator(name, "global")
        self.accounts = tuple((each.rstrip("*!"), "!" in each, "*" in each) for each in accounts.split())
        self._lacks = lacks or {}
        self._shapes = {
            protocol: Shape(name, fields, dialect.kinds)
            for protocol, dialect in DIALECTS.items()
            if protocol not in self._lacks
        }

    def data(self, program: Program, values: Sequence[Any] = ()) -> bytes:
        """Return the instruction's data. Raises ``EncodeError`` naming the argument that cannot be said."""
        return self.head + self._shape(program).pack(values)

    def build(
        self,
        program: Program,
        keys: Sequence[Pubkey],
        values: Sequence[Any] = (),
        remaining: Sequence[AccountMeta] = (),
    ) -> Instruction:
        """Return the instruction: declared accounts, then ``remaining``. Raises ``EncodeError``."""
        data = self.data(program, values)
        metas = [
            AccountMeta(key, signer, writable) for key, (_, signer, writable) in zip(keys, self.accounts, strict=True)
        ]
        return Instruction(program.program_id, data, metas + list(remaining))

    def arguments(self, program: Program, data: bytes) -> dict[str, Any]:
        """Return an instruction's arguments by name. Raises ``DecodeError``; bytes behind them are let be."""
        if data[:8] != self.head:
            raise DecodeError(f"no {self.name}: it starts with {data[:8].hex()}, not {self.head.hex()}")
        shape = self._shape(program)
        return dict(zip(shape.names, shape.unpack(data, 8)[0], strict=True))

    def _shape(self, program: Program) -> Shape:
        try:
            return self._shapes[program.name]
        except KeyError:
            raise EncodeError(f"{program.name} has no {self.name}: {self._lacks[program.name]}") from None
