"""``drift-engine``: the command line's entry. Commands stand one in a file and import what they need when they run.

A command returns its exit code. Here, and only here, errors become exit codes and one line on stderr.
"""

import signal
import sys
from collections.abc import Callable, Sequence
from types import FrameType
from typing import Annotated, NoReturn

import typer

from drift_engine.cli import exits, failing, streams
from drift_engine.cli.account import account
from drift_engine.cli.alerts import app as alerts_app
from drift_engine.cli.backtest import backtest
from drift_engine.cli.config import app as config_app
from drift_engine.cli.data import app as data_app
from drift_engine.cli.doctor import doctor
from drift_engine.cli.drill import drill
from drift_engine.cli.engine import engine
from drift_engine.cli.funding import funding
from drift_engine.cli.journal import app as journal_app
from drift_engine.cli.localnet import localnet
from drift_engine.cli.logs import logs
from drift_engine.cli.markets import markets
from drift_engine.cli.page import page
from drift_engine.cli.paper import paper
from drift_engine.cli.replay import replay
from drift_engine.cli.resume import resume
from drift_engine.cli.serve import serve
from drift_engine.cli.status import status
from drift_engine.cli.steer import deposit, kill, restart, start, stop, withdraw
from drift_engine.cli.strategies import strategies
from drift_engine.cli.watch_account import watch
from drift_engine.cli.why import why

PROGRAM = "drift-engine"
_INTERRUPTED = 130  # what typer makes of a KeyboardInterrupt
_USAGE_ERROR: type[Exception] = typer.BadParameter.__mro__[2]  # click's ClickException, wherever typer keeps it

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False, context_settings={"max_content_width": 100})


@app.callback(invoke_without_command=True)
def drift_engine(
    context: typer.Context,
    *,
    version: Annotated[bool, typer.Option("--version", help="Print the version.")] = False,
) -> int:
    """A risk-first trading engine for perpetual futures: the same strategy in backtest, paper and live."""
    if version:
        from drift_engine import __version__

        typer.echo(f"{PROGRAM} {__version__}")
    elif context.invoked_subcommand is None:
        typer.echo(context.get_help())
    else:
        return exits.OK
    raise typer.Exit


_COMMANDS: dict[str, tuple[Callable[..., int], ...]] = {
    "Run": (paper, backtest, replay),
    "Run a fleet": (serve, start, stop, restart, deposit, withdraw, kill, drill),
    "Look and act": (status, logs, why, resume, strategies),
    "A venue on the chain": (markets, account, watch, funding, doctor, localnet),
}
for panel, commands in _COMMANDS.items():
    for command in commands:
        app.command(rich_help_panel=panel)(command)
app.command(hidden=True)(engine)
app.command(hidden=True)(page)
app.add_typer(journal_app, name="journal", rich_help_panel="Look and act")
app.add_typer(config_app, name="config", rich_help_panel="Check")
app.add_typer(alerts_app, name="alerts", rich_help_panel="Check")
app.add_typer(data_app, name="data", rich_help_panel="Check", no_args_is_help=False)


def run(arguments: Sequence[str] | None = None) -> int:
    """Run a command and return its exit code."""
    try:
        code = typer.main.get_command(app).main(
            args=None if arguments is None else list(arguments), prog_name=PROGRAM, standalone_mode=False
        )
        sys.stdout.flush()
    except _USAGE_ERROR as error:
        exits.complain(f"{error.format_message()} Try: {_help_for(error)}")  # type: ignore[attr-defined]
        return exits.USAGE
    except (KeyboardInterrupt, typer.Abort):
        code = _INTERRUPTED
    except (BrokenPipeError, SystemExit) as error:
        if not streams.reader_left(error):
            raise
        streams.leave()
        return exits.OK
    except Exception as error:
        if isinstance(error, OSError) and streams.is_full(error):
            streams.leave()
            exits.complain(f"cannot write the output: {error.strerror}; free space, or write it elsewhere")
            return exits.FAILED
        judged = exits.judge(error)
        if judged is None:
            if failing.tell(error):
                return exits.FAILED
            raise
        exits.complain(judged[1])
        return judged[0]
    if code == _INTERRUPTED:
        exits.complain("interrupted; a journal, if there is one, holds what was done and can be resumed")
        return exits.FAILED
    return code if isinstance(code, int) else exits.OK


def _help_for(error: Exception) -> str:
    context = getattr(error, "ctx", None)
    return f"{context.command_path if context else PROGRAM} --help"


def _interrupt(_signal: int, _frame: FrameType | None) -> NoReturn:
    raise KeyboardInterrupt


def main() -> NoReturn:
    """Run the command line and exit. SIGTERM ends a run as Ctrl-C does, which is ours from here on."""
    streams.make_ready()
    signal.signal(signal.SIGTERM, _interrupt)
    if signal.getsignal(signal.SIGINT) is not signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    sys.exit(run())
