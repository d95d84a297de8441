"""``drift-engine localnet``: a chain on the desk with a venue played on it, and a Jito block engine beside it."""

import asyncio
import json
import os
from pathlib import Path
from shlex import quote
from typing import TYPE_CHECKING, Annotated, NamedTuple

import typer

from drift_engine.cli import exits, venue_options
from drift_engine.cli.options import Json, State, parse_duration
from drift_engine.config import DEFAULT_STATE_DIR, ConfigError, parse_capital

if TYPE_CHECKING:
    from solders.keypair import Keypair

    from drift_engine.localnet.serving import Running, ServeConfig
    from drift_engine.localnet.venue.path import Path as Prices
    from drift_engine.venues.program import Program

PROGRAM_SO = "DRIFT_PROGRAM_SO"
KEY_FILE = "localnet-key.json"
_QUOTE_E6 = 100_000 * 10**6
_CHAIN, _VENUE = "The chain", "The venue"

Port = Annotated[
    int,
    typer.Option(
        "--port", min=0, max=65_534, help="RPC; WebSocket is the next. 0 takes free ones.", rich_help_panel=_CHAIN
    ),
]
JitoPort = Annotated[
    int,
    typer.Option("--jito-port", min=0, max=65_535, help="Block engine. 0 takes a free one.", rich_help_panel=_CHAIN),
]
SlotMs = Annotated[int, typer.Option("--slot-ms", min=10, max=60_000, help="Length of a slot.", rich_help_panel=_CHAIN)]
Skew = Annotated[
    int, typer.Option("--clock-skew", metavar="S", help="Seconds the chain is ahead.", rich_help_panel=_CHAIN)
]
Scenario = Annotated[
    str | None,
    typer.Option("--scenario", metavar="NAME", help="Prices that move, as calm_carry.", rich_help_panel=_VENUE),
]
Speed = Annotated[int, typer.Option("--speed", min=1, help="Scenario seconds in a second.", rich_help_panel=_VENUE)]
Deposit = Annotated[
    str | None,
    typer.Option(
        "--deposit", metavar="USD", help="Open an account for the key, with this in it.", rich_help_panel=_VENUE
    ),
]
ProgramSo = Annotated[
    Path | None,
    typer.Option(
        "--program-so", metavar="PATH", help=f"Drift v2's real program. (env {PROGRAM_SO})", rich_help_panel=_VENUE
    ),
]


class Plan(NamedTuple):
    """What to start: the program, its server, how long, and what the key is given."""

    program: "Program"
    config: "ServeConfig"
    key: "Keypair"
    key_file: Path
    deposit_e6: int
    length_s: float | None


def localnet(
    *,
    port: Port = 8899,
    jito_port: JitoPort = 0,
    venue: venue_options.Venue = "velocity",
    scenario: Scenario = None,
    speed: Speed = 1,
    slot_ms: SlotMs = 400,
    clock_skew_s: Skew = 0,
    deposit: Deposit = None,
    program_so: ProgramSo = None,
    length: venue_options.For = None,
    state: State = None,
    as_json: Json = False,
) -> int:
    """Start a local chain with a venue on it, a funded key, and a Jito block engine; Ctrl-C ends it."""
    venue_options.check_venue(venue)
    deposit_e6 = 0 if deposit is None else parse_capital(deposit)
    length_s = parse_duration(length)
    if deposit_e6 > _QUOTE_E6:
        raise ConfigError(f"--deposit is {deposit}; the key has {_QUOTE_E6 // 10**6:,}")
    from drift_engine.localnet.chain import ChainConfig
    from drift_engine.localnet.serving import ServeConfig
    from drift_engine.venues.programs import by_name

    so = _program_so(venue, program_so)
    key, key_file = _key(state or DEFAULT_STATE_DIR)
    chain = ChainConfig(slot_ms=slot_ms, program_so=so)
    config = ServeConfig(port=port, jito_port=jito_port, chain=chain, clock_skew_s=clock_skew_s)
    program = by_name(venue)
    config = _with_venue(config, program, key, _prices(scenario, speed))
    asyncio.run(_serve(Plan(program, config, key, key_file, deposit_e6, length_s), as_json=as_json))
    return exits.OK


def _with_venue(config: "ServeConfig", program: "Program", key: "Keypair", path: "Prices | None") -> "ServeConfig":
    from drift_engine.localnet.venue.serving import Person, with_venue

    return with_venue(config, program, path=path, people=[Person(key.pubkey(), tokens={0: _QUOTE_E6})])


async def _serve(plan: Plan, *, as_json: bool) -> None:
    from drift_engine.cli.output import print_json
    from drift_engine.localnet.serving import PortTakenError, serve
    from drift_engine.localnet.venue.serving import NotEnrolledError, enrol
    from drift_engine.signals import stopping

    stop = asyncio.Event()
    with stopping(stop.set):
        try:
            running = await serve(plan.config)
        except PortTakenError as error:
            raise ConfigError(f"{error}, with --port or --jito-port; 0 takes free ones") from None
        try:
            if plan.deposit_e6:
                enrol(running.chain, plan.program, plan.key, plan.deposit_e6)
            if as_json:
                print_json(_facts(plan, running))
            else:
                _tell(plan, running)
            await _until_over(running, stop, plan.length_s)
        except NotEnrolledError as error:
            raise exits.FailedError(str(error)) from None
        finally:
            await running.stop()


async def _until_over(running: "Running", stop: asyncio.Event, length_s: float | None) -> None:
    """Wait for a signal, the end of the time, or whatever stops the slots."""
    over, stopped = asyncio.create_task(running.wait()), asyncio.create_task(stop.wait())
    try:
        await asyncio.wait({over, stopped}, timeout=length_s, return_when=asyncio.FIRST_COMPLETED)
        if over.done():
            over.result()
    finally:
        over.cancel()
        stopped.cancel()


def _facts(plan: Plan, running: "Running") -> dict[str, object]:
    return {
        "venue": plan.program.name,
        "program": "real" if plan.config.chain.program_so else "played",
        "rpc": running.url,
        "ws": running.ws_url,
        "jito": running.jito_url,
        "faults": f"{running.url}/faults",
        "slot_ms": plan.config.chain.slot_ms,
        "key_file": str(plan.key_file.resolve()),
        "address": str(plan.key.pubkey()),
        "deposit_e6": plan.deposit_e6,
    }


def _tell(plan: Plan, running: "Running") -> None:
    """Say where everything is, and what to try: whole lines, to be copied."""
    found = _facts(plan, running)
    held = f"100 SOL, {(_QUOTE_E6 - plan.deposit_e6) // 10**6:,} {plan.program.quote}"
    if plan.deposit_e6:
        held += f", and {plan.deposit_e6 / 10**6:,.2f} {plan.program.quote} deposited"
    program = "the real program" if plan.config.chain.program_so else "played by the simulated venue"
    flags = "" if plan.program.name == "velocity" else f" --venue {plan.program.name}"
    lines = [
        f"{plan.program.name} on a local chain, {program}; nothing here is worth anything",
        f"rpc      {found['rpc']}",
        f"ws       {found['ws']}",
        f"jito     {found['jito']}",
        f"faults   {found['faults']}",
        f"key      {found['key_file']}",
        f"         {found['address']}",
        f"         {held}",
        "",
        "In another terminal:",
        f"  export {venue_options.VARIABLE}={found['rpc']} DRIFT_ENGINE_KEY={quote(str(found['key_file']))}",
        *(f"  drift-engine {command}{flags}" for command in ("doctor", "markets", "funding", "account", "watch")),
        f"  drift-engine paper hold --venue {found['venue']}",
    ]
    if not plan.deposit_e6:
        lines.append("The key has no account yet: open one, or start with --deposit 1000 for account to show one.")
    print("\n".join(lines), flush=True)


def _program_so(venue: str, named: Path | None) -> Path | None:
    """Return the file of the real program where one is named; the environment's counts for Drift v2 alone."""
    inherited = os.environ.get(PROGRAM_SO) if venue == "drift_v2" else None
    path = named or (Path(inherited) if inherited else None)
    if path is None:
        return None
    if venue != "drift_v2":
        raise ConfigError("--program-so is a build of Drift v2's program: add --venue drift_v2")
    if not path.is_file():
        raise ConfigError(f"{'--program-so' if named else PROGRAM_SO}: there is no file {path}")
    return path


def _prices(scenario: str | None, speed: int) -> "Prices | None":
    if scenario is None:
        return None
    from time import time

    from drift_engine.localnet.venue.path import TimelinePath
    from drift_engine.simulation.scenarios import scenario_timeline

    return TimelinePath(scenario_timeline(scenario, interval_s=max(1, speed)), int(time()), speed)


def _key(state_dir: Path) -> "tuple[Keypair, Path]":
    """Return the local chain's own key, made and written for its owner alone at the first start."""
    from solders.keypair import Keypair

    from drift_engine.cli.places import make_dir
    from drift_engine.venues.keys import KeyUnusableError, key_from_file

    make_dir(state_dir)
    path = state_dir / KEY_FILE
    try:
        if path.exists():
            return key_from_file(path).keypair, path
        key = Keypair()
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            json.dump(list(bytes(key)), file)
    except KeyUnusableError as error:
        raise ConfigError(f"{error}; remove it to have a new one made") from None
    except OSError as error:
        raise ConfigError(f"{path}: cannot be written: {error.strerror}") from None
    return key, path
