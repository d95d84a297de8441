"""What a trader's tokens, margin and settlements say on the wire: from and to whom, how much, and what goes before."""

import pytest
from kept_desk import OUTCOME, KeptTrader
from market_desk import key, perp, spot, user
from msgspec import structs
from solders.pubkey import Pubkey
from solders.token import ID as TOKEN_PROGRAM

from drift_engine.venues.directory import Directory
from drift_engine.venues.errors import EncodeError
from drift_engine.venues.http import InvalidRequestError
from drift_engine.venues.instructions import accounts, funds, settling
from drift_engine.venues.instructions.tokens import (
    ASSOCIATED_TOKEN,
    WRAPPED_SOL,
    create_token_account,
    token_account,
    unwrap_sol,
    wrap_sol,
)
from drift_engine.venues.instructions.trader import trader as owner_of
from drift_engine.venues.program import Program
from drift_engine.venues.programs import DRIFT_V2, VELOCITY
from drift_engine.venues.rpc.types import AccountInfo
from drift_engine.venues.wire.order_enums import SettleMode
from drift_engine.venues.wire.user import Order, PerpPosition

E6, E9 = 10**6, 10**9
SOL = structs.replace(spot(1), symbol="SOL", mint=WRAPPED_SOL)
QUOTE = structs.replace(spot(0, Pubkey.default(), 2), symbol="USDC", decimals=6)
ELSEWHERE = key(7, 1)
PROGRAMS = pytest.mark.parametrize("program", [VELOCITY, DRIFT_V2], ids=lambda program: program.name)


def desk_of(program: Program = DRIFT_V2) -> KeptTrader:
    return KeptTrader(Directory(program.name, [perp(index) for index in range(3)], [QUOTE, SOL]), program=program)


def purse(desk: KeptTrader, mint: Pubkey, amount: int, at: Pubkey | None = None) -> Pubkey:
    """Put tokens into the owner's associated account, or into the one at an address."""
    address = at or token_account(desk.owner.authority, mint)
    data = bytes(mint) + bytes(desk.owner.authority) + amount.to_bytes(8, "little")
    desk.node.accounts[address] = AccountInfo(address, TOKEN_PROGRAM, 1, data.ljust(165, b"\0"), 1)
    return address


async def test_a_deposit_takes_up_to_the_last_unit_of_the_purse() -> None:
    desk = desk_of()
    mine = purse(desk, QUOTE.mint, 5 * E6)
    assert await desk.deposit("USDC", "5") is OUTCOME
    assert desk.said(funds.DEPOSIT) == {"market_index": 0, "amount": 5 * E6, "reduce_only": False}
    assert desk.named(funds.DEPOSIT)["user_token_account"] == mine
    await desk.deposit("USDC", "5", reduce_only=True)
    assert desk.said(funds.DEPOSIT)["reduce_only"] is True
    with pytest.raises(InvalidRequestError, match=r"holds 5\.000000 USDC, and 5\.000001 are to leave it"):
        await desk.deposit("USDC", "5.000001")


async def test_sol_is_wrapped_unless_a_purse_is_named() -> None:
    desk = desk_of()
    await desk.deposit("SOL", "2")
    assert desk.sent[:-1] == wrap_sol(desk.owner.signer, 2 * E9)
    assert funds.DEPOSIT.arguments(DRIFT_V2, bytes(desk.sent[-1].data))["amount"] == 2 * E9
    theirs = purse(desk, WRAPPED_SOL, 3 * E9, ELSEWHERE)
    await desk.deposit("SOL", "2", source=theirs)
    assert desk.said(funds.DEPOSIT)["amount"] == 2 * E9
    assert desk.named(funds.DEPOSIT)["user_token_account"] == theirs


@PROGRAMS
async def test_a_withdrawal_goes_to_the_own_purse_which_is_opened_or_to_the_one_that_is_named(
    program: Program,
) -> None:
    desk = desk_of(program)
    mine, fresh = desk.owner.authority, program is VELOCITY
    assert await desk.withdraw("USDC", "5") is OUTCOME
    assert desk.sent[0] == create_token_account(mine, mine, QUOTE.mint)
    assert len(desk.sent) == 2 + fresh
    if fresh:
        assert desk.named(settling.UPDATE_SPOT_MARKET_CUMULATIVE_INTEREST, 1)["spot_market"] == QUOTE.address
    moved = funds.WITHDRAW.arguments(program, bytes(desk.sent[-1].data))
    assert moved == {"market_index": 0, "amount": 5 * E6, "reduce_only": False}
    assert desk.named(funds.WITHDRAW, -1)["user_token_account"] == token_account(mine, QUOTE.mint)
    await desk.withdraw("USDC", "5", target=purse(desk, QUOTE.mint, 0, ELSEWHERE), reduce_only=True)
    assert desk.named(funds.WITHDRAW, -1)["user_token_account"] == ELSEWHERE
    assert funds.WITHDRAW.arguments(program, bytes(desk.sent[-1].data))["reduce_only"] is True
    assert ASSOCIATED_TOKEN not in {each.program_id for each in desk.sent}


async def test_sol_that_is_withdrawn_is_unwrapped_unless_a_purse_is_named() -> None:
    desk = desk_of()
    await desk.withdraw("SOL", "2")
    assert desk.sent[-1] == unwrap_sol(desk.owner.authority)
    await desk.withdraw("SOL", "2", target=purse(desk, WRAPPED_SOL, 0, ELSEWHERE))
    assert desk.said(funds.WITHDRAW)["amount"] == 2 * E9


async def test_tokens_go_to_no_account_that_cannot_hold_them() -> None:
    desk = desk_of()
    with pytest.raises(InvalidRequestError, match="is no token account of USDC"):
        await desk.withdraw("USDC", "5", target=ELSEWHERE)
    right = desk.node.accounts[purse(desk, QUOTE.mint, 0, ELSEWHERE)]
    for wrong in (
        structs.replace(right, owner=key(7, 2)),
        structs.replace(right, data=right.data[:164]),
    ):
        desk.node.accounts[ELSEWHERE] = wrong
        with pytest.raises(InvalidRequestError, match="is no token account of USDC"):
            await desk.withdraw("USDC", "5", target=ELSEWHERE)
    purse(desk, WRAPPED_SOL, 0, ELSEWHERE)
    with pytest.raises(EncodeError, match="wrong mint"):
        await desk.withdraw("USDC", "5", target=ELSEWHERE)
    assert desk.sent == []


@PROGRAMS
async def test_a_transfer_goes_to_a_sub_account_that_is_open(program: Program) -> None:
    desk = desk_of(program)
    other = owner_of(program, desk.owner.authority, 1)
    with pytest.raises(InvalidRequestError, match="has no sub-account 1"):
        await desk.transfer("USDC", "5", 1)
    desk.users[other.user] = user(program)
    await desk.transfer("USDC", "5", 1)
    assert len(desk.sent) == 1 + (program is VELOCITY)
    assert funds.TRANSFER_DEPOSIT.arguments(program, bytes(desk.sent[-1].data)) == {
        "market_index": 0,
        "amount": 5 * E6,
    }
    named = desk.named(funds.TRANSFER_DEPOSIT, -1)
    assert (named["from_user"], named["to_user"]) == (desk.owner.user, other.user)


async def test_what_only_the_authority_may_do_a_delegate_is_refused() -> None:
    desk = desk_of()
    desk.owner = owner_of(DRIFT_V2, key(8, 1), 0, desk.sender.key.address)
    desk.users[desk.owner.user] = mine = user(DRIFT_V2)
    mine.authority, mine.delegate = key(8, 1), desk.sender.key.address
    for act in (
        desk.create_user(),
        desk.delete_user(),
        desk.set_delegate(None),
        desk.set_margin_ratio("0.2"),
        desk.withdraw("USDC", 1),
        desk.transfer("USDC", 1, 1),
    ):
        with pytest.raises(InvalidRequestError, match="has to be signed by the authority"):
            await act
    assert desk.sent == []
    assert await desk.set_margin_ratio("0.2", "P1") is OUTCOME


async def test_a_margin_ratio_is_of_one_position_where_one_is_named() -> None:
    desk = desk_of()
    await desk.set_margin_ratio("0.2", "P1")
    assert desk.said(accounts.UPDATE_USER_PERP_POSITION_CUSTOM_MARGIN_RATIO) == {
        "sub_account_id": 0,
        "perp_market_index": 1,
        "margin_ratio": 2_000,
    }
    await desk.set_margin_ratio("0.1")
    assert desk.said(accounts.UPDATE_USER_CUSTOM_MARGIN_RATIO) == {"sub_account_id": 0, "margin_ratio": 1_000}


async def test_an_account_that_is_open_is_not_opened_and_one_that_holds_something_not_closed() -> None:
    desk = desk_of()
    with pytest.raises(InvalidRequestError, match="sub-account 0 is open already"):
        await desk.create_user()
    held = (
        user(DRIFT_V2, perps=[PerpPosition(base_asset_amount=1)]),
        user(DRIFT_V2, orders=[Order(order_id=1, status=1)]),
    )
    for desk.users[desk.owner.user] in held:
        with pytest.raises(InvalidRequestError, match="still has balances, positions or orders"):
            await desk.delete_user()
    desk.users[desk.owner.user] = user(DRIFT_V2)
    assert await desk.delete_user() is OUTCOME


async def test_several_are_settled_all_or_none_unless_that_is_said() -> None:
    desk = desk_of()
    with pytest.raises(InvalidRequestError, match="no market given"):
        await desk.settle_pnl()
    await desk.settle_pnl("P1")
    assert desk.said(settling.SETTLE_PNL) == {"market_index": 1}
    for must, mode in ((True, SettleMode.MUST), (False, SettleMode.TRY)):
        assert await desk.settle_pnl("P1", 2, must=must) is OUTCOME
        assert desk.said(settling.SETTLE_MULTIPLE_PNLS) == {"market_indexes": (1, 2), "mode": mode}
    await desk.settle_pnl(0, 1)
    assert desk.said(settling.SETTLE_MULTIPLE_PNLS)["mode"] == SettleMode.MUST


@PROGRAMS
async def test_funding_is_settled_of_what_is_held_and_on_old_builds_of_free_slots_too(program: Program) -> None:
    desk = desk_of(program)
    desk.users[desk.owner.user] = user(program, perps=[PerpPosition(base_asset_amount=1, market_index=2)])
    assert await desk.settle_funding() is OUTCOME
    written = {meta.pubkey for meta in desk.sent[0].accounts if meta.is_writable and meta.pubkey != desk.owner.user}
    assert written == ({key(3, 2), key(3, 0)} if program is DRIFT_V2 else {key(3, 2)})
