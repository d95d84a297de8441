"""The RPC client against a node on loopback: answers, batches, failures, limits, deadlines, secrets."""

import asyncio
import contextlib
import itertools
import traceback
from collections.abc import AsyncIterator
from typing import Any

import pytest
from chain_node import OWNER, Chain, Node
from solders.hash import Hash
from solders.pubkey import Pubkey
from solders.signature import Signature

from drift_engine.core.client import VenueUnavailableError
from drift_engine.venues.endpoints import Endpoints
from drift_engine.venues.rpc import Rpc
from drift_engine.venues.rpc import calls as rpc_calls
from drift_engine.venues.rpc.errors import RpcError, RpcRateLimitedError, RpcUnavailableError, transaction_fault
from drift_engine.venues.rpc.transport import Policy
from drift_engine.venues.rpc.types import Memcmp

KEY, OTHER, NOBODY = (Pubkey.from_bytes(bytes([n] * 32)) for n in (1, 2, 3))
SIGNATURE = Signature.from_bytes(bytes([5] * 64))
QUICK = Policy(timeout_ms=800, attempt_ms=150, backoff_ms=4, backoff_max_ms=8, cooldown_ms=60, cooldown_max_ms=120)


class Naps:
    """Sleeps that take no time; remembers how long they were to be. The clock moves by them alone."""

    def __init__(self) -> None:
        self.now_ns = 1_000_000_000
        self.taken: list[float] = []

    async def sleep(self, seconds: float) -> None:
        self.taken.append(round(seconds, 6))
        self.now_ns += int(seconds * 1e9)

    def clock(self) -> int:
        return self.now_ns


@contextlib.asynccontextmanager
async def nodes(count: int = 1) -> AsyncIterator[list[Node]]:
    chain = Chain()
    chain.write(KEY, b"\xaa" * 32 + b"first")
    chain.write(OTHER, b"\xbb" * 32)
    async with contextlib.AsyncExitStack() as stack:
        yield [await stack.enter_async_context(Node(chain)) for _ in range(count)]


def methods(node: Node) -> list[str]:
    return [each["method"] for each in node.requests]


async def test_accounts_come_as_bytes_with_their_slot() -> None:
    async with nodes() as [node], Rpc([node.http]) as rpc:
        info = await rpc.get_account(KEY)
        assert info is not None
        assert (info.pubkey, info.owner, info.lamports, info.slot) == (KEY, OWNER, 1_000_000, 1000)
        assert info.data == bytes(8) + b"\xaa" * 32 + b"first"
        assert await rpc.get_account(NOBODY) is None
        [(slot, found)] = await rpc.get_multiple_accounts([OTHER, NOBODY, KEY])
        assert (slot, [each and each.pubkey for each in found]) == (1000, [OTHER, None, KEY])
        assert len(node.peers) == 1, "one connection is kept and used again"


async def test_many_accounts_go_by_hundreds() -> None:
    keys = [Pubkey.from_bytes(n.to_bytes(32, "big")) for n in range(1, 251)]
    async with nodes() as [node], Rpc([node.http]) as rpc:
        parts = await rpc.get_multiple_accounts(keys)
        assert [len(found) for _, found in parts] == [100, 100, 50]
        asked = [call["params"][0] for call in node.requests]
        assert list(itertools.chain(*asked)) == [str(key) for key in keys]


async def test_a_program_is_filtered_by_bytes() -> None:
    async with nodes() as [node], Rpc([node.http]) as rpc:
        slot, found = await rpc.get_program_accounts(OWNER, [Memcmp(8, b"\xaa" * 32)], data_slice=(0, 8))
        assert (slot, [each.pubkey for each in found]) == (1000, [KEY])
        config = node.requests[0]["params"][1]
        assert config["dataSlice"] == {"offset": 0, "length": 8}
        assert "dataSize" not in str(config)


@pytest.mark.parametrize("data", [b"", b"\0", b"\0\0\1", bytes(range(8)), b"\xff" * 32])
def test_base58_is_that_of_addresses(data: bytes) -> None:
    padded = data.ljust(32, b"\x01")
    assert rpc_calls.base58(padded) == str(Pubkey.from_bytes(padded))
    assert len(rpc_calls.base58(b"\0\0\1")) == 3


async def test_every_question_reads_its_answer() -> None:
    async with nodes() as [node], Rpc([node.http], commitment="processed") as rpc:
        blockhash = Hash.default()
        node.answers = {
            "getBlockHeight": 777,
            "getBlockTime": None,
            "getHealth": "ok",
            "getVersion": {"solana-core": "3.0.1", "feature-set": 4},
            "getBalance": {"context": {"slot": 9}, "value": 12},
            "getLatestBlockhash": {
                "context": {"slot": 9},
                "value": {"blockhash": str(blockhash), "lastValidBlockHeight": 927},
            },
            "getSignatureStatuses": {
                "context": {"slot": 9},
                "value": [
                    None,
                    {
                        "slot": 4,
                        "confirmations": None,
                        "err": {"InstructionError": [2, {"Custom": 6010}]},
                        "status": {"Err": 1},
                        "confirmationStatus": "finalized",
                    },
                ],
            },
            "getTransaction": {
                "slot": 4,
                "blockTime": 1_700_000_000,
                "version": 0,
                "transaction": ["AQID", "base64"],
                "meta": {"err": None, "fee": 5000, "logMessages": ["a"], "preBalances": [1], "postBalances": [2]},
            },
            "getRecentPrioritizationFees": [{"slot": 3, "prioritizationFee": 8}],
            "sendTransaction": str(SIGNATURE),
            "simulateTransaction": {
                "context": {"slot": 9},
                "value": {
                    "err": "AccountNotFound",
                    "logs": ["x"],
                    "unitsConsumed": 5,
                    "accounts": [None],
                    "returnData": {"programId": str(OWNER), "data": ["AQ==", "base64"]},
                },
            },
        }
        assert await rpc.get_slot() == 1000
        assert await rpc.get_block_height(min_context_slot=5) == 777
        assert await rpc.get_block_time(5) is None
        assert await rpc.get_health() == "ok"
        assert (await rpc.get_version()).solana_core == "3.0.1"
        assert await rpc.get_balance(KEY) == 12
        latest = await rpc.get_latest_blockhash()
        assert (latest.blockhash, latest.last_valid_block_height, latest.slot) == (blockhash, 927, 9)
        none, failed = await rpc.get_signature_statuses([SIGNATURE, SIGNATURE])
        assert none is None
        assert failed is not None
        assert str(transaction_fault(failed.err)) == "instruction 2: program error 6010"
        landed = await rpc.get_transaction(SIGNATURE)
        assert landed is not None
        assert (landed.raw, landed.logs, landed.slot) == (b"\1\2\3", ("a",), 4)
        assert (await rpc.get_recent_prioritization_fees([KEY]))[0].prioritization_fee == 8
        assert await rpc.send_transaction(b"\1\2", skip_preflight=True) == SIGNATURE
        simulated = await rpc.simulate_transaction(b"\1", accounts=[KEY])
        assert simulated.result.return_data is not None
        assert simulated.result.return_data.data[0] == b"\1"
        asked = {call["method"]: call["params"] for call in node.requests}
        assert asked["getBlockHeight"] == [{"commitment": "processed", "minContextSlot": 5}]
        assert asked["getTransaction"][1]["maxSupportedTransactionVersion"] == 1
        assert asked["sendTransaction"] == [
            "AQI=",
            {"encoding": "base64", "skipPreflight": True, "preflightCommitment": "processed", "maxRetries": 0},
        ]


async def test_a_batch_is_matched_by_id() -> None:
    async with nodes() as [node], Rpc([node.http]) as rpc:
        node.refusals["getBlockTime"] = {"code": -32004, "message": "Block not available"}
        node.answers["getBlockHeight"] = 5
        calls: list[rpc_calls.Call[Any]] = [rpc_calls.get_slot("confirmed"), rpc_calls.get_block_time(3)]
        calls += [rpc_calls.get_block_height("confirmed")] * 7
        slot, refused, *heights = await rpc.batch(calls)
        assert (slot, heights) == (1000, [5] * 7)
        assert isinstance(refused, RpcError)
        assert refused.code == -32004
        assert len(node.requests) == 1
        assert await rpc.batch([]) == []


@pytest.mark.parametrize(
    "fault", ["503", "drop", "half", "slow", "not json", "[]", '{"id":1}', '{"id":99,"result":1}', "301"]
)
async def test_a_read_goes_on_to_the_next_endpoint(fault: str) -> None:
    async with nodes(2) as [one, two], Rpc([one.http, two.http], policy=QUICK) as rpc:
        one.http_faults.extend([fault] * 2)
        assert await rpc.get_slot() == 1000
        assert methods(two) == ["getSlot"]


async def test_the_first_endpoint_is_the_first_again_when_it_heals() -> None:
    async with nodes(2) as [one, two], Rpc([one.http, two.http], policy=QUICK) as rpc:
        one.http_faults.extend(["503"])
        await rpc.get_slot()
        await rpc.get_slot()
        assert (len(one.requests), len(two.requests)) == (1, 2), "it is left alone for a while"
        await asyncio.sleep(0.07)
        await asyncio.gather(rpc.get_slot(), rpc.get_slot())
        assert (len(one.requests), len(two.requests)) == (2, 3), "one call tries it"
        await rpc.get_slot()
        assert (len(one.requests), len(two.requests)) == (3, 3)


@pytest.mark.parametrize("fault", ["503", "drop", "half", "slow", "not json", "429"])
async def test_a_send_is_handed_over_once(fault: str) -> None:
    async with nodes(2) as [one, two], Rpc([one.http, two.http], policy=QUICK) as rpc:
        await rpc.get_slot()
        one.http_faults.append(fault)
        with pytest.raises(RpcUnavailableError, match="sendTransaction"):
            await rpc.send_transaction(b"\1")
        assert methods(one) == ["getSlot", "sendTransaction"]
        assert two.requests == []


async def test_a_send_does_not_try_out_whether_an_endpoint_is_back() -> None:
    async with nodes(2) as [one, two], Rpc([one.http, two.http], policy=QUICK) as rpc:
        two.answers["sendTransaction"] = str(SIGNATURE)
        one.http_faults.append("503")
        await rpc.get_slot()
        await asyncio.sleep(0.07)
        assert await rpc.send_transaction(b"\1") == SIGNATURE
        assert methods(two) == ["getSlot", "sendTransaction"]


def test_an_endpoint_that_fails_again_is_left_alone_for_longer() -> None:
    endpoints = Endpoints(["http://a", "http://b"], ("http",), cooldown_ms=1, cooldown_max_ms=3)
    first, second = endpoints.all
    for pause_ns in (1_000_000, 2_000_000, 3_000_000, 3_000_000):
        first.failed(0)
        assert endpoints.pick(pause_ns - 1) is second
        assert endpoints.pick(pause_ns) is first
    assert endpoints.pick(0, [second]) is first, "the last one left is asked, come what may"


async def test_a_refused_send_says_which_instruction_and_why() -> None:
    async with nodes() as [node], Rpc([node.http], policy=QUICK) as rpc:
        err = {"InstructionError": [1, {"Custom": 6054}]}
        node.refusals["sendTransaction"] = {
            "code": -32002,
            "message": "Transaction simulation failed:\nError processing Instruction 1",
            "data": {"err": err, "logs": ["Program log: x"], "unitsConsumed": 0},
        }
        with pytest.raises(RpcError) as caught:
            await rpc.send_transaction(b"\1")
        error = caught.value
        assert error.fault is not None
        assert (error.fault.instruction, error.fault.code, error.logs) == (1, 6054, ("Program log: x",))
        assert "\n" not in str(error)
        assert str(error).endswith("instruction 1: program error 6054")
        assert len(node.requests) == 1


@pytest.mark.parametrize(
    ("err", "text"),
    [
        (None, "None"),
        ({"Ok": None}, "None"),
        ("BlockhashNotFound", "BlockhashNotFound"),
        ({"InstructionError": [0, "InvalidAccountData"]}, "instruction 0: InvalidAccountData"),
        ({"InstructionError": [3, {"BorshIoError": "x"}]}, "instruction 3: {'BorshIoError': 'x'}"),
        ({"InsufficientFundsForRent": {"account_index": 1}}, "InsufficientFundsForRent {'account_index': 1}"),
        (7, "unknown 7"),
        ({"InstructionError": [1]}, "InstructionError [1]"),
    ],
)
def test_transaction_errors_are_read(err: Any, text: str) -> None:
    assert str(transaction_fault(err)) == text


async def test_too_many_requests_are_waited_out() -> None:
    naps = Naps()
    async with nodes() as [node], Rpc([node.http], clock=naps.clock, sleep=naps.sleep, jitter=lambda: 1.0) as rpc:
        node.http_faults.append("retry-after 3")
        assert await rpc.get_slot() == 1000
        assert sum(naps.taken) == pytest.approx(3)
        node.http_faults.append("retry-after 60")
        with pytest.raises(RpcRateLimitedError, match="takes no more requests for 59000 ms") as caught:
            await rpc.get_slot()
        assert caught.value.retry_after_ns == 59 * 10**9
        assert len(node.requests) == 3, "not asked while it is known to refuse"


async def test_pauses_double_and_are_jittered_until_the_deadline() -> None:
    naps = Naps()
    async with nodes() as [node], Rpc([node.http], clock=naps.clock, sleep=naps.sleep, jitter=lambda: 0.5) as rpc:
        node.http_faults.extend(["503"] * 9)
        with pytest.raises(RpcUnavailableError, match="HTTP 503"):
            await rpc.get_slot()
        assert naps.taken == [0.75, 1.5, 3.0]
        assert len(node.requests) == 4


async def test_the_deadline_holds_for_the_whole_call() -> None:
    policy = Policy(timeout_ms=200, attempt_ms=90, backoff_ms=1, retries=50)
    async with nodes() as [node], Rpc([node.http], policy=policy) as rpc:
        node.http_faults.extend(["slow"] * 9)
        began = asyncio.get_running_loop().time()
        with pytest.raises(RpcUnavailableError, match="no answer"):
            await rpc.get_slot()
        assert asyncio.get_running_loop().time() - began < 0.4


async def test_requests_are_spaced_by_the_rate() -> None:
    naps = Naps()
    policy = Policy(rate_per_s=10, burst=3)
    async with nodes() as [node], Rpc([node.http], policy=policy, clock=naps.clock, sleep=naps.sleep) as rpc:
        for _ in range(6):
            await rpc.get_slot()
        assert naps.taken == [0.1, 0.1, 0.1]
        await rpc.batch([rpc_calls.get_slot("confirmed")] * 4)
        assert naps.taken[3:] == [0.4]


async def test_a_node_that_is_behind_is_asked_again() -> None:
    async with nodes(2) as [one, two], Rpc([one.http, two.http], policy=QUICK) as rpc:
        one.refusals["getSlot"] = {"code": -32016, "message": "Minimum context slot has not been reached"}
        assert await rpc.get_slot(min_context_slot=5) == 1000
        two.refusals = one.refusals
        with pytest.raises(RpcError, match="-32016"):
            await rpc.get_slot(min_context_slot=5)
        one.refusals = {"getSlot": {"code": -32602, "message": "Invalid params"}}
        before = len(one.requests)
        with pytest.raises(RpcError, match="Invalid params"):
            await rpc.get_slot()
        assert len(one.requests) == before + 1, "what is refused for good is not repeated"


async def test_a_kept_connection_that_the_node_closed_is_no_failure() -> None:
    naps = Naps()
    async with nodes() as [node], Rpc([node.http], clock=naps.clock, sleep=naps.sleep) as rpc:
        await rpc.get_slot()
        node.http_faults.append("drop")
        assert await rpc.get_slot() == 1000
        assert naps.taken == []


@pytest.mark.parametrize("fault", ["503", "drop", "slow", "not json", "429", "301"])
async def test_keys_in_addresses_are_never_shown(fault: str) -> None:
    async with nodes() as [node]:
        secret = f"http://user:passw0rd@127.0.0.1:{node.port}/v1/SECRETKEY?api-key=SECRETKEY"
        policy = Policy(timeout_ms=100, attempt_ms=50, retries=0)
        async with Rpc([secret], policy=policy) as rpc:
            node.http_faults.extend([fault] * 3)
            with pytest.raises(VenueUnavailableError) as caught:
                await rpc.get_slot()
            shown = repr(rpc) + str(caught.value) + "".join(traceback.format_exception(caught.value))
            assert "SECRET" not in shown
            assert "passw0rd" not in shown
            assert f"http://127.0.0.1:{node.port}/…" in str(caught.value)


async def test_nobody_listens() -> None:
    async with nodes() as [node]:
        address = node.http
    async with Rpc([address], policy=QUICK) as rpc:
        with pytest.raises(RpcUnavailableError, match="did not answer"):
            await rpc.get_slot()


@pytest.mark.parametrize(
    "url", ["", "localhost:8899", "ws://localhost", "https://", "http://a:99999", "http://a:b", "http://[::1"]
)
def test_addresses_are_checked(url: str) -> None:
    with pytest.raises(ValueError, match="no address to ask"):
        Rpc([url])
    with pytest.raises(ValueError, match="no endpoint"):
        Rpc([])


async def test_it_has_to_be_opened() -> None:
    with pytest.raises(RuntimeError, match="not open"):
        await Rpc(["http://127.0.0.1:1"]).get_slot()
