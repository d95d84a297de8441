"""Logs: whose a line is, what it says, why a transaction failed, and what is missing."""

import json
import random
import time
from base64 import b64encode
from pathlib import Path

import pytest
from event_values import random_event
from solders.pubkey import Pubkey

from drift_engine.venues.programs import DRIFT_V2, VELOCITY
from drift_engine.venues.wire.events.decoding import UnknownEvent
from drift_engine.venues.wire.events.markets import FundingRateRecord
from drift_engine.venues.wire.events.trading import FundingPaymentRecord, OrderActionRecord
from drift_engine.venues.wire.logs import ProgramError, attribute, error_of, parse

V, D = str(VELOCITY.program_id), str(DRIFT_V2.program_id)
OTHER = "ComputeBudget111111111111111111111111111111"
PAID = random_event(random.Random(1), VELOCITY, FundingPaymentRecord)
RATE = random_event(random.Random(2), VELOCITY, FundingRateRecord)
FILL = random_event(random.Random(3), VELOCITY, OrderActionRecord)
PAID_64, RATE_64, FILL_64 = (b64encode(VELOCITY.events.encode(event)).decode() for event in (PAID, RATE, FILL))


def test_events_belong_to_the_program_that_was_running() -> None:
    lines = [
        f"Program {OTHER} invoke [1]",
        f"Program data: {PAID_64}",  # another program may log what it likes
        f"Program {OTHER} success",
        f"Program {V} invoke [1]",
        f"Program data: {PAID_64}",
        f"Program {OTHER} invoke [2]",
        f"Program data: {RATE_64}",
        f"Program {D} invoke [3]",
        f"Program log: {FILL_64}",
        f"Program {D} success",
        f"Program {OTHER} consumed 5 of 10 compute units",
        f"Program {OTHER} success",
        f"Program log: {FILL_64}",
        f"Program {V} success",
        f"Program data: {PAID_64}",  # nobody's
    ]
    found = parse(lines)
    assert [(logged.program, logged.line) for logged in found.events] == [
        ("velocity", 4),
        ("drift_v2", 8),
        ("velocity", 12),
    ]
    assert [logged.event for logged in found.events] == [PAID, FILL, FILL]
    assert (found.error, found.truncated) == (None, False)


def test_a_log_line_that_names_a_program_moves_nothing() -> None:
    lines = [
        f"Program {OTHER} invoke [1]",
        f"Program log: Program {V} invoke [2]",
        f"Program data: {PAID_64}",
        f"Program log: Program {OTHER} success",
        f"Program data: {PAID_64}",
    ]
    assert parse(lines).events == ()


def test_several_events_on_a_line_and_one_that_is_unknown() -> None:
    lines = [f"Program {V} invoke [1]", f"Program data: {PAID_64} {b64encode(b'whatever it is').decode()} !!"]
    paid, unknown, broken = (logged.event for logged in parse(lines).events)
    assert paid == PAID
    assert unknown == UnknownEvent(b"whatever", b"whatever it is", "no event of that discriminator is known")
    assert broken == UnknownEvent(b"", b"!!", "no base64")


def test_a_message_that_happens_to_be_base64_is_no_event() -> None:
    assert parse([f"Program {V} invoke [1]", "Program log: InvalidOracleA==", "Program log: abcd"]).events == ()


def test_a_truncated_log_says_so() -> None:
    lines = [f"Program {V} invoke [1]", f"Program data: {PAID_64}", "Log truncated"]
    found = parse(lines)
    assert found.truncated
    assert [logged.event for logged in found.events] == [PAID]
    assert not parse([f"Program {V} invoke [1]", "Program log: Log truncated"]).truncated


def test_a_stack_that_lost_lines_follows_the_depth_it_is_told() -> None:
    lines = [
        f"Program {OTHER} invoke [1]",
        f"Program {OTHER} invoke [2]",
        f"Program {V} invoke [1]",
        f"Program data: {PAID_64}",
    ]
    assert [len(line.stack) for line in attribute(lines)] == [1, 2, 1, 1]
    assert len(parse(lines).events) == 1


@pytest.mark.parametrize(
    "said",
    [
        "AnchorError occurred. Error Code: InsufficientCollateral. Error Number: 6003. "
        "Error Message: Insufficient collateral.",
        "AnchorError thrown in programs/velocity/src/a.rs:1. Error Code: InsufficientCollateral. Error Number: 6003. "
        "Error Message: Insufficient collateral.",
        "AnchorError caused by account: user. Error Code: InsufficientCollateral. Error Number: 6003. "
        "Error Message: Insufficient collateral.",
    ],
)
def test_an_anchor_error_is_read_with_its_name(said: str) -> None:
    lines = [f"Program {V} invoke [1]", f"Program log: {said}", f"Program {V} failed: custom program error: 0x1773"]
    assert parse(lines).error == ProgramError("velocity", 6003, "InsufficientCollateral", "Insufficient collateral.")


def test_a_bare_code_is_named_by_the_program_s_table() -> None:
    failed = "failed: custom program error: 0x18d6"
    assert _error([f"Program {V} invoke [1]", f"Program {V} {failed}"]) == ("velocity", 6358, "EquityBelowFloor")
    assert _error([f"Program {D} invoke [1]", f"Program {D} {failed}"]) == ("drift_v2", 6358, "Custom6358")
    assert _error([f"Program {OTHER} invoke [1]", f"Program {OTHER} {failed}"]) == (OTHER, 6358, "Custom6358")


def test_a_code_newer_than_the_table_takes_the_logged_name() -> None:
    said = "Program log: AnchorError occurred. Error Code: BrandNew. Error Number: 6999. Error Message: x."
    lines = [f"Program {V} invoke [1]", said, f"Program {V} failed: custom program error: 0x1b57"]
    assert _error(lines) == ("velocity", 6999, "BrandNew")


def test_the_innermost_failure_is_the_reason() -> None:
    lines = [
        f"Program {V} invoke [1]",
        f"Program {OTHER} invoke [2]",
        f"Program {OTHER} failed: custom program error: 0x1",
        f"Program {V} failed: custom program error: 0x1",
    ]
    assert _error(lines) == (OTHER, 1, "Custom1")


def test_a_failure_without_a_code_keeps_its_words() -> None:
    lines = [f"Program {V} invoke [1]", f"Program {V} failed: exceeded CUs meter at BPF instruction"]
    found = parse(lines).error
    assert found == ProgramError("velocity", -1, "ProgramFailed", "exceeded CUs meter at BPF instruction")


def test_an_error_that_was_caught_is_none() -> None:
    said = "Program log: AnchorError occurred. Error Code: BrandNew. Error Number: 6999. Error Message: x."
    assert parse([f"Program {V} invoke [1]", said, f"Program {V} success"]).error is None


def test_the_error_tables_are_the_programs(shared: Path) -> None:
    drift = json.loads((shared / "reference" / "drift_v2_idl.json").read_text())["errors"]
    assert DRIFT_V2.errors == {error["code"]: error["name"] for error in drift}
    velocity = json.loads((shared / "reference" / "velocity_errors.json").read_text())["errorsList"].values()
    known = {error["code"]: error["name"] for error in velocity}
    assert {code: VELOCITY.errors[code] for code in known} == known


def test_codes_to_handle_have_their_names_in_both() -> None:
    both = {
        6003: "InsufficientCollateral",
        6023: "PriceBandsBreached",
        6024: "ExchangePaused",
        6035: "InvalidOracle",
        6042: "InvalidOrder",
        6054: "InvalidOrderAuction",
        6059: "OrderAmountTooSmall",
        6061: "OrderDoesNotExist",
        6087: "SpotMarketNotFound",
        6117: "UserIsBeingLiquidated",
        6154: "MaxOpenInterest",
        6239: "RevertFill",
        6259: "NoUnsettledPnl",
        6289: "PlaceAndTakeOrderSuccessConditionFailed",
    }
    for program in (VELOCITY, DRIFT_V2):
        assert {code: program.errors[code] for code in both} == both
    velocity = {
        6349: "InvalidInsuranceFundWithdrawalRecipient",
        6350: "SpotDlobTradingDisabled",
        6358: "EquityBelowFloor",
        6357: "IsolatedPositionDisabled",
        6361: "LiquidationWorsensAccountHealth",
        6364: "DailyDepositLimit",
        6371: "SpotMarketInterestStaleForMargin",
        6373: "RevenueShareOrderNotForfeitable",
    }
    assert {code: VELOCITY.errors[code] for code in velocity} == velocity
    assert max(VELOCITY.errors) == 6373
    assert (min(DRIFT_V2.errors), max(DRIFT_V2.errors)) == (6000, 6348)


@pytest.mark.parametrize(
    ("reported", "program", "code", "name"),
    [
        ({"InstructionError": [1, {"Custom": 6003}]}, "velocity", 6003, "InsufficientCollateral"),
        ({"InstructionError": [0, {"Custom": 1}]}, OTHER, 1, "Custom1"),
        ({"InstructionError": [1, "ComputationalBudgetExceeded"]}, "velocity", -1, "ComputationalBudgetExceeded"),
        ({"InstructionError": [7, {"Custom": 6003}]}, "", -1, "{'InstructionError': [7, {'Custom': 6003}]}"),
        ("BlockhashNotFound", "", -1, "BlockhashNotFound"),
        (
            {"InsufficientFundsForRent": {"account_index": 1}},
            "",
            -1,
            "{'InsufficientFundsForRent': {'account_index': 1}}",
        ),
    ],
)
def test_an_error_as_a_node_reports_it(reported: object, program: str, code: int, name: str) -> None:
    found = error_of(reported, [Pubkey.from_string(OTHER), VELOCITY.program_id])
    assert found is not None
    assert (found.program, found.code, found.name) == (program, code, name)
    assert error_of(None, []) is None


def _error(lines: list[str]) -> tuple[str, int, str]:
    found = parse(lines).error
    assert found is not None
    return found.program, found.code, found.name


@pytest.mark.parametrize(
    "words", ["AnchorError ", "AnchorError Error Code: ", "AnchorError Error Code: a. Error Number: 1"]
)
def test_a_long_line_takes_no_longer_than_its_length(words: str) -> None:
    said = words * 20_000
    lines = [f"Program {D} invoke [1]", f"Program log: {said}", f"Program {D} failed: {said}"]
    began = time.process_time()
    assert parse(lines).error is not None
    assert time.process_time() - began < 10, "a pattern that backtracks takes minutes"
