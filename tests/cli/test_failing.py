"""A strategy that raises ends its run with one line and its own frames; a bug of ours keeps its whole traceback."""

from pathlib import Path

import pytest
from cli_runner import Cli, runner

from drift_engine.engine import DriftEngine

RAISES = """
from drift_engine.strategies.base import DriftStrategy

class Bad(DriftStrategy):
    name = "bad"

    async def on_tick(self, state):
        return self.deeper()

    def deeper(self):
        return {}["price"]

    def get_status(self):
        return {}
"""


@pytest.fixture
def cli(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Cli:
    (tmp_path / "bad.py").write_text(RAISES)
    return runner(tmp_path, monkeypatch, capsys)


@pytest.mark.parametrize(
    "words", [("backtest", "--scenario", "calm_carry", "--days", "1"), ("paper", "--speed", "1e9", "--json")]
)
def test_a_strategy_that_raises_is_told_first_in_one_line(cli: Cli, words: tuple[str, ...]) -> None:
    code, out, err = cli(words[0], "bad.py:Bad", *words[1:])
    lines = err.splitlines()
    assert (code, out) == (1, "")
    assert "drift-engine: the strategy failed and the run ended: KeyError at bad.py:11: 'price'" in lines
    told = lines[lines.index("Traceback (most recent call last):") :]
    assert [line.strip().split(", in ")[1] for line in told if line.startswith("  File")] == ["on_tick", "deeper"]
    assert told[-1] == "KeyError: 'price'"


def test_a_bug_of_ours_keeps_its_traceback(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(_engine: DriftEngine) -> None:
        raise KeyError("ours")

    monkeypatch.setattr(DriftEngine, "_is_warm", broken)
    with pytest.raises(KeyError, match="ours"):
        cli("backtest", "bad.py:Bad", "--scenario", "calm_carry", "--days", "1")
