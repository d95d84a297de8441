"""``drift-engine`` and ``python -m drift_engine``: the command line, which a Ctrl-C ends quietly while it loads."""

from __future__ import annotations

import os
import signal

TYPE_CHECKING = False  # what is imported before the signal is ours is time in which it is not
if TYPE_CHECKING:
    from types import FrameType
    from typing import NoReturn

_INTERRUPTED = 130


def main() -> NoReturn:
    """Load the command line and run it."""
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, _leave)
    from drift_engine.cli.main import main as command_line

    command_line()


def _leave(_signal: int, _frame: FrameType | None) -> NoReturn:
    os._exit(_INTERRUPTED)


if __name__ == "__main__":
    main()
