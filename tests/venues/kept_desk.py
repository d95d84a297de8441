"""A trader without a chain: accounts are given, and the instructions of what it would send are kept."""

from types import SimpleNamespace
from typing import Any

from market_desk import user
from solders.instruction import Instruction
from solders.keypair import Keypair
from solders.pubkey import Pubkey
from solders.signature import Signature

from drift_engine.venues.directory import Directory
from drift_engine.venues.instructions.call import Call
from drift_engine.venues.instructions.trader import Trader as Owner
from drift_engine.venues.instructions.trader import trader as owner_of
from drift_engine.venues.keys import Key
from drift_engine.venues.program import Program
from drift_engine.venues.programs import DRIFT_V2
from drift_engine.venues.rpc.types import AccountInfo
from drift_engine.venues.trader import Trader
from drift_engine.venues.transactions.sending import Expired, Outcome
from drift_engine.venues.wire.user import Order, SpotPosition, User

OUTCOME = Expired(Signature.default())


class Node:
    """What the node would answer of single accounts."""

    def __init__(self) -> None:
        self.accounts: dict[Pubkey, AccountInfo] = {}

    async def get_account(self, key: Pubkey) -> AccountInfo | None:
        return self.accounts.get(key)


class KeptTrader(Trader):
    """A trader whose account is given and whose instructions are kept in ``sent``."""

    def __init__(self, book: Directory, *orders: Order, program: Program = DRIFT_V2) -> None:
        keypair = Keypair.from_seed(bytes([7] * 32))
        self.node = Node()
        self.listed: Any = SimpleNamespace(program=program, directory=book)
        self.owner = owner_of(program, keypair.pubkey(), 0, keypair.pubkey())
        self.sender: Any = SimpleNamespace(key=Key(keypair))
        self.connection: Any = SimpleNamespace(rpc=self.node)
        self.sent: list[Instruction] = []
        self.users = {self.owner.user: user(program, [SpotPosition(scaled_balance=1)], orders=list(orders))}
        self.users[self.owner.user].authority = keypair.pubkey()

    async def found(self, owner: Owner | None = None, *, anew: bool = False) -> User | None:
        return self.users.get((owner or self.owner).user)

    async def act(self, *instructions: Instruction) -> Outcome:
        self.sent = list(instructions)
        return OUTCOME

    def said(self, call: Call) -> dict[str, Any]:
        """Return what the last act says, which has to be this one instruction."""
        (sent,) = self.sent
        return call.arguments(self.program, bytes(sent.data))

    def named(self, call: Call, at: int = 0) -> dict[str, Pubkey]:
        """Return the accounts of one instruction of the last act, by their names in its declaration."""
        assert self.sent[at].data[:8] == call.head
        return {name: meta.pubkey for (name, _, _), meta in zip(call.accounts, self.sent[at].accounts, strict=False)}


__all__ = ["OUTCOME", "KeptTrader"]
