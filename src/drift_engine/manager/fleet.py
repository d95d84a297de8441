"""The fleet file: which engines there are, what each runs, and where alerts go. Checked before anything starts.

TOML: ``[engines.NAME]`` with what a run takes (``strategy``, ``mode``, ``market``, ``venue``, ``scenario``, ``data``,
``speed``, …), ``rpc``, ``ws``, ``sub_account``, ``autostart``, ``[engines.NAME.params]`` and ``[engines.NAME.limits]``;
``[alerts]``; ``[server]`` with ``host`` and ``port``. A mistake is one ``ConfigError`` that names file, engine and key.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from msgspec import Struct

from drift_engine.alerts import AlertSettings, settings_from
from drift_engine.config import ConfigError, known_keys, read_toml
from drift_engine.control.places import checked_name
from drift_engine.control.spec import EngineSpec

HOST, PORT = "127.0.0.1", 8700
_TOP = ("engines", "alerts", "server")
_RUN = (
    "strategy", "mode", "market", "venue", "scenario", "data", "speed", "seed", "interval_s", "days", "capital",
    "from", "to", "mark", "fill", "faults", "params", "limits",
)  # fmt: skip
_OWN = ("sub_account", "autostart", "rpc", "ws")
_PACE: dict[str, Any] = {"scenario": "calm_carry", "speed": 3600, "days": 365}


class Fleet(Struct, frozen=True):
    """Everything a manager starts from."""

    engines: tuple[EngineSpec, ...]
    alerts: AlertSettings = AlertSettings()
    host: str = HOST
    port: int = PORT


def default_fleet() -> Fleet:
    """Return three paper engines on the embedded market, each on a sub-account of its own."""
    runs = (("delta-neutral", "delta_neutral"), ("funding-farm", "funding_farm"), ("hold", "hold"))
    return Fleet(
        tuple(
            EngineSpec(name, {"strategy": strategy, **_PACE}, sub_account=number)
            for number, (name, strategy) in enumerate(runs)
        )
    )


def load_fleet(path: Path) -> Fleet:
    """Read a fleet file. Raises ``ConfigError``."""
    table = read_toml(path)
    try:
        return fleet_from(table, path.absolute().parent)
    except ConfigError as error:
        raise ConfigError(f"{path}: {error}") from None


def fleet_from(table: Mapping[str, Any], root: Path) -> Fleet:
    """Return the fleet a table describes; places in it are relative to ``root``."""
    known_keys(table, _TOP, "the file")
    engines = _section(table, "engines", "")
    if not engines:
        raise ConfigError("there is no [engines.NAME]; a fleet has one engine at least")
    server = _section(table, "server", "")
    known_keys(server, ("host", "port"), "[server]")
    specs = tuple(_engine(name, _section(engines, name, "engines."), root) for name in engines)
    _one_each(specs)
    alerts = settings_from(_section(table, "alerts", ""))
    return Fleet(specs, alerts, str(server.get("host", HOST)), _port(server.get("port", PORT)))


def _engine(name: str, table: Mapping[str, Any], root: Path) -> EngineSpec:
    where = f"[engines.{checked_name(name)}]"
    known_keys(table, (*_RUN, *_OWN), where)
    run = {key: value for key, value in table.items() if key in _RUN}
    if "data" in run:
        run["data"] = str(root / str(run["data"]))
    if str(run.get("strategy", "")).partition(":")[0].endswith(".py"):
        run["strategy"] = str(root / run["strategy"])
    sub_account, autostart = table.get("sub_account", 0), table.get("autostart", True)
    if not isinstance(sub_account, int) or isinstance(sub_account, bool) or sub_account < 0:
        raise ConfigError(f"{where} sub_account is {sub_account!r}; it must be a whole number of 0 or more")
    if not isinstance(autostart, bool):
        raise ConfigError(f"{where} autostart is {autostart!r}; it must be true or false")
    spec = EngineSpec(name, run, sub_account, autostart, _text(table, "rpc", where), _text(table, "ws", where))
    try:
        spec.config(root)
    except ConfigError as error:
        raise ConfigError(f"{where} {error}") from None
    return spec


def _one_each(specs: tuple[EngineSpec, ...]) -> None:
    """Raise ``ConfigError`` where two engines would trade one sub-account."""
    taken: dict[tuple[str, str, int], str] = {}
    for spec in specs:
        other = taken.setdefault(spec.account, spec.name)
        if other != spec.name:
            where = f"sub-account {spec.sub_account} of {spec.venue}"
            raise ConfigError(
                f"engines {other!r} and {spec.name!r} both trade {where}; give each a sub_account of its own"
            )


def _section(table: Mapping[str, Any], key: str, above: str) -> Mapping[str, Any]:
    found = table.get(key, {})
    if not isinstance(found, Mapping):
        raise ConfigError(f"{key!r} must be a section [{above}{key}]")
    return found


def _text(table: Mapping[str, Any], key: str, where: str) -> str | None:
    value = table.get(key)
    if value is not None and not isinstance(value, str):
        raise ConfigError(f"{where} {key} is {value!r}; it must be text")
    return value


def _port(value: Any) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value <= 65_535:
        raise ConfigError(f"[server] port is {value!r}; it must be a number from 0 to 65535")
    return value
