"""The options that commands share, and how they become one ``RunConfig``: file first, flags over it."""

from pathlib import Path
from typing import Annotated, Any

import typer

from drift_engine.config import (
    ConfigError,
    Mode,
    RunConfig,
    changed_limits,
    for_paper,
    load,
    parse_capital,
    parse_date,
    parse_pairs,
)
from drift_engine.execution.limits import Limits

_RUN, _MARKET, _OUT = "What to run", "Which market", "Where to, and how"
_SECONDS = {"s": 1, "m": 60, "h": 3_600, "d": 86_400}

Strategy = Annotated[
    str | None,
    typer.Argument(metavar="STRATEGY", help="A built-in name, FILE.py[:Class] or an entry point.", show_default=False),
]
Market = Annotated[
    str | None, typer.Option("--market", metavar="NAME", help="Perp market, as SOL-PERP.", rich_help_panel=_RUN)
]
Capital = Annotated[
    str | None,
    typer.Option("--capital", metavar="USD", help="Deposit at the start. (default 10000)", rich_help_panel=_RUN),
]
Set = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="K=V", help="A strategy's parameter; repeatable.", rich_help_panel=_RUN),
]
Limit = Annotated[
    list[str] | None,
    typer.Option("--limit", metavar="K=V", help="A limit, or K=off; repeatable.", rich_help_panel=_RUN),
]
Config = Annotated[
    Path | None, typer.Option("--config", metavar="FILE", help="A TOML file; flags win over it.", rich_help_panel=_RUN)
]
Venue = Annotated[
    str | None,
    typer.Option("--venue", metavar="NAME", help="A real venue: velocity or drift_v2.", rich_help_panel=_MARKET),
]
Scenario = Annotated[
    str | None,
    typer.Option("--scenario", metavar="NAME", help="A simulated market, as calm_carry.", rich_help_panel=_MARKET),
]
Data = Annotated[
    Path | None,
    typer.Option("--data", metavar="DIR", help="Recorded market data: docs/market-data.md.", rich_help_panel=_MARKET),
]
From = Annotated[
    str | None,
    typer.Option("--from", metavar="DATE", help="First day, 00:00 UTC, as 2025-04-14.", rich_help_panel=_MARKET),
]
To = Annotated[
    str | None, typer.Option("--to", metavar="DATE", help="Day after the last one.", rich_help_panel=_MARKET)
]
Mark = Annotated[
    str | None,
    typer.Option("--mark", metavar="drift|binance", help="Where the perp's mark comes from.", rich_help_panel=_MARKET),
]
Fill = Annotated[
    str | None,
    typer.Option("--fill", metavar="auction|next_open", help="How the venue fills.", rich_help_panel=_MARKET),
]
Seed = Annotated[
    int | None, typer.Option("--seed", min=0, help="Seed of everything simulated. (default 0)", rich_help_panel=_MARKET)
]
Days = Annotated[
    int | None, typer.Option("--days", min=1, help="Length of a scenario. (default 30)", rich_help_panel=_MARKET)
]
Interval = Annotated[
    int | None,
    typer.Option(
        "--interval", min=1, metavar="S", help="Seconds between a scenario's prices.", rich_help_panel=_MARKET
    ),
]
Fault = Annotated[
    list[str] | None,
    typer.Option(
        "--fault", metavar="NAME", help="A fault of the simulated venue; repeatable.", rich_help_panel=_MARKET
    ),
]
JournalFile = Annotated[
    Path | None,
    typer.Option("--journal", metavar="FILE", help="Keep the journal here, or resume it.", rich_help_panel=_OUT),
]
State = Annotated[
    Path | None,
    typer.Option("--state", metavar="DIR", help="Holds journals. (default .drift-engine)", rich_help_panel=_OUT),
]
LastJournal = Annotated[
    Path | None, typer.Option("--journal", metavar="FILE", help="Or an engine's name; the last run's if not given.")
]
Json = Annotated[bool, typer.Option("--json", help="One JSON document on stdout, nothing else.", rich_help_panel=_OUT)]


def parse_duration(text: str | None) -> float | None:
    """Return seconds for ``20s``, ``5m``, ``1h`` or a bare number of seconds."""
    if text is None:
        return None
    number, unit = (text[:-1], text[-1]) if text[-1:] in _SECONDS else (text, "s")
    try:
        seconds = float(number) * _SECONDS[unit]
    except ValueError:
        raise ConfigError(f"--for {text!r} is no length of time; write it as 20s, 5m or 1h") from None
    if not 0 < seconds < float("inf"):
        raise ConfigError(f"--for is {text}; it must be more than 0")
    return seconds


def run_config(mode: Mode, config: Path | None, flags: dict[str, Any]) -> RunConfig:
    """Return the run that a file and flags describe. ``flags`` holds ``None`` for what was not given."""
    import msgspec

    base = RunConfig(mode=mode, limits=_limits(mode)) if config is None else load(config, mode)
    given = {name: value for name, value in flags.items() if value is not None}
    if base.mode not in (mode, "live"):
        raise ConfigError(f"{config} describes a run of mode {base.mode!r}; start it with drift-engine {base.mode}")
    if config is None and "strategy" not in given:
        raise ConfigError(f"name a STRATEGY, as in drift-engine {mode} delta_neutral, or a --config FILE")
    if "days" in given and "data" in given:
        raise ConfigError("--days is the length of a scenario; with --data the window is --from and --to")
    fields = {name: value for name, value in given.items() if name in RunConfig.__struct_fields__}
    if "capital" in given:
        fields["capital_e6"] = parse_capital(given["capital"])
    fields |= {f"{name}_ns": parse_date(given[name], f"--{name}") for name in ("from", "to") if name in given}
    fields["params"] = {**base.params, **parse_pairs(given.get("set", []), "--set")}
    fields["limits"] = changed_limits(base.limits, parse_pairs(given.get("limit", []), "--limit"))
    return checked(msgspec.structs.replace(base, **fields))


def _limits(mode: Mode) -> Limits:
    return for_paper(Limits()) if mode == "paper" else Limits()


def checked(config: RunConfig) -> RunConfig:
    """Return a run whose parts agree. Raises ``ConfigError`` where they do not, whichever way they were given."""
    _one_of("--mark", config.mark, ("drift", "binance"))
    _one_of("--fill", config.fill, ("auction", "next_open"))
    _one_of("--mode", config.mode, ("paper", "live", "backtest"))
    if config.data is not None and config.scenario is not None:
        raise ConfigError("--data and --scenario are two different markets; keep one")
    if config.venue is not None and (config.data is not None or config.scenario is not None):
        raise ConfigError("--venue is a real market, --data and --scenario are others; keep one")
    if config.data is not None and not config.data.is_dir():
        raise ConfigError(f"--data {config.data} is no directory")
    if config.journal is not None and not config.journal.absolute().parent.is_dir():
        raise ConfigError(f"--journal {config.journal}: its directory does not exist; make it first")
    if config.from_ns is not None and config.to_ns is not None and config.from_ns >= config.to_ns:
        raise ConfigError("--from is not before --to; the window is empty")
    if not 0 < config.speed < float("inf"):
        raise ConfigError(f"--speed is {config.speed}; it must be more than 0")
    return config


def _one_of(option: str, value: str, choices: tuple[str, ...]) -> None:
    if value not in choices:
        raise ConfigError(f"{option} is {value!r}; it must be one of {', '.join(choices)}")
