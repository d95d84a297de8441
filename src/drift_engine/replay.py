"""Tell a journal's run again: fold its events, decide anew, and say whether each decision came out the same.

The engine is the same, and so is its tick; the journal is only read. A backtest is fed from its data, which is found by
the path in the journal unless another is named, and whose files must have the recorded sha256. A paper run is fed from
the journal alone.
"""

from pathlib import Path
from typing import Any

from msgspec import Struct, structs

from drift_engine import wiring
from drift_engine.backtest import feed
from drift_engine.config import ConfigError, RunConfig, from_identity
from drift_engine.core.types import RunStarted
from drift_engine.engine import DriftEngine
from drift_engine.journal import Journal, JournalMismatchError
from drift_engine.journal.reader import run_started
from drift_engine.strategies.base import DriftStrategy


class ReplayReport(Struct, frozen=True):
    """How a replay went. ``difference`` names the first record that came out otherwise; ``status`` is the engine's."""

    records: int
    decisions: int
    same: bool
    difference: str | None
    digest: str
    status: dict[str, Any]


def replay(path: Path, data: Path | None = None) -> ReplayReport:
    """Replay a journal. Raises ``ConfigError`` or ``JournalError`` where it, or its data, cannot be read."""
    config = recorded_config(path, data)
    strategy = wiring.make_strategy(config)
    ports = _ports(config, strategy, path)
    engine = DriftEngine(strategy, config=config, ports=ports)
    difference = None
    try:
        engine.open()
        if isinstance(ports, wiring.SimPorts) and config.mode == "backtest":
            feed(engine, ports)
            engine.finish()
        if ports.journal.verifying:
            difference = "the run ended, and the journal goes on: the data is not all that the run had"
    except JournalMismatchError as error:
        difference = str(error)
    finally:
        engine.close()
    return ReplayReport(
        records=ports.journal.seq,
        decisions=engine.tally.decisions,
        same=difference is None,
        difference=difference,
        digest=ports.journal.digest_hex(engine.state),
        status=engine.get_status(),
    )


def recorded_config(path: Path, data: Path | None = None) -> RunConfig:
    """Return the run a journal holds, from its first record."""
    first = next(iter(Journal.read(path)), None)
    if first is None or not isinstance(first.event, RunStarted):
        raise ConfigError(f"{path} holds no run; take a journal that paper or backtest wrote")
    config = from_identity(first.event.config)
    return structs.replace(config, data=data or config.data, journal=path)


def _ports(config: RunConfig, strategy: DriftStrategy, path: Path) -> wiring.Ports:
    journal = Journal.open(path, reference=config.mode == "backtest", replay=True)
    started = run_started(path)
    if config.venue is None or started is None:
        return wiring.build(config, strategy, journal=journal)
    from drift_engine import wiring_chain

    return wiring_chain.recorded(config, started, journal)
