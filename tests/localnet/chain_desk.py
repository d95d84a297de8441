"""A client of the local chain for tests, of plain aiohttp; and a program small enough to see through."""

import itertools
from base64 import b64encode
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from struct import pack, unpack
from typing import Any

import aiohttp
from solders.account import Account
from solders.address_lookup_table_account import AddressLookupTableAccount
from solders.hash import Hash
from solders.instruction import AccountMeta, Instruction
from solders.keypair import Keypair
from solders.message import MessageV0
from solders.pubkey import Pubkey
from solders.system_program import TransferParams, transfer
from solders.transaction import VersionedTransaction

from drift_engine.localnet.program import Invocation, Ledger, ProgramError, RuntimeRefusal
from drift_engine.localnet.serving import Running, ServeConfig, served

SOL = 10**9
COUNTER = Pubkey.from_string("vELoC1audYbSYVRXn1vPaV8Axoa9oU6BYmNGZZBDZ1P")
SYSTEM = Pubkey.default()
SIGNER = Pubkey.find_program_address([b"signer"], COUNTER)[0]


class CounterProgram:
    """Counts: ``o`` opens a counter, ``a<u64>`` adds, ``f`` fails, ``p<u64>`` pays tokens out, ``r`` writes read-only.

    ``m`` makes lamports, ``c<u64>`` burns compute. Each tick adds one to the counters in its note, one a call.
    """

    program_id = COUNTER

    def execute(self, instruction: Invocation, ledger: Ledger) -> None:
        letter, amount = instruction.data[:1], int.from_bytes(instruction.data[1:9], "little")
        keys = [meta.pubkey for meta in instruction.accounts]
        if len(keys) < {b"o": 2, b"a": 1, b"p": 2, b"m": 1}.get(letter, 0):
            raise RuntimeRefusal("NotEnoughAccountKeys")
        ledger.consume(100)
        ledger.log(f"Instruction: {letter.decode(errors='replace')}")
        match letter:
            case b"o":
                ledger.create(keys[1], keys[0], COUNTER, bytes(8))
            case b"a":
                self._add(ledger, keys[0], amount)
            case b"f":
                raise ProgramError(6010, "CounterBroken", "the counter is broken")
            case b"p":
                ledger.move_tokens(keys[0], keys[1], SIGNER, amount)
            case b"m":
                ledger.put(keys[0], Account(5 * SOL, b"", SYSTEM))
            case b"c":
                ledger.consume(amount)

    @staticmethod
    def _add(ledger: Ledger, key: Pubkey, amount: int) -> None:
        found = ledger.get(key)
        if found is None or found.owner != COUNTER:
            raise ProgramError(3012, "AccountNotInitialized", "The program expected this account", account="counter")
        total = unpack("<Q", found.data)[0] + amount
        ledger.write(key, pack("<Q", total))
        ledger.program_data(pack("<Q", total))

    def tick(self, ledger: Ledger) -> bool:
        waiting = ledger.note("waiting")
        if not isinstance(waiting, tuple) or not waiting:
            return False
        ledger.keep("waiting", waiting[1:])
        self._add(ledger, waiting[0], 1)
        return len(waiting) > 1


def counter_call(letter: str, *metas: AccountMeta, amount: int | None = None) -> Instruction:
    data = letter.encode() + (b"" if amount is None else pack("<Q", amount))
    return Instruction(COUNTER, data, list(metas))


def writable(key: Pubkey) -> AccountMeta:
    return AccountMeta(key, is_signer=False, is_writable=True)


def readonly(key: Pubkey) -> AccountMeta:
    return AccountMeta(key, is_signer=False, is_writable=False)


def pays(source: Pubkey, to: Pubkey, lamports: int) -> Instruction:
    return transfer(TransferParams(from_pubkey=source, to_pubkey=to, lamports=lamports))


def signed(
    signers: Sequence[Keypair],
    instructions: Sequence[Instruction],
    blockhash: Hash,
    tables: Sequence[AddressLookupTableAccount] = (),
) -> VersionedTransaction:
    message = MessageV0.try_compile(signers[0].pubkey(), list(instructions), list(tables), blockhash)
    return VersionedTransaction(message, list(signers))


def wire(transaction: VersionedTransaction) -> str:
    return b64encode(bytes(transaction)).decode()


def count_of(at: "Desk", key: Pubkey) -> int | None:
    """Return what a counter stands at; None where there is none."""
    account = at.chain.bank.get(key)
    return int.from_bytes(account.data, "little") if account else None


class RpcAnswerError(AssertionError):
    def __init__(self, error: dict[str, Any]) -> None:
        super().__init__(str(error))
        self.code, self.message = int(error["code"]), str(error["message"])
        self.data: Any = error.get("data")


class Desk:
    """A served chain, a funded key, and calls."""

    def __init__(self, running: Running, session: aiohttp.ClientSession) -> None:
        self.running, self.session, self.chain = running, session, running.chain
        self.key = Keypair.from_seed(bytes([7]) * 32)
        self.me = self.key.pubkey()
        self._numbers = itertools.count(1)

    async def post(self, body: Any, url: str = "") -> Any:
        async with self.session.post(url or self.running.url, json=body) as answer:
            return await answer.json()

    async def call(self, method: str, *params: Any, url: str = "") -> Any:
        call = {"jsonrpc": "2.0", "id": next(self._numbers), "method": method, "params": list(params)}
        answer = await self.post(call, url)
        assert answer["id"] == call["id"] or "error" in answer
        if "error" in answer:
            raise RpcAnswerError(answer["error"])
        return answer["result"]

    async def refusal(self, method: str, *params: Any, url: str = "") -> RpcAnswerError:
        try:
            result = await self.call(method, *params, url=url)
        except RpcAnswerError as error:
            return error
        raise AssertionError(f"{method} was not refused but answered {result}")

    async def blockhash(self) -> Hash:
        found = await self.call("getLatestBlockhash", {"commitment": "processed"})
        return Hash.from_string(found["value"]["blockhash"])

    async def made(self, *instructions: Instruction, signers: Sequence[Keypair] = ()) -> VersionedTransaction:
        return signed(signers or [self.key], instructions, await self.blockhash())

    async def send(self, transaction: VersionedTransaction, *, skip: bool = False) -> str:
        config = {"encoding": "base64", "skipPreflight": skip}
        return str(await self.call("sendTransaction", wire(transaction), config))

    async def status(self, signature: str) -> Any:
        return (await self.call("getSignatureStatuses", [signature]))["value"][0]

    async def do(self, *instructions: Instruction, signers: Sequence[Keypair] = ()) -> str:
        """Send instructions; they have to land without error."""
        signature = await self.send(await self.made(*instructions, signers=signers))
        status = await self.status(signature)
        assert status is not None
        assert status["err"] is None, status
        return signature

    async def balance(self, address: Pubkey, commitment: str = "processed") -> int:
        return int((await self.call("getBalance", str(address), {"commitment": commitment}))["value"])

    async def faults(self, **settings: Any) -> Any:
        return await self.post(settings, f"{self.running.url}/faults")

    def slots(self, count: int = 1) -> None:
        self.chain.advance(count)

    @asynccontextmanager
    async def socket(self) -> AsyncIterator["Ears"]:
        async with self.session.ws_connect(self.running.ws_url) as socket:
            yield Ears(socket)


class Ears:
    """A WebSocket being listened to: answers by number, notifications in order."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self.socket = socket
        self._numbers = itertools.count(1)
        self._notes: list[Any] = []

    async def call(self, method: str, *params: Any) -> Any:
        number = next(self._numbers)
        await self.socket.send_json({"jsonrpc": "2.0", "id": number, "method": method, "params": list(params)})
        while True:
            message = await self.socket.receive_json(timeout=30)
            if "method" in message:
                self._notes.append(message)
                continue
            assert message["id"] == number
            if "error" in message:
                raise RpcAnswerError(message["error"])
            return message["result"]

    async def heard(self) -> Any:
        """Return the next notification's parameters."""
        message = self._notes.pop(0) if self._notes else await self.socket.receive_json(timeout=30)
        assert "method" in message, message
        return message["params"]

    async def silence(self) -> None:
        """Assert that nothing waits to be heard: a call's answer comes first."""
        assert not self._notes
        await self.call("getHealth")
        assert not self._notes, self._notes

    async def pause(self, seconds: float) -> bool:
        """Whether nothing at all comes for a while."""
        try:
            await self.socket.receive(timeout=seconds)
        except TimeoutError:
            return True
        return False


@asynccontextmanager
async def desk(**settings: Any) -> AsyncIterator[Desk]:
    """Serve a chain whose slots open by hand, with one funded key, and talk to it."""
    funded = (Keypair.from_seed(bytes([7]) * 32).pubkey(), Account(100 * SOL, b"", SYSTEM))
    accounts = (funded, *settings.pop("accounts", ()))
    settings.setdefault("programs", (CounterProgram(),))
    settings.setdefault("by_hand", True)
    config = ServeConfig(accounts=accounts, **settings)
    async with served(config) as running, aiohttp.ClientSession() as session:
        yield Desk(running, session)
