"""Sizes and key offsets, written down from the programs' sources: the layouts must agree without any file beside."""

import pytest

from drift_engine.venues.program import Program
from drift_engine.venues.programs import DRIFT_V2, VELOCITY
from drift_engine.venues.wire.layout import discriminator

SIZES = {
    "velocity": {"user": 4496, "user_stats": 240, "perp_market": 1304, "spot_market": 808, "state": 1752},
    "drift_v2": {"user": 4376, "user_stats": 240, "perp_market": 1216, "spot_market": 776, "state": 992},
}
HEADS = {
    "user": "9f755fe3ef973aec",
    "user_stats": "b0df881b7a4f20e3",
    "perp_market": "0adf0c2c6bf537f7",
    "spot_market": "64b1086ba8414127",
    "state": "d8926b5e684bb6b1",
    "pyth_lazer_oracle": "9f07a1f922517985",
}
USER = {
    "velocity": "orders 1064 total_deposits 4392 last_active_slot 4448 next_order_id 4456 max_margin_ratio 4460 "
    "sub_account_id 4466 status 4468 has_open_auction 4474 pool_id 4475 equity_floor 4480 equity_floor_buffer 4488",
    "drift_v2": "orders 1192 last_add_perp_lp_shares_ts 4264 total_deposits 4272 last_active_slot 4328 "
    "next_order_id 4336 max_margin_ratio 4340 sub_account_id 4346 status 4348 margin_mode 4355 pool_id 4356",
}
PERP = {
    "velocity": "base_asset_amount_long 40 max_open_interest 152 cumulative_funding_rate_long 184 oracle 312 "
    "pnl_pool 344 fee_pool_buffer_target 416 name 424 insurance_claim 456 last_funding_rate_ts 520 "
    "funding_clamp_threshold 536 order_step_size 544 order_tick_size 552 imf_factor 600 margin_ratio_initial 616 "
    "market_index 640 status 642 contract_tier 644 fee_adjustment 648 last_fill_price 656 oracle_source 673 "
    "bankruptcy_if_floor_pct 676 last_mark_price_twap 680 funding_period 784 min_order_size 792 mm_oracle_price 800 "
    "mm_oracle_slot 808 last_oracle_valid 836 historical_oracle_data 848 pending_revenue_share 896 fee_pool 904 "
    "base_asset_reserve 936 sqrt_k 1016 peg_multiplier 1032 base_asset_amount_with_amm 1064 last_update_slot 1208 "
    "base_spread 1256 reference_price_offset 1272 lp_pool_id 1288",
    "drift_v2": "oracle 40 historical_oracle_data 72 base_asset_amount_long 304 base_asset_amount_short 320 "
    "base_asset_amount_with_amm 336 max_open_interest 368 last_funding_rate 480 cumulative_funding_rate_long 608 "
    "cumulative_funding_rate_short 624 last_mark_price_twap 752 last_funding_rate_ts 792 funding_period 800 "
    "order_step_size 808 order_tick_size 816 min_order_size 824 mm_oracle_price 912 oracle_source 926 pnl_pool 976 "
    "name 1000 unrealized_pnl_max_imbalance 1072 imf_factor 1120 margin_ratio_initial 1136 "
    "margin_ratio_maintenance 1140 unrealized_pnl_initial_asset_weight 1144 market_index 1160 status 1162 "
    "contract_tier 1164 paused_operations 1165",
}
SPOT = {
    "velocity": "oracle 40 mint 72 vault 104 name 136 insurance_fund 168 deposit_balance 296 "
    "cumulative_deposit_interest 328 revenue_pool 392 historical_oracle_data 456 historical_index_data 504 "
    "max_token_deposits 552 last_interest_ts 584 order_step_size 608 initial_asset_weight 656 imf_factor 672 "
    "optimal_utilization 684 decimals 696 market_index 700 oracle_source 703 status 704 "
    "scale_initial_asset_weight_start 736 min_borrow_rate 744 pool_id 746 withdraw_circuit_breaker_pct 748 "
    "deposit_guard_threshold 752 protocol_fee_pool 760 protocol_fee_factor 796 if_last_settle_vault_amount 800",
    "drift_v2": "historical_oracle_data 168 revenue_pool 256 deposit_balance 432 borrow_balance 448 "
    "cumulative_deposit_interest 464 cumulative_borrow_interest 480 initial_asset_weight 640 decimals 680 "
    "market_index 684 status 688",
}
STATE = {
    "velocity": "cold_admin 8 hot_amm_crank 104 whitelist_mint 424 discount_mint 456 signer 488 perp_fee_structure 552 "
    "spot_fee_structure 920 oracle_guard_rails 1288 liquidation_margin_buffer_ratio 1352 settlement_duration 1356 "
    "number_of_markets 1358 signer_nonce 1362 min_perp_auction_duration 1363 exchange_status 1366 "
    "initial_pct_to_liquidate 1368 solvency_status 1376 promo_fee_tier 1505 slot_duration_ms 1506 "
    "slot_duration_effective_slot 1512",
    "drift_v2": "perp_fee_structure 168 oracle_guard_rails 888 liquidation_margin_buffer_ratio 960 "
    "min_perp_auction_duration 971 exchange_status 974",
}
STATS = {
    "velocity": "fees 72 maker_volume_30d 104 taker_volume_30d 112 if_staked_quote_asset_amount 152 "
    "number_of_sub_accounts 160 referrer_status 164 paused_operations 166 delegate_permissions 176 "
    "equity_breaker_tripped 177",
    "drift_v2": "fees 72 next_epoch_ts 120 maker_volume_30d 128 taker_volume_30d 136 if_staked_quote_asset_amount 176 "
    "number_of_sub_accounts 184 if_staked_gov_token_amount 216",
}
SLOTS = ("SpotPosition", "PerpPosition", "Order")
TABLES = {"user": USER, "perp_market": PERP, "spot_market": SPOT, "state": STATE, "user_stats": STATS}


@pytest.mark.parametrize("program", [VELOCITY, DRIFT_V2], ids=lambda program: program.name)
def test_accounts_have_their_size_and_their_first_eight_bytes(program: Program) -> None:
    for kind, size in SIZES[program.name].items():
        assert getattr(program.layouts, kind).size == size, kind
    for kind, head in HEADS.items():
        assert getattr(program.layouts, kind).head.hex() == head, kind


@pytest.mark.parametrize("kind", TABLES)
@pytest.mark.parametrize("program", [VELOCITY, DRIFT_V2], ids=lambda program: program.name)
def test_fields_lie_where_the_program_puts_them(program: Program, kind: str) -> None:
    words = TABLES[kind][program.name].split()
    expected = dict(zip(words[::2], map(int, words[1::2]), strict=True))
    offsets = getattr(program.layouts, kind).offsets
    assert {field: offsets[field] for field in expected} == expected


def test_positions_and_orders_have_the_sizes_of_their_protocol() -> None:
    sizes = {
        program.name: [program.layouts.user.records[name].format.size for name in SLOTS]
        for program in (VELOCITY, DRIFT_V2)
    }
    assert sizes == {"velocity": [40, 80, 104], "drift_v2": [40, 96, 96]}


def test_an_order_s_fields_lie_where_the_program_puts_them() -> None:
    velocity, drift = (program.layouts.user.records["Order"].offsets for program in (VELOCITY, DRIFT_V2))
    assert [velocity[name] for name in ("oracle_price_offset", "order_id", "market_index", "status", "bit_flags")] == [
        *(72, 80, 84, 86, 98)
    ]
    assert [drift[name] for name in ("oracle_price_offset", "order_id", "market_index", "status", "bit_flags")] == [
        *(72, 76, 80, 82, 94)
    ]


def test_the_discriminator_is_anchor_s() -> None:
    assert discriminator("place_perp_order", "global").hex() == "45a15dca787e4cb9"
