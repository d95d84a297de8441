"""What one engine of a fleet runs: written down by the manager, read by the engine's own process."""

from pathlib import Path
from typing import Any

import msgspec
from msgspec import Struct, structs

from drift_engine.config import ConfigError, RunConfig, from_table, paced
from drift_engine.control.places import Places, checked_name, write_whole


class EngineSpec(Struct, frozen=True, forbid_unknown_fields=True):
    """An engine of a fleet. ``run`` is a table as ``config.from_table`` takes it, its places absolute."""

    name: str
    run: dict[str, Any]
    sub_account: int = 0
    autostart: bool = True
    rpc: str | None = None
    ws: str | None = None

    @property
    def venue(self) -> str:
        """The venue's name, ``sim`` for the simulated one."""
        return str(self.run.get("venue", "sim"))

    @property
    def mode(self) -> str:
        """``paper`` or ``live``."""
        return str(self.run.get("mode", "paper"))

    @property
    def account(self) -> tuple[str, str, int]:
        """What only one engine may trade: venue, authority (``paper`` for a simulated account) and sub-account."""
        return self.venue, self.mode, self.sub_account

    def config(self, state_dir: Path) -> RunConfig:
        """Return the run. Raises ``ConfigError``."""
        run = from_table(self.run)
        if run.mode == "backtest":
            raise ConfigError("an engine of a fleet runs in mode paper or live, not backtest")
        run = paced(run, speed_given="speed" in self.run, interval_given="interval_s" in self.run)
        return structs.replace(run, journal=Places(state_dir, self.name).journal, state_dir=state_dir)

    def with_params(self, params: dict[str, str]) -> "EngineSpec":
        """Return the same with some parameters changed."""
        return structs.replace(self, run={**self.run, "params": {**self.run.get("params", {}), **params}})

    def save(self, state_dir: Path) -> None:
        """Write it down for the engine's process."""
        path = Places(state_dir, self.name).spec
        path.parent.mkdir(parents=True, exist_ok=True)
        write_whole(path, msgspec.json.encode(self))


def load(state_dir: Path, name: str) -> EngineSpec:
    """Return what an engine runs. Raises ``ConfigError`` where nothing is written down."""
    path = Places(state_dir, checked_name(name)).spec
    try:
        return msgspec.json.decode(path.read_bytes(), type=EngineSpec)
    except FileNotFoundError:
        raise ConfigError(f"{path} does not exist; an engine is started by the manager, drift-engine serve") from None
    except msgspec.DecodeError as error:
        raise ConfigError(f"{path}: {error}; start the manager again to have it written anew") from None
