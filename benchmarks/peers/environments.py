"""Environments for the peers, below ``.bench/``: made once, made again when a pin changes, never in our own.

A peer that cannot be installed or run here is absent, with the last line of what went wrong; nothing stands in for it.
"""

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.ema import Trade

PROJECT = Path(__file__).resolve().parents[2]
HOME = PROJECT / ".bench"
INSTALL_S, RUN_S = 600, 600


class AbsentError(Exception):
    """The peer is not to be had here. The message is one line that says why."""


@dataclass(frozen=True)
class Peer:
    """One engine: the module that runs it, and what to install."""

    name: str
    module: str
    pin: str

    @property
    def python(self) -> Path:
        """The interpreter of the peer's own environment."""
        return HOME / self.name / "bin" / "python"


PEERS = (
    Peer("flint", "benchmarks.peers.flint_peer", "flint-trading==1.1.0"),
    Peer("backtesting", "benchmarks.peers.backtesting_peer", "backtesting==0.6.6"),
    Peer("nautilus", "benchmarks.peers.nautilus_peer", "nautilus_trader==1.221.0"),
)

DRIFTPY = Peer("driftpy", "benchmarks.peers.driftpy_orders", "driftpy==0.8.89")


def install(peer: Peer) -> None:
    """Make the peer's environment unless it stands already. Raises ``AbsentError``."""
    stamp = HOME / peer.name / "installed"
    if stamp.is_file() and stamp.read_text() == peer.pin:
        return
    _run([sys.executable, "-m", "venv", "--clear", str(HOME / peer.name)], INSTALL_S)
    _run([str(peer.python), "-m", "pip", "install", "-q", "--disable-pip-version-check", peer.pin], INSTALL_S)
    stamp.write_text(peer.pin)


def run(peer: Peer, candles: Path, rounds: int) -> tuple[float, list[Trade]]:
    """Return the peer's CPU nanoseconds an event and its trades. Raises ``AbsentError``."""
    said = answer(peer, candles, rounds)
    return float(said["cpu_ns_per_event"]), [Trade(*each) for each in said["trades"]]


def answer(peer: Peer, *arguments: object) -> Any:
    """Return what the peer's module printed last, as JSON. Raises ``AbsentError``."""
    printed = _run([str(peer.python), "-m", peer.module, *map(str, arguments)], RUN_S)
    return json.loads(printed.splitlines()[-1])


def _run(command: list[str], timeout_s: int) -> str:
    environment = {key: value for key, value in os.environ.items() if key not in {"PYTHONPATH", "VIRTUAL_ENV"}}
    try:
        done = subprocess.run(
            command, cwd=PROJECT, env=environment, capture_output=True, text=True, timeout=timeout_s, check=False
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise AbsentError(str(error).splitlines()[0]) from error
    if done.returncode:
        lines = (done.stderr or done.stdout).strip().splitlines()
        raise AbsentError(lines[-1] if lines else f"exit code {done.returncode}")
    return done.stdout
