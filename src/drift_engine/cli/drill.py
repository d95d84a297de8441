"""``drift-engine drill``: rehearse the kill on a paper engine, and say how long it took to flat and what was left.

Without a name it makes an engine of its own in a directory that is thrown away, waits until that holds something, and
kills it. With a name it kills that engine of the fleet; it must be on paper, and it stays halted until resumed.
"""

import contextlib
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from drift_engine.cli import closing, exits
from drift_engine.cli.options import Json, State

if TYPE_CHECKING:
    from drift_engine.control.protocol import Answer

Name = Annotated[
    str | None,
    typer.Argument(metavar="[ENGINE]", help="A paper engine; one is made for it if not given.", show_default=False),
]
Within = Annotated[float, typer.Option("--within", min=1.0, metavar="S", help="Give up after so many seconds.")]
_REHEARSED = "drill"
_RUN: dict[str, Any] = {"strategy": "delta_neutral", "scenario": "calm_carry", "speed": 3600}
_PAUSE_S = 0.02
_START_S = 20.0


def drill(engine: Name = None, *, within: Within = 60.0, state: State = None, as_json: Json = False) -> int:
    """Rehearse the kill on a paper engine: time to flat, and what was left."""
    from drift_engine.cli.fleet_options import state_dir

    if engine is not None:
        return _tell(_rehearse(state_dir(state), engine, within), as_json=as_json)
    with _own_engine() as place:
        return _tell(_rehearse(place, _REHEARSED, within), as_json=as_json)


def _rehearse(state: Path, name: str, within_s: float) -> dict[str, Any]:
    """Kill an engine and watch it; return what was seen."""
    from drift_engine.cli.fleet_options import noted, who

    status = _asked(state, name, "status").data
    if status["mode"] != "paper":
        raise exits.FailedError(f"{name} is {status['mode']}; a drill is for paper engines, kill is the real thing")
    before = closing.held(status)
    began = time.monotonic()
    noted(state, "drill", name, _asked(state, name, "kill", who=f"drill, {who()}"))
    steps: list[dict[str, Any]] = []
    while time.monotonic() - began < within_s:
        status = _asked(state, name, "status").data
        step = {"trading": status["trading"], "attempt": status["closing"], "held": closing.held(status)}
        if not steps or {**steps[-1], "after_s": None} != {**step, "after_s": None}:
            steps.append({"after_s": round(time.monotonic() - began, 3), **step})
        if status["trading"] == "HALTED" and not status["closing"]:
            break
        time.sleep(_PAUSE_S)
    flat = closing.is_flat(status)
    return {
        "engine": name,
        "flat": flat,
        "time_to_flat_s": steps[-1]["after_s"] if flat else None,
        "held_before": before,
        "left": closing.held(status),
        "steps": steps,
        "said": status["reason"],
    }


def _asked(state: Path, name: str, do: str, **fields: Any) -> "Answer":
    from drift_engine.cli.fleet_options import refuse, why_unreachable
    from drift_engine.control.client import ask_now
    from drift_engine.control.places import Places

    answer = ask_now(Places(state, name).socket, do, **fields)
    if not answer.ok:
        refuse(why_unreachable(state, name, answer))
    return answer


def _tell(found: dict[str, Any], *, as_json: bool) -> int:
    from drift_engine.cli.output import print_json

    if as_json:
        print_json(found)
    else:
        for step in found["steps"]:
            print(f"{step['after_s']:7.3f} s  {step['trading']:8}  {closing.words(step['held'])}")
        name, left = found["engine"], closing.words(found["left"])
        if found["flat"]:
            print(f"{name} was flat after {found['time_to_flat_s']:.3f} s; left: {left}")
        else:
            print(f"{name} is NOT flat; left: {left}; it says: {found['said']}")
    return exits.OK if found["flat"] else exits.FAILED


@contextlib.contextmanager
def _own_engine() -> Iterator[Path]:
    """Yield the state directory of an engine made for the drill, once it holds something."""
    from drift_engine.control.spec import EngineSpec

    with tempfile.TemporaryDirectory(prefix="drift-engine-") as folder:
        place = Path(folder)
        EngineSpec(_REHEARSED, _RUN).save(place)
        command = (sys.executable, "-m", "drift_engine", "engine", _REHEARSED, "--state", folder)
        with (place / f"{_REHEARSED}.log").open("wb") as log:
            process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log)  # noqa: S603
        try:
            _wait_for_a_position(place, process)
            yield place
        finally:
            os.kill(process.pid, signal.SIGTERM)
            process.wait()


def _wait_for_a_position(place: Path, process: "subprocess.Popen[bytes]") -> None:
    from drift_engine.control.client import ask_now
    from drift_engine.control.places import Places

    by = time.monotonic() + _START_S
    while time.monotonic() < by and process.poll() is None:
        answer = ask_now(Places(place, _REHEARSED).socket, "status")
        if answer.ok and closing.held(answer.data):
            return
        time.sleep(_PAUSE_S)
    raise exits.FailedError(f"the engine made for the drill took no position within {_START_S:g} s")
