import io
from typing import Any

import pytest
import statuses
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console
from rich.live import Live
from rich.table import Table
from rich.text import Text

from drift_engine.cli import fleet_view, panels
from drift_engine.cli import status as status_command
from drift_engine.cli.health import HealthBar, health_word
from drift_engine.cli.view import View, plain, summary
from drift_engine.execution.limits import Limits

VIEW = View(Limits(), speed=600.0, length_s=60.0, journal="run.journal")


def drawn(status: dict[str, Any], width: int = 80) -> str:
    console = Console(width=width, color_system=None, force_terminal=False)
    with console.capture() as capture:
        console.print(VIEW.draw(status, 12.0))
    return capture.get()


@pytest.mark.parametrize("width", [80, 120])
@pytest.mark.parametrize("status", [statuses.carry(), statuses.unknown(), statuses.halted()])
def test_a_view_fits_its_screen_and_says_that_it_is_simulated(status: dict[str, Any], width: int) -> None:
    text = drawn(status, width)
    lines = text.splitlines()
    assert max(map(len, lines)) <= width
    assert len(lines) <= 24
    assert "SIMULATED MARKET: calm_carry" in lines[0]
    assert "2026-01-02 14:30:00 UTC" in text


def test_a_narrow_screen_cuts_no_size_and_no_liquidation_price() -> None:
    lines = drawn(statuses.carry(), 40).splitlines()
    assert max(map(len, lines)) <= 40
    assert "SOL-PERP short 33.1500 412.10 (+172 %)" in [" ".join(line.split()) for line in lines]
    assert not [line for line in lines if line.startswith(("SOL", "fees", "funding")) and "…" in line]


def test_a_bar_without_unicode_is_not_that_of_an_unknown_health() -> None:
    console = Console(width=60, color_system=None, file=io.TextIOWrapper(io.BytesIO(), encoding="ascii"))
    bar = HealthBar({"status": "known", "health": 0.5}, Limits())
    text = "".join(segment.text for segment in console.render(bar))
    assert text.startswith("#####")
    assert text.isascii()


def test_a_fleet_on_a_narrow_screen_is_told_in_words() -> None:
    margin = {"status": "known", "health": 0.984, "leverage": 0.5}
    figures = {"equity_e6": 10_000_000_000, "pnl": {"total_e6": 0}, "net_delta_e9": {}, "seq": 7, "restarts": 0}
    row = {"engine": "carry", "status": "RUNNING", "trading": "ACTIVE", "reason": "", "margin": margin, **figures}
    assert "carry  RUNNING  ACTIVE  health 98 %" in str(fleet_view.picture([row], 40))
    assert isinstance(fleet_view.picture([row], 80), Table)


def test_a_venue_that_does_not_answer_is_said() -> None:
    away = statuses.carry() | {"venue_trouble": "no answer in 3 s"}
    assert "the venue does not answer: no answer in 3 s" in drawn(away)
    assert "SOL-PERP cannot be read" in drawn(statuses.carry() | {"data_trouble": "SOL-PERP cannot be read"})
    assert "does not answer" not in drawn(statuses.carry() | {"venue_trouble": None})


def test_a_view_shows_what_a_carry_is_made_of() -> None:
    text = drawn(statuses.carry())
    assert "93.8 % HEALTHY" in text
    assert "short 33.1500" in text
    assert "412.10 (+172 %)" in text  # the liquidation price and how far away it is
    assert "net delta 0.0000 SOL" in text
    assert "longs pay shorts; we receive 0.1697/h" in text  # 33.15 base * 0.00512 quote
    assert "+0.0033 %/h, +29.6 %/year" in text
    assert "+24.1235 in 41 settlements" in text
    assert "total +12.3457 +0.12 %" in text
    assert "carry [expected 22 % a year]" in text  # brackets are text, not markup
    assert "sell 33.15 SOL-PERP at 149.48 or better" in text
    for cause in panels.CAUSES:
        assert cause in text


def test_a_long_pays_positive_funding() -> None:
    status = statuses.carry()
    status["positions"][0]["base_e9"] = 33_150_000_000
    assert "longs pay shorts; we pay 0.1697/h" in drawn(status)
    status["markets"]["SOL-PERP"]["funding_e9"] = -5_120_000
    assert "shorts pay longs; we receive 0.1697/h" in drawn(status)


def test_what_is_not_known_is_shown_as_not_known() -> None:
    text = drawn(statuses.unknown())
    assert "UNKNOWN" in text
    assert "HEALTHY" not in text
    assert "█" not in text
    assert "rate not known" in text
    assert text.count("not known") >= 4


def test_a_halt_says_who_ends_it_and_why_it_came() -> None:
    text = drawn(statuses.halted())
    assert "HALTED  until a human resumes" in text
    assert "10.2 % under its high-water mark" in text
    assert "12.0 % EMERGENCY" in text
    assert "refused by trading state: HALTED" in text
    status = statuses.halted() | {"disputed": True}
    assert "BOOKS IN DISPUTE" in drawn(status)
    assert "Strategy, when it was last asked" in drawn(status)
    assert "CLOSING" in drawn(statuses.halted() | {"closing": 2})


@given(
    st.sampled_from(["stale", "unknown"]),
    st.one_of(st.none(), st.floats(0, 1)),
    st.integers(20, 200),
)
def test_only_a_known_health_is_ever_called_healthy(status: str, health: float | None, width: int) -> None:
    margin = {"status": status, "health": health}
    word, _ = health_word(margin, Limits())
    assert word in ("UNKNOWN", "STALE")
    console = Console(width=width, color_system=None)
    with console.capture() as capture:
        console.print(HealthBar(margin, Limits()))
    assert "HEALTHY" not in capture.get()
    assert "█" not in capture.get()


@pytest.mark.parametrize(
    ("health", "word"),
    [
        (0.0, "EMERGENCY"),
        (0.1499, "EMERGENCY"),
        (0.15, "CRITICAL"),
        (0.2, "WARNING"),
        (0.5, "HEALTHY"),
        (1.0, "HEALTHY"),
    ],
)
def test_the_words_for_health_follow_the_limits(health: float, word: str) -> None:
    assert health_word({"status": "known", "health": health}, Limits())[0] == word


def test_a_limit_that_is_off_has_no_word() -> None:
    off = Limits(emergency_health_e4=None, critical_health_e4=None, warn_health_e4=None)
    assert health_word({"status": "known", "health": 0.01}, off)[0] == "HEALTHY"


def test_the_plain_line_holds_the_health() -> None:
    assert "health 93 %" in plain(statuses.carry())
    assert "health unknown" in plain(statuses.unknown())
    stale = statuses.carry()
    stale["margin"]["status"] = "stale"
    assert "health 93 % STALE" in plain(stale)
    assert "\n" not in plain(statuses.carry())
    assert "SIMULATED" in plain(statuses.carry())
    assert "RECORDED" in plain(statuses.carry() | {"simulated": False})


def test_recorded_data_is_not_called_a_simulated_market() -> None:
    label = panels.market_label(statuses.carry() | {"scenario": None, "simulated": False})
    assert "RECORDED MARKET" in label.plain
    assert isinstance(label, Text)


def test_a_summary_names_the_causes_and_the_journal() -> None:
    lines = summary(statuses.carry(), 60.0, statuses.NOW_NS - 86_400 * 10**9, "run.journal")
    text = "\n".join(lines)
    assert "1 m, 1 d of market time" in text
    assert "equity 10,012.35, +12.3457: price +0.0012" in text
    assert "tips" not in text  # a cause that moved nothing is left out
    assert "4 fills, 41 funding settlements, 2 refusals, 0 liquidations, lowest health 93.1 %" in text
    assert lines[-1].startswith("journal run.journal")


@pytest.mark.parametrize("status", [statuses.carry(), statuses.unknown(), statuses.halted()])
@pytest.mark.parametrize(("width", "height"), [(60, 24), (40, 24), (60, 16), (80, 18)])
def test_a_small_screen_keeps_health_positions_and_the_last_decision(
    status: dict[str, Any], width: int, height: int
) -> None:
    console = Console(width=width, height=height, color_system=None)
    with console.capture() as capture:
        console.print(VIEW.draw(status, 12.0, height))
    lines = capture.get().splitlines()
    if width < 70:
        assert len(lines) <= height
    assert [head for head in ("Health", "Positions", "Last decision") if any(head in line for line in lines)] == [
        "Health", "Positions", "Last decision"
    ]  # fmt: skip
    assert "no room for strategy" in lines[-1]


def test_all_is_shown_where_rows_are_not_counted() -> None:
    assert "no room" not in drawn(statuses.carry(), 60)
    assert "Funding" in drawn(statuses.carry(), 60)


def test_the_view_is_fitted_where_it_is_redrawn() -> None:
    console = Console(width=60, height=24, color_system=None, force_terminal=True, file=io.StringIO())
    with Live(console=console, screen=True, auto_refresh=False) as live:
        live.update(VIEW.draw(statuses.carry(), 12.0, console.height), refresh=True)
    assert isinstance(console.file, io.StringIO)
    text = console.file.getvalue()
    assert "Last decision" in text
    assert "12,345 ticks" in text
    assert "no room for strategy, funding" in text


def test_a_status_on_a_narrow_terminal_is_fitted(monkeypatch: pytest.MonkeyPatch) -> None:
    console = Console(width=60, height=24, color_system=None, force_terminal=True, file=io.StringIO())
    monkeypatch.setattr("drift_engine.cli.output.out", lambda: console)
    status_command._print(iter([panels.positions(statuses.carry()), *[panels.earned(statuses.carry())] * 2]))
    assert isinstance(console.file, io.StringIO)
    assert "no room for funding" in console.file.getvalue()
    assert len(console.file.getvalue().splitlines()) <= 22
