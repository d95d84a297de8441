"""The rules by which the programs differ: statuses, funding, fee tiers, slot time."""

import pytest

from drift_engine.venues.errors import DecodeError, VenueError
from drift_engine.venues.program import Program
from drift_engine.venues.programs import DRIFT_V2, VELOCITY, by_name
from drift_engine.venues.wire.accounts import blank
from drift_engine.venues.wire.enums import ContractTier, MarketStatus, OracleSource, known
from drift_engine.venues.wire.perp_market import PerpMarket
from drift_engine.venues.wire.records import FeeStructure, FeeTier
from drift_engine.venues.wire.state import State
from drift_engine.venues.wire.user_stats import UserStats

BOTH = pytest.mark.parametrize("program", [VELOCITY, DRIFT_V2], ids=lambda program: program.name)
MILLION = 10**12
DAY = 24 * 3600


@BOTH
def test_a_protocol_is_found_by_its_name(program: Program) -> None:
    assert by_name(program.name) is program
    with pytest.raises(VenueError, match="no protocol is called 'drift': we know velocity and drift_v2"):
        by_name("drift")


def test_a_market_status_means_what_its_protocol_says() -> None:
    numbers = {name: program.rules.market_status(2) for name, program in (("v", VELOCITY), ("d", DRIFT_V2))}
    assert numbers == {"v": MarketStatus.REDUCE_ONLY, "d": MarketStatus.FUNDING_PAUSED}
    assert VELOCITY.rules.market_status(4) is DRIFT_V2.rules.market_status(8) is MarketStatus.DELISTED
    assert DRIFT_V2.rules.market_status_number(MarketStatus.REDUCE_ONLY) == 6
    with pytest.raises(DecodeError, match="5 is no market status: this build knows 0 to 4"):
        VELOCITY.rules.market_status(5)


def test_a_number_that_the_program_does_not_have_is_refused() -> None:
    assert known(OracleSource, 12) is OracleSource.PYTH_LAZER
    with pytest.raises(DecodeError, match="6 is no ContractTier: this build knows 0 to 5"):
        known(ContractTier, 6)


def test_funding_follows_the_protocol_s_rule_with_the_market_s_figures() -> None:
    drift, velocity = blank(DRIFT_V2, PerpMarket), blank(VELOCITY, PerpMarket)
    velocity.funding_clamp_threshold, velocity.funding_ramp_slope = 5, 1_000_000
    mark, oracle = 100_100_000, 100_000_000  # 10 bp over the oracle
    assert DRIFT_V2.rules.funding_rate_e9(drift, mark, oracle) == (100_000 + 20_000) * 1000 // 24
    assert VELOCITY.rules.funding_rate_e9(velocity, mark, oracle) == (100_000 - 50_000 + 30_003) * 1000 // 24
    velocity.funding_ramp_slope = 2_000_000
    assert VELOCITY.rules.funding_rate_e9(velocity, mark, oracle) == (100_000 + 30_003) * 1000 // 24


def exchange(program: Program, tiers: int) -> State:
    """An exchange whose tiers have their number as fee."""
    state = blank(program, State)
    fees = tuple(FeeTier(100 - tier, 100_000, 20, 100_000) if tier < tiers else FeeTier() for tier in range(10))
    state.perp_fee_structure = FeeStructure(fee_tiers=fees)
    return state


@pytest.mark.parametrize(
    ("volume", "fee"),
    [(0, 100), (2 * MILLION - 1, 100), (2 * MILLION, 99), (10 * MILLION, 98), (80 * MILLION, 96), (10**15, 95)],
)
def test_drift_s_tier_follows_the_volume(volume: int, fee: int) -> None:
    stats = blank(DRIFT_V2, UserStats)
    stats.taker_volume_30d, stats.maker_volume_30d = volume // 2, volume - volume // 2
    assert DRIFT_V2.rules.fee_tier(exchange(DRIFT_V2, 6), stats, 10 * DAY).taker[0] == fee


@pytest.mark.parametrize(
    ("staked", "fee", "rebate"),
    [(998, 100, 20), (999, 95, 21), (9_999, 90, 22), (49_999, 80, 24), (99_999, 70, 26), (249_995, 60, 28)],
)
def test_drift_s_stakers_pay_less(staked: int, fee: int, rebate: int) -> None:
    stats = blank(DRIFT_V2, UserStats)
    stats.if_staked_gov_token_amount = staked * 10**6
    tier = DRIFT_V2.rules.fee_tier(exchange(DRIFT_V2, 6), stats, 0)
    assert (tier.taker[0], tier.maker[0]) == (fee, rebate)


def test_small_discounts_round_the_fee_down_and_large_ones_up() -> None:
    stats, state = blank(DRIFT_V2, UserStats), exchange(DRIFT_V2, 6)
    state.perp_fee_structure = FeeStructure(fee_tiers=(FeeTier(99, 100_000, 19, 100_000), *(FeeTier(),) * 9))
    found = []
    for staked in (999, 99_999):
        stats.if_staked_gov_token_amount = staked * 10**6
        tier = DRIFT_V2.rules.fee_tier(state, stats, 0)
        found.append((tier.taker[0], tier.maker[0]))
    assert found == [(94, 19), (70, 24)]


def test_velocity_s_volume_fades_over_30_days() -> None:
    state, stats = exchange(VELOCITY, 3), blank(VELOCITY, UserStats)
    stats.taker_volume_30d, stats.last_taker_volume_30d_ts = 10 * MILLION, 100 * DAY
    fees = [VELOCITY.rules.fee_tier(state, stats, (100 + days) * DAY).taker[0] for days in (0, 15, 16, 30, 90)]
    assert fees == [99, 99, 100, 100, 100]


def test_velocity_s_promotion_is_a_floor_and_an_empty_tier_is_never_reached() -> None:
    state, stats = exchange(VELOCITY, 3), blank(VELOCITY, UserStats)
    state.promo_fee_tier = 1
    assert VELOCITY.rules.fee_tier(state, stats, 0).taker[0] == 99
    stats.taker_volume_30d = 500 * MILLION
    assert VELOCITY.rules.fee_tier(state, stats, 0).taker[0] == 98  # a fourth tier is not there yet
    assert VELOCITY.rules.fee_tier(exchange(VELOCITY, 4), stats, 0).taker[0] == 97


def test_a_slot_lasts_what_the_exchange_says() -> None:
    state = blank(VELOCITY, State)
    assert VELOCITY.rules.slot_ms(state, 5) == 400
    state.slot_duration_ms, state.pending_slot_duration_ms, state.slot_duration_effective_slot = 350, 300, 10
    assert [VELOCITY.rules.slot_ms(state, slot) for slot in (9, 10)] == [350, 300]
    state.slot_duration_transition_slots = (100, 200, 0, 0)
    assert [VELOCITY.rules.slot_ms(state, slot) for slot in (99, 100, 199, 200, 10**9)] == [400, 350, 350, 300, 300]
    assert DRIFT_V2.rules.slot_ms(blank(DRIFT_V2, State), 5) == 400
    assert (VELOCITY.rules.quantum_ms, DRIFT_V2.rules.quantum_ms) == (400, None)


@BOTH
def test_addresses_derive_as_known(program: Program) -> None:
    known_ = {
        "velocity": (
            "2etx5NvPNxeMZ7EfHE6GjJfW2imRYEUANehNS1WB4CVW",
            "FchXiT9JgMDis6CFLjz9uG5mQYkmDtHqiWtBPEYUabaK",
        ),
        "drift_v2": (
            "5zpq7DvB6UdFFvpmBPspGPNfUGoBRRCE2HHg5u3gxcsN",
            "JCNCMFXo5M5qwUPg2Utu1u6YWp3MbygxqBsBeXXJfrw",
        ),
    }
    assert (str(program.state), str(program.signer)) == known_[program.name]
