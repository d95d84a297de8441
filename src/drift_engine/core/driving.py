"""Coroutines that must not suspend, run to their end: the interface is asynchronous, the decision is not."""

import re
from collections.abc import Coroutine, Generator
from typing import Any, TypeVar

T = TypeVar("T")


class Done:
    """What a step that never suspends returns to those who await it: nothing, at once."""

    __slots__ = ()

    def __await__(self) -> Generator[None, None, None]:
        """End at once."""
        yield from ()


DONE = Done()


def drive(coroutine: Coroutine[Any, Any, T]) -> T:
    """Run a coroutine that must not suspend, and return its result.

    Raises ``RuntimeError`` where it awaits anything real: a decision that waits would not be the same twice.
    """
    try:
        coroutine.send(None)
    except StopIteration as done:
        return done.value  # type: ignore[no-any-return]
    coroutine.close()
    name = getattr(coroutine, "__qualname__", "a coroutine")
    raise RuntimeError(f"{name} must not await: a decision that suspends cannot be replayed")


def where(error: BaseException) -> str:
    """Return an error in one line, the same in every run: its kind, the file and line it comes from, what it says."""
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    place = "" if trace is None else f" at {trace.tb_frame.f_code.co_filename.rpartition('/')[2]}:{trace.tb_lineno}"
    said = re.sub(r"0x[0-9a-fA-F]+", "0x…", " ".join(str(error).split()))
    return f"{type(error).__name__}{place}: {said}"
