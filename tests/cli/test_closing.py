"""What ``kill`` says of engines that are being closed: of one that never answers, nothing is known."""

from pathlib import Path

from drift_engine.cli import closing


def test_an_engine_that_never_answers_is_not_called_flat(tmp_path: Path) -> None:
    ended = closing.watched(tmp_path, ["crashed"], 0.2)["crashed"]
    assert (ended["halted"], ended["flat"], ended["left"]) == (False, False, None)
    assert "cannot be reached" in ended["said"]
