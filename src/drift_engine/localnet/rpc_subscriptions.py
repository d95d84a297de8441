"""What WebSocket subscribers are told: accounts, programs, slots, logs and signatures, as the chain moves.

A ``processed`` subscription hears of each transaction as it lands; ``confirmed`` and ``finalized`` ones hear of a block
once, when their commitment first sees it, and then of each account's last value in it. After a rollback the accounts
put back are told again, to ``processed`` and ``confirmed``. An account that was closed is told as one of 0 lamports.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from itertools import count
from typing import Any

from solders.account import Account
from solders.pubkey import Pubkey

from drift_engine.localnet import rpc_params as given
from drift_engine.localnet.blocks import COMMITMENTS, Block
from drift_engine.localnet.chain import Edited, Event, Landed, RolledBack, SlotOpened
from drift_engine.localnet.encoding import GONE, account_json, filter_of
from drift_engine.localnet.history import Record
from drift_engine.localnet.node import Node, in_context
from drift_engine.localnet.rpc_errors import bad_params

Send = Callable[[dict[str, Any]], None]


@dataclass(slots=True)
class Subscription:
    """One subscription of one socket; ``about`` is the address, program or signature, as its kind has it."""

    number: int
    kind: str
    commitment: str
    send: Send
    about: Any = None
    config: dict[str, Any] | None = None
    passes: Callable[[Account], bool] = bool

    def tell(self, result: Any) -> None:
        """Send a notification."""
        params = {"result": result, "subscription": self.number}
        self.send({"jsonrpc": "2.0", "method": f"{self.kind}Notification", "params": params})


class Subscriptions:
    """All subscriptions of a node's sockets."""

    def __init__(self, node: Node) -> None:
        self._node = node
        self._numbers = count(1)
        self._held: dict[int, Subscription] = {}
        self._seen = {name: node.chain.blocks.at(name).height for name in COMMITMENTS}
        node.chain.listeners.append(self.hear)

    def __len__(self) -> int:
        return len(self._held)

    def subscribe(self, kind: str, params: list[Any], send: Send) -> int:
        """Open a subscription and return its number; raise ``RpcError`` for what cannot be subscribed to."""
        made = _MAKERS[kind](params)
        made.number, made.send = next(self._numbers), send
        self._held[made.number] = made
        return made.number

    def begin(self, number: int) -> None:
        """Tell a new subscription what is already so; its number has been answered."""
        held = self._held[number]
        if held.kind == "signature":
            record = self._node.chain.history.get(held.about)
            block = self._node.chain.blocks.at(held.commitment)
            if record is not None and record.slot <= block.slot:
                self._tell_signature(held, record, block)

    def unsubscribe(self, number: int, kind: str, send: Send) -> bool:
        """Close a socket's own subscription of a kind; False where there is none."""
        held = self._held.get(number)
        if held is None or held.kind != kind or held.send != send:
            return False
        del self._held[number]
        return True

    def forget(self, send: Send) -> None:
        """Close all subscriptions of a socket that is gone."""
        self._held = {number: held for number, held in self._held.items() if held.send != send}

    def hear(self, event: Event) -> None:
        """Tell subscribers what an event is to them."""
        blocks = self._node.chain.blocks
        match event:
            case Landed(record, changed):
                self._tell_accounts("processed", blocks.open, changed)
                self._tell_records("processed", blocks.open, [record])
            case Edited(changed):
                self._tell_accounts("processed", blocks.open, changed)
            case SlotOpened(block, root):
                for held in self._of("slot"):
                    held.tell({"slot": block.slot, "parent": block.parent, "root": root})
                for commitment in COMMITMENTS[1:]:
                    self._settle(commitment)
            case RolledBack(_, _, changed):
                for commitment in COMMITMENTS:
                    self._seen[commitment] = min(self._seen[commitment], blocks.at(commitment).height)
                for commitment in COMMITMENTS[:2]:
                    self._tell_accounts(commitment, blocks.at(commitment), changed)

    def _settle(self, commitment: str) -> None:
        """Tell of the block a commitment sees for the first time."""
        chain = self._node.chain
        block = chain.blocks.at(commitment)
        if block.height <= self._seen[commitment]:
            return
        self._seen[commitment] = block.height
        self._tell_accounts(commitment, block, chain.bank.changed_in(block.slot))
        if any(held.kind in {"logs", "signature"} for held in self._held.values()):
            records = [record for record in chain.history.since(block.slot) if record.slot == block.slot]
            self._tell_records(commitment, block, records)

    def _of(self, *kinds: str, commitment: str = "") -> list[Subscription]:
        return [
            held for held in self._held.values() if held.kind in kinds and commitment in {"", held.commitment}
        ]  # a list, for telling may close some

    def _tell_accounts(self, commitment: str, block: Block, changed: Iterable[Pubkey]) -> None:
        listening = self._of("account", "program", commitment=commitment)
        if not listening:
            return
        read = self._node.reader(block)
        for address in changed:
            account = read(address)
            for held in listening:
                if held.kind == "account" and held.about == address:
                    held.tell(in_context(block, account_json(account or GONE, held.config or {}, read)))
                elif held.kind == "program" and account and account.owner == held.about and held.passes(account):
                    shown = account_json(account, held.config or {}, read)
                    held.tell(in_context(block, {"pubkey": str(address), "account": shown}))

    def _tell_records(self, commitment: str, block: Block, records: list[Record]) -> None:
        listening = self._of("logs", "signature", commitment=commitment)
        for record in records:
            for held in listening:
                if held.kind == "signature" and held.about == record.signature:
                    self._tell_signature(held, record, block)
                elif held.kind == "logs" and held.about in (None, *record.outcome.keys):
                    outcome = record.outcome
                    told = {"signature": str(record.signature), "err": outcome.err, "logs": outcome.logs}
                    held.tell(in_context(block, told))

    def _tell_signature(self, held: Subscription, record: Record, block: Block) -> None:
        self._held.pop(held.number, None)
        held.tell(in_context(block, {"err": record.outcome.err}))


def _unsent(message: dict[str, Any]) -> None:
    raise NotImplementedError(message)


def _made(kind: str, config: dict[str, Any], about: Any = None) -> Subscription:
    return Subscription(0, kind, given.commitment_of(config), _unsent, about, config)


def _account(params: list[Any]) -> Subscription:
    return _made("account", given.settings(params, 1), given.pubkey(given.needed(params, 0, str)))


def _program(params: list[Any]) -> Subscription:
    config = given.settings(params, 1)
    made = _made("program", config, given.pubkey(given.needed(params, 0, str)))
    made.passes = filter_of(config)
    return made


def _signature(params: list[Any]) -> Subscription:
    return _made("signature", given.settings(params, 1), given.signature(given.needed(params, 0, str)))


def _slot(params: list[Any]) -> Subscription:  # every maker takes parameters
    return _made("slot", {})


def _logs(params: list[Any]) -> Subscription:
    asked, config = given.needed(params, 0, object), given.settings(params, 1)
    if asked in ("all", "allWithVotes"):
        return _made("logs", config)
    mentions = asked.get("mentions") if isinstance(asked, dict) else None
    if not isinstance(mentions, list) or len(mentions) != 1:
        raise bad_params("Invalid Request: Only 1 address supported")
    return _made("logs", config, given.pubkey(mentions[0]))


_MAKERS = {"account": _account, "logs": _logs, "program": _program, "signature": _signature, "slot": _slot}
KINDS = tuple(_MAKERS)
