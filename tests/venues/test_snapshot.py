"""A snapshot out of accounts: everything in its place, whatever is missing or damaged."""

from time import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import structs
from solders.pubkey import Pubkey

from drift_engine.core.funding import rates_e9
from drift_engine.localnet.venue import world
from drift_engine.venues import addresses
from drift_engine.venues.errors import DecodeError
from drift_engine.venues.funding_rates import funding_of, imbalance
from drift_engine.venues.program import Program
from drift_engine.venues.programs import DRIFT_V2, VELOCITY
from drift_engine.venues.rpc.types import AccountInfo
from drift_engine.venues.snapshot import Snapshot, assemble, beside, market_addresses
from drift_engine.venues.snapshot.market_reads import AnyRead, vault_amount
from drift_engine.venues.wire.state import State

SLOT = 5_000
BOTH = pytest.mark.parametrize("program", [VELOCITY, DRIFT_V2], ids=lambda program: program.name)
Infos = dict[Pubkey, AccountInfo | None]


def accounts(program: Program) -> Infos:
    found = world.genesis(program, lambda size: size, SLOT, int(time()))
    return {
        address: AccountInfo(address, account.owner, account.lamports, bytes(account.data), SLOT)
        for address, account in found.items()
    }


WELL = {program.name: accounts(program) for program in (VELOCITY, DRIFT_V2)}


def read(program: Program, found: Infos, slot: int = SLOT) -> Snapshot:
    return assemble(program, found, slot, 1_760_000_000)


@BOTH
def test_a_well_venue(program: Program) -> None:
    snapshot = read(program, WELL[program.name])
    assert [market.name for market in snapshot.perps] == ["SOL-PERP", "BTC-PERP", "ETH-PERP"]
    assert [market.name for market in snapshot.spots] == [program.quote, "SOL"]
    assert all(market.validity == "stale_for_amm_immediate" for market in snapshot.perps)
    assert snapshot.markets["SOL-PERP"].oracle_e6 == 150_000_000
    assert (
        snapshot.spots[0].vault == snapshot.spots[0].view.deposit_balance // 1_000 if snapshot.spots[0].view else False
    )
    perps, spots = market_addresses(program, snapshot.state)
    needed = beside(program, WELL[program.name], [*perps, *spots])
    assert len(needed) == len(set(needed)) == 6  # three assets and the quote have oracles, two tokens have vaults


@BOTH
@pytest.mark.parametrize(
    ("slots", "validity"),
    [(0, "stale_for_amm_immediate"), (11, "stale_for_amm"), (120, "stale_for_amm"), (121, "stale_for_margin")],
)
def test_oracles_age_by_the_exchanges_guard_rails(program: Program, slots: int, validity: str) -> None:
    snapshot = read(program, WELL[program.name], SLOT + slots)
    assert {market.validity for market in snapshot.perps} == {validity}
    quote = snapshot.spots[0]
    assert quote.validity == ("stale_for_amm" if slots > 10 else validity)  # a stablecoin has three times as long


@BOTH
def test_an_oracle_of_a_stranger_and_one_that_is_gone(program: Program) -> None:
    found = dict(WELL[program.name])
    oracle = addresses.pyth_lazer_oracle(program.program_id, 6)
    info = found[oracle]
    assert info is not None
    found[oracle] = AccountInfo(oracle, Pubkey.default(), 1, info.data, SLOT)
    snapshot = read(program, found)
    assert "whose oracles" in snapshot.perps[0].problems[0]
    assert snapshot.perps[0].oracle is None
    found[oracle] = None
    snapshot = read(program, found)
    assert "is not on the chain" in snapshot.spots[1].problems[0]
    assert snapshot.markets["SOL-PERP"].oracle_e6 is None
    assert snapshot.markets["BTC-PERP"].oracle_e6 == 90_000_000_000


@BOTH
def test_a_state_that_counts_more_markets_than_there_can_be(program: Program) -> None:
    """It is not read market by market for minutes: it is another layout, or damaged."""
    held = WELL[program.name][program.state]
    assert held is not None
    for field in ("number_of_markets", "number_of_spot_markets"):
        state = State(bytearray(held.data), program.layouts.state)
        setattr(state, field, 65_535)
        found = WELL[program.name] | {program.state: structs.replace(held, data=bytes(state.data))}
        with pytest.raises(DecodeError, match=r"65535.* no exchange has so many"):
            read(program, found)
        with pytest.raises(DecodeError, match="no exchange has so many"):
            market_addresses(program, state)


@BOTH
def test_a_state_of_another_program_is_refused(program: Program) -> None:
    other = DRIFT_V2 if program is VELOCITY else VELOCITY
    found = dict(WELL[program.name])
    info = found[program.state]
    assert info is not None
    found[program.state] = AccountInfo(program.state, other.program_id, 1, info.data, SLOT)
    with pytest.raises(DecodeError, match=f"not to {program.name}"):
        read(program, found)
    with pytest.raises(DecodeError, match="there is no State"):
        read(program, {})


@settings(max_examples=200, deadline=None)
@given(data=st.data())
def test_damage_leaves_every_market_in_its_place(data: st.DataObject) -> None:
    """Whatever one account turns into, each market is either read or says why not; nothing else is raised."""
    program = data.draw(st.sampled_from([VELOCITY, DRIFT_V2]))
    found = dict(WELL[program.name])
    victim = data.draw(st.sampled_from(sorted((key for key in found if key != program.state), key=str)))
    info = found[victim]
    assert info is not None
    damaged = bytearray(info.data)
    for _ in range(data.draw(st.integers(1, 8))):
        at = data.draw(st.integers(0, len(damaged) - 1))
        damaged[at] = data.draw(st.integers(0, 255))
    kept = data.draw(st.integers(0, len(damaged)) | st.just(len(damaged)))
    found[victim] = AccountInfo(victim, info.owner, 1, bytes(damaged[:kept]), SLOT)
    snapshot = read(program, found)
    assert (len(snapshot.perps), len(snapshot.spots)) == (3, 2)
    reads: list[AnyRead] = [*snapshot.perps, *snapshot.spots]
    for market in reads:
        assert market.problems or (market.market is not None and market.oracle is not None)
        assert (market.oracle is None) == (market.validity is None)


@BOTH
def test_the_predicted_rate_pays_no_more_than_the_maker_can(program: Program) -> None:
    view = read(program, WELL[program.name]).perps[0].view
    assert view is not None
    found = funding_of(program, view, 1_760_000_000)
    assert found.predicted.long_e9 == found.predicted.short_e9 == found.predicted.rate_e9
    assert (found.predicted.long_e9, found.predicted.short_e9) == rates_e9(
        found.predicted.rate_e9, imbalance(program, view)
    )
    assert found.next_s is not None
    assert funding_of(program, view, None).next_s is None


def test_only_token_accounts_hold_tokens() -> None:
    assert vault_amount(None) is None
    assert vault_amount(AccountInfo(Pubkey.default(), Pubkey.default(), 1, bytes(165), 1)) is None
