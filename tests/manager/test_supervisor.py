"""What becomes of a process that ends: which ends are crashes, how long the pauses are, and when it is given up."""

from __future__ import annotations

import signal
from pathlib import Path

import pytest

from drift_engine.control.places import Ended, Places
from drift_engine.control.spec import EngineSpec, load
from drift_engine.manager.process import Child
from drift_engine.manager.supervisor import GRACE_S, MOST_CRASHES, WINDOW_S, Supervisor


class Scripted(Child):
    """A child that ends when told; nothing is spawned."""

    def __init__(self, state: Path) -> None:
        super().__init__(Places(state, "a"), ())
        self.code: int | None = None
        self.spawned = 0
        self.sent: list[int] = []
        self.living = False

    def adopt(self) -> bool:
        self.pid = 1 if self.living else None
        return self.living

    def spawn(self) -> None:
        self.spawned, self.pid, self.code = self.spawned + 1, 1, None

    def ended(self) -> int | None:
        code, self.code = self.code, None
        if code is not None:
            self.pid = None
        return code

    def send(self, number: signal.Signals) -> None:
        self.sent.append(number)


@pytest.fixture
def child(tmp_path: Path) -> Scripted:
    return Scripted(tmp_path)


def started(child: Scripted) -> Supervisor:
    found = Supervisor(child)
    found.start()
    found.heard()
    return found


def test_pauses_double_and_an_engine_that_keeps_dying_is_left_alone(child: Scripted) -> None:
    found, now_s = started(child), 10 * WINDOW_S
    pauses: list[float] = []
    while found.phase != "ERROR" or found.waiting:
        child.code = -signal.SIGKILL
        found.look(now_s)
        died_s = now_s
        while found.waiting:
            now_s += 0.25
            found.look(now_s)
            if not found.waiting:
                pauses.append(now_s - died_s)
        assert now_s < 11 * WINDOW_S
    assert pauses == [0.5, 1, 2, 4, 8]
    assert (found.restarts, child.spawned) == (MOST_CRASHES - 1, MOST_CRASHES)
    assert found.reason == "died 6 times in 10 minutes, left alone: killed by SIGKILL"
    found.start()
    assert found.phase == "STARTING", "a human may start it"


def test_crashes_are_forgotten_after_a_while(child: Scripted) -> None:
    found = started(child)
    for number in range(2 * MOST_CRASHES):
        child.code = 1
        found.look(number * (WINDOW_S + 1))
        assert found.waiting
        assert found.reason == "died: exit code 1; starting again in 0.5 s"
        found.look(number * (WINDOW_S + 1) + 1)
    assert found.restarts == 2 * MOST_CRASHES


@pytest.mark.parametrize(
    ("code", "phase", "reason"),
    [
        (0, "STOPPED", "its market data came to an end"),
        (3, "STOPPED", "its market data came to an end; it was halted and waits for a human"),
        (2, "ERROR", "no such strategy"),
    ],
)
def test_what_ended_by_itself_is_not_started_again(child: Scripted, code: int, phase: str, reason: str) -> None:
    found = started(child)
    child.places.note_end(Ended(1, code, reason if code == 2 else ""))
    child.code = code
    found.look(0)
    assert (found.phase, found.reason, found.waiting, child.spawned) == (phase, reason, False, 1)


def test_another_managers_engine_that_was_there_first_is_taken_over(child: Scripted) -> None:
    """Ours ends as its sub-account is taken (2); whoever holds the name is heard from then on."""
    found = started(child)
    child.code, child.living = 2, True
    found.look(0)
    assert (found.phase, found.alive, found.waiting) == ("STARTING", True, False)
    found.heard()
    assert found.phase == "RUNNING"


def test_a_stop_is_a_signal_then_a_kill_and_a_restart_starts_it_after(child: Scripted) -> None:
    found = started(child)
    found.stop(10, again=True)
    found.look(10 + GRACE_S - 0.1)
    assert child.sent == [signal.SIGTERM]
    found.look(10 + GRACE_S)
    found.look(10 + GRACE_S + 1)
    assert child.sent == [signal.SIGTERM, signal.SIGKILL]
    child.code = -9
    found.look(20)
    assert (found.phase, child.spawned, found.restarts) == ("STARTING", 2, 0)
    found.stop(30)
    child.code = 3
    found.look(31)
    assert (found.phase, found.reason, child.spawned) == ("STOPPED", "stopped", 2)


def test_a_stop_cancels_a_restart_that_was_due(child: Scripted) -> None:
    found = started(child)
    child.code = 1
    found.look(0)
    assert found.waiting
    found.stop(0.1)
    found.look(100)
    assert (found.phase, child.spawned) == ("STOPPED", 1)


def test_what_names_a_node_is_read_by_its_owner_alone(tmp_path: Path) -> None:
    """The addresses of nodes hold keys; what a crash left half written is no way round."""
    spec = EngineSpec("a", {"strategy": "hold"}, rpc="https://node.example/KEY")
    spec.save(tmp_path)
    path = Places(tmp_path, "a").spec
    half = path.with_name(f"{path.name}.new")
    half.write_text("half")
    half.chmod(0o666)
    spec.save(tmp_path)
    assert (path.stat().st_mode & 0o777, half.exists()) == (0o600, False)
    assert load(tmp_path, "a") == spec
