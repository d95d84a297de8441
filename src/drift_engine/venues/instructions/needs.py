"""Which remaining accounts each instruction needs: whose positions, which markets read, which written.

A function an instruction or a family of them, by the names of the builders. Source: each instruction's handler (what
its ``load_maps`` takes writable) and its builder in ``sdk/src/driftClient.ts``. Raises ``EncodeError`` where a market
is not known or has no oracle. ``user`` is ``None`` while the account is yet to be opened by the same transaction.
"""

from collections.abc import Iterable, Sequence

from solders.instruction import AccountMeta

from drift_engine.venues import addresses
from drift_engine.venues.directory import QUOTE_INDEX, Directory
from drift_engine.venues.instructions.remaining import (
    escrow,
    high_leverage_mode,
    makers_and_referrer,
    remaining_accounts,
    token_2022_mints,
)
from drift_engine.venues.instructions.trader import Trader
from drift_engine.venues.program import Program
from drift_engine.venues.wire.order_enums import UPDATE_HIGH_LEVERAGE_MODE, MarketType
from drift_engine.venues.wire.order_params import OrderParams, ScaleOrderParams, SignedMessage
from drift_engine.venues.wire.user import User

Metas = list[AccountMeta]
Maker = tuple[Trader, User]
"""Another account that an order is matched with: its addresses, and what it holds."""


def for_orders(
    program: Program, directory: Directory, user: User | None, orders: Sequence[OrderParams | ScaleOrderParams]
) -> Metas:
    """``place_perp_order``, ``place_spot_order``, ``place_orders``, ``place_scale_orders``.

    Orders with a builder code (Velocity) want the account's revenue-share escrow, so the account has to be there.
    """
    perps = [order.market_index for order in orders if order.market_type == MarketType.PERP]
    spots = [order.market_index for order in orders if order.market_type != MarketType.PERP]
    metas = remaining_accounts(directory, _known(user), read_perps=perps, read_spots=spots) + _mode(program, orders)
    coded = any(isinstance(each, OrderParams) and each.builder_idx is not None for each in orders)
    return metas + (_escrow(program, user) if coded and user is not None else [])


def for_changes(directory: Directory, user: User, perps: Iterable[int] = (), spots: Iterable[int] = ()) -> Metas:
    """Every ``cancel_…`` and ``modify_…``; ``perps`` and ``spots`` where orders are cancelled by market.

    Also ``update_user_margin_trading_enabled`` and ``update_user_pool_id``, which check the account's margin.
    """
    return remaining_accounts(directory, [user], read_perps=perps, read_spots=spots)


def for_taking(
    program: Program,
    directory: Directory,
    user: User,
    order: OrderParams,
    makers: Sequence[Maker] = (),
    referrer: Trader | None = None,
    *,
    escrowed: bool = False,
) -> Metas:
    """``place_and_take_perp_order``. ``escrowed``: the account has a revenue-share escrow, as referred ones do."""
    metas = _matched(directory, user, order.market_index, [held for _, held in makers])
    metas += makers_and_referrer([maker for maker, _ in makers], referrer) + _mode(program, [order])
    return metas + (_escrow(program, user) if escrowed or order.builder_idx is not None else [])


def for_taking_beside(
    program: Program, directory: Directory, user: User, order: OrderParams, perps: Iterable[int]
) -> Metas:
    """``place_and_take_perp_order`` behind others of its transaction, which may hold positions in ``perps`` by then."""
    metas = remaining_accounts(directory, [user], read_perps=perps, write_perps=[order.market_index])
    return metas + _mode(program, [order])


def for_making(
    program: Program,
    directory: Directory,
    user: User,
    order: OrderParams,
    taker: User,
    referrer: Trader | None = None,
    *,
    escrowed: bool = False,
) -> Metas:
    """``place_and_make_perp_order``, where the taker stands among the instruction's own accounts.

    ``escrowed``: the taker has a revenue-share escrow, or its order carries a builder code.
    """
    metas = _matched(directory, user, order.market_index, [taker]) + makers_and_referrer((), referrer)
    return metas + (_escrow(program, taker) if escrowed else [])


def for_filling(
    program: Program,
    directory: Directory,
    taker: User,
    market_index: int,
    makers: Sequence[Maker] = (),
    referrer: Trader | None = None,
    *,
    escrowed: bool = False,
) -> Metas:
    """``fill_perp_order``. ``escrowed``: the taker has an escrow, or its order may carry a builder code."""
    metas = _matched(directory, taker, market_index, [held for _, held in makers])
    metas += makers_and_referrer([maker for maker, _ in makers], referrer)
    return metas + (_escrow(program, taker) if escrowed else [])


def for_signed_message(program: Program, directory: Directory, taker: User, message: SignedMessage) -> Metas:
    """``place_signed_msg_taker_order``."""
    quote = [QUOTE_INDEX] if message.isolated_position_deposit else []
    metas = remaining_accounts(directory, [taker], read_perps=[message.order.market_index], write_spots=quote)
    coded = message.builder_idx is not None and message.builder_fee_tenth_bps is not None
    return metas + _mode(program, [message.order]) + (_escrow(program, taker) if coded else [])


def for_triggering(directory: Directory, user: User, market_type: int, market_index: int) -> Metas:
    """``trigger_order``."""
    if market_type == MarketType.PERP:
        return remaining_accounts(directory, [user], write_perps=[market_index])
    return remaining_accounts(directory, [user], write_spots=[market_index, QUOTE_INDEX])


def for_force_cancelling(directory: Directory, user: User) -> Metas:
    """``force_cancel_orders``."""
    return remaining_accounts(directory, [user], write_spots=[QUOTE_INDEX])


def for_moving(directory: Directory, user: User | None, market: int | str) -> Metas:
    """``deposit``, ``withdraw``, ``transfer_deposit``: with the mint behind, where the token program is Token-2022."""
    return remaining_accounts(directory, _known(user), write_spots=[market]) + token_2022_mints(directory, market)


def for_isolated(directory: Directory, user: User | None, perp: int | str) -> Metas:
    """The three instructions on an isolated position's collateral; a deposit may leave ``user`` out."""
    quote = directory.perp(perp).quote_index
    return remaining_accounts(directory, _known(user), read_perps=[perp], write_spots=[quote])


def for_swap(directory: Directory, user: User, in_market: int | str, out_market: int | str) -> Metas:
    """``begin_swap``, ``end_swap``: the out side's token program behind where it is another, then Token-2022 mints."""
    metas = remaining_accounts(directory, [user], write_spots=[out_market, in_market])
    programs = [directory.spot(market).token_program for market in (in_market, out_market)]
    if programs[0] != programs[1]:
        metas.append(AccountMeta(programs[1], is_signer=False, is_writable=False))
    return metas + token_2022_mints(directory, in_market, out_market)


def for_settling(directory: Directory, user: User, markets: Iterable[int | str]) -> Metas:
    """``settle_pnl``, ``settle_multiple_pnls``."""
    return remaining_accounts(directory, [user], write_perps=markets, write_spots=[QUOTE_INDEX])


def for_funding(directory: Directory, user: User, *, free_slots: bool = False) -> Metas:
    """``settle_funding_payment``: every perp market of the account is written.

    Builds of Drift v2 before 2025 want the markets that free slots name too, mostly the first (6078 without it):
    ``get_market_set_for_user_positions`` of ``state/perp_market_map.rs`` at v2.84.0.
    """
    slots = user.perp_slots() if free_slots else user.perp_positions()
    return remaining_accounts(directory, [user], write_perps=[slot.market_index for slot in slots])


def for_liquidating(
    directory: Directory,
    liquidator: User,
    victim: User,
    perps: Iterable[int | str] = (),
    spots: Iterable[int | str] = (),
    makers: Sequence[Maker] = (),
) -> Metas:
    """The ``liquidate_…`` family: ``perps`` and ``spots`` are the markets that change hands."""
    users = [liquidator, victim, *(held for _, held in makers)]
    metas = remaining_accounts(directory, users, write_perps=perps, write_spots=spots)
    return metas + makers_and_referrer([maker for maker, _ in makers])


def _known(user: User | None) -> list[User]:
    return [user] if user is not None else []


def _matched(directory: Directory, user: User, market_index: int, others: Sequence[User]) -> Metas:
    return remaining_accounts(directory, [user, *others], write_perps=[market_index])


def _mode(program: Program, orders: Sequence[OrderParams | ScaleOrderParams]) -> Metas:
    asked = any(order.bit_flags & UPDATE_HIGH_LEVERAGE_MODE for order in orders)
    return high_leverage_mode(program) if asked else []


def _escrow(program: Program, owner: User) -> Metas:
    return escrow(addresses.revenue_share_escrow(program.program_id, owner.authority))
