"""What a trader's orders say on the wire: the instruction that each act builds from the account as it is."""

from decimal import Decimal

import pytest
from kept_desk import OUTCOME, KeptTrader
from market_desk import key, perp, spot, user
from msgspec import structs

from drift_engine.venues.directory import Directory
from drift_engine.venues.errors import EncodeError
from drift_engine.venues.http import InvalidRequestError
from drift_engine.venues.instructions import fills, settling
from drift_engine.venues.instructions import orders as built
from drift_engine.venues.instructions.trader import trader as owner_of
from drift_engine.venues.program import Program
from drift_engine.venues.programs import DRIFT_V2, VELOCITY
from drift_engine.venues.wire.order_enums import IMMEDIATE_OR_CANCEL, Direction, MarketType, OrderType
from drift_engine.venues.wire.order_params import ModifyOrderParams, OrderParams, ScaleOrderParams
from drift_engine.venues.wire.user import Order, PerpPosition

E6, E9 = 10**6, 10**9
TOKEN = structs.replace(spot(1), symbol="wBTC", decimals=8, step=10**4, tick_e6=1_000, minimum=10**5)
BOOK = Directory("drift_v2", [perp(0), structs.replace(perp(1), tick_e6=10**5)], [spot(0), TOKEN])


SOLD = Order(
    price=150 * E6, base_asset_amount=2 * E9, base_asset_amount_filled=E9, order_id=3, user_order_id=9, status=1,
    order_type=OrderType.LIMIT, market_type=MarketType.PERP, direction=Direction.SHORT,
)  # fmt: skip
"""Two to be sold, of which one is."""
SWAPPED = structs.replace(
    SOLD, market_type=MarketType.SPOT, market_index=1, order_id=4, user_order_id=8, base_asset_amount=10**8
)
"""One wBTC to be sold, which has 8 decimals; the perp of that index has 9."""
LATER = structs.replace(SOLD, market_index=1, order_id=5, user_order_id=7, price=100_000 * E6)


async def test_an_order_without_price_is_a_market_order_unless_it_says_what_it_is() -> None:
    desk = KeptTrader(BOOK)
    assert await desk.place(desk.order(0, "-1")) is OUTCOME
    assert desk.said(built.PLACE_PERP_ORDER)["params"] == OrderParams(
        order_type=OrderType.MARKET, direction=Direction.SHORT, base_asset_amount=E9
    )
    for none in ("0", "0.00", Decimal(0)):
        assert desk.order(0, "-1", none).order_type == OrderType.MARKET
    assert await desk.take(0, 1, "0.0") is OUTCOME
    params = fills.PLACE_AND_TAKE_PERP_ORDER.arguments(desk.program, bytes(desk.sent[-1].data))["params"]
    assert (params.order_type, params.bit_flags) == (OrderType.MARKET, 0)
    oracle = desk.order(0, 1, order_type=OrderType.ORACLE, oracle_price_offset=5)
    assert (oracle.order_type, oracle.price, oracle.direction) == (OrderType.ORACLE, 0, Direction.LONG)


async def test_a_spot_order_is_checked_by_its_token_and_placed_as_one() -> None:
    desk = KeptTrader(BOOK)
    wanted = OrderParams(market_type=MarketType.SPOT, market_index=1, base_asset_amount=3 * 10**5, price=1_000)
    await desk.place(wanted)
    assert desk.said(built.PLACE_SPOT_ORDER)["params"] == wanted
    with pytest.raises(EncodeError, match=r"wBTC size = 0\.00010000 is under the market's least, 0\.00100000"):
        await desk.place(structs.replace(wanted, base_asset_amount=10**4))


async def test_orders_over_a_range_are_placed_as_they_are_said() -> None:
    desk = KeptTrader(BOOK)
    wanted = ScaleOrderParams(total_base_asset_amount=4 * E9, start_price=1, end_price=2, order_count=4)
    assert await desk.place_scale(wanted) is OUTCOME
    assert desk.said(built.PLACE_SCALE_ORDERS) == {"params": wanted}
    with pytest.raises(EncodeError, match="unknown drift_v2 perp market 9"):
        await desk.place_scale(structs.replace(wanted, market_index=9))


async def test_a_change_says_only_what_changes() -> None:
    """Above all not the size: what is filled of it would be sold again."""
    desk = KeptTrader(BOOK, SOLD)
    assert await desk.modify(price="151") is OUTCOME
    assert desk.said(built.MODIFY_ORDER) == {
        "order_id": 3,
        "modify_order_params": ModifyOrderParams(price=151 * E6),
    }
    desk = KeptTrader(BOOK, SOLD)
    await desk.modify(3, base="-1.5", policy=1)
    changed = ModifyOrderParams(direction=Direction.SHORT, base_asset_amount=15 * 10**8, policy=1)
    assert desk.said(built.MODIFY_ORDER)["modify_order_params"] == changed


async def test_a_change_of_a_spot_order_counts_in_its_token() -> None:
    desk = KeptTrader(BOOK, SWAPPED)
    await desk.modify(4, base="-0.5", price="99000.001")
    changed = ModifyOrderParams(direction=Direction.SHORT, base_asset_amount=5 * 10**7, price=99_000_001_000)
    assert desk.said(built.MODIFY_ORDER)["modify_order_params"] == changed
    with pytest.raises(EncodeError, match="wBTC size"):
        await desk.modify(4, base="0.000000001")
    least = KeptTrader(BOOK, structs.replace(SWAPPED, base_asset_amount=TOKEN.minimum))
    await least.modify(4, price="99000.001")
    assert least.said(built.MODIFY_ORDER)["modify_order_params"] == ModifyOrderParams(price=99_000_001_000)


async def test_a_change_is_checked_by_the_market_of_the_order_it_means() -> None:
    desk = KeptTrader(BOOK, SOLD, LATER)
    await desk.modify(user_order_id=9, price="151.0001")
    assert desk.said(built.MODIFY_ORDER_BY_USER_ID) == {
        "user_order_id": 9,
        "modify_order_params": ModifyOrderParams(price=151_000_100),
    }
    with pytest.raises(EncodeError, match=r"P1 price = 151\.000100 is no multiple of 0\.100000"):
        await desk.modify(price="151.0001")


@pytest.mark.parametrize("only", [None, True])
async def test_a_rest_below_the_minimum_can_be_changed_where_it_only_reduces(*, only: bool | None) -> None:
    rest = structs.replace(SOLD, base_asset_amount=10**7, base_asset_amount_filled=0, reduce_only=only is None)
    book = Directory("drift_v2", [structs.replace(perp(2), minimum_e9=E9)], [spot(0)])
    desk = KeptTrader(book, structs.replace(rest, market_index=2))
    await desk.modify(price="151", reduce_only=only)
    assert desk.said(built.MODIFY_ORDER)["modify_order_params"] == ModifyOrderParams(price=151 * E6, reduce_only=only)
    with pytest.raises(EncodeError, match="under the market's least"):
        await desk.modify(price="151", reduce_only=False)


async def test_no_orders_at_all_are_neither_placed_nor_cancelled() -> None:
    desk = KeptTrader(BOOK, SOLD)
    for act in (desk.place(), desk.cancel([])):
        with pytest.raises(InvalidRequestError, match="no order given"):
            await act
    assert desk.sent == []
    with pytest.raises(InvalidRequestError, match="order 3 and its owner's 9 are given; keep one"):
        await desk.cancel(3, user_order_id=9)
    assert await desk.cancel([3]) is OUTCOME


async def test_all_are_cancelled_of_every_kind_and_of_a_market_only_its_perp() -> None:
    desk = KeptTrader(BOOK, SOLD, SWAPPED)
    await desk.cancel_all()
    assert set(desk.said(built.CANCEL_ORDERS).values()) == {None}
    desk = KeptTrader(BOOK, SOLD, SWAPPED)
    await desk.cancel_all("P1", Direction.SHORT)
    assert desk.said(built.CANCEL_ORDERS) == {
        "market_type": MarketType.PERP,
        "market_index": 1,
        "direction": Direction.SHORT,
    }


@pytest.mark.parametrize("program", [VELOCITY, DRIFT_V2], ids=lambda program: program.name)
async def test_what_is_taken_brings_the_makers_with_what_they_hold(program: Program) -> None:
    book = Directory(program.name, [perp(0), perp(1)], [spot(0)])
    desk = KeptTrader(book, program=program)
    maker = owner_of(program, key(9, 1))
    desk.users[maker.user] = user(program, perps=[PerpPosition(base_asset_amount=1, market_index=1)])
    assert await desk.take(0, "1", "150", makers=[maker], reduce_only=True) is OUTCOME
    fresh = program is VELOCITY  # its fills want the interest of this very slot
    assert len(desk.sent) == 1 + fresh
    if fresh:
        assert desk.named(settling.UPDATE_SPOT_MARKET_CUMULATIVE_INTEREST)["spot_market"] == key(2, 0)
    taken = desk.sent[-1]
    assert fills.PLACE_AND_TAKE_PERP_ORDER.arguments(program, bytes(taken.data)) == {
        "params": OrderParams(base_asset_amount=E9, price=150 * E6, reduce_only=True, bit_flags=IMMEDIATE_OR_CANCEL),
        "success_condition": None,
    }
    assert {maker.user, maker.user_stats, key(3, 1)} <= {meta.pubkey for meta in taken.accounts}
