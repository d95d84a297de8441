"""What to run: one frozen record, made from the command line or a TOML file, checked before anything starts.

A problem is one line that says what, where and how to mend it (``ConfigError``); nothing was touched by then.
"""

import tomllib
from collections.abc import Collection, Mapping
from datetime import UTC, datetime
from math import inf
from pathlib import Path
from typing import Any, Literal

from msgspec import Struct, structs

from drift_engine.core.near_names import hint
from drift_engine.core.units import SECOND_NS, parse_scaled, show_scaled
from drift_engine.execution.limits import LimitError, Limits, show_limits, with_limits

Mode = Literal["paper", "live", "backtest"]
MarkSource = Literal["drift", "binance"]
FillModel = Literal["auction", "next_open"]
PAPER_LEVERAGE_E4 = 100_000
DEFAULT_STATE_DIR = Path(".drift-engine")
DEFAULT_SCENARIO = "calm_carry"
DEFAULT_SPEED = 600.0
_PRICES_A_SECOND = 10
_HOUR_S = 3_600


class ConfigError(ValueError):
    """A run was described wrongly: exit 2, with this line."""


class RunConfig(Struct, frozen=True):
    """Everything that decides what a run does. Money in quote 1e6, times in ns UTC, ``to_ns`` exclusive."""

    strategy: str = "delta_neutral"
    params: dict[str, str] = {}
    mode: Mode = "paper"
    market: str | None = None
    venue: str | None = None
    scenario: str | None = None
    data: Path | None = None
    mark: MarkSource = "drift"
    fill: FillModel = "auction"
    from_ns: int | None = None
    to_ns: int | None = None
    capital_e6: int = 10_000_000_000
    limits: Limits = Limits()
    seed: int = 0
    interval_s: int = 60
    days: int = 30
    speed: float = 1.0
    faults: tuple[str, ...] = ()
    journal: Path | None = None
    state_dir: Path = DEFAULT_STATE_DIR

    def identity(self) -> dict[str, str]:
        """Return the run as text: what a journal records, and what must be the same to resume it.

        ``data`` and ``journal`` are places: they are recorded and may change.
        """
        shown = {
            "mode": self.mode,
            "strategy": self.strategy,
            "market": self.market or "",
            "venue": self.venue or "",
            "scenario": self.scenario or "",
            "data": "" if self.data is None else str(self.data.absolute()),
            "mark": self.mark,
            "fill": self.fill,
            "from": show_date(self.from_ns),
            "to": show_date(self.to_ns),
            "capital": show_scaled(self.capital_e6, 6),
            "seed": str(self.seed),
            "interval_s": str(self.interval_s),
            "days": str(self.days),
            "faults": ",".join(self.faults),
        }
        shown |= {f"param.{name}": value for name, value in sorted(self.params.items())}
        return shown | {f"limit.{name}": value for name, value in show_limits(self.limits).items()}


def from_identity(shown: Mapping[str, str]) -> RunConfig:
    """Return the run that ``RunConfig.identity`` wrote down."""
    table: dict[str, Any] = {"params": {}, "limits": {}}
    for key, value in shown.items():
        section, _, name = key.partition(".")
        if name:
            table[f"{section}s"][name] = value
        elif value:
            table[key] = int(value) if key in _NUMBERS else value
    table["faults"] = [fault for fault in shown.get("faults", "").split(",") if fault]
    return from_table(table)


def for_paper(limits: Limits) -> Limits:
    """Return the limits paper trading starts from: a leverage of up to 10."""
    return structs.replace(limits, max_leverage_e4=PAPER_LEVERAGE_E4)


def paced(run: RunConfig, *, speed_given: bool, interval_given: bool = True) -> RunConfig:
    """Return a paper run with a market, and a pace at which there is something to see."""
    if run.venue is not None:
        return run
    if run.data is None and run.scenario is None:
        run = structs.replace(run, scenario=DEFAULT_SCENARIO)
    run = run if speed_given else structs.replace(run, speed=DEFAULT_SPEED)
    if run.scenario is None or interval_given:
        return run
    return structs.replace(run, interval_s=interval_for(run.speed))


def interval_for(speed: float) -> int:
    """Return the seconds between prices that show about ten of them a second; they must divide an hour."""
    wanted_s = max(1, min(round(speed / _PRICES_A_SECOND), _HOUR_S // 2))
    return next(length_s for length_s in range(wanted_s, 0, -1) if _HOUR_S % length_s == 0)


def parse_date(text: str, what: str) -> int:
    """Return 00:00 UTC of ``YYYY-MM-DD``, or an ISO time, in nanoseconds."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise ConfigError(f"{what} {text!r} is no date; write it as 2025-04-14") from None
    moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return int(moment.timestamp()) * SECOND_NS


def show_date(ns: int | None) -> str:
    """Return a time as ISO UTC, empty where there is none."""
    if ns is None:
        return ""
    return datetime.fromtimestamp(ns // SECOND_NS, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def parse_pairs(pairs: list[str], option: str) -> dict[str, str]:
    """Return ``k=v`` options as a mapping; several may stand in one, separated by commas."""
    found: dict[str, str] = {}
    for pair in (part for text in pairs for part in text.split(",")):
        key, sign, value = pair.partition("=")
        if not sign or not key.strip() or not value.strip():
            raise ConfigError(f"{option} {pair!r} is not of the form name=value")
        if key.strip() in found:
            raise ConfigError(f"{option} names {key.strip()!r} twice; keep one")
        found[key.strip()] = value.strip()
    return found


def parse_capital(text: str) -> int:
    """Return a capital in quote 1e6; it must be positive."""
    try:
        capital_e6 = parse_scaled(text, 6)
    except ValueError as error:
        raise ConfigError(f"capital: {error}; write an amount in USD, as 10000") from None
    if capital_e6 <= 0:
        raise ConfigError(f"capital is {text}; it must be more than 0")
    return capital_e6


def changed_limits(limits: Limits, changes: Mapping[str, str]) -> Limits:
    """Return limits with the user's changes; an unknown one is a ``ConfigError`` with the near name."""
    try:
        return with_limits(limits, changes)
    except LimitError as error:
        raise ConfigError(str(error)) from None


def load(path: Path, mode: Mode = "paper") -> RunConfig:
    """Read a TOML file into a run, of ``mode`` where it names none.

    Raises ``ConfigError`` with file, key and near name for whatever is wrong.
    """
    table = read_toml(path)
    try:
        return from_table({"mode": mode, **table}, path.parent)
    except ConfigError as error:
        raise ConfigError(f"{path}: {error}") from None


def read_toml(path: Path) -> dict[str, Any]:
    """Return what a TOML file holds. Raises ``ConfigError`` where it cannot be read, or is none."""
    try:
        return tomllib.loads(path.read_bytes().decode())
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read: {error.strerror}") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: is not TOML: {error}") from None


def known_keys(table: Mapping[str, Any], known: Collection[str], where: str = "") -> None:
    """Raise ``ConfigError`` for a key that is not known, with the near name."""
    for key in table:
        if key not in known:
            begin = f"{where} has an unknown" if where else "unknown"
            raise ConfigError(f"{begin} key {key!r}; {hint(key, known)}")


_CHOICES = {
    "mode": ("paper", "live", "backtest"),
    "mark": ("drift", "binance"),
    "fill": ("auction", "next_open"),
}
_PLACES = ("data", "journal", "state_dir")
_NUMBERS = ("seed", "interval_s", "days", "speed")
_KEYS = ("strategy", "market", "venue", "scenario", "from", "to", "capital", "faults", "params", "limits")


def from_table(table: Mapping[str, Any], root: Path = Path()) -> RunConfig:
    """Return the run a TOML table describes; places in it are relative to ``root``."""
    known = (*_KEYS, *_CHOICES, *_PLACES, *_NUMBERS)
    known_keys(table, known)
    fields: dict[str, Any] = {
        key: _text(table, key) for key in ("strategy", "market", "venue", "scenario") if key in table
    }
    fields |= {key: _choice(key, table[key], choices) for key, choices in _CHOICES.items() if key in table}
    fields |= {key: root / _text(table, key) for key in _PLACES if key in table}
    fields |= {key: _number(key, table[key]) for key in _NUMBERS if key in table}
    fields |= {f"{key}_ns": parse_date(str(table[key]), key) for key in ("from", "to") if key in table}
    if "capital" in table:
        fields["capital_e6"] = parse_capital(str(table["capital"]))
    if "faults" in table:
        fields["faults"] = _texts(table, "faults")
    fields["params"] = {name: str(value) for name, value in _section(table, "params").items()}
    limits = Limits() if fields.get("mode", "paper") != "paper" else for_paper(Limits())
    changes = {name: str(value) for name, value in _section(table, "limits").items()}
    return RunConfig(**fields, limits=changed_limits(limits, changes))


def _section(table: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    section = table.get(key, {})
    if not isinstance(section, Mapping):
        raise ConfigError(f"{key!r} must be a section [{key}]")
    return section


def _text(table: Mapping[str, Any], key: str) -> str:
    if not isinstance(table[key], str):
        raise ConfigError(f"{key!r} is {table[key]!r}; it must be text")
    return str(table[key])


def _choice(key: str, value: object, choices: tuple[str, ...]) -> object:
    if value not in choices:
        raise ConfigError(f"{key!r} is {value!r}; it must be one of {', '.join(choices)}")
    return value


def _texts(table: Mapping[str, Any], key: str) -> tuple[str, ...]:
    found = table[key]
    if not isinstance(found, list | tuple) or not all(isinstance(text, str) for text in found):
        raise ConfigError(f"{key!r} is {found!r}; it must be a list of texts")
    return tuple(found)


def _number(key: str, value: object) -> int | float:
    whole = key != "speed"
    if isinstance(value, bool) or not isinstance(value, int if whole else int | float) or not 0 <= value < inf:
        raise ConfigError(f"{key!r} is {value!r}; it must be a {'whole ' if whole else ''}number of 0 or more")
    return value
