"""What each instruction's bytes begin with, its accounts (``*`` writable, ``!`` signer), its arguments.

Source: the programs' IDLs (Drift v2 v2.162.0, Velocity of 2026-06-11), read into lines. The tests that read the IDLs
themselves need the shared folder; with these lines the builders are held to the same facts anywhere.
"""

import re
from dataclasses import dataclass

FACTS = """
both initialize_user_stats fef34862fb82a8d5
    user_stats* state* authority payer*! rent system_program
both initialize_user 6f11b9fa3c7a26fe
    user* user_stats* state* authority payer*! rent system_program
    (sub_account_id u16, name u8*32)
both delete_user ba5511f9dbe762fb
    user* user_stats* state* authority*!
both reclaim_rent dac813c5e359c016
    user* user_stats* state authority! rent
both update_user_delegate 8bcd8d8d71245ebb
    user* authority!
    (sub_account_id u16, delegate pubkey)
both update_user_custom_margin_ratio 15dd8cbb20810b7b
    user* authority!
    (sub_account_id u16, margin_ratio u32)
both update_user_perp_position_custom_margin_ratio 79899d9b59ba9171
    user* authority!
    (sub_account_id u16, perp_market_index u16, margin_ratio u16)
both update_user_name 8719b938a5352288
    user* authority!
    (sub_account_id u16, name u8*32)
both update_user_margin_trading_enabled c25cccdff6bc1fcb
    user* authority!
    (sub_account_id u16, margin_trading_enabled bool)
both update_user_pool_id db56496a38da806d
    user* authority!
    (sub_account_id u16, pool_id u8)
both update_user_reduce_only c7472a439013566d
    user* authority!
    (sub_account_id u16, reduce_only bool)
both deposit f223c68952e1f2b6
    state user* user_stats* authority! spot_market_vault* user_token_account* token_program
    (market_index u16, amount u64, reduce_only bool)
both withdraw b712469c946da122
    state user* user_stats* authority! spot_market_vault* signer user_token_account* token_program
    (market_index u16, amount u64, reduce_only bool)
both transfer_deposit 141493df293fcc6f
    from_user* to_user* user_stats* authority! state spot_market_vault
    (market_index u16, amount u64)
both deposit_into_isolated_perp_position 6530ff997f79aa1a
    state user* user_stats* authority! spot_market_vault* user_token_account* token_program
    (spot_market_index u16, perp_market_index u16, amount u64)
both withdraw_from_isolated_perp_position 255cb2958c4c9f87
    state user* user_stats* authority! spot_market_vault* signer user_token_account* token_program
    (spot_market_index u16, perp_market_index u16, amount u64)
both transfer_isolated_perp_position_deposit c983f2e455e246ed
    user* user_stats* authority! state spot_market_vault
    (spot_market_index u16, perp_market_index u16, amount i64)
both begin_swap ae6de401f269e869
    state user* user_stats* authority! out_spot_market_vault* in_spot_market_vault* out_token_account*
    in_token_account* token_program signer instructions
    (in_market_index u16, out_market_index u16, amount_in u64)
both end_swap b1b81bc1220dd291
    state user* user_stats* authority! out_spot_market_vault* in_spot_market_vault* out_token_account*
    in_token_account* token_program signer instructions
    (in_market_index u16, out_market_index u16, limit_price option<u64>, reduce_only option<u8>)
both place_perp_order 45a15dca787e4cb9
    state user* authority!
    (params OrderParams)
drift_v2 place_spot_order 2d4f51a0f85a5bdc
    state user* authority!
    (params OrderParams)
both place_orders 3c3f327b0cc53cbe
    state user* authority!
    (params vec<OrderParams>)
both place_scale_orders 81f94637b1fafc5e
    state user* authority!
    (params ScaleOrderParams)
both cancel_order 5f81edf00831df84
    state user* authority!
    (order_id option<u32>)
both cancel_orders eee15f9ee36708c2
    state user* authority!
    (market_type option<u8>, market_index option<u16>, direction option<u8>)
both cancel_orders_by_ids 861390a55ef0d25e
    state user* authority!
    (order_ids vec<u32>)
both cancel_order_by_user_id 6bd3fa8512253964
    state user* authority!
    (user_order_id u8)
both modify_order 2f7c75ffc9c5825e
    state user* authority!
    (order_id option<u32>, modify_order_params ModifyOrderParams)
both modify_order_by_user_id 9e4d04fdfcc2a1b3
    state user* authority!
    (user_order_id u8, modify_order_params ModifyOrderParams)
both place_and_take_perp_order d53301bb6cdce6e0
    state user* user_stats* authority!
    (params OrderParams, success_condition option<u32>)
both place_and_make_perp_order 95750bed2f5f59ed
    state user* user_stats* taker* taker_stats* authority!
    (params OrderParams, taker_order_id u32)
both trigger_order 3f7033e9e82ff0c7
    state authority! filler* user*
    (order_id u32)
both force_cancel_orders 40b5c43fde4840e8
    state authority! filler* user*
both fill_perp_order 0dbcf86786d96af0
    state authority! filler* filler_stats* user* user_stats*
    (order_id option<u32>, maker_order_id option<u32>)
both settle_pnl 2b3dea2d0f5f9899
    state user* authority! spot_market_vault
    (market_index u16)
both settle_multiple_pnls 7f4275392832987f
    state user* authority! spot_market_vault
    (market_indexes vec<u16>, mode u8)
both settle_funding_payment de5aca5e1c2d73b7
    state user*
both update_funding_rate c9b274d4a69048ee
    state perp_market* oracle
    (market_index u16)
both update_amms c96ad9fd04afe461
    state authority!
    (market_indexes vec<u16>)
both update_spot_market_cumulative_interest 27a68bf39ea59be1
    state spot_market* oracle spot_market_vault
both initialize_signed_msg_user_orders a4639c7e9c3963b4
    signed_msg_user_orders* authority payer*! rent system_program
    (num_orders u16)
both resize_signed_msg_user_orders 890a579612734fa8
    signed_msg_user_orders* authority user payer*! system_program
    (num_orders u16)
both liquidate_perp 4b2377f7bf128b02
    state authority! liquidator* liquidator_stats* user* user_stats*
    (market_index u16, liquidator_max_base_asset_amount u64, limit_price option<u64>)
both liquidate_perp_with_fill 5f6f7c6956a9bb22
    state authority! liquidator* liquidator_stats* user* user_stats*
    (market_index u16)
drift_v2 liquidate_spot 6b00802923e5fb12
    state authority! liquidator* liquidator_stats* user* user_stats*
    (asset_market_index u16, liability_market_index u16, liquidator_max_liability_transfer u128, limit_price
    option<u64>)
velocity liquidate_spot 6b00802923e5fb12
    state authority! liquidator* user*
    (asset_market_index u16, liability_market_index u16, liquidator_max_liability_transfer u128, limit_price
    option<u64>)
both liquidate_borrow_for_perp_pnl a911205acf94d11b
    state authority! liquidator* liquidator_stats* user* user_stats*
    (perp_market_index u16, spot_market_index u16, liquidator_max_liability_transfer u128, limit_price
    option<u64>)
both liquidate_perp_pnl_for_deposit ed4bc6ebe9ba4b23
    state authority! liquidator* liquidator_stats* user* user_stats*
    (perp_market_index u16, spot_market_index u16, liquidator_max_pnl_transfer u128, limit_price option<u64>)
both set_user_status_to_being_liquidated 6a85a0cec1abc0c2
    state user* authority!
"""


@dataclass(frozen=True)
class Fact:
    """One instruction of one protocol, or of ``both``."""

    protocol: str
    name: str
    head: bytes
    accounts: list[tuple[str, bool, bool]]
    arguments: list[tuple[str, str]]


def facts() -> list[Fact]:
    """Return what is written down above."""
    return [_fact(*block.split("\n", 1)) for block in re.split(r"\n(?=\w)", FACTS.strip())]


def _fact(first: str, rest: str) -> Fact:
    protocol, name, head = first.split()
    accounts, _, arguments = rest.partition("(")
    flags = [(each.rstrip("*!"), "!" in each, "*" in each) for each in accounts.split()]
    pairs = [each.split() for each in arguments.strip(" )\n").split(",") if each]
    return Fact(protocol, name, bytes.fromhex(head), flags, [(argument, kind) for argument, kind in pairs])
