from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path

import pytest

from drift_engine.cli import places
from drift_engine.config import ConfigError

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


def test_the_last_run_is_remembered(tmp_path: Path) -> None:
    state = tmp_path / "state"
    first = places.new_journal(state, "paper", "hold", NOW)
    assert first == state / "paper-hold-20260102T030405.journal"
    assert first.read_bytes() == b""  # taken: runs that begin in one second do not meet
    second = places.new_journal(state, "paper", "hold", NOW)
    assert second == state / "paper-hold-20260102T030405-2.journal"
    places.remember(state, first)
    assert places.find_journal(None, state) == first.resolve()
    assert not list(state.glob("*.new"))


def test_a_place_is_given_back_where_no_run_began(tmp_path: Path) -> None:
    place = places.new_journal(tmp_path, "paper", "hold", NOW)
    places.drop_unused(place)
    places.drop_unused(place)
    assert list(tmp_path.iterdir()) == []
    begun = places.new_journal(tmp_path, "paper", "hold", NOW)
    begun.write_bytes(b"a run")
    places.drop_unused(begun)
    places.drop_unused(None)
    assert begun.exists()


def test_runs_that_begin_together_get_a_place_each(tmp_path: Path) -> None:
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda _: places.new_journal(tmp_path, "backtest", "hold", NOW), range(40)))
        assert len(set(found)) == 40
        list(pool.map(lambda place: places.remember(tmp_path, place), found))
    assert places.find_journal(None, tmp_path) in [place.resolve() for place in found]
    assert not list(tmp_path.glob("*.new"))


def test_a_named_journal_goes_before_the_last(tmp_path: Path) -> None:
    named = tmp_path / "named.journal"
    named.touch()
    assert places.find_journal(named, tmp_path / "nowhere") == named


def test_what_is_not_there_is_said(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="no run is known"):
        places.find_journal(None, tmp_path)
    places.remember(tmp_path, tmp_path / "gone.journal")
    with pytest.raises(ConfigError, match=r"there is no journal .*gone\.journal"):
        places.find_journal(None, tmp_path)
    blocker = tmp_path / "file"
    blocker.touch()
    with pytest.raises(ConfigError, match="--state"):
        places.new_journal(blocker / "state", "paper", "hold", NOW)


def test_an_engines_name_stands_for_its_journal(tmp_path: Path) -> None:
    (tmp_path / "engines").mkdir()
    for name in ("carry", "farm"):
        (tmp_path / "engines" / f"{name}.json").touch()
        (tmp_path / f"{name}.journal").touch()
    (tmp_path / "engines" / "never-started.json").touch()
    assert places.find_journal(Path("carry"), tmp_path) == tmp_path / "carry.journal"
    with pytest.raises(ConfigError, match="no journal never-started; engines here are carry, farm"):
        places.find_journal(Path("never-started"), tmp_path)
    with pytest.raises(ConfigError, match=r"no journal cary; did you mean 'carry'\?"):
        places.find_journal(Path("cary"), tmp_path)
    with pytest.raises(ConfigError, match="holds a fleet: name one of its engines, carry, farm"):
        places.find_journal(None, tmp_path)
    places.remember(tmp_path, tmp_path / "farm.journal")
    assert places.find_journal(None, tmp_path) == tmp_path / "farm.journal"
