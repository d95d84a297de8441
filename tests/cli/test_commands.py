"""Each command against the real engine, on simulated markets."""

import json
import sqlite3
from pathlib import Path

import pytest
from cli_runner import Ask, Cli, asking, runner

from drift_engine import __version__

CALM = ("--scenario", "calm_carry", "--days", "1")
CRASH = ("--scenario", "flash_crash", "--days", "2", "--capital", "3000", "--set", "target=60", "--no-yardstick")
KEYS = [
    "strategy",
    "market",
    "from",
    "to",
    "first_fill_ts",
    "events",
    "ticks",
    "equity_start_e6",
    "equity_end_e6",
    "pnl_e6",
    "funding_settlements",
    "trades",
    "refusals",
    "min_health",
    "max_drawdown",
    "liquidations",
    "assumptions",
    "gaps",
    "digest",
    "wall_s",
    "events_per_s",
]


@pytest.fixture
def cli(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Cli:
    return runner(tmp_path, monkeypatch, capsys)


@pytest.fixture
def ask(cli: Cli) -> Ask:
    return asking(cli)


def test_help_and_version(cli: Cli) -> None:
    code, out, err = cli()
    assert (code, err) == (0, "")
    assert "backtest" in out
    assert cli("--version") == (0, f"drift-engine {__version__}\n", "")
    assert cli("paper", "--help")[0] == 0


@pytest.mark.parametrize(
    "arguments",
    [
        ("nonsense",),
        ("paper",),
        ("paper", "--nonsense"),
        ("paper", "nonsense"),
        ("paper", "hold", "--mode", "live"),
        ("paper", "hold", "--for", "soon"),
        ("paper", "hold", "--scenario", "nonsense"),
        ("paper", "hold", "--market", "DOGE-PERP"),
        ("paper", "hold", "--set", "tarjet=1"),
        ("paper", "hold", "--seed", "-1"),
        ("backtest", "hold"),
        ("backtest", "hold", "--data", "nowhere"),
        ("backtest", "hold", "--scenario", "calm_carry", "--fault", "nonsense"),
        ("backtest", "hold", "--scenario", "calm_carry", "--days", "1", "--journal", "no/such/place.journal"),
        ("backtest", "hold", "--scenario", "calm_carry", "--from", "2025-05-01"),
        ("backtest", "hold", "--scenario", "calm_carry", "--to", "2027-01-01"),
        ("backtest", "hold", "--scenario", "calm_carry", "--mark", "binance"),
        ("backtest", "hold", "--data", ".", "--days", "3"),
        ("paper", "hold", "--from", "2025-05-01"),
        ("replay",),
        ("replay", "nowhere"),
        ("status",),
        ("why",),
        ("why", "first"),
        ("resume",),
        ("strategies", "nonsense"),
        ("journal",),
        ("journal", "tail", "nowhere"),
        ("journal", "tail", "-n", "0"),
        ("config", "check", "nowhere"),
        ("data",),
    ],
)
def test_a_wrong_command_leaves_stdout_empty_and_one_line_on_stderr(cli: Cli, arguments: tuple[str, ...]) -> None:
    code, out, err = cli(*arguments)
    assert (code, out) == (2, "")
    assert err.startswith("drift-engine: ")
    assert len(err.splitlines()) == 1


def test_near_names_are_suggested(cli: Cli) -> None:
    assert "'target'" in cli("paper", "hold", "--set", "tarjet=1")[2]
    assert "'delta_neutral'" in cli("paper", "delta_neutrl")[2]


def test_strategies_are_listed_with_defaults_and_units(cli: Cli, ask: Ask) -> None:
    found = {strategy["name"]: strategy for strategy in ask("strategies")}
    assert {"delta_neutral", "funding_farm", "hold"} <= set(found)
    target = next(row for row in found["hold"]["parameters"] if row["name"] == "target")
    assert (target["default"], target["unit"]) == ("1", "base")
    code, out, _ = cli("strategies")
    assert code == 0
    for name in ("delta_neutral", "cooldown_s", "1800", "of the hedge"):
        assert name in out


def test_a_users_own_strategy_is_listed_from_its_file(cli: Cli, tmp_path: Path) -> None:
    (tmp_path / "own.py").write_text(
        '"""Hold, but mine."""\n'
        "from drift_engine.strategies.hold import HoldStrategy\n\n\nclass Own(HoldStrategy):\n    pass\n"
    )
    code, out, _ = cli("strategies", "own.py")
    assert (code, "Hold, but mine." in out) == (0, True)


def test_config_check(cli: Cli, ask: Ask, tmp_path: Path) -> None:
    good = tmp_path / "good.toml"
    good.write_text('strategy = "hold"\ncapital = 500\n[params]\ntarget = "-1"\n[limits]\nmax_leverage = 2\n')
    shown = ask("config", "check", "good.toml")["config"]
    assert (shown["capital"], shown["param.target"], shown["param.market"]) == ("500.000000", "-1", "SOL-PERP")
    assert cli("config", "check", "good.toml")[0] == 0
    for text, said in (('stratgy = "hold"\n', "'strategy'"), ('strategy = "hold"\n[params]\ntarjet = 1\n', "'target'")):
        (tmp_path / "bad.toml").write_text(text)
        code, out, err = cli("config", "check", "bad.toml")
        assert (code, out) == (2, "")
        assert "bad.toml" in err
        assert said in err


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('scenario = "clam_carry"', "no scenario 'clam_carry'"),
        ('scenario = "calm_carry"\ndata = "."', "keep one"),
        ('data = "nowhere"', "nowhere is no directory"),
        ('data = "."', "no market 'SOL-PERP' in"),
        ('market = "DOGE-PERP"', "unknown market 'DOGE-PERP'"),
        ('faults = ["nonsense"]', "unknown fault 'nonsense'"),
        ('from = "2025-05-02"\nto = "2025-05-01"', "the window is empty"),
        ("speed = 0", "it must be more than 0"),
        ("days = 0", "days is 0"),
        ('mode = "live"', "live trading is not built yet"),
    ],
)
def test_config_check_refuses_what_would_not_start(cli: Cli, tmp_path: Path, text: str, said: str) -> None:
    (tmp_path / "run.toml").write_text(f'strategy = "hold"\n{text}\n')
    code, out, err = cli("config", "check", "run.toml")
    assert (code, out) == (2, "")
    assert "run.toml" in err
    assert said in err
    assert len(err.splitlines()) == 1


def test_config_check_looks_at_every_engine_of_a_fleet(cli: Cli, ask: Ask, tmp_path: Path) -> None:
    fleet = tmp_path / "fleet.toml"
    one = '[engines.one]\nstrategy = "hold"\nscenario = "calm_carry"\nparams = { target = -1 }\n'
    fleet.write_text(one)
    assert ask("config", "check", "fleet.toml")["engines"]["one"]["param.target"] == "-1"
    assert cli("config", "check", "fleet.toml")[1].startswith("fleet.toml: good\n\none\n")
    beside = '[server]\nport = 8701\n[alerts]\nwebhook = "http://127.0.0.1/SECRET"\n[alerts.rules.delta]\nat = 0.1\n'
    fleet.write_text(f"{one}speed = 60\nsub_account = 4\nautostart = false\n{beside}")
    found = ask("config", "check", "fleet.toml")
    engine = found["engines"]["one"]
    assert (engine["speed"], engine["sub_account"], engine["autostart"]) == ("60", "4", "no")
    assert (found["server"]["port"], found["alerts"]["webhook"]) == ("8701", "set")
    assert found["alerts"]["rule.delta"] == "WARNING, at 0.1, again after 60 s, 20 an hour"
    said = cli("config", "check", "fleet.toml")[1]
    assert "[server]" in said
    assert "SECRET" not in said
    for text, said in (
        ('strategy = "hold"\nmarket = "DOGE-PERP"', "fleet.toml: [engines.two] unknown market 'DOGE-PERP'"),
        ('strategy = "hold"\nmode = "live"', "fleet.toml: [engines.two] live trading is not built yet"),
        ('strategy = "hold"\nsub_acount = 2', "fleet.toml: [engines.two] has an unknown key 'sub_acount'"),
    ):
        fleet.write_text(f"{one}[engines.two]\nsub_account = 1\n{text}\n")
        code, out, err = cli("config", "check", "fleet.toml")
        assert (code, out) == (2, "")
        assert said in err
        assert len(err.splitlines()) == 1
    assert [path.name for path in tmp_path.iterdir()] == ["fleet.toml"]


def test_config_check_leaves_nothing_behind(cli: Cli, tmp_path: Path) -> None:
    text = 'strategy = "hold"\nscenario = "calm_carry"\njournal = "run.journal"\n'
    (tmp_path / "run.toml").write_text(text)
    assert cli("config", "check", "run.toml")[0] == 0
    (tmp_path / "later.toml").write_text('strategy = "hold"\nmode = "backtest"\n')
    assert cli("config", "check", "later.toml")[0] == 0  # its market is left to the command line
    assert sorted(path.name for path in tmp_path.iterdir()) == ["later.toml", "run.toml"]


@pytest.mark.parametrize(("host", "warned"), [("127.0.0.1", False), ("::1", False), ("0.0.0.0", True)])  # noqa: S104
def test_a_page_that_the_network_reaches_is_said_to_be(
    host: str, warned: bool, capsys: pytest.CaptureFixture[str]
) -> None:
    from drift_engine.cli.serve import _tell

    _tell(["one"], f"page at http://{host}:1", "token", host)
    assert ("overhear the token" in capsys.readouterr().out) is warned


def test_a_backtest_answers_in_json(ask: Ask) -> None:
    result = ask("backtest", "delta_neutral", *CALM)
    assert set(KEYS) <= set(result)
    assert result["simulated"] is True
    assert sum(result["pnl_e6"].values()) == result["equity_end_e6"] - result["equity_start_e6"]
    assert result["trades"] >= 2
    assert 0 < result["min_health"] <= 1
    yardstick = result["yardstick"]
    assert (yardstick["strategy"], yardstick["params"]["target"]) == ("hold", "1")
    again = ask("backtest", "delta_neutral", *CALM, "--no-yardstick")
    assert again["digest"] == result["digest"]
    assert "yardstick" not in again


def test_a_backtest_is_the_last_run_without_being_told_where_to_keep_it(cli: Cli, ask: Ask, tmp_path: Path) -> None:
    digest = ask("backtest", "delta_neutral", *CALM, "--no-yardstick")["digest"]
    (journal,) = (tmp_path / ".drift-engine").glob("backtest-delta_neutral-*.journal")
    assert ask("why")["approved"] is True
    assert ask("status")["strategy"] == "delta_neutral"
    assert ask("replay") | {"journal": ""} == ask("replay", str(journal)) | {"journal": ""}
    assert ask("replay")["digest"] == digest
    code, out, _ = cli("backtest", "hold", *CRASH, "--state", "elsewhere")
    assert (code, "journal elsewhere/backtest-hold-" in out) == (3, True)
    assert cli("resume", "--state", "elsewhere")[0] == 0
    assert ask("status")["strategy"] == "delta_neutral"


def test_a_run_that_cannot_begin_leaves_no_journal(cli: Cli, tmp_path: Path) -> None:
    for command in ("backtest", "paper"):
        assert cli(command, "hold", "--scenario", "calm_carry", "--fault", "nonsense")[0] == 2
    assert list((tmp_path / ".drift-engine").iterdir()) == []


def test_a_file_that_is_no_journal_does_not_become_the_last_run(cli: Cli, ask: Ask, tmp_path: Path) -> None:
    ask("backtest", "hold", *CALM)
    (tmp_path / "notes.txt").write_text("not a journal " * 20)
    assert cli("backtest", "hold", *CALM, "--journal", "notes.txt")[0] == 2
    assert ask("status")["strategy"] == "hold"


def test_a_backtest_reports_to_people(cli: Cli) -> None:
    code, out, err = cli("backtest", "delta_neutral", *CALM)
    assert (code, err) == (0, "")
    for said in (
        "SIMULATED MARKET",
        "The carry earned",
        "Compared with holding",
        "This run did",
        "Assumptions",
        "digest",
    ):
        assert said in out
    for cause in ("price", "basis", "funding", "interest", "fees", "tips", "slippage", "liquidation"):
        assert f"\n{cause} " in out


def test_a_run_that_lost_says_so(cli: Cli) -> None:
    code, out, _ = cli("backtest", "hold", *CRASH)
    assert code == 3
    assert "\nLost " in out
    assert "it stays so until a human resumes" in out
    assert "HALTED" in out


def test_a_halted_run_is_told_explained_replayed_and_resumed(cli: Cli, ask: Ask) -> None:
    code, out, err = cli("backtest", "hold", *CRASH, "--journal", "crash.journal", "--json")
    assert (code, err) == (3, "")
    digest = json.loads(out)["digest"]

    status = ask("status")
    assert (status["trading"], status["latched"], status["equity_e6"]) == ("HALTED", True, None)
    assert status["tally"]["trades"] == json.loads(out)["trades"]
    assert "not known without the data" in cli("status")[1]

    last = ask("why")
    assert last["emergency"] is True
    assert {"gate", "verdict", "reason", "figures"} == set(last["checks"][0])
    assert "emergency close" in cli("why")[1]
    first = cli("why", "--journal", "crash.journal", str(last["seq"] - 1))
    assert "hold 60 SOL-PERP" in first[1]
    assert first[1].count("not claimed") == first[1].count("not measured yet") == 1
    assert not {"edge not known", "latency not known"} & {line.strip() for line in first[1].splitlines()}, "said once"
    assert cli("why", "1")[0] == 1

    replayed = ask("replay", "crash.journal")
    assert (replayed["same"], replayed["digest"]) == (True, digest)
    assert replayed["status"]["equity_e6"] == json.loads(out)["equity_end_e6"]
    assert "lowest health" in cli("replay")[1], "what status could not know without the data"

    verified = ask("journal", "verify")
    assert verified["ok"] is True
    assert len(cli("journal", "tail", "-n", "3")[1].splitlines()) == 3
    (fill, halt) = ask("journal", "tail", "-n", "2", "--type", "Filled", "--type", "StateChanged")
    assert (fill["event"]["type"], halt["event"]["trading"]) == ("Filled", "HALTED")
    assert "did you mean 'Filled'?" in cli("journal", "tail", "--type", "Fill")[2]
    assert len(ask("journal", "export")) == verified["records"]
    assert cli("journal", "export", "--to", "lines.jsonl") == (0, "", "")
    assert len(Path("lines.jsonl").read_text().splitlines()) == verified["records"]
    assert cli("journal", "export", "--to", "lines.jsonl")[0] == 2  # nothing is overwritten

    code, out, _ = cli("resume")
    assert code == 0
    assert "was HALTED" in out
    (resumed,) = ask("journal", "tail", "-n", "1")
    assert (resumed["event"]["cause"], resumed["event"]["trading"]) == ("resume", "ACTIVE")
    assert ask("status")["latched"] is False
    code, out, err = cli("resume")
    assert (code, out) == (1, "")
    assert "nothing to resume" in err
    assert ask("journal", "verify")["records"] == verified["records"] + 1


def test_a_damaged_journal_fails_its_check(cli: Cli, tmp_path: Path) -> None:
    cli("backtest", "hold", *CALM, "--no-yardstick", "--journal", "run.journal")
    with sqlite3.connect(tmp_path / "run.journal") as database:
        database.execute("UPDATE events SET body = replace(body, 'SOL', 'SOS') WHERE seq = 2")
    database.close()
    code, out, _ = cli("journal", "verify", "run.journal")
    assert code == 1
    assert "damaged at record 2" in out


@pytest.mark.parametrize(
    "command",
    [("status",), ("replay",), ("why", "3"), ("journal", "tail"), ("backtest", "hold", *CALM, "--no-yardstick")],
)
def test_a_damaged_journal_is_a_failure_whoever_reads_it(cli: Cli, tmp_path: Path, command: tuple[str, ...]) -> None:
    cli("backtest", "hold", *CALM, "--no-yardstick", "--journal", "run.journal")
    with sqlite3.connect(tmp_path / "run.journal") as database:
        database.execute("UPDATE events SET body = x'7bff7d' WHERE seq >= 3")
    database.close()
    named = ("run.journal",) if command[0] in ("replay", "journal") else ("--journal", "run.journal")
    code, out, err = cli(*command, *named)
    assert (code, out) == (1, "")
    assert "drift-engine journal verify" in err or "damaged" in err
    assert len(err.splitlines()) == 1


def test_an_export_of_a_damaged_journal_fails_and_leaves_no_half_a_file(cli: Cli, tmp_path: Path) -> None:
    cli("backtest", "hold", *CALM, "--no-yardstick", "--journal", "run.journal")
    with sqlite3.connect(tmp_path / "run.journal") as database:
        database.execute("UPDATE events SET body = x'7bff7d' WHERE seq = 3")
    database.close()
    code, out, err = cli("journal", "export", "run.journal")
    assert (code, len(out.splitlines())) == (1, 2)
    assert "record 3 is damaged" in err
    assert cli("journal", "export", "run.journal", "--json")[:2] == (1, "")
    assert cli("journal", "export", "run.journal", "--to", "lines.jsonl")[:2] == (1, "")
    assert not Path("lines.jsonl").exists()


def test_another_run_is_not_resumed(cli: Cli) -> None:
    cli("backtest", "hold", *CALM, "--no-yardstick", "--journal", "run.journal")
    code, out, err = cli("backtest", "hold", *CALM, "--capital", "5", "--no-yardstick", "--journal", "run.journal")
    assert (code, out) == (2, "")
    assert "capital" in err
