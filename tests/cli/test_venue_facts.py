"""Damaged accounts through everything that the venue's commands show: figures or a reason, and no other error."""

import io
from time import time

from hypothesis import given, settings
from hypothesis import strategies as st
from rich.console import Console
from solders.keypair import Keypair
from solders.pubkey import Pubkey

from drift_engine.cli import account_facts, account_view, funding_facts, market_facts, market_tables
from drift_engine.localnet.venue import world
from drift_engine.venues import addresses
from drift_engine.venues.program import Program
from drift_engine.venues.programs import DRIFT_V2, VELOCITY
from drift_engine.venues.rpc.types import AccountInfo
from drift_engine.venues.snapshot import assemble
from drift_engine.venues.wire.user import Order, PerpPosition, SpotPosition, User

SLOT = 5_000
AUTHORITY = Keypair.from_seed(bytes(32)).pubkey()
Infos = dict[Pubkey, AccountInfo | None]


def accounts(program: Program) -> Infos:
    found = world.genesis(program, lambda size: size, SLOT, int(time()))
    infos: Infos = {
        address: AccountInfo(address, account.owner, account.lamports, bytes(account.data), SLOT)
        for address, account in found.items()
    }
    user = User.blank(program.layouts.user)
    user.authority = AUTHORITY
    user.put_spot(0, SpotPosition(scaled_balance=10**12))
    user.put_spot(1, SpotPosition(scaled_balance=10**9, market_index=1, balance_type=1))
    user.put_perp(0, PerpPosition(base_asset_amount=10**9, quote_asset_amount=-(10**8), open_orders=1))
    user.put_order(0, Order(status=1, market_type=1, base_asset_amount=10**9, price=10**8, slot=SLOT - 5))
    key = addresses.user(program.program_id, AUTHORITY)
    infos[key] = AccountInfo(key, program.program_id, 1, bytes(user.data), SLOT)
    return infos


WELL = {program.name: accounts(program) for program in (VELOCITY, DRIFT_V2)}


@settings(max_examples=150, deadline=None)
@given(data=st.data())
def test_nothing_but_figures_and_reasons(data: st.DataObject) -> None:
    program = data.draw(st.sampled_from([VELOCITY, DRIFT_V2]))
    found = dict(WELL[program.name])
    mine = [key for key, info in found.items() if info is not None and info.owner == program.program_id]
    victim = data.draw(st.sampled_from(sorted((key for key in mine if key != program.state), key=str)))
    info = found[victim]
    assert info is not None
    damaged = bytearray(info.data)
    for _ in range(data.draw(st.integers(1, 6))):
        at = data.draw(st.integers(8, len(damaged) - 1))
        width = data.draw(st.sampled_from([1, 4, 8, 16]))
        piece = data.draw(st.sampled_from([b"\0", b"\xff"])) * width if data.draw(st.booleans()) else b"\x7f"
        damaged[at : at + len(piece)] = piece[: len(damaged) - at]
    found[victim] = AccountInfo(victim, info.owner, 1, bytes(damaged), SLOT)
    user = addresses.user(program.program_id, AUTHORITY)
    snapshot = assemble(program, found, SLOT, 1_760_000_000, users=[user])
    console = Console(file=io.StringIO(), width=80)
    markets = market_facts.markets_of(snapshot)
    for part in market_tables.shown(markets, 80):
        console.print(part)
    for market in (*markets["perps"], *markets["spots"]):
        for part in market_tables.alone(market):
            console.print(part)
    funding_facts.funding_facts(snapshot)
    shown = account_facts.account_of(snapshot, str(AUTHORITY))
    for part in account_view.shown(shown):
        console.print(part)
    (held,) = shown["sub_accounts"]
    assert (held["margin"]["health"] is None) == (held["margin"]["status"] == "unknown")
