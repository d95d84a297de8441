"""A trader's orders: placed, changed, cancelled, taken at once; checked against their market before they are signed.

Figures are those of ``order_forms``: text, ``Decimal`` or whole units; sizes are signed, a sale is negative.
"""

from collections.abc import Callable, Sequence
from typing import Unpack

from msgspec import structs

from drift_engine.core.units import show_scaled
from drift_engine.venues.http import InvalidRequestError
from drift_engine.venues.instructions import fills, needs, orders
from drift_engine.venues.instructions.trader import Trader as Owner
from drift_engine.venues.trader import order_forms
from drift_engine.venues.trader.desk import Desk
from drift_engine.venues.trader.order_forms import BASE_DECIMALS, PRICE_DECIMALS, Figure, Settings
from drift_engine.venues.transactions.sending import Failed, Outcome
from drift_engine.venues.wire.order_enums import (
    IMMEDIATE_OR_CANCEL,
    Direction,
    MarketType,
    OrderType,
    SuccessCondition,
)
from drift_engine.venues.wire.order_params import ModifyOrderParams, OrderParams, ScaleOrderParams
from drift_engine.venues.wire.user import Order, User

_KEPT_FROM_VAMM = (
    "this build of the program keeps the vAMM from an order for its first slots (State.min_perp_auction_duration), and "
    "no maker named has one that meets it: name makers, or place it and let keepers fill it"
)


class OrderDesk(Desk):
    """Orders of one sub-account. Raises ``EncodeError`` and ``InvalidRequestError`` before anything is signed."""

    def order(self, market: int | str, base: Figure, price: Figure = 0, **settings: Unpack[Settings]) -> OrderParams:
        """Return a perp order, ``order("SOL-PERP", "-1.5", "150.25")``; without price it is a market order."""
        if "order_type" not in settings and not order_forms.is_priced(price):
            settings["order_type"] = OrderType.MARKET
        return order_forms.perp_order(self.directory, market, base, price, **settings)

    async def place(self, *wanted: OrderParams) -> Outcome:
        """Place one order or several, all or none. Placed is not filled."""
        if not wanted:
            raise InvalidRequestError("no order given: nothing to place")
        for each in wanted:
            self._check(each)
        user = await self._mine()
        rest = needs.for_orders(self.program, self.directory, user, wanted)
        if len(wanted) > 1:
            return await self.act(orders.place_orders(self.program, self.owner, wanted, rest))
        perp = wanted[0].market_type == MarketType.PERP
        build = orders.place_perp_order if perp else orders.place_spot_order
        return await self.act(build(self.program, self.owner, wanted[0], rest))

    async def place_scale(self, wanted: ScaleOrderParams) -> Outcome:
        """Place orders spread over a range of prices."""
        self.directory.perp(wanted.market_index)
        rest = needs.for_orders(self.program, self.directory, await self._mine(), [wanted])
        return await self.act(orders.place_scale_orders(self.program, self.owner, wanted, rest))

    async def modify(
        self,
        order_id: int | None = None,
        *,
        user_order_id: int | None = None,
        base: Figure | None = None,
        price: Figure | None = None,
        reduce_only: bool | None = None,
        policy: int | None = None,
    ) -> Outcome:
        """Change an open order, found by its id or its owner's; ``base`` turns it round where its sign says so.

        The changed order has a new id. Raises ``InvalidRequestError`` where there is no such order.
        """
        user = await self._mine(lambda user: _one(user, order_id, user_order_id))
        held = _one(user, order_id, user_order_id)
        change = self._change(held, base, price, reduce_only, policy)
        rest = needs.for_changes(self.directory, user)
        if user_order_id is not None:
            built = orders.modify_order_by_user_id(self.program, self.owner, change, user_order_id, rest)
        else:
            built = orders.modify_order(self.program, self.owner, change, held.order_id, rest)
        return await self.act(built)

    async def cancel(self, order_id: int | Sequence[int] | None = None, *, user_order_id: int | None = None) -> Outcome:
        """Cancel an order by its id or its owner's, several by their ids, or, with nothing given, the last placed."""
        several = order_id if isinstance(order_id, Sequence) else [order_id]
        if not several:
            raise InvalidRequestError("no order given: nothing to cancel")
        user = await self._mine(lambda user: [_one(user, each, user_order_id) for each in several])
        rest = needs.for_changes(self.directory, user)
        if user_order_id is not None:
            built = orders.cancel_order_by_user_id(self.program, self.owner, user_order_id, rest)
        elif isinstance(order_id, Sequence):
            built = orders.cancel_orders_by_ids(self.program, self.owner, order_id, rest)
        else:
            built = orders.cancel_order(self.program, self.owner, order_id, rest)
        return await self.act(built)

    async def cancel_all(self, market: int | str | None = None, direction: Direction | None = None) -> Outcome:
        """Cancel every open order: of one perp market, of one direction, where these are given.

        Which are open is asked of the node: none is to be left that the mirror has not heard of yet.
        """
        user = await self.user(fits=self.require_rights, anew=True)
        index = None if market is None else self.directory.perp(market).index
        kind = None if market is None else MarketType.PERP
        rest = needs.for_changes(self.directory, user, () if index is None else (index,))
        return await self.act(orders.cancel_orders(self.program, self.owner, kind, index, direction, rest))

    async def take(
        self,
        market: int | str,
        base: Figure,
        price: Figure = 0,
        *,
        condition: SuccessCondition | None = None,
        auction_percent: int | None = None,
        makers: Sequence[Owner] = (),
        referrer: Owner | None = None,
        reduce_only: bool = False,
    ) -> Outcome:
        """Place an order and fill it at once against the vAMM and ``makers``; ``condition`` says what must fill.

        With a ``price``, the worst one, what does not fill is cancelled; without one it is a market order, which the
        program does not let be cancelled so: what is left waits for keepers until it expires.

        Builds of Drift v2 of 2024 keep the vAMM from an order for its first ``State.min_perp_auction_duration`` slots,
        whatever auction it asks for. Without makers they refuse one with a price before it is sent on (6252
        ImpossibleFill), and one without a price waits, under any ``condition``. A build does not tell which it is, so
        it is asked.
        """
        flags = IMMEDIATE_OR_CANCEL if order_forms.is_priced(price) else 0
        wanted = self.order(market, base, price, reduce_only=reduce_only, bit_flags=flags)
        asked = fills.success_condition(condition, auction_percent)
        user = await self._mine()
        others = [(maker, await self.user(maker)) for maker in makers]
        rest = needs.for_taking(self.program, self.directory, user, wanted, others, referrer)
        taken = fills.place_and_take_perp_order(self.program, self.owner, wanted, asked, rest)
        quote = self.directory.perp(wanted.market_index).quote_index
        outcome = await self.act(*self.fresh(quote), taken)
        if isinstance(outcome, Failed) and outcome.name == "ImpossibleFill":
            return structs.replace(outcome, detail=_KEPT_FROM_VAMM)
        return outcome

    async def _mine(self, has: Callable[[User], object] = bool) -> User:
        def fits(user: User) -> None:
            self.require_rights(user)
            has(user)

        return await self.user(fits=fits)

    def _check(self, wanted: OrderParams) -> None:
        perp = wanted.market_type == MarketType.PERP
        terms = self.directory.perp(wanted.market_index) if perp else self.directory.spot(wanted.market_index)
        order_forms.order(
            terms,
            wanted.base_asset_amount,
            wanted.price,
            order_type=wanted.order_type,
            reduce_only=wanted.reduce_only,
            post_only=wanted.post_only,
            trigger_condition=wanted.trigger_condition,
        )

    def _change(
        self,
        held: Order,
        base: Figure | None,
        price: Figure | None,
        reduce_only: bool | None,
        policy: int | None,
    ) -> ModifyOrderParams:
        perp = held.market_type == MarketType.PERP
        decimals = BASE_DECIMALS if perp else self.directory.spot(held.market_index).decimals
        size = show_scaled(held.base_asset_amount, decimals) if base is None else base
        worst = show_scaled(held.price, PRICE_DECIMALS) if price is None else price
        only = held.reduce_only if reduce_only is None else reduce_only
        formed = order_forms.perp_order if perp else order_forms.spot_order
        wanted = formed(self.directory, held.market_index, size, worst, reduce_only=only)
        return ModifyOrderParams(
            direction=None if base is None else wanted.direction,
            base_asset_amount=None if base is None else wanted.base_asset_amount,
            price=None if price is None else wanted.price,
            reduce_only=reduce_only,
            policy=policy,
        )


def _one(user: User, order_id: int | None, user_order_id: int | None) -> Order:
    if order_id is not None and user_order_id is not None:
        raise InvalidRequestError(f"order {order_id} and its owner's {user_order_id} are given; keep one")
    held = user.orders()
    if order_id is None and user_order_id is None:
        found = sorted(held, key=lambda order: order.order_id)[-1:]
    elif user_order_id is not None:
        found = [order for order in held if order.user_order_id == user_order_id]
    else:
        found = [order for order in held if order.order_id == order_id]
    if not found:
        known = ", ".join(str(order.order_id) for order in held) or "none"
        asked = user_order_id if order_id is None else order_id
        which = "last order" if asked is None else f"order {asked}"
        raise InvalidRequestError(f"there is no {which} in sub-account {user.sub_account_id}; open are {known}")
    return found[0]
