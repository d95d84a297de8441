"""Hand-made statuses in the shape of ``DriftEngine.get_status``."""

from typing import Any

NOW_NS = 1_767_364_200 * 10**9


def carry() -> dict[str, Any]:
    """A delta-neutral position that receives funding."""
    return {
        "name": "drift-delta_neutral",
        "mode": "paper",
        "simulated": True,
        "venue": "sim",
        "market": "SOL-PERP",
        "scenario": "calm_carry",
        "now_ns": NOW_NS,
        "seq": 4_321,
        "trading": "ACTIVE",
        "reason": "",
        "latched": False,
        "disputed": False,
        "closing": 0,
        "equity_e6": 10_012_345_678,
        "net_deposits_e6": 10_000_000_000,
        "margin": {
            "status": "known",
            "health": 0.9385,
            "leverage": 0.9912,
            "collateral_e6": 9_512_345_678,
            "maintenance_e6": 149_123_456,
            "free_e6": 8_765_432_100,
            "as_of_ns": NOW_NS,
        },
        "positions": [
            {
                "market": "SOL-PERP",
                "kind": "perp",
                "base_e9": -33_150_000_000,
                "entry_e6": 150_123_400,
                "oracle_e6": 151_234_500,
                "value_e6": -36_833_000,
                "liquidation_price_e6": 412_100_000,
                "funding_e9": 5_120_000,
            },
            {
                "market": "USDC",
                "kind": "spot",
                "base_e9": 5_023_456_789_000,
                "oracle_e6": None,
                "value_e6": 5_023_456_789,
            },
            {
                "market": "SOL",
                "kind": "spot",
                "base_e9": 33_150_012_345,
                "oracle_e6": 151_234_500,
                "value_e6": 5_013_423_000,
            },
        ],
        "net_delta_e9": {"SOL": 12_345},
        "markets": {
            "SOL-PERP": {
                "oracle_e6": 151_234_500,
                "mark_e6": 151_300_000,
                "funding_e9": 5_120_000,
                "deposit_rate_e6": None,
                "borrow_rate_e6": None,
                "status": "active",
                "ts_ns": NOW_NS,
            },
            "SOL": {
                "oracle_e6": 151_234_500,
                "mark_e6": None,
                "funding_e9": None,
                "deposit_rate_e6": 30_000,
                "borrow_rate_e6": 60_000,
                "status": "active",
                "ts_ns": NOW_NS,
            },
        },
        "pnl": {
            "price_e6": 1_234,
            "basis_e6": -1_612_000,
            "funding_e6": 24_123_456,
            "interest_e6": 812_345,
            "fees_e6": -9_950_000,
            "tips_e6": 0,
            "slippage_e6": -1_029_357,
            "liquidation_e6": 0,
            "total_e6": 12_345_678,
        },
        "strategy_status": {"phase": "hedged", "carry_e6": 221_000, "breach": False, "bad_checks": 0},
        "last_decision": {
            "ts_ns": NOW_NS - 3_600 * 10**9,
            "plan_id": "p3",
            "reason": "enter: the carry [expected 22 % a year] outlasts its costs",
            "approved": True,
            "emergency": False,
            "legs": [
                {
                    "market": "SOL",
                    "base_e9": 33_150_000_000,
                    "limit_e6": 150_980_000,
                    "kind": "spot",
                    "reduce_only": False,
                },
                {
                    "market": "SOL-PERP",
                    "base_e9": -33_150_000_000,
                    "limit_e6": 149_480_000,
                    "kind": "perp",
                    "reduce_only": False,
                },
            ],
            "refusals": [],
            "marks": [],
        },
        "in_flight": [],
        "tally": {
            "ticks": 12_345,
            "trades": 4,
            "refusals": {"edge": 2},
            "funding_settlements": 41,
            "liquidations": 0,
            "min_health": 0.9312,
        },
    }


def unknown() -> dict[str, Any]:
    """Before the first price: nothing is known."""
    status = carry()
    status["margin"] = {"status": "unknown", "health": None, "leverage": None}
    status["positions"][0] |= {"oracle_e6": None, "value_e6": None, "liquidation_price_e6": None}
    status["markets"]["SOL-PERP"] |= {"oracle_e6": None, "mark_e6": None, "funding_e9": None}
    status["last_decision"] = None
    return status


def halted() -> dict[str, Any]:
    """After an emergency close that the account breaker started."""
    status = carry()
    status |= {
        "trading": "HALTED",
        "latched": True,
        "reason": "flat: nothing left; equity 10.2 % under its high-water mark",
    }
    status |= {"positions": [], "net_delta_e9": {}, "in_flight": ["p4"]}
    status["margin"] |= {"health": 0.12}
    status["last_decision"] |= {
        "approved": False,
        "plan_id": "p4",
        "refusals": ["trading state: HALTED", "edge: 1 < 2"],
    }
    return status
