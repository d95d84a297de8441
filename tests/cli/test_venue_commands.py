"""``markets``, ``account`` and ``funding`` against a served venue, on both protocols."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from chain_stage import ALICE, E6, NOBODY, Stage, clear_of_the_hour, staged
from cli_runner import Ask, Cli, asking, runner
from msgspec import structs

from drift_engine.core.funding import rate_drift_e9, rate_velocity_e9
from drift_engine.core.units import E9
from drift_engine.venues import addresses
from drift_engine.venues.instructions import accounts
from drift_engine.venues.instructions.trader import trader
from drift_engine.venues.programs import DRIFT_V2, VELOCITY
from drift_engine.venues.wire.order_enums import Direction, OrderType
from drift_engine.venues.wire.order_params import OrderParams


@pytest.fixture
def cli(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Cli:
    monkeypatch.delenv("DRIFT_ENGINE_KEY", raising=False)
    monkeypatch.delenv("DRIFT_ENGINE_RPC", raising=False)
    return runner(tmp_path, monkeypatch, capsys)


@pytest.fixture
def ask(cli: Cli) -> Ask:
    return asking(cli)


@pytest.fixture(params=[VELOCITY, DRIFT_V2], ids=lambda program: program.name)
def stage(request: pytest.FixtureRequest) -> Iterator[Stage]:
    with staged(request.param) as found:
        yield found


@pytest.fixture
def velocity() -> Iterator[Stage]:
    with staged(VELOCITY) as found:
        yield found


def at(stage: Stage) -> tuple[str, ...]:
    return ("--venue", stage.program.name, "--rpc", stage.url)


def test_markets_say_what_the_accounts_say(stage: Stage, ask: Ask, cli: Cli) -> None:
    found = ask("markets", *at(stage))
    assert (found["venue"], found["program"]) == (stage.program.name, str(stage.program.program_id))
    assert [market["name"] for market in found["perps"]] == ["SOL-PERP", "BTC-PERP", "ETH-PERP"]
    assert [market["name"] for market in found["spots"]] == [stage.program.quote, "SOL"]
    sol, account = found["perps"][0], stage.perp(0)
    assert (sol["oracle_e6"], sol["mark_e6"], sol["status"], sol["problems"]) == (150 * E6, 150 * E6, "Active", [])
    assert (sol["tick_e6"], sol["step_e9"]) == (account.order_tick_size, account.order_step_size)
    assert (sol["margin_initial_e4"], sol["imf_e6"]) == (account.margin_ratio_initial, account.imf_factor)
    assert (sol["bid_e6"], sol["ask_e6"]) == (149_985_000, 150_015_000)
    assert sol["oracle"]["good_for_margin"]
    quote = found["spots"][0]
    assert quote["vault"] == quote["deposits"] > 0
    assert quote["asset_weight_initial_e4"] == 10_000

    for columns in ("80", "140"):
        code, out, err = cli("markets", *at(stage))
        assert (code, err) == (0, "")
        assert "SOL-PERP" in out
        assert max(map(len, out.splitlines())) <= int(columns) + 20


def test_one_market_by_name_and_an_unknown_one(velocity: Stage, ask: Ask, cli: Cli) -> None:
    found = ask("markets", "btc-perp", *at(velocity))
    assert [market["name"] for market in found["perps"]] == ["BTC-PERP"]
    assert found["spots"] == []
    code, out, _ = cli("markets", "SOL", *at(velocity))
    assert code == 0
    assert "liability weight initial" in out
    lines = [" ".join(line.split()) for line in cli("markets", "SOL-PERP", *at(velocity))[1].splitlines()]
    assert "funding for an hour 0 USD per SOL (0.0000 %)" in lines
    assert any(line.startswith("last funding 20") and line.endswith("UTC") for line in lines)
    assert {"24 h volume 0 USD", "added to the taker fee 0 bp", "fees and rebates changed by 0 %"} <= set(lines)
    assert {"margin initial 5 %", "taker fee 4 bp", "open interest 0 SOL"} <= set(lines)
    code, out, err = cli("markets", "DOGE-PERP", *at(velocity))
    assert (code, out, err.count("\n")) == (2, "", 1)
    assert "SOL-PERP" in err


def test_interest_and_utilisation_follow_a_borrow(velocity: Stage, ask: Ask) -> None:
    layout = VELOCITY.layouts.spot_market
    address = addresses.spot_market(VELOCITY.program_id, 1)
    balance = velocity.spot(1).deposit_balance
    velocity.patch(address, layout.offsets["borrow_balance"], (balance // 2).to_bytes(16, "little"))
    (sol,) = ask("markets", "SOL", *at(velocity))["spots"]
    assert abs(sol["utilisation_e6"] - 500_000) <= 1
    assert 0 < sol["deposit_rate_e6"] <= sol["borrow_rate_e6"] // 2


def test_a_missing_oracle_is_not_known_and_never_dropped(velocity: Stage, ask: Ask, cli: Cli) -> None:
    velocity.enrol()
    velocity.take(OrderParams(order_type=OrderType.MARKET, base_asset_amount=E9, direction=Direction.LONG))
    velocity.remove(velocity.perp(0).oracle)
    sol = ask("markets", *at(velocity))["perps"][0]
    assert sol["oracle_e6"] is None
    assert "is not on the chain" in sol["problems"][0]
    assert "not known" in cli("markets", *at(velocity))[1]
    (held,) = ask("account", velocity.alice, *at(velocity))["sub_accounts"]
    assert (held["margin"]["status"], held["margin"]["health"], held["health_percent"]) == ("unknown", None, None)
    assert held["margin"]["collateral_e6"] is None
    assert "SOL-PERP" in held["problem"]
    out = cli("account", velocity.alice, *at(velocity))[1]
    assert "UNKNOWN" in out
    assert "HEALTHY" not in out


def test_a_market_that_cannot_be_decoded_stands_there_with_the_reason(ask: Ask) -> None:
    address = addresses.perp_market(VELOCITY.program_id, 1)
    with staged(VELOCITY, idle=True) as stage:
        stage.enrol()
        one = OrderParams(order_type=OrderType.MARKET, base_asset_amount=E9 // 1_000, direction=Direction.LONG)
        stage.take(structs.replace(one, market_index=1))
        stage.put(address, bytes(stage.account(address).data)[:1224])
        btc = ask("markets", *at(stage))["perps"][1]
        (held,) = ask("account", stage.alice, *at(stage))["sub_accounts"]
    assert (held["margin"]["status"], held["health_percent"], held["margin"]["collateral_e6"]) == (
        "unknown",
        None,
        None,
    )
    assert "perp market 1, which cannot be read: PerpMarket has 1224 bytes" in held["problem"]
    assert (btc["name"], btc["status"], btc["oracle"]) == ("#1", None, None)
    assert "1224 bytes" in btc["problems"][0]


def test_an_account_shows_each_step(stage: Stage, ask: Ask, cli: Cli) -> None:
    clear_of_the_hour()
    stage.enrol(1_000 * E6)
    found = ask("account", stage.alice, *at(stage))
    (held,) = found["sub_accounts"]
    assert (found["sub_accounts_made"], held["sub_account_id"], held["address"]) == (1, 0, str(stage.who.user))
    assert (held["health_percent"], held["equity_e6"], held["positions"]) == (100, 1_000 * E6, [])

    stage.take(OrderParams(order_type=OrderType.MARKET, base_asset_amount=10 * E9, direction=Direction.LONG))
    stage.place(OrderParams(price=160 * E6, base_asset_amount=E9, direction=Direction.SHORT, user_order_id=9))
    (held,) = ask("account", stage.alice, *at(stage))["sub_accounts"]
    (position,), (order,) = held["positions"], held["orders"]
    assert position["base_e9"] == 10 * E9
    value_e6 = 1_500 * E6 + stage.user().perp_positions()[0].quote_asset_amount
    collateral_e6 = 1_000 * E6 + value_e6
    assert position["value_e6"] == value_e6
    assert held["margin"]["collateral_e6"] == held["equity_e6"] == collateral_e6
    needed_e6 = 45_010_000  # 3 % of 1,500, and a cent for the open order
    assert held["margin"]["maintenance_e6"] == needed_e6
    assert held["margin"]["health_e4"] == 10_000 * (collateral_e6 - needed_e6) // collateral_e6
    assert held["net_delta_e9"] == {"SOL": 10 * E9}
    liquidated_e6 = 150 * E6 - (collateral_e6 - 45 * E6) * 100 // 970
    assert abs(position["liquidation_price_e6"] - liquidated_e6) <= 1
    assert (order["market"], order["side"], order["price_e6"], order["user_order_id"]) == (
        "SOL-PERP", "sell", 160 * E6, 9
    )  # fmt: skip
    out = cli("account", stage.alice, *at(stage))[1]
    assert "long 10.0000" in out
    assert "limit sell 1" in out

    by_user = ask("account", str(stage.who.user), *at(stage))
    assert by_user["authority"] == stage.alice
    assert [each["sub_account_id"] for each in by_user["sub_accounts"]] == [0]


def test_sub_accounts_with_gaps(velocity: Stage, ask: Ask) -> None:
    first = velocity.enrol(E6)
    second = trader(VELOCITY, first.authority, 1)
    third = trader(VELOCITY, first.authority, 2)
    velocity.send(accounts.initialize_user(VELOCITY, second, "two"))
    velocity.send(accounts.initialize_user(VELOCITY, third, "three"))
    velocity.send(accounts.delete_user(VELOCITY, second))
    found = ask("account", velocity.alice, *at(velocity))
    assert [each["sub_account_id"] for each in found["sub_accounts"]] == [0, 2]
    assert (found["sub_accounts_made"], found["sub_accounts_open"]) == (3, 2)


def test_whose_account(velocity: Stage, cli: Cli, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    code, out, err = cli("account", "not-an-address", *at(velocity))
    assert (code, out, err.count("\n")) == (2, "", 1)
    code, out, err = cli("account", NOBODY, *at(velocity))
    assert (code, out, err.count("\n")) == (1, "", 1)
    assert "has no account on velocity" in err
    code, out, err = cli("account", *at(velocity))
    assert (code, out) == (2, "")
    assert "DRIFT_ENGINE_KEY" in err
    key_file = tmp_path / "key.json"
    key_file.write_text(json.dumps(list(bytes(ALICE))))
    monkeypatch.setenv("DRIFT_ENGINE_KEY", str(key_file))
    velocity.enrol()
    code, out, err = cli("account", *at(velocity))
    assert (code, err) == (0, "")
    assert velocity.alice in out
    monkeypatch.setenv("DRIFT_ENGINE_KEY", str(tmp_path / "absent.json"))
    code, out, err = cli("account", *at(velocity))
    assert (code, out, err.count("\n")) == (2, "", 1)


def test_funding_by_each_protocols_rule(stage: Stage, ask: Ask, cli: Cli) -> None:
    clear_of_the_hour()
    layout = stage.program.layouts.perp_market
    address = addresses.perp_market(stage.program.program_id, 0)
    stage.patch(address, layout.offsets["last_funding_rate"], (-250_000_000).to_bytes(8, "little", signed=True))
    stage.patch(address, layout.offsets["last_funding_rate_long"], (-240_000_000).to_bytes(8, "little", signed=True))
    stage.patch(address, layout.offsets["last_funding_rate_short"], (-250_000_000).to_bytes(8, "little", signed=True))
    (found,) = ask("funding", "sol-perp", *at(stage))["markets"]
    last, predicted = found["last"], found["predicted"]
    assert (last["rate_e9"], last["long_e9"], last["short_e9"]) == (-250_000_000, -240_000_000, -250_000_000)
    assert last["who"] in ("shorts pay longs, who get 0.15999 %", "shorts pay longs, who get 0.16000 %")
    assert abs(last["hour"] + 0.25 / 150) < 1e-9
    assert last["eight_hours"] == last["hour"] * 8
    assert last["year"] == last["hour"] * 8_760
    mark_e6, oracle_e6 = found["mark_twap_e6"], found["oracle_twap_e6"]
    if stage.program is DRIFT_V2:
        rate_e9 = rate_drift_e9(mark_e6, oracle_e6, "B")
    else:
        rate_e9 = rate_velocity_e9(mark_e6, oracle_e6, "B", clamp_bps=5, ramp_slope_e6=E6)
    assert predicted["rate_e9"] == rate_e9
    assert predicted["who"] == "longs pay shorts"
    assert 0 <= found["next_in_s"] <= 7_200
    code, out, err = cli("funding", *at(stage))
    assert (code, err) == (0, "")
    assert "predicted" in out
    assert cli("funding", "SOL", *at(stage))[0] == 2


def test_too_many_requests_are_waited_out_or_told(velocity: Stage, ask: Ask, cli: Cli) -> None:
    velocity.fault("too_many_requests", next=2, retry_after_s=0)
    assert ask("markets", *at(velocity))["perps"]
    velocity.fault("too_many_requests", rate=1.0, retry_after_s=0)
    code, out, err = cli("markets", *at(velocity))
    assert (code, out, err.count("\n")) == (1, "", 1)
    assert "too many requests" in err


@pytest.mark.parametrize("command", ["markets", "account", "funding", "doctor", "watch"])
def test_bad_addresses_and_venues_are_mistakes(command: str, cli: Cli) -> None:
    for flags in (("--rpc", "ftp://x"), ("--rpc", "localhost"), ("--rpc", "http://h:99999"), ("--venue", "mango")):
        code, out, err = cli(command, *((NOBODY,) if command in ("account", "watch") else ()), *flags)
        assert (code, out, err.count("\n")) == (2, "", 1), (flags, err)


def test_a_dead_endpoint_and_a_key_in_its_address(velocity: Stage, cli: Cli, ask: Ask) -> None:
    code, out, err = cli("markets", "--rpc", "http://127.0.0.1:9/secret-key")
    assert (code, out, err.count("\n")) == (1, "", 1)
    assert "127.0.0.1:9" in err
    assert "secret" not in err
    assert ask("markets", "--rpc", "http://127.0.0.1:9", "--rpc", velocity.url)["perps"]


def test_the_other_venue_is_named(velocity: Stage, cli: Cli) -> None:
    code, out, err = cli("markets", "--venue", "drift_v2", "--rpc", velocity.url)
    assert (code, out, err.count("\n")) == (1, "", 1)
    assert "drift_v2 is not on this chain" in err
