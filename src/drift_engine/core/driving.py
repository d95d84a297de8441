"""Coroutines that must not suspend, run to their end: the interface is asynchronous, the decision is not."""

import re
import types
from collections.abc import Callable, Coroutine, Generator
from typing import Any, Generic, TypeVar

Q = TypeVar("Q")
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
    raise _suspended(coroutine)


class Asker(Generic[Q, T]):
    """Asks one coroutine function again and again: what ``drive`` does, for the price of an ``await``.

    One generator awaits each answer in turn and is resumed with the next question; ``drive`` would end a coroutine by
    an exception each time.
    """

    __slots__ = ("_answer", "_ask", "_asking")

    def __init__(self, ask: Callable[[Q], Coroutine[Any, Any, T]]) -> None:
        self._ask = ask
        self._begin()

    def ask(self, question: Q) -> T:
        """Return the answer. Raises ``RuntimeError`` where it awaits anything real, and what the asked one raises."""
        try:
            said = self._asking.send(question)
        except BaseException:
            self._begin()
            raise
        if said is not self._answer:
            self._asking.close()
            self._begin()
            raise _suspended(self._ask)
        return said[0]  # type: ignore[no-any-return]

    def _begin(self) -> None:
        self._answer: list[Any] = [None]
        self._asking = self._answers()
        self._asking.send(None)

    @types.coroutine
    def _answers(self) -> Generator[Any, Any, None]:
        answer, ask = self._answer, self._ask
        question = yield None
        while True:
            answer[0] = yield from ask(question)
            question = yield answer


def _suspended(asked: object) -> RuntimeError:
    name = getattr(asked, "__qualname__", "a coroutine")
    return RuntimeError(f"{name} must not await: a decision that suspends cannot be replayed")


def where(error: BaseException) -> str:
    """Return an error in one line, the same in every run: its kind, the file and line it comes from, what it says."""
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    place = "" if trace is None else f" at {trace.tb_frame.f_code.co_filename.rpartition('/')[2]}:{trace.tb_lineno}"
    said = re.sub(r"0x[0-9a-fA-F]+", "0x…", " ".join(str(error).split()))
    return f"{type(error).__name__}{place}: {said}"
