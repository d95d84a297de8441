"""Every builder, called with an instruction's random arguments, and whose addresses its accounts have to be.

Addresses are derived here from their seeds, apart from the package.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any

from solders.instruction import Instruction
from solders.pubkey import Pubkey

from drift_engine.venues.directory import PerpTerms, SpotTerms
from drift_engine.venues.instructions import accounts, fills, funds, liquidation, orders, settling, signed_messages
from drift_engine.venues.instructions.trader import Trader, trader
from drift_engine.venues.program import Program
from drift_engine.venues.wire.order_enums import SettleMode
from drift_engine.venues.wire.order_params import ModifyOrderParams, OrderParams, ScaleOrderParams

Arguments = dict[str, Any]
SYSTEM = Pubkey.default()
RENT = Pubkey.from_string("SysvarRent111111111111111111111111111111111")
SYSVAR_INSTRUCTIONS = Pubkey.from_string("Sysvar1nstructions1111111111111111111111111")
TOKEN = Pubkey.from_string("TokenkegQfeZyiNwAJbNbGKPFXCWuBvf9Ss623VQ5DA")
LAZER_STORAGE = Pubkey.from_string("3rdJbqfnagQ4yx9HXJViD4zc4xpiSqmFsKpPuSCQVyQL")


def key(tag: int) -> Pubkey:
    return Pubkey(bytes([tag]) * 32)


A, A_DELEGATE, B, PAYER, IN_TOKENS, OUT_TOKENS, ORACLE = map(key, range(1, 8))


def pda(program: Program, *seeds: bytes) -> Pubkey:
    return _derived(program.program_id, seeds)


@cache
def _derived(program_id: Pubkey, seeds: tuple[bytes, ...]) -> Pubkey:
    return Pubkey.find_program_address(list(seeds), program_id)[0]


@dataclass(frozen=True)
class Stage:
    """A program, our trader (its delegate signs), and another one. ``seeds`` is how the program's seeds begin."""

    program: Program
    seeds: str

    @property
    def us(self) -> Trader:
        return trader(self.program, A, 3, A_DELEGATE)

    @property
    def other(self) -> Trader:
        return trader(self.program, B, 0)

    def keys(self, values: Arguments) -> dict[str, Pubkey]:
        """Whom an account's name means, where the case does not say otherwise."""
        market = values.get("market_index", values.get("spot_market_index")) or 0
        own = pda(self.program, b"user", bytes(A), values.get("sub_account_id", 3).to_bytes(2, "little"))
        stats = pda(self.program, b"user_stats", bytes(A))
        other = pda(self.program, b"user", bytes(B), b"\0\0")
        other_stats = pda(self.program, b"user_stats", bytes(B))
        signer = pda(self.program, f"{self.seeds}_signer".encode())
        return {
            "state": pda(self.program, f"{self.seeds}_state".encode()),
            "user": own,
            "user_stats": stats,
            "from_user": own,
            "to_user": other,
            "taker": other,
            "taker_stats": other_stats,
            "filler": own,
            "filler_stats": stats,
            "liquidator": own,
            "liquidator_stats": stats,
            "authority": A_DELEGATE,
            "payer": PAYER,
            "rent": RENT,
            "system_program": SYSTEM,
            "token_program": TOKEN,
            "drift_signer": signer,
            "velocity_signer": signer,
            "instructions": SYSVAR_INSTRUCTIONS,
            "ix_sysvar": SYSVAR_INSTRUCTIONS,
            "user_token_account": IN_TOKENS,
            "in_token_account": IN_TOKENS,
            "out_token_account": OUT_TOKENS,
            "spot_market_vault": self.vault(market),
            "in_spot_market_vault": self.vault(values.get("in_market_index", 0)),
            "out_spot_market_vault": self.vault(values.get("out_market_index", 0)),
            "perp_market": pda(self.program, b"perp_market", market.to_bytes(2, "little")),
            "spot_market": pda(self.program, b"spot_market", market.to_bytes(2, "little")),
            "oracle": ORACLE,
            "signed_msg_user_orders": pda(self.program, b"SIGNED_MSG", bytes(A)),
            "pyth_lazer_storage": LAZER_STORAGE,
            "keeper": PAYER,
        }

    def vault(self, index: int) -> Pubkey:
        return pda(self.program, b"spot_market_vault", index.to_bytes(2, "little"))

    def perp(self, index: int) -> PerpTerms:
        address = pda(self.program, b"perp_market", index.to_bytes(2, "little"))
        return PerpTerms(index, f"PERP-{index}", address, ORACLE, 0, 0, 1, 1, 1)

    def spot(self, index: int) -> SpotTerms:
        address = pda(self.program, b"spot_market", index.to_bytes(2, "little"))
        return SpotTerms(index, f"SPOT-{index}", address, ORACLE, 0, key(9), self.vault(index), TOKEN, 9, 1, 1, 1)


Build = Callable[[Stage, Arguments], Instruction]
Whose = dict[str, Callable[[Stage], Pubkey]]


@dataclass(frozen=True)
class Case:
    build: Build
    whose: Whose


def case(build: Build, **whose: Callable[[Stage], Pubkey]) -> Case:
    return Case(build, whose)


def owner_signs(build: Build) -> Case:
    return case(build, authority=lambda _: A)


def others(build: Build) -> Case:
    """Done to the other's account by ours."""
    return case(build, user=lambda s: s.other.user, user_stats=lambda s: s.other.user_stats)


def order(v: Arguments) -> OrderParams:
    return OrderParams(**v["params"])


def text(v: Arguments) -> str:
    return str(v["name"].decode().rstrip(" "))


CASES: dict[str, Case] = {
    "initialize_user_stats": owner_signs(lambda s, v: accounts.initialize_user_stats(s.program, s.us, PAYER)),
    "initialize_user": owner_signs(lambda s, v: accounts.initialize_user(s.program, sub(s, v), text(v), PAYER)),
    "delete_user": owner_signs(lambda s, v: accounts.delete_user(s.program, s.us)),
    "reclaim_rent": owner_signs(lambda s, v: accounts.reclaim_rent(s.program, s.us)),
    "update_user_delegate": owner_signs(
        lambda s, v: accounts.update_user_delegate(s.program, sub(s, v), Pubkey(v["delegate"]))
    ),
    "update_user_custom_margin_ratio": owner_signs(
        lambda s, v: accounts.update_user_custom_margin_ratio(s.program, sub(s, v), v["margin_ratio"])
    ),
    "update_user_perp_position_custom_margin_ratio": case(
        lambda s, v: accounts.update_user_perp_position_custom_margin_ratio(
            s.program, sub(s, v), v["perp_market_index"], v["margin_ratio"]
        )
    ),
    "update_user_name": owner_signs(lambda s, v: accounts.update_user_name(s.program, sub(s, v), text(v))),
    "update_user_margin_trading_enabled": owner_signs(
        lambda s, v: accounts.update_user_margin_trading_enabled(
            s.program, sub(s, v), enabled=v["margin_trading_enabled"]
        )
    ),
    "update_user_pool_id": owner_signs(lambda s, v: accounts.update_user_pool_id(s.program, sub(s, v), v["pool_id"])),
    "update_user_reduce_only": owner_signs(
        lambda s, v: accounts.update_user_reduce_only(s.program, sub(s, v), reduce_only=v["reduce_only"])
    ),
    "deposit": case(
        lambda s, v: funds.deposit(
            s.program, s.us, v["market_index"], v["amount"], IN_TOKENS, reduce_only=v["reduce_only"]
        )
    ),
    "withdraw": owner_signs(
        lambda s, v: funds.withdraw(
            s.program, s.us, v["market_index"], v["amount"], IN_TOKENS, reduce_only=v["reduce_only"]
        )
    ),
    "transfer_deposit": owner_signs(
        lambda s, v: funds.transfer_deposit(s.program, s.us, s.other, v["market_index"], v["amount"])
    ),
    "deposit_into_isolated_perp_position": case(
        lambda s, v: funds.deposit_into_isolated_perp_position(s.program, s.us, *isolated(v), IN_TOKENS)
    ),
    "withdraw_from_isolated_perp_position": owner_signs(
        lambda s, v: funds.withdraw_from_isolated_perp_position(s.program, s.us, *isolated(v), IN_TOKENS)
    ),
    "transfer_isolated_perp_position_deposit": case(
        lambda s, v: funds.transfer_isolated_perp_position_deposit(s.program, s.us, *isolated(v))
    ),
    "begin_swap": case(
        lambda s, v: funds.begin_swap(
            s.program, s.us, v["in_market_index"], v["out_market_index"], v["amount_in"], IN_TOKENS, OUT_TOKENS
        )
    ),
    "end_swap": case(
        lambda s, v: funds.end_swap(
            s.program,
            s.us,
            v["in_market_index"],
            v["out_market_index"],
            IN_TOKENS,
            OUT_TOKENS,
            limit_price=v["limit_price"],
            reduce_only=v["reduce_only"],
        )
    ),
    "place_perp_order": case(lambda s, v: orders.place_perp_order(s.program, s.us, order(v))),
    "place_spot_order": case(lambda s, v: orders.place_spot_order(s.program, s.us, order(v))),
    "place_orders": case(
        lambda s, v: orders.place_orders(s.program, s.us, [OrderParams(**each) for each in v["params"]])
    ),
    "place_scale_orders": case(
        lambda s, v: orders.place_scale_orders(s.program, s.us, ScaleOrderParams(**v["params"]))
    ),
    "cancel_order": case(lambda s, v: orders.cancel_order(s.program, s.us, v["order_id"])),
    "cancel_orders": case(
        lambda s, v: orders.cancel_orders(s.program, s.us, v["market_type"], v["market_index"], v["direction"])
    ),
    "cancel_orders_by_ids": case(lambda s, v: orders.cancel_orders_by_ids(s.program, s.us, v["order_ids"])),
    "cancel_order_by_user_id": case(lambda s, v: orders.cancel_order_by_user_id(s.program, s.us, v["user_order_id"])),
    "modify_order": case(lambda s, v: orders.modify_order(s.program, s.us, modified(v), v["order_id"])),
    "modify_order_by_user_id": case(
        lambda s, v: orders.modify_order_by_user_id(s.program, s.us, modified(v), v["user_order_id"])
    ),
    "place_and_take_perp_order": case(
        lambda s, v: fills.place_and_take_perp_order(s.program, s.us, order(v), v["success_condition"])
    ),
    "place_and_make_perp_order": case(
        lambda s, v: fills.place_and_make_perp_order(s.program, s.us, order(v), s.other, v["taker_order_id"])
    ),
    "trigger_order": others(lambda s, v: fills.trigger_order(s.program, s.us, s.other, v["order_id"])),
    "force_cancel_orders": others(lambda s, v: fills.force_cancel_orders(s.program, s.us, s.other)),
    "fill_perp_order": others(lambda s, v: fills.fill_perp_order(s.program, s.us, s.other, v["order_id"])),
    "settle_pnl": case(
        lambda s, v: settling.settle_pnl(s.program, s.us, v["market_index"], PAYER),
        authority=lambda _: PAYER,
        spot_market_vault=lambda s: s.vault(0),
    ),
    "settle_multiple_pnls": case(
        lambda s, v: settling.settle_multiple_pnls(s.program, s.us, v["market_indexes"], PAYER, SettleMode(v["mode"])),
        authority=lambda _: PAYER,
        spot_market_vault=lambda s: s.vault(0),
    ),
    "settle_funding_payment": case(lambda s, v: settling.settle_funding_payment(s.program, s.us)),
    "update_funding_rate": case(lambda s, v: settling.update_funding_rate(s.program, s.perp(v["market_index"]))),
    "update_amms": case(
        lambda s, v: settling.update_amms(s.program, [s.perp(each) for each in v["market_indexes"]], PAYER),
        authority=lambda _: PAYER,
    ),
    "update_spot_market_cumulative_interest": case(
        lambda s, v: settling.update_spot_market_cumulative_interest(s.program, s.spot(0))
    ),
    "initialize_signed_msg_user_orders": owner_signs(
        lambda s, v: signed_messages.initialize_signed_msg_user_orders(s.program, s.us, v["num_orders"], PAYER)
    ),
    "resize_signed_msg_user_orders": owner_signs(
        lambda s, v: signed_messages.resize_signed_msg_user_orders(s.program, s.us, v["num_orders"], PAYER)
    ),
    "liquidate_perp": others(
        lambda s, v: liquidation.liquidate_perp(
            s.program, s.us, s.other, v["market_index"], v["liquidator_max_base_asset_amount"], v["limit_price"]
        )
    ),
    "liquidate_perp_with_fill": others(
        lambda s, v: liquidation.liquidate_perp_with_fill(s.program, s.us, s.other, v["market_index"])
    ),
    "liquidate_spot": others(
        lambda s, v: liquidation.liquidate_spot(
            s.program,
            s.us,
            s.other,
            v["asset_market_index"],
            v["liability_market_index"],
            v["liquidator_max_liability_transfer"],
            v["limit_price"],
        )
    ),
    "liquidate_borrow_for_perp_pnl": others(
        lambda s, v: liquidation.liquidate_borrow_for_perp_pnl(s.program, s.us, s.other, *four(v))
    ),
    "liquidate_perp_pnl_for_deposit": others(
        lambda s, v: liquidation.liquidate_perp_pnl_for_deposit(s.program, s.us, s.other, *four(v))
    ),
    "set_user_status_to_being_liquidated": others(
        lambda s, v: liquidation.set_user_status_to_being_liquidated(s.program, s.other, A_DELEGATE)
    ),
}


def sub(stage: Stage, v: Arguments) -> Trader:
    return trader(stage.program, A, v["sub_account_id"], A_DELEGATE)


def isolated(v: Arguments) -> tuple[int, int, int]:
    return v["spot_market_index"], v["perp_market_index"], v["amount"]


def modified(v: Arguments) -> ModifyOrderParams:
    return ModifyOrderParams(**v["modify_order_params"])


def four(v: Arguments) -> tuple[int, int, int, int | None]:
    market, other, amount, limit = v.values()
    return market, other, amount, limit
