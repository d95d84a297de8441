"""An account's transactions from nodes that know less than others: what they leave out is read later, never skipped."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from chain_node import Chain, Node
from solders.pubkey import Pubkey
from solders.signature import Signature

from drift_engine.core.client import VenueUnavailableError
from drift_engine.venues.chain_client import account_history
from drift_engine.venues.chain_client.account_history import AccountHistory
from drift_engine.venues.chain_client.log import ClientLog
from drift_engine.venues.live.listed import Listed
from drift_engine.venues.live.shared_client import Connection, Settings
from drift_engine.venues.programs import VELOCITY
from drift_engine.venues.rpc import Rpc
from drift_engine.venues.rpc.calls import Commitment
from drift_engine.venues.rpc.transport import Policy

USER = Pubkey.from_bytes(bytes([1] * 32))
QUICK = Policy(timeout_ms=2_000, attempt_ms=500, backoff_ms=4, backoff_max_ms=8, cooldown_ms=60_000)


def name(slot: int) -> str:
    return str(Signature(slot.to_bytes(64, "big")))


class Archive(Node):
    """Knows the account's transactions, one a slot, of the slots ``first`` to ``last``; pages hold three."""

    def __init__(self, first: int, last: int, *, dies_after: int = 10**9) -> None:
        super().__init__(Chain())
        self.first, self.last, self.dies_after = first, last, dies_after
        self.logs: list[str] | None = []

    def _reply(self, call: dict[str, Any]) -> dict[str, Any]:
        config = call["params"][-1]
        assert config.get("commitment") != "processed", "Method does not support commitment below `confirmed`"
        if isinstance(config, dict) and config.get("minContextSlot", 0) > self.last:
            error = {"code": -32016, "message": "Minimum context slot has not been reached"}
            return {"jsonrpc": "2.0", "id": call["id"], "error": error}
        if call["method"] == "getSignaturesForAddress":
            self.dies_after -= 1
            if self.dies_after <= 0:
                self.http_faults.extend(["503"] * 99)
        return super()._reply(call)

    def getSignaturesForAddress(self, key: str, config: dict[str, Any]) -> list[dict[str, Any]]:  # noqa: N802
        assert key == str(USER)
        names = [name(slot) for slot in range(self.last, self.first - 1, -1)]
        if (before := config.get("before")) is not None:
            names = names[names.index(before) + 1 :] if before in names else []
        if (until := config.get("until")) in names:
            names = names[: names.index(until)]
        slots = {name(slot): slot for slot in range(self.first, self.last + 1)}
        return [{"signature": each, "slot": slots[each], "err": None, "blockTime": 1} for each in names[:3]]

    def getTransaction(self, signature: str, config: dict[str, Any]) -> dict[str, Any] | None:  # noqa: N802
        del config
        slot = int.from_bytes(bytes(Signature.from_string(signature)), "big")
        meta = {"fee": 5_000, "err": None, "logMessages": self.logs}
        known = self.first <= slot <= self.last
        return {"slot": slot, "transaction": ["", "base64"], "meta": meta, "blockTime": 1} if known else None

    def getSignatureStatuses(self, signatures: list[str], config: dict[str, Any]) -> dict[str, Any]:  # noqa: N802
        assert config["searchTransactionHistory"]
        told = {"slot": 1, "confirmations": None, "err": None, "confirmationStatus": "finalized"}
        known = {name(slot) for slot in range(self.first, self.last + 1)}
        return {"context": {"slot": self.last}, "value": [told if each in known else None for each in signatures]}


@asynccontextmanager
async def history(
    log: ClientLog, *nodes: Archive, commitment: Commitment = "confirmed"
) -> AsyncIterator[AccountHistory]:
    for node in nodes:
        await node.__aenter__()
    urls = [node.http for node in nodes]
    listed = Listed(VELOCITY, Connection(urls, [nodes[0].ws], Settings()))
    try:
        async with Rpc(urls, commitment=commitment, policy=QUICK) as rpc:
            yield AccountHistory(rpc, listed, USER, log)
    finally:
        for node in nodes:
            await node.__aexit__()


@pytest.fixture
def log(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ClientLog:
    monkeypatch.setattr(account_history, "MAX_SIGNATURES", 3)
    return ClientLog(tmp_path / "log", str(USER))


def slots_read(log: ClientLog) -> list[int]:
    return [slot for (slot,) in log._db.execute("SELECT slot FROM read ORDER BY id")]


@pytest.mark.parametrize("commitment", ["processed", "confirmed"])
async def test_pages_are_read_to_the_first_transaction_in_the_chains_order(
    log: ClientLog, commitment: Commitment
) -> None:
    """Nodes tell transactions from ``confirmed`` on."""
    async with history(log, Archive(1, 8), commitment=commitment) as read:
        assert await read.read(0)
    assert slots_read(log) == [*range(1, 9)]


async def test_a_node_that_is_behind_ends_no_list_that_another_began(log: ClientLog) -> None:
    """It does not know the transaction that its page is to begin behind, and says: there are no more."""
    async with history(log, Archive(1, 8, dies_after=1), Archive(1, 4)) as read:
        with pytest.raises(VenueUnavailableError):
            await read.read(0)
        assert slots_read(log) == [], "what is newer is read after what is older, or never"
    async with history(log, Archive(1, 4)) as read:
        assert await read.read(0)
    async with history(log, Archive(1, 8)) as read:
        assert await read.read(0)
    assert slots_read(log) == [*range(1, 9)]


async def test_a_node_that_is_behind_what_was_read_tells_nothing_new(log: ClientLog) -> None:
    async with history(log, Archive(1, 8)) as read:
        assert await read.read(0)
    async with history(log, Archive(1, 5)) as read:
        assert await read.read(0)
    assert slots_read(log) == [*range(1, 9)]


async def test_a_node_that_has_forgotten_what_was_read_last_is_not_believed(log: ClientLog) -> None:
    async with history(log, Archive(1, 3)) as read:
        assert await read.read(0)
    async with history(log, Archive(6, 7)) as read:
        with pytest.raises(VenueUnavailableError, match="which was read last: what came since may be missing; name a"):
            await read.read(0)
    async with history(log, Archive(2, 7)) as read:
        assert await read.read(0)
    assert slots_read(log) == [*range(1, 8)]


async def test_a_transaction_without_its_log_is_not_taken_for_one_without_events(log: ClientLog) -> None:
    node = Archive(1, 2)
    node.logs = None
    async with history(log, node) as read:
        with pytest.raises(VenueUnavailableError, match="kept no log of"):
            await read.read(0)
        assert slots_read(log) == []
        node.logs = []
        assert await read.read(0)
    assert slots_read(log) == [1, 2]
