"""Exit codes, and which errors are a user's to mend.

0 all went well · 1 a check failed, or the run broke · 2 the command or its configuration is wrong: nothing on stdout,
one line on stderr · 3 the run ended halted. An error that is in neither list is a bug and keeps its traceback; what a
strategy raises is told in a line before its own frames (``failing``).
"""

import sys

OK = 0
FAILED = 1
USAGE = 2
HALTED = 3


class FailedError(Exception):
    """What was asked for was understood and did not succeed: exit 1, with this line."""


def complain(message: object) -> None:
    """Print one line on stderr."""
    print(f"drift-engine: {' '.join(str(message).split())}", file=sys.stderr)


def judge(error: Exception) -> tuple[int, str] | None:
    """Return the exit code and the line that an error means, ``None`` for a bug.

    What is needed to tell is loaded only here, once something went wrong. A journal that differs in its first record,
    which describes the run, is of another run: a mistake; one that differs later is a check that failed.
    """
    from drift_engine.core.client import VenueUnavailableError
    from drift_engine.journal import JournalDamagedError, JournalMismatchError
    from drift_engine.venues.errors import VenueError
    from drift_engine.venues.rpc.errors import RpcError

    if isinstance(error, JournalMismatchError) and error.seq == 1:
        return USAGE, f"the journal is of another run, take another file or the old settings: {error}"
    failures = FailedError | JournalDamagedError | JournalMismatchError | VenueUnavailableError | VenueError | RpcError
    if isinstance(error, failures):
        return FAILED, str(error)
    return (USAGE, str(error)) if isinstance(error, mistakes()) else None


def mistakes() -> tuple[type[Exception], ...]:
    """Return the errors that a user can mend: exit 2."""
    from drift_engine.catalogue import StrategyNotFoundError
    from drift_engine.config import ConfigError
    from drift_engine.core.client import UnknownEventError
    from drift_engine.core.parameters import ParameterError
    from drift_engine.execution.limits import LimitError
    from drift_engine.journal import JournalError
    from drift_engine.simulation.csv_files import DataError
    from drift_engine.simulation.facts import UnknownMarketError
    from drift_engine.simulation.venue_log import VenueLogError

    ours = (ConfigError, ParameterError, LimitError, JournalError)
    return (*ours, VenueLogError, DataError, UnknownMarketError, UnknownEventError, StrategyNotFoundError)
