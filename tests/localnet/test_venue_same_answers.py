"""The same stream of orders, given to the simulated venue and to the played program, ends in the same books."""

from collections.abc import Callable

from hypothesis import example, given, settings
from hypothesis import strategies as st
from solders.keypair import Keypair
from venue_desk import E6, E9, VenueDesk, events_of

from drift_engine.core.driving import drive
from drift_engine.core.spot_balance import token_amount
from drift_engine.core.types import ApprovedPlan, Filled, Leg, TradePlan
from drift_engine.core.units import SECOND_NS
from drift_engine.simulation.models import Latency, Models, VenueConfig
from drift_engine.simulation.venue import SimVenue
from drift_engine.venues.instructions import fills, orders, settling
from drift_engine.venues.instructions.trader import Trader
from drift_engine.venues.programs import DRIFT_V2
from drift_engine.venues.wire.events.trading import OrderActionRecord
from drift_engine.venues.wire.order_enums import IMMEDIATE_OR_CANCEL, Direction, PostOnly
from drift_engine.venues.wire.order_params import OrderParams

DEPOSIT_E6 = 10_000 * E6
MODELS = Models(latency=Latency(0, 0, 0))
TICK_E6, STEP_E9 = 100, 10**7
Step = tuple[str, int, int]
sizes = st.integers(1, 400).map(lambda steps: steps * STEP_E9)
signs = st.sampled_from([-1, 1])
STEPS = st.one_of(
    st.tuples(st.just("price"), st.integers(-400, 400), st.integers(-20, 20)),
    st.tuples(st.just("take"), signs, sizes),
    st.tuples(st.just("reduce"), signs, sizes),
    st.tuples(st.just("take"), signs, st.just(2_000 * E9)),
    st.tuples(st.just("rest"), signs, sizes),
    st.tuples(st.just("cancel"), st.just(0), st.just(0)),
    st.tuples(st.just("hour"), st.just(0), st.just(0)),
)


class Both:
    """Both venues, told the same."""

    def __init__(self) -> None:
        self.desk = VenueDesk(DRIFT_V2, slot_ms=60_000)
        self.key: Keypair
        self.who: Trader
        self.key, self.who = self.desk.enrolled("alice", DEPOSIT_E6)
        self.sim = SimVenue(VenueConfig(deposit_e6=DEPOSIT_E6, models=MODELS))
        self.oracle_e6 = self.mark_e6 = 150 * E6
        self.plans = 0
        self.told: list[tuple[int, int, int]] = []
        self.sim.advance(self.now_ns)
        self.sim.interest(self.now_ns, "USDC", 0, 100_000, 0)
        self.price(0, 0)

    @property
    def now_ns(self) -> int:
        return self.desk.chain.bank.unix_timestamp * SECOND_NS

    def play(self, step: Step) -> None:
        what, first, second = step
        actions: dict[str, Callable[[], None]] = {
            "price": lambda: self.price(first, second),
            "take": lambda: self.take(first * second),
            "reduce": lambda: self.take(first * second, reduce_only=True),
            "rest": lambda: self.rest(first * second),
            "cancel": self.cancel,
            "hour": self.hour,
        }
        actions[what]()

    def price(self, moved_e4: int, basis_e4: int) -> None:
        """Move the oracle, and the mark by a little more; both venues then fill what the mark went through."""
        self.oracle_e6 = self.oracle_e6 * (10_000 + moved_e4) // 10_000
        self.mark_e6 = self.oracle_e6 * (10_000 + basis_e4) // 10_000
        self.desk.set_price("SOL", self.oracle_e6, self.mark_e6)
        self.go_on(slots=1)
        self.sim.price(self.now_ns, "SOL-PERP", self.oracle_e6, self.mark_e6)
        self.sim.advance(self.now_ns)

    def take(self, base_e9: int, *, reduce_only: bool = False) -> None:
        far_e6 = self.mark_e6 * (110 if base_e9 > 0 else 90) // 100 // TICK_E6 * TICK_E6
        self.simulated(Leg("SOL-PERP", base_e9, far_e6, "perp", reduce_only), life_s=0)
        params = self.params(base_e9, far_e6, reduce_only=reduce_only, bit_flags=IMMEDIATE_OR_CANCEL)
        rest = self.desk.rest(self.who, write_perps=[0])
        outcome = self.desk.send(self.key, fills.place_and_take_perp_order(DRIFT_V2, self.who, params, None, rest))
        self.note(events_of(outcome))

    def rest(self, base_e9: int) -> None:
        """Rest an order two per cent away."""
        near_e6 = self.mark_e6 * (98 if base_e9 > 0 else 102) // 100 // TICK_E6 * TICK_E6
        self.simulated(Leg("SOL-PERP", base_e9, near_e6, "perp", post_only=True), life_s=10**6)
        params = self.params(base_e9, near_e6, post_only=PostOnly.MUST)
        rest = self.desk.rest(self.who, read_perps=[0])
        self.desk.send(self.key, orders.place_perp_order(DRIFT_V2, self.who, params, rest))

    def params(self, base_e9: int, price_e6: int, **more: int) -> OrderParams:
        direction = Direction.LONG if base_e9 > 0 else Direction.SHORT
        return OrderParams(price=price_e6, base_asset_amount=abs(base_e9), direction=direction, **more)  # type: ignore[arg-type]

    def cancel(self) -> None:
        drive(self.sim.cancel_all(self.now_ns))
        self.sim.advance(self.now_ns)
        self.desk.send(self.key, orders.cancel_orders(DRIFT_V2, self.who, remaining=self.desk.rest(self.who)))

    def hour(self) -> None:
        """Go on to the next hour, and settle its funding in both."""
        self.go_on(slots=60)

    def settle_funding(self) -> None:
        """Settle on the chain what the simulated venue settles by itself."""
        rest = self.desk.rest(self.who, write_perps=[0])
        self.desk.send(self.key, settling.settle_funding_payment(DRIFT_V2, self.who, rest))

    def go_on(self, slots: int) -> None:
        """Let minutes pass; where an hour ends among them, the simulated venue is told its funding."""
        before = self.desk.perp(0).cumulative_funding_rate_long
        self.desk.chain.advance(slots)
        rate_e9 = self.desk.perp(0).cumulative_funding_rate_long - before
        if rate_e9:
            self.sim.funding(self.now_ns, "SOL-PERP", rate_e9)
            self.settle_funding()  # the program would settle two hours at once, and truncate once

    def simulated(self, leg: Leg, life_s: int) -> None:
        self.plans += 1
        plan = TradePlan(f"p{self.plans}", (leg,), False, "", None, self.now_ns + life_s * SECOND_NS + 1)
        drive(self.sim.place(ApprovedPlan(plan, ()), self.now_ns))
        self.sim.advance(self.now_ns)
        if life_s == 0:
            self.sim.advance(self.now_ns + 1)

    def note(self, events: list[object]) -> None:
        for event in events:
            if isinstance(event, OrderActionRecord) and event.action == 2:
                self.told.append(
                    (event.base_asset_amount_filled or 0, event.quote_asset_amount_filled or 0, event.taker_fee or 0)
                )

    def assert_same(self) -> None:
        self.settle_funding()
        account = drive(self.sim.observe(self.now_ns)).account
        user = self.desk.user(self.who)
        ours, theirs = account.perp("SOL-PERP"), user.perp_slots()[0]
        figures = (ours.base_e9, ours.quote_e6, ours.quote_entry_e6, ours.quote_break_even_e6)
        played = (
            theirs.base_asset_amount,
            theirs.quote_asset_amount,
            theirs.quote_entry_amount,
            theirs.quote_break_even_amount,
        )
        assert played == figures
        market = self.sim._books.markets["USDC"]
        assert user.spot_slots()[0].scaled_balance == account.spot("USDC").scaled_e9
        assert token_amount(account.spot("USDC").scaled_e9, market) == DEPOSIT_E6
        filled = [
            (abs(event.base_e9), abs(event.quote_e6), event.fee_e6)
            for event in drive(self.sim.events_since(0, self.now_ns))
            if isinstance(event, Filled) and not event.maker
        ]
        assert filled == self.told


@settings(max_examples=12, deadline=None)
@given(st.lists(STEPS, min_size=3, max_size=14))
@example([("price", 0, 0)] * 3 + [("take", -1, 10_000_000), ("price", 0, 0), ("take", -1, 10_000_000)])
@example([("price", 0, 0)] * 3 + [("take", -1, 10_000_000), ("price", 0, 0), ("hour", 0, 0)])
def test_the_same_orders_end_in_the_same_books(steps: list[Step]) -> None:
    both = Both()
    for step in steps:
        both.play(step)
    both.assert_same()
