"""The account a plan would leave: its equity falls by what the fills cost, and never rises."""

from fractions import Fraction

from gate_builders import PRICE_E6, SOL, SOL_PERP, Scene, deposit, hedged_account, leg, markets, short_sol
from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs

from drift_engine.core.spot_balance import token_amount
from drift_engine.core.types import Account, Leg, PerpPosition, SpotBalance
from drift_engine.core.units import E6, E9
from drift_engine.core.valuation import equity_e6
from drift_engine.execution.what_if import account_after, account_without, fee_e6

MARKETS = markets()


def after(account: Account, *legs: Leg, tip_e6: int = 0) -> Account:
    done = account_after(account, [(one, MARKETS[one.market], PRICE_E6) for one in legs], MARKETS, tip_e6)
    assert done is not None
    return done


def test_a_short_grows_by_a_sale_at_its_limit_less_the_fee() -> None:
    done = after(hedged_account(), leg(-E9, 199 * E6))
    assert done.perp("SOL-PERP").base_e9 == -11 * E9
    assert done.perp("SOL-PERP").quote_e6 == (2_000 + 199) * E6 - 199_000
    assert done.spots is hedged_account().spots or done.spots == hedged_account().spots


def test_a_flip_enters_anew() -> None:
    done = after(hedged_account(), leg(12 * E9)).perp("SOL-PERP")
    assert (done.base_e9, done.quote_entry_e6) == (2 * E9, -400 * E6)


def test_a_reduce_only_leg_is_clamped_to_what_is_held() -> None:
    assert after(hedged_account(), leg(12 * E9, reduce_only=True)).perp("SOL-PERP").base_e9 == 0
    assert after(hedged_account(), leg(3 * E9, reduce_only=True)).perp("SOL-PERP").base_e9 == -7 * E9
    assert after(hedged_account(), leg(-E9, reduce_only=True)) == hedged_account()


def test_a_reduce_only_sale_turns_no_long_into_a_short() -> None:
    long = Account("USDC", perps=(PerpPosition("SOL-PERP", 10 * E9, -2_000 * E6),))
    assert after(long, leg(-12 * E9, reduce_only=True)).perp("SOL-PERP").base_e9 == 0
    assert after(long, leg(-3 * E9, reduce_only=True)).perp("SOL-PERP").base_e9 == 7 * E9
    assert after(long, leg(E9, reduce_only=True)) == long


def test_a_position_that_grows_keeps_the_funding_it_owes() -> None:
    market = Scene().with_market("SOL-PERP", funding_cumulative_e9=77).state.markets["SOL-PERP"]
    done = account_after(hedged_account(), [(leg(-E9), market, PRICE_E6)], MARKETS)
    assert done is not None
    assert done.perp("SOL-PERP").funding_cursor_e9 == hedged_account().perp("SOL-PERP").funding_cursor_e9 != 77


def test_a_new_position_starts_at_the_funding_of_today() -> None:
    market = Scene().with_market("ETH-PERP", funding_cumulative_e9=77).state.markets["ETH-PERP"]
    done = account_after(hedged_account(), [(leg(E9, name="ETH-PERP"), market, PRICE_E6)], MARKETS)
    assert done is not None
    assert [position.market for position in done.perps] == ["SOL-PERP", "ETH-PERP"]
    assert done.perp("ETH-PERP").funding_cursor_e9 == 77


def test_a_spot_purchase_moves_tokens_and_quote() -> None:
    done = after(Account("USDC", (deposit(1_000 * E6),)), leg(2 * E9, 201 * E6, name="SOL"), tip_e6=5)
    assert token_amount(done.spot("SOL").scaled_e9, MARKETS["SOL"]) == 2 * E9
    assert token_amount(done.spot("USDC").scaled_e9, MARKETS["USDC"]) == 1_000 * E6 - 402 * E6 - 402_000 - 5


def test_what_is_paid_out_is_gone_and_its_rounding_too() -> None:
    account = hedged_account()
    quote = structs.replace(MARKETS["USDC"], interest_deposit_e10=10_300_000_007)
    had, left = account.spot("USDC").scaled_e9, account_without(account, quote, 7).spot("USDC").scaled_e9
    exact = Fraction(7 * 10**9 * 10**10 // 10**6, quote.interest_deposit_e10)
    assert 0 < had - left - exact <= 1
    assert account_without(account, quote, 7).perps == account.perps


def test_the_quote_market_is_needed_only_where_quote_moves() -> None:
    without = {name: market for name, market in MARKETS.items() if name != "USDC"}
    perp, spot = leg(-E9), leg(E9, name="SOL")
    assert account_after(hedged_account(), [(perp, MARKETS["SOL-PERP"], PRICE_E6)], without) is not None
    assert account_after(hedged_account(), [(perp, MARKETS["SOL-PERP"], PRICE_E6)], without, 1) is None
    assert account_after(hedged_account(), [(spot, MARKETS["SOL"], PRICE_E6)], without) is None


def test_fees_round_up_and_a_rebate_is_not_counted() -> None:
    tiny = leg(10**7)
    assert fee_e6(tiny, MARKETS["SOL-PERP"], 100, tiny.base_e9) == 1
    assert fee_e6(leg(E9, post_only=True), MARKETS["SOL-PERP"], PRICE_E6, E9) == 0
    assert (SOL_PERP.maker_fee_e6, SOL.taker_fee_e6) == (-200, 1_000)
    assert fee_e6(leg(E9, name="SOL", post_only=True), MARKETS["SOL"], PRICE_E6, E9) == 200_000


BASE = st.integers(-2_000, 2_000).filter(bool).map(lambda steps: steps * 10**7)
TICKS = st.integers(1, 40_000).map(lambda ticks: ticks * 10_000)


@given(
    held_e9=BASE,
    spot_e9=BASE,
    orders=st.lists(st.tuples(st.sampled_from(["SOL-PERP", "SOL", "ETH-PERP"]), BASE, TICKS), min_size=1, max_size=3),
    tip_e6=st.integers(0, E6),
)
def test_equity_falls_by_fees_tip_and_the_distance_of_the_limits(
    held_e9: int, spot_e9: int, orders: list[tuple[str, int, int]], tip_e6: int
) -> None:
    perp = short_sol(held_e9) if held_e9 > 0 else PerpPosition("SOL-PERP", -held_e9, held_e9 * PRICE_E6 // E9)
    before = Account("USDC", (deposit(9_000 * E6), SpotBalance("SOL", spot_e9)), (perp,))
    legs = [leg(base_e9, limit_e6, name=name) for name, base_e9, limit_e6 in orders]
    cost_e6 = tip_e6
    for one in legs:
        worst = max(one.limit_e6, PRICE_E6) if one.base_e9 > 0 else min(one.limit_e6, PRICE_E6)
        cost_e6 += abs(one.base_e9) * abs(worst - PRICE_E6) // E9
        cost_e6 += -(-abs(one.base_e9) * worst // E9 // 1_000)
    fell_e6 = equity_e6(before, MARKETS) - equity_e6(after(before, *legs, tip_e6=tip_e6), MARKETS)
    assert fell_e6 >= 0
    assert abs(fell_e6 - cost_e6) <= 4 * len(legs) + 2, "but for the rounding of balances"
