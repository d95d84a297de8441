"""What must hold whatever is done: the bank against a model, pieces against the whole, rubbish against the server."""

import random
from base64 import b64encode
from typing import Any

import msgspec
from chain_desk import COUNTER, SOL, SYSTEM, CounterProgram, counter_call, pays, readonly, signed, writable
from hypothesis import given, settings
from hypothesis import strategies as some
from solders.account import Account
from solders.instruction import AccountMeta, Instruction
from solders.keypair import Keypair
from solders.pubkey import Pubkey

from drift_engine.localnet.bank import Bank
from drift_engine.localnet.chain import Chain
from drift_engine.localnet.dispatch import METHODS, answer_all
from drift_engine.localnet.node import Node

KEYS = [Pubkey(bytes([place]) * 32) for place in range(1, 5)]
ME = Keypair.from_seed(bytes([7]) * 32)
Model = dict[Pubkey, int]


def lamports_of(bank: Bank, slot: int | None = None) -> Model:
    found = {key: bank.get(key, slot) for key in KEYS}
    return {key: account.lamports for key, account in found.items() if account}


steps = some.one_of(
    some.tuples(some.just("put"), some.sampled_from(KEYS), some.integers(0, 5)),
    some.tuples(some.just("slot"), some.integers(1, 3), some.just(0)),
    some.tuples(some.just("back"), some.integers(0, 4), some.just(0)),
    some.tuples(some.just("try"), some.sampled_from(KEYS), some.booleans()),
)


def put(bank: Bank, model: Model, key: Pubkey, lamports: int) -> None:
    bank.put(key, Account(lamports, b"", COUNTER) if lamports else None)
    model.pop(key, None)
    if lamports:
        model[key] = lamports


@settings(max_examples=60, deadline=None)
@given(some.lists(steps, max_size=25))
def test_the_bank_remembers_each_slot_as_it_ended(script: list[tuple[str, Any, Any]]) -> None:
    bank, now = Bank(100, 0, 0), Model()
    ended: dict[int, Model] = {}
    for step, first, second in script:
        match step:
            case "put":
                put(bank, now, first, second)
            case "slot":
                ended[bank.slot] = dict(now)
                bank.open_slot(bank.slot + first, 0)
            case "try":
                inside = dict(now)
                with bank.savepoint() as savepoint:
                    put(bank, inside, first, 9)
                    put(bank, inside, KEYS[0], 0)
                    if second:
                        savepoint.keep()
                now = inside if second else now
            case "back" if ended:
                last = sorted(ended)[-1 - first % len(ended)]
                top = bank.slot
                bank.roll_back(last)
                now = dict(ended[last])
                ended = {slot: held for slot, held in ended.items() if slot < last}
                assert lamports_of(bank) == now
                ended[last] = dict(now)
                bank.open_slot(top + 1, 0)
        assert lamports_of(bank) == now
        for slot, held in ended.items():
            assert lamports_of(bank, slot) == held
            owned = {key: account.lamports for key, account in bank.program_accounts(COUNTER, slot).items()}
            assert owned == held


def chain_with_keys() -> Chain:
    chain = Chain(programs=(CounterProgram(),))
    chain.bank.put(ME.pubkey(), Account(100 * SOL, b"", SYSTEM))
    for key in KEYS[:2]:
        chain.bank.put(key, Account(SOL, b"", SYSTEM))
    chain.advance()
    return chain


@settings(max_examples=40, deadline=None)
@given(some.lists(some.tuples(some.sampled_from(KEYS), some.integers(1, 60)), min_size=1, max_size=6), some.data())
def test_pieces_do_what_the_whole_does(moves: list[tuple[Pubkey, int]], data: some.DataObject) -> None:
    """Calls of a played program that do nothing change nothing of the rest: result, index and balances."""
    plain: list[Instruction] = [pays(ME.pubkey(), key, amount * SOL) for key, amount in moves]
    mixed, index_of = [], {}
    for place, instruction in enumerate(plain):
        mixed += [counter_call("x")] * data.draw(some.integers(0, 2))
        index_of[place] = len(mixed)
        mixed.append(instruction)
    mixed += [counter_call("x")]
    results = []
    for instructions in (plain, mixed):
        chain = chain_with_keys()
        outcome = chain.submit(signed([ME], instructions, chain.blocks.latest_hash("processed").hash))
        results.append((outcome, {key: chain.bank.get(key) for key in [ME.pubkey(), *KEYS]}))
    (whole, left), (pieces, right) = results
    assert left == right
    assert (whole.fee, whole.landed) == (pieces.fee, pieces.landed)
    if whole.err is None:
        assert pieces.err is None
        assert pieces.units == whole.units + 100 * (len(mixed) - len(plain))
    else:
        assert isinstance(whole.err, dict)
        assert isinstance(pieces.err, dict)
        place, why = whole.err["InstructionError"]
        assert pieces.err == {"InstructionError": [index_of[place], why]}


def test_lamports_are_neither_made_nor_lost_but_for_fees() -> None:
    chain, draw = chain_with_keys(), random.Random(5)
    keys = [ME.pubkey(), *KEYS]
    total, fees = 0, 0

    def held() -> int:
        return sum(account.lamports for key in [*keys, *opened] if (account := chain.bank.get(key)))

    opened: list[Pubkey] = []
    total = held()
    payer = AccountMeta(ME.pubkey(), is_signer=True, is_writable=True)
    for turn in range(60):
        fresh = Pubkey.new_unique()
        opened.append(fresh)
        opening = counter_call("o", writable(fresh), payer, readonly(SYSTEM))
        adding = counter_call("a", writable(draw.choice(opened)), amount=turn)
        paying = pays(ME.pubkey(), draw.choice(keys), draw.choice((1, SOL, 3 * SOL, 90 * SOL)))
        script = draw.sample([opening, adding, paying, counter_call("f")], k=draw.randint(1, 3))
        outcome = chain.submit(signed([ME], script, chain.blocks.latest_hash("processed").hash))
        fees += outcome.fee if outcome.landed else 0
        chain.advance(draw.randint(0, 1))
        assert held() == total - fees


def test_mutated_transactions_get_an_answer_and_nothing_breaks() -> None:
    chain, draw = chain_with_keys(), random.Random(3)
    node = Node(chain)
    payer = AccountMeta(ME.pubkey(), is_signer=True, is_writable=True)
    for turn in range(1_500):
        opening = counter_call("o", writable(Pubkey.new_unique()), payer, readonly(SYSTEM))
        script = [pays(ME.pubkey(), KEYS[0], 1_000_000), opening, pays(ME.pubkey(), KEYS[1], 1_000_000)]
        data = bytearray(bytes(signed([ME], script, chain.blocks.latest_hash("processed").hash)))
        for _ in range(draw.choice((1, 1, 2, 4))):
            data[draw.randrange(65 if draw.random() < 0.9 else 0, len(data))] = draw.randrange(256)
        method = draw.choice(("sendTransaction", "simulateTransaction"))
        config = {"encoding": "base64", "skipPreflight": turn % 2 == 0, "replaceRecentBlockhash": turn % 3 > 0}
        call = {"jsonrpc": "2.0", "id": 1, "method": method, "params": [b64encode(data).decode(), config]}
        answer = msgspec.json.decode(answer_all(node, METHODS, msgspec.json.encode(call)))
        assert ("result" in answer) != ("error" in answer)
        if turn % 50 == 0:
            chain.advance()
    good = signed([ME], [pays(ME.pubkey(), KEYS[0], SOL)], chain.blocks.latest_hash("processed").hash)
    assert chain.submit(good).err is None
