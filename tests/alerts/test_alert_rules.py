"""When an alert is raised, said again, hidden and over."""

from typing import Any

import pytest

from drift_engine.alerts import AlertDesk, settings_from
from drift_engine.alerts.rules import RULES, Rule
from drift_engine.alerts.settings import TELEGRAM_TOKEN
from drift_engine.config import ConfigError

S = 10**9
HEALTHY: dict[str, Any] = {
    "engine": "one",
    "status": "RUNNING",
    "trading": "ACTIVE",
    "margin": {"status": "known", "health": 0.93, "leverage": 1.2},
    "equity_e6": 10_000_000_000,
    "high_water_e6": 10_000_000_000,
    "restarts": 0,
    "positions": [
        {"market": "SOL-PERP", "kind": "perp", "base_e9": -10 * 10**9, "funding_e9": 5_000},
        {"market": "SOL", "kind": "spot", "base_e9": 10 * 10**9},
    ],
    "net_delta_e9": {"SOL": 0},
    "tally": {"decisions": 3, "trades": 2},
    "last_decision": {"approved": True},
}
FLIPPED = [{**HEALTHY["positions"][0], "funding_e9": -5_000}, HEALTHY["positions"][1]]


def raised(*statuses: dict[str, Any], step_s: int = 1) -> list[str]:
    desk = AlertDesk()
    said = [alert for at, status in enumerate(statuses) for alert in desk.look([HEALTHY | status], at * step_s * S)]
    return [alert.rule for alert in said if alert.active]


def margin(**changes: Any) -> dict[str, Any]:
    return {"margin": HEALTHY["margin"] | changes}


@pytest.mark.parametrize(
    ("rule", "statuses"),
    [
        ("health_critical", [margin(health=0.19)]),
        ("health_critical", [margin(health=0.0)]),
        ("health", [margin(health=0.49)]),
        ("leverage", [margin(leverage=5.0)]),
        ("drawdown", [{"equity_e6": 9_500_000_000}]),
        ("delta", [{"net_delta_e9": {"SOL": -400_000_000}}]),
        ("stale", [{"status": "STALE"}]),
        ("stale", [margin(status="unknown", health=None)]),
        ("stale", [margin(status="stale") | {"data_trouble": "SOL-PERP cannot be read"}]),
        ("venue", [{"venue_trouble": "no answer in 3 s"}]),
        ("engine_down", [{"status": "ERROR"}]),
        ("engine_down", [{}, {"restarts": 1}]),
        ("halted", [{"trading": "HALTED", "latched": True}]),
        ("halted", [{"disputed": True}]),
        ("funding_flip", [{}, {"positions": FLIPPED}]),
        (
            "refused_streak",
            [{}, {"tally": {"decisions": 13, "trades": 2}, "last_decision": {"approved": False}}],
        ),
    ],
)
def test_each_rule_finds_what_it_looks_for(rule: str, statuses: list[dict[str, Any]]) -> None:
    assert raised(*statuses) == [rule]


def refused(decisions: int, *, approved: bool = False, trades: int = 2) -> dict[str, Any]:
    return {"tally": {"decisions": decisions, "trades": trades}, "last_decision": {"approved": approved}}


def test_refusals_are_counted_over_heartbeats_those_without_a_decision_included() -> None:
    """Ten one by one, with heartbeats between them in which nothing was decided."""
    statuses = [{}, *(refused(4 + step // 2) for step in range(20))]
    assert raised(*statuses[:-2]) == []
    assert raised(*statuses) == ["refused_streak"]


@pytest.mark.parametrize("between", [refused(8, approved=True), refused(8, trades=3), refused(0)])
def test_a_streak_ends_with_an_approval_a_trade_or_a_new_run(between: dict[str, Any]) -> None:
    after = between["tally"]["decisions"]
    last = refused(after + 8, trades=between["tally"]["trades"])
    assert raised({}, refused(7), between, last) == []


def test_only_what_is_hedged_is_asked_about_its_delta() -> None:
    """A perp without a spot balance of its asset, or a hedge that was closed, is no hedge that slipped."""
    perp, spot = HEALTHY["positions"]
    wide = {"net_delta_e9": {"SOL": 10**10}}
    assert raised(wide | {"positions": [perp]}) == []
    assert raised(wide | {"positions": [perp | {"base_e9": 0}, spot]}) == []
    assert raised(wide | {"positions": [perp, spot]}) == ["delta"]


def test_a_healthy_engine_raises_nothing() -> None:
    assert raised({}, {}, {}) == []


@pytest.mark.parametrize("gone", ["margin", "positions", "tally", "last_decision", "equity_e6", "net_delta_e9"])
def test_what_is_not_known_is_no_alert_by_its_value(gone: str) -> None:
    assert raised({gone: None}) == []
    assert raised({"status": "STOPPED", "margin": {"status": "unknown", "health": None, "leverage": None}}) == []


def test_funding_that_was_against_us_from_the_start_is_no_flip() -> None:
    assert raised({"positions": FLIPPED}, {"positions": FLIPPED}) == []


def test_an_alert_is_said_again_after_its_cooldown_and_no_more_than_its_cap() -> None:
    desk = AlertDesk({"leverage": Rule("WARNING", 5.0, cooldown_s=60, an_hour=3)})
    bad = [HEALTHY | margin(leverage=6.0)]
    said = [at for at in range(7_200) if desk.look(bad, at * S)]
    assert said == [0, 60, 120, 3_600, 3_660, 3_720]
    assert desk.active()[0].count == 6


def test_an_alert_that_comes_and_goes_is_said_once() -> None:
    desk = AlertDesk()
    said = []
    for at in range(50):
        status = HEALTHY | (margin(leverage=6.0) if at % 2 else {})
        said += [alert for alert in desk.look([status], at * S) if alert.active]
    assert len(said) == 1


def test_an_alert_that_was_not_said_for_its_cooldown_is_held_like_any_other() -> None:
    """It is raised again within the cooldown, flickers, and stands until it was quiet for a while."""
    desk = AlertDesk()
    bad, begin = HEALTHY | margin(leverage=6.0), 1_000_000
    seen = {}
    for at, status in ((0, bad), (11, HEALTHY), (20, bad), (21, HEALTHY), (29, HEALTHY), (30, HEALTHY)):
        desk.look([status], (begin + at) * S)
        seen[at] = len(desk.active())
    assert seen == {0: 1, 11: 0, 20: 1, 21: 1, 29: 1, 30: 0}


def test_a_latched_engine_that_still_reduces_is_not_called_halted() -> None:
    failed = HEALTHY | {"trading": "REDUCING", "latched": True, "reason": "the strategy failed"}
    (alert,) = AlertDesk().look([failed], 0)
    assert alert.message == "reduces only until a human resumes: the strategy failed"


def test_dismissed_until_it_is_said_again() -> None:
    desk = AlertDesk()
    bad = [HEALTHY | margin(leverage=6.0)]
    (alert,) = desk.look(bad, 0)
    assert desk.dismiss(alert.id)
    assert not desk.dismiss("a99")
    desk.look(bad, 59 * S)
    assert desk.active()[0].dismissed
    desk.look(bad, 60 * S)
    assert not desk.active()[0].dismissed
    (over,) = desk.look([HEALTHY], 75 * S)
    assert (over.id, over.active, desk.active(), desk.history()) == (alert.id, False, [], [over])


def test_the_worst_comes_first_and_health_is_said_once() -> None:
    desk = AlertDesk()
    desk.look([HEALTHY | margin(health=0.1, leverage=9.0)], 0)
    assert [alert.rule for alert in desk.active()] == ["health_critical", "leverage"]
    for severity in ("INFO", "WARNING", "CRITICAL"):
        desk.report(severity.lower(), "one", "said", S, Rule(severity))
    assert [alert.rule for alert in desk.active()] == ["health_critical", "critical", "leverage", "warning", "info"]


def test_settings_of_a_fleet_file() -> None:
    found = settings_from(
        {
            "webhook": "env:HOOK",
            "telegram_chat": 42,
            "least": "CRITICAL",
            "rules": {"health": {"at": 0.6, "cooldown_s": 30}, "delta": {"on": False}},
        },
        {"HOOK": "https://hooks.example/secret", TELEGRAM_TOKEN: "123:abc"},
    )
    assert (found.webhook, found.telegram_chat) == ("https://hooks.example/secret", "42")
    assert found.rules["health"] == Rule("WARNING", 0.6, 30)
    assert not found.rules["delta"].on
    desk = AlertDesk(found.rules)
    desk.look([HEALTHY | margin(health=0.55) | {"net_delta_e9": {"SOL": 10**10}}], 0)
    assert [alert.rule for alert in desk.active()] == ["health"]


@pytest.mark.parametrize(
    ("table", "said"),
    [
        ({"webhok": "x"}, "did you mean 'webhook'"),
        ({"webhook": "ftp://x"}, "no http or https address"),
        ({"webhook": "env:NOT_SET"}, "NOT_SET, which is not set"),
        ({"telegram_chat": "1"}, TELEGRAM_TOKEN),
        ({"least": "LOUD"}, "must be one of INFO, WARNING, CRITICAL"),
        ({"rules": {"helth": {}}}, "did you mean 'health'"),
        ({"rules": {"health": {"att": 1}}}, "did you mean 'at'"),
        ({"rules": {"health": {"at": "low"}}}, "[alerts.rules.health]"),
        ({"rules": {"health": 3}}, "must be tables"),
    ],
)
def test_settings_that_are_wrong_say_where(table: dict[str, Any], said: str) -> None:
    with pytest.raises(ConfigError) as raised_error:
        settings_from(table, {})
    assert said in str(raised_error.value)


def test_every_rule_has_a_severity_and_a_cooldown() -> None:
    assert all(rule.cooldown_s == 60 and rule.an_hour > 0 for _, rule in RULES.values())
