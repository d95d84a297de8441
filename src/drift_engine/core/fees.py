"""What a fill costs and earns: taker, maker, referee, referrer, filler, builder.

Fees are fractions of the traded quote amount; a taker's rounds up, a rebate down. A market adjusts both by a
percentage. What differs between the programs is a record: Velocity adds a market's own surcharge, has a floor under
everyone's tier and no high-leverage mode, in which Drift v2 doubles the fee of tier 0.

Sources: ``math/fees.rs`` of both programs.
"""

from collections.abc import Mapping, Sequence
from math import isqrt

from msgspec import Struct, structs

from drift_engine.core.units import E6, ceil_div

_WHOLE_ADJUSTMENT = 100
_TENTH_BPS = 100_000
_TEN_BPS = 100_000


class FeeTier(Struct, frozen=True, gc=False):
    """One tier: four fractions of a traded quote amount, or of the fee (referrer and referee)."""

    taker: tuple[int, int]
    maker: tuple[int, int]
    referrer: tuple[int, int] = (0, 1)
    referee: tuple[int, int] = (0, 1)


class FeeRules(Struct, frozen=True):
    """How a program chooses a tier: volumes of 30 days (quote 1e6), and the stakes that make Drift v2's cheaper."""

    volumes_e6: tuple[int, ...]
    stakes_e6: tuple[int, ...] = ()
    stake_percents: tuple[int, ...] = (0,)


DRIFT_V2 = FeeRules(
    volumes_e6=tuple(millions * E6 * E6 for millions in (2, 10, 20, 80, 200)),
    stakes_e6=tuple(tokens * E6 for tokens in (999, 9_999, 49_999, 99_999, 249_995)),
    stake_percents=(0, 5, 10, 20, 30, 40),
)
VELOCITY = FeeRules(volumes_e6=tuple(millions * E6 * E6 for millions in (5, 80, 200)))
"""The last threshold came with a fourth tier; where the chain has three, that one is empty and never reached."""
RULES: Mapping[str, FeeRules] = {"drift_v2": DRIFT_V2, "velocity": VELOCITY}


class Filler(Struct, frozen=True, gc=False):
    """What a keeper earns: a share of the fee, or less by the order's age (``OrderFillerRewardStructure``)."""

    numerator: int
    denominator: int
    least_e6: int


class FillFees(Struct, frozen=True, gc=False):
    """The fees of one fill, in quote 1e6. ``market_e6`` is what is left for the exchange, before Velocity splits it."""

    taker_e6: int
    maker_rebate_e6: int
    referee_discount_e6: int
    referrer_e6: int
    filler_e6: int
    builder_e6: int
    market_e6: int


def tier_of(
    tiers: Sequence[FeeTier],
    rules: FeeRules,
    volume_e6: int,
    *,
    stake_e6: int = 0,
    promo: int = 0,
    leveraged: bool = False,
) -> FeeTier:
    """Return an account's tier by its volume of 30 days; ``promo`` is Velocity's floor, ``stake_e6`` Drift's stake."""
    if leveraged:
        return tiers[0]
    index = _rank(volume_e6, rules.volumes_e6)
    tier = tiers[max(index, min(promo, len(rules.volumes_e6)))]
    percent = rules.stake_percents[_rank(stake_e6, rules.stakes_e6)]
    return _cheaper(tier, percent) if percent else tier


def _rank(amount: int, thresholds: Sequence[int]) -> int:
    return next((index for index, least in enumerate(thresholds) if amount < least), len(thresholds))


def _cheaper(tier: FeeTier, percent: int) -> FeeTier:
    """Return a tier with a stake's discount: up to a fifth the discount rounds up, beyond it the fee does."""
    (fee, whole), (rebate, of) = tier.taker, tier.maker
    less = fee - ceil_div(fee * percent, 100) if percent <= 20 else ceil_div(fee * (100 - percent), 100)
    return structs.replace(tier, taker=(less, whole), maker=(rebate * (100 + percent) // 100, of))


def taker_fee_e6(
    quote_e6: int, tier: FeeTier, adjustment_pct: int = 0, addon_tenth_bps: int = 0, *, leveraged: bool = False
) -> int:
    """Return a taker's fee of a traded amount, before a referee's discount."""
    numerator, denominator = tier.taker
    fee = ceil_div(quote_e6 * numerator, denominator) + quote_e6 * addon_tenth_bps // _TENTH_BPS
    if adjustment_pct < 0:
        fee -= fee * -adjustment_pct // _WHOLE_ADJUSTMENT
    else:
        fee += ceil_div(fee * adjustment_pct, _WHOLE_ADJUSTMENT)
    return fee * 2 if leveraged else fee


def maker_rebate_e6(quote_e6: int, tier: FeeTier, adjustment_pct: int = 0) -> int:
    """Return what a maker gets of a traded amount."""
    numerator, denominator = tier.maker
    rebate = quote_e6 * numerator // denominator
    if adjustment_pct < 0:
        return rebate - ceil_div(rebate * -adjustment_pct, _WHOLE_ADJUSTMENT)
    return rebate + rebate * adjustment_pct // _WHOLE_ADJUSTMENT


def filler_reward_e6(fee_e6: int, filler: Filler, age: int, multiplier: int = 0) -> int:
    """Return what a keeper earns of a fee; ``age`` is the order's in slots (Drift v2) or units of 400 ms (Velocity)."""
    by_size = fee_e6 * filler.numerator // filler.denominator
    least = filler.least_e6 * min(max(multiplier, _TEN_BPS), _TEN_BPS * 100) // _TEN_BPS
    by_time = isqrt(isqrt(max(1, age) * 100_000_000)) * least // 100
    return min(by_size, by_time)


def builder_fee_e6(quote_e6: int, tenth_bps: int) -> int:
    """Return what goes to the builder of a taker's order."""
    return quote_e6 * tenth_bps // _TENTH_BPS


def fill_fees(
    quote_e6: int,
    taker: FeeTier,
    maker: FeeTier | None,
    *,
    adjustment_pct: int = 0,
    addon_tenth_bps: int = 0,
    leveraged: bool = False,
    referred: bool = False,
    referrer_left_e6: int | None = None,
    filler: Filler | None = None,
    age: int = 0,
    multiplier: int = 0,
    builder_tenth_bps: int = 0,
    surplus_e6: int = 0,
) -> FillFees:
    """Return the fees of one fill. ``maker`` is ``None`` where the vAMM fills, which adds its ``surplus_e6``.

    ``referrer_left_e6`` is what a referrer may still earn in the epoch (Drift v2), ``None`` for no limit.
    """
    fee = taker_fee_e6(quote_e6, taker, adjustment_pct, addon_tenth_bps, leveraged=leveraged)
    discount = reward = 0
    if referred:
        discount, reward = (fee * part // whole for part, whole in (taker.referee, taker.referrer))
        fee -= discount
        reward = reward if referrer_left_e6 is None else min(reward, max(0, referrer_left_e6))
    filled = 0 if filler is None else filler_reward_e6(fee, filler, age, multiplier)
    rebate = 0 if maker is None else maker_rebate_e6(quote_e6, maker, adjustment_pct)
    left = fee - filled - reward - rebate + surplus_e6
    return FillFees(fee, rebate, discount, reward, filled, builder_fee_e6(quote_e6, builder_tenth_bps), left)


def resting_fees(quote_e6: int, tier: FeeTier, surplus_e6: int, adjustment_pct: int = 0) -> FillFees:
    """Return the fees of a post-only order that the vAMM fills: it pays nothing and gets its rebate of the surplus."""
    rebate = maker_rebate_e6(quote_e6, tier, adjustment_pct)
    return FillFees(0, rebate, 0, 0, 0, 0, surplus_e6 - rebate)


def split_e6(remainder_e6: int, amm_pct: int, insurance_pct: int) -> tuple[int, int, int]:
    """Return how Velocity splits what is left of a fee: to the vAMM, to the insurance fund, to the protocol."""
    amm, insurance = (remainder_e6 * percent // _WHOLE_ADJUSTMENT for percent in (amm_pct, insurance_pct))
    return amm, insurance, remainder_e6 - amm - insurance
