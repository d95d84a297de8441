"""The standard streams as a user may hand them over: closed, full, of a narrow encoding, or read by one who leaves.

None of that is a bug of ours, and none of it may touch a journal: a closed descriptor is filled first, or the next file
to be opened would take its number, and what is printed would land in that file.
"""

import errno
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout
from io import TextIOWrapper

_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO)


def make_ready() -> None:
    """Fill closed descriptors, and let a stream write what its encoding can say instead of failing."""
    while (free := os.open(os.devnull, os.O_RDWR)) <= 2:
        pass
    os.close(free)
    sys.stdout = sys.stdout or _nowhere()
    sys.stderr = sys.stderr or _nowhere()
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="backslashreplace" if stream is sys.stderr else "replace")


def _nowhere() -> TextIOWrapper:
    return TextIOWrapper(open(os.devnull, "wb"), encoding="utf-8")  # noqa: PTH123 - for as long as the process


def leave() -> None:
    """Write no more to stdout: what is still buffered goes nowhere."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def reader_left(error: BaseException) -> bool:
    """Whether whoever read our output has gone; typer makes an exit of that."""
    return isinstance(error, BrokenPipeError) or isinstance(error.__context__, BrokenPipeError)


def is_full(error: OSError) -> bool:
    """Whether a stream could not be written to; of a file we opened, the error has a name."""
    return error.filename is None and error.errno in _FULL


@contextmanager
def only_json(wanted: bool) -> Iterator[None]:
    """Send what a user's strategy prints to stderr, where stdout is for one JSON document."""
    if not wanted:
        yield
        return
    with redirect_stdout(sys.stderr):
        yield
