"""A sender's signatures: none is given twice under a blockhash, and the hundredth like the first costs no hundred."""

from typing import Any

import pytest
from solders.hash import Hash
from solders.keypair import Keypair
from solders.pubkey import Pubkey
from solders.signature import Signature
from solders.system_program import TransferParams, transfer
from solders.transaction import VersionedTransaction

from drift_engine.venues.errors import EncodeError
from drift_engine.venues.keys import Key
from drift_engine.venues.programs import VELOCITY
from drift_engine.venues.rpc import Rpc
from drift_engine.venues.transactions import Signed, sending, signed
from drift_engine.venues.transactions.blockhash import Warm
from drift_engine.venues.transactions.sending import Sender, Sent

A = Pubkey(bytes([9]) * 32)


@pytest.fixture
def sender() -> Sender:
    rpc, warm = Rpc(["http://127.0.0.1:9"]), Warm()
    warm.saw_blockhash(Hash(bytes(range(32))), 1_000, rpc.clock())
    return Sender(VELOCITY, rpc, warm, Key(Keypair.from_seed(bytes(32))))


@pytest.fixture
def signings(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    counted: list[Any] = []

    def counting(*given: Any) -> Signed:
        counted.append(given)
        return signed(*given)

    monkeypatch.setattr(sending, "signed", counting)
    return counted


def _pays(sender: Sender, lamports: int = 1, units: int = 1_000) -> Sent:
    paid = transfer(TransferParams(from_pubkey=sender.key.address, to_pubkey=A, lamports=lamports))
    return sender.sign([paid], compute_units=units)


def _units(sent: Sent) -> int:
    limit = VersionedTransaction.from_bytes(sent.wire).message.instructions[0]
    return int.from_bytes(bytes(limit.data)[1:5], "little")


def test_what_says_the_same_is_signed_twice_at_most_and_never_the_same(sender: Sender, signings: list[Any]) -> None:
    sent = [_pays(sender) for _ in range(50)]
    assert [_units(one) for one in sent] == [*range(1_000, 950, -1)]
    assert len({one.signature for one in sent}) == 50
    assert len(signings) == 1 + 2 * 49


def test_another_limit_of_the_same_is_another_name_too(sender: Sender) -> None:
    asked = [1_000, 1_000, 1_000, 999, 1_000, 998, 1_001, 1_001, 999]
    names = [_pays(sender, units=units).signature for units in asked]
    assert len(set(names)) == len(asked)
    assert len({*names, _pays(sender, 2).signature}) == len(asked) + 1


def test_when_no_limit_is_left_the_names_are_still_known(sender: Sender) -> None:
    given: set[Signature] = {_pays(sender, units=2).signature, _pays(sender, units=2).signature}
    for _ in range(2):
        with pytest.raises(EncodeError, match="compute_units"):
            _pays(sender, units=2)
    with pytest.raises(EncodeError, match="compute_units"):
        _pays(sender, units=1)
    assert len(given) == 2


def test_only_the_oldest_names_are_forgotten(sender: Sender, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sending, "_NAMES_KEPT", 4)
    first = _pays(sender)
    for lamports in range(2, 5):
        _pays(sender, lamports)
        assert _pays(sender).signature != first.signature
