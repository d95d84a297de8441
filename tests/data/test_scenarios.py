"""Scenarios: the same path wherever it is read from, rows that agree with each other, and the declared shapes."""

from itertools import islice
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from drift_engine.core.funding import rate_drift_e9
from drift_engine.simulation.paths import DayPath, Walk, noise, through, words
from drift_engine.simulation.rows import Columns, Ints, RowKind
from drift_engine.simulation.scenarios import SCENARIOS, START_NS, scenario_timeline
from drift_engine.simulation.timeline import DataError, Timeline

NS = 10**9
HOUR_NS = 3_600 * NS
YEAR_H = 8_760


def columns(timeline: Timeline) -> Columns:
    return timeline.source.cut(0, timeline.length)


def perp_prices(timeline: Timeline) -> tuple[Ints, Ints, Ints, Ints]:
    rows = columns(timeline)
    chosen = (rows.kind == RowKind.PRICE) & (rows.market == 0)
    return rows.ts[chosen], rows.a[chosen], rows.b[chosen], rows.c[chosen]


def yearly(timeline: Timeline) -> Any:
    """Each settlement's rate as a fraction a year."""
    rows = columns(timeline)
    settled = rows.kind == RowKind.FUNDING
    return rows.a[settled] / 1_000 / rows.c[settled] * YEAR_H


@pytest.mark.parametrize("name", SCENARIOS)
@pytest.mark.parametrize("with_spot", [True, False])
def test_the_rows_agree_with_each_other(name: str, with_spot: bool) -> None:
    timeline = scenario_timeline(name, seed=3, interval_s=300, days=3, with_spot=with_spot)
    rows = [row for chunk in timeline.chunks() for row in chunk.rows()]
    assert rows == sorted(rows, key=lambda row: row[:3])
    assert (len(rows), rows[0][0], rows[-1][0]) == (timeline.length, timeline.first_ns, timeline.last_ns)
    assert {row[0] for row in rows if row[6]} == {START_NS + at * 300 * NS for at in range(3 * 288)}
    assert sum(row[6] for row in rows) == 3 * 288
    _, oracle, mark, opened = perp_prices(timeline)
    assert (oracle > 0).all()
    assert (mark > 0).all()
    assert opened.tolist() == [0, *oracle[:-1].tolist()]


@pytest.mark.parametrize("name", SCENARIOS)
def test_funding_is_the_programs_rule_over_the_hour_before(name: str) -> None:
    timeline = scenario_timeline(name, seed=5, interval_s=60, days=2)
    ts, oracle, mark, _ = perp_prices(timeline)
    settled = [row for chunk in timeline.chunks() for row in chunk.rows() if row[1] == RowKind.FUNDING]
    assert len(settled) == 48
    assert settled[0][0] == START_NS
    for hour, (at, _, _, rate, mark_twap, oracle_twap, _) in enumerate(settled):
        assert rate == rate_drift_e9(mark_twap, oracle_twap, "B")
        if hour:
            due = START_NS + hour * HOUR_NS
            assert 2 * NS <= at - due <= 16 * NS
            held = (ts >= due - HOUR_NS) & (ts < due)
            assert (mark_twap, oracle_twap) == (int(mark[held].sum()) // 60, int(oracle[held].sum()) // 60)


def test_a_rate_and_the_lending_rates_are_known_before_the_first_price() -> None:
    first = list(islice(next(scenario_timeline("calm_carry").chunks()).rows(), 5))
    assert [(row[0], row[1], row[2]) for row in first] == [
        (START_NS, *key) for key in ((0, 0), (1, 1), (1, 2), (2, 0), (2, 2))
    ]
    assert [row[5] for row in first[1:3]] == [0, 0]


@settings(max_examples=25, deadline=None)
@given(first=st.integers(0, 4 * 2_040 - 1), name=st.sampled_from(sorted(SCENARIOS)))
def test_reading_from_the_middle_gives_the_same_rows(first: int, name: str) -> None:
    options: dict[str, Any] = {"seed": 7, "interval_s": 90, "days": 4}
    whole = columns(scenario_timeline(name, **options))
    fresh = scenario_timeline(name, **options)
    assert fresh.length == 4 * (960 * 2 + 72)
    first = min(first, fresh.length - 1)
    read = [row for chunk in fresh.chunks(first) for row in chunk.rows()]
    assert read == list(whole.cut(first, fresh.length).rows())


def test_more_days_do_not_change_the_first_ones() -> None:
    short, long = (columns(scenario_timeline("slow_bleed", interval_s=300, days=days)) for days in (2, 40))
    assert list(short.rows()) == list(long.cut(0, len(short.ts)).rows())


def test_the_seed_chooses_the_path() -> None:
    digests = {next(scenario_timeline("calm_carry", seed=seed).chunks()).digest for seed in (0, 1, 2)}
    assert len(digests) == 3


@pytest.mark.parametrize(
    ("name", "digest"),
    [
        ("calm_carry", "fed1a545399974bc1a712656c7f5017a"),
        ("funding_flip", "7ded8f2765c8f623af7701c2c08b4e65"),
        ("slow_bleed", "31693a1041f6f7b51e678e7404968d8c"),
        ("flash_crash", "6ab72309dda44ee4ce6ca0fd7832a71b"),
    ],
)
def test_a_path_is_the_same_on_every_machine(name: str, digest: str) -> None:
    assert next(scenario_timeline(name, seed=11).chunks()).digest == digest


def test_calm_carry_pays_shorts_a_third_a_year_from_the_start() -> None:
    for seed in range(3):
        rates = yearly(scenario_timeline("calm_carry", seed=seed))
        assert rates.min() > 0.25
        assert rates.max() < 0.36
    _, oracle, _, _ = perp_prices(scenario_timeline("calm_carry", interval_s=300))
    daily = np.diff(np.log(oracle[::288]))
    assert daily.std() < 0.04


def test_funding_flip_changes_sides() -> None:
    signs = np.sign(yearly(scenario_timeline("funding_flip", days=10)))
    assert 6 <= int((np.diff(signs) != 0).sum()) <= 10
    assert signs[0] == 1


def test_slow_bleed_falls_and_never_to_nothing() -> None:
    timeline = scenario_timeline("slow_bleed", interval_s=1_800, days=900)
    _, oracle, _, _ = perp_prices(timeline)
    assert oracle[48 * 30] < 0.85 * oracle[0]
    assert oracle.min() > 200_000_000 // 25
    assert np.median(yearly(timeline)) < 0


@pytest.mark.parametrize("interval_s", [60, 300])
def test_flash_crash_is_that_of_2025_10_10(interval_s: int) -> None:
    timeline = scenario_timeline("flash_crash", seed=4, interval_s=interval_s)
    ts, oracle, mark, _ = perp_prices(timeline)
    bar = int(np.flatnonzero(ts == START_NS + 2 * HOUR_NS)[0])
    assert (oracle[bar], mark[bar]) == (180_050_000, 148_520_000)
    assert mark[: 86_400 // interval_s].min() == 148_520_000
    before, after = bar - 300 // interval_s, bar + 300 // interval_s
    assert mark[before] > 184_000_000
    assert mark[after] > 174_000_000
    rates = yearly(timeline)
    assert rates[0] > 0
    assert (rates[3:20] < -1).all()


@pytest.mark.parametrize(("perp", "spot", "scale"), [("BTC-PERP", "wBTC", 600), ("ETH-PERP", "wETH", 20)])
def test_other_assets_run_the_same_path_at_their_level(perp: str, spot: str, scale: int) -> None:
    timeline = scenario_timeline("flash_crash", perp=perp)
    assert timeline.markets == (perp, "USDC", spot)
    ts, oracle, _, _ = perp_prices(timeline)
    assert oracle[ts == START_NS + 2 * HOUR_NS][0] == 180_050_000 * scale


def test_it_is_labelled_as_simulated() -> None:
    timeline = scenario_timeline("flash_crash", seed=9)
    assert timeline.simulated
    assert timeline.sources["scenario"].startswith("flash_crash seed=9 ")
    assert timeline.assumptions[0].startswith("simulated market flash_crash: ")


def test_a_year_of_seconds_starts_and_skips_without_the_days_between(monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[int] = []
    day_of = Walk.day

    def counted(walk: Walk, day: int) -> DayPath:
        made.append(day)
        return day_of(walk, day)

    monkeypatch.setattr(Walk, "day", counted)
    timeline = scenario_timeline("calm_carry", interval_s=1, days=365)
    next(timeline.chunks())
    next(timeline.chunks(timeline.length - 1))
    assert set(made) == {0, 363, 364}


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"interval_s": 7}, "must divide an hour"),
        ({"interval_s": 3_600}, "must divide an hour"),
        ({"interval_s": 0}, "must divide an hour"),
        ({"days": 0}, "days is 0"),
        ({"days": 10**6}, "days is 1000000"),
        ({"seed": -1}, "must not be negative"),
        ({"start_ns": 5}, "midnight"),
        ({"perp": "DOGE-PERP"}, "no scenario for market 'DOGE-PERP'; there are SOL-PERP"),
        ({"perp": "SOL"}, "no scenario for market 'SOL'"),
    ],
)
def test_arguments_out_of_range_are_refused(options: Any, message: str) -> None:
    with pytest.raises(DataError, match=message):
        scenario_timeline("calm_carry", **options)


def test_an_unknown_scenario_names_those_there_are() -> None:
    with pytest.raises(
        DataError, match="no scenario 'boom'; there are calm_carry, funding_flip, slow_bleed, flash_crash"
    ):
        scenario_timeline("boom")


def test_noise_is_centred_and_of_the_stated_variance() -> None:
    drawn = noise(words(1, "price", 0, 200_000))
    assert abs(drawn.mean()) < 300
    assert abs(drawn.var() / (2**32 / 3) - 1) < 0.02


@given(
    knots=st.lists(
        st.tuples(st.integers(0, 10**5), st.integers(-(10**9), 10**9)), min_size=1, max_size=6, unique_by=lambda k: k[0]
    ),
    at=st.lists(st.integers(-10, 10**5 + 10), min_size=1, max_size=20),
)
def test_lines_through_knots_pass_them_and_stay_between(knots: Any, at: list[int]) -> None:
    knots = tuple(sorted(knots))
    assert through(knots, np.array([place for place, _ in knots])).tolist() == [value for _, value in knots]
    values = [value for _, value in knots]
    drawn = through(knots, np.array(at))
    assert min(values) <= drawn.min()
    assert drawn.max() <= max(values)
